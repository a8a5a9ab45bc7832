"""Apache RocketMQ's own name server, broker and mqadmin, started from their released jars.

A clean stop of Apache's broker takes about twelve seconds (it sleeps and joins its threads one by one), so a test that
does not look at the store afterwards kills it.
"""

import json
import os
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.kit.frames import UPDATE_BROKER_CONFIG, ask, wait_for_broker
from tests.kit.ports import free_block, free_port
from tests.kit.process import Child
from tests.kit.server import BASE_CONFIG, write_config
from tests.kit.toolchains import apache_class_path, java

SERVER_FLAGS = ("-XX:-UseSerialGC", "-XX:+UseG1GC", "-XX:MaxDirectMemorySize=512m")


class ApacheCluster:
    """Apache's name server and one broker, on free ports, in a directory of their own (user.home and ROCKETMQ_HOME)."""

    kind = "apache"

    def __init__(self, home: Path, *, store_dir: Path | None = None, extra: dict[str, str] | None = None) -> None:
        self.home = home
        self.store_dir = store_dir or home / "store"
        namesrv_port, broker_port = free_port(), free_block(-2, 0, 1)
        self.namesrv_addr = f"127.0.0.1:{namesrv_port}"
        self.broker_addr = f"127.0.0.1:{broker_port}"
        self._namesrv_config = write_config(
            home / "namesrv.conf", {"listenPort": str(namesrv_port), "bindAddress": "127.0.0.1"}
        )
        config = {
            **BASE_CONFIG,
            "listenPort": str(broker_port),
            "namesrvAddr": self.namesrv_addr,
            "storePathRootDir": str(self.store_dir),
            "storePathCommitLog": str(self.store_dir / "commitlog"),
            **(extra or {}),
        }
        self._broker_config = write_config(home / "broker.conf", config)
        self.restart()

    def _start(self, main_class: str, config: Path, *flags: str) -> Child:
        words = java(apache_class_path(), main_class, f"-Duser.home={self.home}", *SERVER_FLAGS, *flags)
        return Child([*words, "-c", str(config)], cwd=self.home, env={"ROCKETMQ_HOME": str(self.home)})

    def _start_namesrv(self) -> Child:
        return self._start("org.apache.rocketmq.namesrv.NamesrvStartup", self._namesrv_config, "-Xms256m", "-Xmx256m")

    def _start_broker(self) -> Child:
        return self._start("org.apache.rocketmq.broker.BrokerStartup", self._broker_config, "-Xms1g", "-Xmx1g")

    def spawn(self) -> None:
        self._children = [self._start_namesrv(), self._start_broker()]

    def restart(self) -> None:
        self._children: list[Child] = []
        try:
            for start in (self._start_namesrv, self._start_broker):
                self._children.append(start())
                self._children[-1].wait_line("boot success")
            self._wait_registered()
        except BaseException:
            self.kill()
            raise

    def _wait_registered(self) -> None:
        """Until the name server knows the broker.

        Apache's broker at times boots without registering (it has not seen its name server alive yet) and does it ten
        seconds later; a changed permission makes it register at once.
        """
        try:
            wait_for_broker(self.namesrv_addr, self.broker_addr, timeout=0.5)
        except TimeoutError:
            ask(self.broker_addr, UPDATE_BROKER_CONFIG, body=b"brokerPermission=6\n")
            wait_for_broker(self.namesrv_addr, self.broker_addr)

    @property
    def pids(self) -> list[int]:
        return [child.pid for child in self._children]

    def stop(self) -> None:
        for child in reversed(self._children):
            child.terminate()

    def kill(self) -> None:
        for child in reversed(self._children):
            child.kill()


@dataclass(frozen=True)
class Printed:
    """What one mqadmin command wrote."""

    out: str
    err: str


def mqadmin(*args: str, namesrv_addr: str) -> Printed:
    """One command in a JVM of its own, as a user runs it."""
    words = java(
        apache_class_path(), "org.apache.rocketmq.tools.command.MQAdminStartup", "-Xmx512m", "-XX:TieredStopAtLevel=1"
    )
    done = subprocess.run([*words, *args, "-n", namesrv_addr], capture_output=True, text=True, timeout=60, check=False)
    return Printed(done.stdout, done.stderr)


class MqAdmin:
    """Java's mqadmin in one warm JVM: the commands are Apache's own, run one after the other."""

    def __init__(self, namesrv_addr: str, home: Path) -> None:
        self._namesrv_addr = namesrv_addr
        places = (f"-Duser.home={home}", f"-Djava.io.tmpdir={home}")
        words = java(apache_class_path(), "interop.AdminBatch", "-Xmx512m", "-XX:TieredStopAtLevel=1", *places)
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=home,
            env={**os.environ, "NAMESRV_ADDR": namesrv_addr},
        )
        self._lock = threading.Lock()

    def run(self, *args: str) -> Printed:
        """The command's two streams; it gets this name server."""
        return self.run_as_given([*args, "-n", self._namesrv_addr])

    def run_as_given(self, words: Sequence[str]) -> Printed:
        """The two streams of a command line to which nothing is added."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(list(words)) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"mqadmin {' '.join(words)} ended its JVM (a command line it refused?)")
        return Printed(**json.loads(line))

    def out(self, *args: str) -> str:
        """Standard output of a command that must write nothing on the other stream."""
        printed = self.run(*args)
        if printed.err:
            raise AssertionError(f"mqadmin {' '.join(args)} wrote on stderr:\n{printed.err[:3000]}")
        return printed.out

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
