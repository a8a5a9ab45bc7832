"""What is behind messages with a time."""

from rmq.wire.errors import InvalidParameterError
from rmq.wire.requests.broker import SwitchTimerEngine
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, report, text


def test_one_broker() -> None:
    servers = FakeServers()
    assert text(servers, "switchTimerEngine", "-b", MASTER_A, "-e", "F") == (
        f"switchTimerEngine to F success, {MASTER_A}\n"
    )
    assert servers.sent(SwitchTimerEngine) == [(MASTER_A, SwitchTimerEngine("F"))]


def test_a_cluster() -> None:
    made = report(FakeServers(), "switchTimerEngine", "-c", "C1", "-e", "R")
    assert made.render("text") == "".join(
        f"switchTimerEngine to ROCKSDB_TIMELINE success, {address}\n" for address in (MASTER_A, MASTER_B)
    )
    assert made.members == {"engine": "ROCKSDB_TIMELINE", "brokers": [MASTER_A, MASTER_B]}


def test_brokers_that_refuse() -> None:
    servers = FakeServers({SwitchTimerEngine: lambda address, header: InvalidParameterError("no RocksDB")})
    made = report(servers, "switchTimerEngine", "-c", "C1", "-e", "R")
    assert made.render("text") == ""
    assert [failure.address for failure in made.failures] == [MASTER_A, MASTER_B]


def test_an_engine_that_there_is_not() -> None:
    servers = FakeServers()
    made = report(servers, "switchTimerEngine", "-b", MASTER_A, "-e", "X")
    assert made.render("text") == "switchTimerEngine engineType must be R or F\n"
    assert made.refusal
    assert servers.calls == []
