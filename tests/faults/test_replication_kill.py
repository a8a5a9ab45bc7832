"""kill -9 of masters and slaves under load: nothing acknowledged is lost, and clients go on.

With two masters that have a slave each, the official Java client sends and consumes. With synchronous double write
everything acknowledged is read from the slave at once; without, its newest part may be missing there until the master
is back. By hand, with more rounds:

    RMQ_HA_ROUNDS=10 python -m pytest -s tests/faults/test_replication_kill.py
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import toolchains
from tests.kit.failover import Evidence, ReplicasProgram, lost
from tests.kit.replicas import Cluster
from tests.kit.rounds import QUEUES, TOPIC, Rounds
from tests.kit.server import chosen_kind

ROUNDS = int(os.environ.get("RMQ_HA_ROUNDS", "2"))
SETTINGS = {"mappedFileSizeCommitLog": str(1024 * 1024)}
"""Small, so that logs roll while members die."""
NAMES = ("broker-a", "broker-a-s", "broker-b", "broker-b-s")


@pytest.fixture(params=["2m-2s-sync", "2m-2s-async"])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    toolchains.require("java")
    kind = chosen_kind()
    running = Cluster(tmp_path, request.param, dict.fromkeys(NAMES, kind), namesrvs=(kind,), extra=SETTINGS)
    try:
        running.start()
        running.create_topic(TOPIC, QUEUES)
        running.wait_topic(TOPIC)
        yield running
    finally:
        running.kill()


@pytest.mark.interop
@pytest.mark.timeout(240 + 90 * ROUNDS)
def test_kill_under_load(cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    mode = request.node.callspec.params["cluster"]
    program = ReplicasProgram(cluster.namesrv_addr, tmp_path, TOPIC)
    try:
        rounds = Rounds(cluster, program, complete=mode == "2m-2s-sync", seed=mode)
        rounds.begin()
        for number in range(ROUNDS):
            rounds.master_dies(cluster.masters[number % 2])
        rounds.slave_dies(cluster.masters[1])
        rounds.finish()
    finally:
        program.kill()


# --- whether the check sees anything at all ---------------------------------------------------------------------------

LINES = """\
S t0-0 1
A t0-0 broker-a 1 0 SEND_OK 2
S t0-1 3
A t0-1 broker-a 1 1 FLUSH_SLAVE_TIMEOUT 4
S t0-2 5
X t0-2 6 org.apache.rocketmq.remoting.exception.RemotingTimeoutException:late
C t0-0 broker-a 1 0 7
"""


def evidence(text: str = LINES) -> Evidence:
    found = Evidence()
    found.read(line.replace(" ", "\t") for line in text.splitlines())
    return found


SENT = {"t0-0", "t0-1", "t0-2"}


def test_what_is_lost_shows() -> None:
    acknowledged = evidence().with_status("broker-a", "SEND_OK", "FLUSH_SLAVE_TIMEOUT")
    assert acknowledged == {(1, 0): "t0-0", (1, 1): "t0-1"}
    assert evidence().with_status("broker-a") == {(1, 0): "t0-0"}
    assert evidence().with_status("broker-b") == {}
    assert evidence().sent == SENT
    assert lost(acknowledged, {(1, 0): b"t0-0 ...", (1, 1): b"t0-1 ", (1, 2): b"t0-2 "}, SENT) == {}
    assert lost(acknowledged, {(1, 0): b"t0-0 ..."}, SENT) == {(1, 1): "t0-1"}
    assert lost(acknowledged, {(1, 0): b"t0-1 "}, SENT) == {(1, 0): "t0-0", (1, 1): "t0-1"}


@pytest.mark.parametrize(
    ("found", "problem"),
    [({(1, 0): b"t0-0 ", (1, 1): b"t0-0 "}, "stored twice"), ({(1, 0): b"t0-0 ", (1, 1): b"t9-9 "}, "invented")],
)
def test_what_may_not_be_stored_shows(found: dict[tuple[int, int], bytes], problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        lost({}, found, SENT)


def test_what_consumers_may_not_get_shows() -> None:
    assert evidence().misled() == []
    assert evidence().unconsumed(["t0-0", "t0-1"]) == {"t0-1"}
    assert evidence().failures == {"RemotingTimeoutException": 1}
    assert evidence(f"{LINES}C t8-8 broker-a 1 5 7\n").misled() == ["t8-8 was consumed and never sent"]
    (moved,) = evidence(f"{LINES}C t0-1 broker-a 1 5 7\n").misled()
    assert moved.startswith("t0-1 was consumed at ('broker-a', (1, 5), 7) and acknowledged at ")
    assert "several places" in evidence(f"{LINES}C t0-0 broker-a 1 5 8\n").misled()[0]
