"""The commands of docs/migration.md, one after the other, while the official Java client sends and consumes.

`mqadmin`, `mqbroker` and `mqnamesrv` are ours; Apache's programs stand under the directory that the page calls APACHE.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from tests.kit import toolchains
from tests.kit.apache import SERVER_FLAGS
from tests.kit.failover import ReplicasProgram, lost
from tests.kit.members import Broker
from tests.kit.ports import free_block
from tests.kit.replicas import Cluster, held
from tests.kit.rounds import QUEUES, TOPIC
from tests.kit.toolchains import ROOT, apache_class_path, java

pytestmark = [pytest.mark.interop, pytest.mark.timeout(280)]

PAGE = ROOT / "docs" / "migration.md"
SETTINGS = {"registerNameServerPeriod": "10000"}
FEW = 20
BLOCK_S, CONSUMED_S = 150.0, 60.0
UNINTERRUPTED_S = 5.0
"""Longest time without an acknowledged send where none is announced."""

_PROGRAMS = {
    "mqbroker": ("broker", "org.apache.rocketmq.broker.BrokerStartup", "-Xms256m", "-Xmx512m"),
    "mqnamesrv": ("namesrv", "org.apache.rocketmq.namesrv.NamesrvStartup", "-Xms64m", "-Xmx128m"),
}


def recipe(title: str) -> list[str]:
    """The shell blocks under a heading of the page."""
    _, found, rest = PAGE.read_text(encoding="utf-8").partition(f"# {title}\n")
    assert found, f"{PAGE.name} has no heading {title}"
    section = re.split(r"^##+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert blocks, f"{title} has no commands"
    return blocks


class Operator:
    """Who follows the page, in a directory of his own.

    Attributes:
        home: the directory; what is started there writes its process id into files.
    """

    def __init__(self, home: Path, cluster: Cluster) -> None:
        self.home = home
        self._cluster = cluster
        self._apache = home / "apache"
        (self._apache / "bin").mkdir(parents=True)
        for name, (role, main_class, *heap) in _PROGRAMS.items():
            words = java(apache_class_path(), main_class, f"-Duser.home={home}", *SERVER_FLAGS, *heap)
            environment = f"ROCKETMQ_HOME={shlex.quote(str(self._apache))}"
            self._script(name, f'echo $$ > {self._pid_file(role)}\n{environment} exec {shlex.join(words)} "$@"')
        self._script("mqshutdown", f"kill $(cat {self._apache}/$1.pid)")
        for member in cluster.members:
            if member.kind == "apache":
                self._pid_file(member.role).write_text(str(member.child.pid))

    def _script(self, name: str, commands: str) -> None:
        path = self._apache / "bin" / name
        path.write_text(f"#!/bin/bash\n{commands}\n")
        path.chmod(0o755)

    def _pid_file(self, role: str) -> Path:
        return self._apache / f"{role}.pid"

    def follow(self, title: str, **names: str) -> None:
        """Carries out what stands under a heading.

        Raises:
            AssertionError: a command failed, or takes too long.
        """
        given = {
            "NAMESRV": self._cluster.namesrv_addr,
            "GROUP": "replicas",
            "APACHE": str(self._apache),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.home),
        }
        for number, block in enumerate(recipe(title), 1):
            began = time.monotonic()
            self._run(block, {**os.environ, **given, **names})
            print(f"{title}, block {number}: {time.monotonic() - began:.1f} s", flush=True)

    def _run(self, block: str, environment: Mapping[str, str]) -> None:
        with (self.home / "commands.log").open("w+") as output:
            process = subprocess.Popen(
                ["bash", "-eu", "-c", block],
                cwd=self.home, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
            try:
                status: int | None = process.wait(BLOCK_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = None
            output.seek(0)
            assert status == 0, f"status {status} of\n{block}\n{output.read()[-3000:]}{self._logs()}"

    def _logs(self) -> str:
        return "".join(f"\n{path.name}:\n{path.read_text()[-1500:]}" for path in self.home.glob("*.log"))

    def close(self) -> None:
        """Ends what was started."""
        for path in [*self.home.glob("*.pid"), *self._apache.glob("*.pid")]:
            try:
                os.kill(int(path.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                continue


class Migration:
    """A cluster, its clients, and whoever changes its members."""

    def __init__(self, home: Path, mode: str, kind: str, namesrv: str) -> None:
        toolchains.require("java")
        self.cluster = Cluster(home, mode, {"broker-a": kind}, namesrvs=(namesrv,), extra=SETTINGS)
        self.old = self.cluster.brokers["broker-a"].address
        try:
            self.cluster.start()
            self.cluster.create_topic(TOPIC, QUEUES)
            self.operator = Operator(home, self.cluster)
            self.program = ReplicasProgram(self.cluster.namesrv_addr, home, TOPIC)
        except BaseException:
            self.cluster.kill()
            raise
        self.program.wait_answers("broker-a", FEW)

    def finish(self) -> None:
        """Every acknowledged message was consumed, at the place at which it was acknowledged, and no other was."""
        evidence = self.program.stop_sending()
        self.program.wait_consumed(evidence.answers, timeout=CONSUMED_S)
        assert self.program.read().misled() == []
        print(f"{len(evidence.answers)} messages; failures {dict(evidence.failures)}; {self.pause():.1f} s without")

    def pause(self) -> float:
        """Longest time without an acknowledged send, in seconds."""
        times = sorted(answer.at for answer in self.program.read().answers.values())
        return max(later - earlier for earlier, later in pairwise(times)) / 1000

    def nothing_lost(self, address: str) -> None:
        """What was acknowledged under the name of broker-a is at its place there."""
        acknowledged = self.program.read().with_status("broker-a")
        now = Broker("now", "", self.operator.home / "now", {"listenPort": address.rpartition(":")[2]})
        assert lost(acknowledged, held(now, TOPIC, QUEUES), self.program.read().sent) == {}

    def close(self) -> None:
        self.program.kill()
        self.operator.close()
        self.cluster.kill()


@pytest.fixture
def migration(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Migration]:
    """Mode of the cluster, kind of its broker, kind of its name server."""
    made = Migration(tmp_path, *request.param)
    yield made
    made.close()


def new_address() -> str:
    return f"127.0.0.1:{free_block(-2, 0, 1)}"


@pytest.mark.parametrize("migration", [("2m-noslave", "apache", "apache")], indirect=True)
def test_beside_and_back(migration: Migration) -> None:
    """Brokers and name server become ours, and the broker Apache's again."""
    ours, apache = new_address(), new_address()
    migration.operator.follow("From Apache to rmq, beside", OLD=migration.old, NEW=ours)
    migration.program.wait_answers("broker-new", FEW)
    migration.operator.follow("Name servers", NEW=ours)
    migration.program.wait_answers("broker-new", FEW)
    migration.operator.follow("From rmq to Apache, beside", OLD=ours, NEW=apache)
    migration.program.wait_answers("broker-next", FEW)
    migration.finish()
    assert migration.pause() < UNINTERRUPTED_S


@pytest.mark.parametrize("migration", [("2m-2s-async", "apache", "rmq")], indirect=True)
def test_in_place_and_back_on_the_spot(migration: Migration) -> None:
    ours = new_address()
    migration.operator.follow("From Apache to rmq, in place", OLD=migration.old, NEW=ours)
    migration.program.wait_answers("broker-a", FEW)
    migration.nothing_lost(ours)
    migration.operator.follow("On the spot", OLD=ours)
    migration.program.wait_answers("broker-a", FEW)
    migration.nothing_lost(ours)
    migration.finish()


@pytest.mark.long
@pytest.mark.parametrize("migration", [("2m-2s-async", "rmq", "rmq")], indirect=True)
def test_in_place_and_back(migration: Migration) -> None:
    """Apache's slave asks for topics and offsets after a minute."""
    apache = new_address()
    (migration.operator.home / "broker-a.pid").write_text(str(migration.cluster.brokers["broker-a"].child.pid))
    migration.operator.follow("From rmq to Apache, in place", OLD=migration.old, NEW=apache)
    migration.program.wait_answers("broker-a", FEW)
    migration.nothing_lost(apache)
    migration.finish()
