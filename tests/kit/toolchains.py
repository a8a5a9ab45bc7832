"""Foreign toolchains and the programs built with them.

Each program is built once for a state of its sources and kept under a cache directory of the user
(RMQ_INTEROP_CACHE, by default ~/.cache/rmq-interop), in a directory named by a hash of those sources. File locks
keep two processes from building the same thing at once, and from running Maven at once, whose downloads are shared; a
build becomes visible only when it is whole.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INTEROP = ROOT / "tests" / "interop"
APACHE_VERSION = "5.4.0"
JAVA_CLIENT_VERSIONS = ("5.4.0", "4.9.8")

TOOLS = {"java": ("java", "javac", "mvn"), "go": ("go",), "node": ("node", "npm"), "terminal": ("tmux",)}
"""The executables that make each toolchain."""

# The same for servers and clients: one address family and the serial collector, which starts fastest.
JVM_FLAGS = ("-Djava.net.preferIPv4Stack=true", "-XX:+UseSerialGC", "-Xshare:auto")


def missing_tools(toolchain: str) -> list[str]:
    """The executables of a toolchain that this machine lacks."""
    return [tool for tool in TOOLS[toolchain] if shutil.which(tool) is None]


def all_present() -> bool:
    """Whether Maven, Go and npm are all here, so that no interop test has a reason to skip."""
    return all(shutil.which(tool) is not None for tool in ("mvn", "go", "npm"))


def require(toolchain: str) -> None:
    """Skip the running test, saying what is missing, unless the toolchain is here."""
    missing = missing_tools(toolchain)
    if missing:
        pytest.skip(f"needs the {toolchain} toolchain; not installed here: {', '.join(missing)}")


class BuildFailedError(Exception):
    """A foreign program could not be built; the text is the build tool's own."""


@dataclass(frozen=True)
class Program:
    """How to start a built program: the arguments go after these words."""

    command: tuple[str, ...]
    class_path: str = ""


def _cache_root() -> Path:
    given = os.environ.get("RMQ_INTEROP_CACHE")
    root = Path(given) if given else Path.home() / ".cache" / "rmq-interop"
    root.mkdir(parents=True, exist_ok=True)
    return root


def _digest(source: Path, salt: str) -> str:
    found = hashlib.sha256(salt.encode())
    for path in sorted(
        p for p in source.rglob("*") if p.is_file() and "node_modules" not in p.parts and "target" not in p.parts
    ):
        found.update(str(path.relative_to(source)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


@contextmanager
def _locked(name: str) -> Iterator[None]:
    with open(_cache_root() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _built(name: str, source: Path, salt: str, build: Callable[[Path], None]) -> Path:
    root = _cache_root()
    target = root / f"{name}-{_digest(source, salt)}"
    with _locked(name):
        if not target.exists():
            fresh = root / f"{target.name}.building"
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            build(fresh)
            fresh.rename(target)
    return target


def _run(*words: str, cwd: Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        words,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
        text=True,
    )
    if done.returncode:
        raise BuildFailedError(f"{' '.join(words)}\n{done.stdout[-6000:]}")


def _maven(name: str, source: Path, version: str) -> str:
    """Class path of a Maven project of ours: its classes and every dependency."""

    def build(target: Path) -> None:
        work = target / "source"
        shutil.copytree(source, work)
        goals = ("compile", "dependency:copy-dependencies")
        options = (
            f"-Drocketmq.version={version}",
            f"-Dbuild.dir={target / 'build'}",
            f"-DoutputDirectory={target / 'lib'}",
        )
        with _locked("maven"):
            _run("mvn", "-q", "-B", *goals, *options, cwd=work)

    target = _built(f"{name}-{version}", source, version, build)
    return f"{target / 'build' / 'classes'}:{target / 'lib'}/*"


def java(class_path: str, main_class: str, *flags: str) -> tuple[str, ...]:
    """The words that start a Java main class; a quiet logging configuration comes first on the class path."""
    return ("java", *JVM_FLAGS, *flags, "-cp", f"{INTEROP / 'java' / 'quiet'}:{class_path}", main_class)


@cache
def java_client(version: str) -> Program:
    """The driver around the official Java client of that release."""
    class_path = _maven("java-client", INTEROP / "java" / "client", version)
    return Program(java(class_path, "interop.Driver", "-Xmx512m", "-XX:TieredStopAtLevel=1"), class_path)


@cache
def apache_class_path() -> str:
    """Apache's name server, broker and tools, and our driver around its mqadmin."""
    return _maven("apache", INTEROP / "java" / "apache", APACHE_VERSION)


@cache
def java_bench() -> str:
    """Class path of the load program."""
    return _maven("java-bench", ROOT / "bench" / "java", APACHE_VERSION)


@cache
def go_client() -> Program:
    """The driver around the official Go client."""
    source = INTEROP / "go"

    def build(target: Path) -> None:
        _run(
            "go",
            "build",
            "-o",
            str(target / "driver"),
            ".",
            cwd=source,
            env={**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false"},
        )

    return Program((str(_built("go-client", source, "", build) / "driver"),))


@cache
def node_client() -> Program:
    """The driver around the official Node client."""
    source = INTEROP / "node"

    def build(target: Path) -> None:
        for name in ("package.json", "package-lock.json", "driver.js"):
            shutil.copy(source / name, target)
        _run("npm", "ci", "--no-audit", "--no-fund", cwd=target)

    return Program(("node", str(_built("node-client", source, "", build) / "driver.js")))


BUILDS: dict[str, tuple[Callable[[], object], ...]] = {
    "go": (go_client,),
    "node": (node_client,),
    "java": (apache_class_path, *(lambda v=version: java_client(v) for version in JAVA_CLIENT_VERSIONS)),
}
"""What each toolchain builds for the tests."""


def build_all() -> None:
    """Builds beforehand whatever this machine can, one after the other, so that no test has to wait for it."""
    for toolchain, builds in BUILDS.items():
        if not missing_tools(toolchain):
            for build in builds:
                build()


if __name__ == "__main__":
    build_all()
