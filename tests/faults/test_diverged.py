"""A slave whose log is not its master's: it goes back to what both have, keeps what it cut off, and follows again."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import toolchains
from tests.kit.load import Channel
from tests.kit.members import Broker
from tests.kit.replicas import LOG_FILE_SIZE, Cluster, assert_same_log, held, log_end

TOPIC, QUEUES = "Diverged", 2
FEW, MANY = 50, 100
APACHE = pytest.param("apache", marks=(pytest.mark.interop, pytest.mark.long), id="apache")
MASTERS = pytest.mark.parametrize("cluster", [pytest.param("rmq", id="own"), APACHE], indirect=True)
pytestmark = pytest.mark.timeout(200)


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """A master of that kind, and a slave of ours: Apache's does not look at what its log holds."""
    if request.param == "apache":
        toolchains.require("java")
    made = Cluster(tmp_path, "2m-2s-async", {"broker-a": request.param, "broker-a-s": "rmq"})
    yield made
    made.kill()


def send(broker: Broker, bodies: list[bytes]) -> None:
    """Each body as a message, to the queues in turn; one at a time."""
    channel = Channel(broker.address)
    try:
        for number, body in enumerate(bodies):
            ext = {
                "a": "p", "b": TOPIC, "c": "TBW102", "d": "4", "e": str(number % QUEUES), "f": "0",
                "g": "1700000000000", "h": "0", "i": "", "m": "false",
            }  # fmt: skip
            assert channel.ask(310, ext, body).code == 0
    finally:
        channel.close()


def bodies(label: str, count: int, size: int = 100) -> list[bytes]:
    return [f"{label}-{number} ".encode().ljust(size, b".") for number in range(count)]


def check(cluster: Cluster, expected: list[bytes]) -> None:
    master, slave = cluster.brokers["broker-a"], cluster.brokers["broker-a-s"]
    assert assert_same_log(master, slave) == log_end(master)
    content = held(master, TOPIC, QUEUES)
    assert sorted(content.values()) == sorted(expected)
    assert held(slave, TOPIC, QUEUES) == content


def runs_alone(slave: Broker, content: list[bytes]) -> None:
    """The slave serves as a master for a while, and takes messages that nobody else gets."""
    role = {key: slave.settings[key] for key in ("brokerId", "brokerRole")}
    slave.settings.update({"brokerId": "0", "brokerRole": "ASYNC_MASTER"})
    slave.start()
    send(slave, content)
    slave.stop()
    slave.settings.update(role)


@MASTERS
@pytest.mark.parametrize("meanwhile", [0, MANY], ids=["slave-ahead", "both-went-on"])
def test_what_the_master_never_had_is_cut_off(cluster: Cluster, meanwhile: int) -> None:
    master, slave = cluster.brokers["broker-a"], cluster.brokers["broker-a-s"]
    cluster.start()
    cluster.create_topic(TOPIC, QUEUES)
    common = bodies("common", FEW)
    send(master, common)
    check(cluster, common)
    end = log_end(master)
    slave.stop()
    master.kill()
    runs_alone(slave, alone := bodies("alone", MANY, size=120))
    master.start()
    later = bodies("later", meanwhile, size=90)
    send(master, later)
    slave.start()
    cluster.wait_registered(slave)
    check(cluster, common + later)
    (kept,) = (slave.store_dir / "cut").iterdir()
    assert kept.name.startswith(f"{end:020d}") or kept.name.startswith(f"{end}-")
    assert all(body in kept.read_bytes() for body in alone)
    send(master, after := bodies("after", FEW))
    check(cluster, common + later + after)


@MASTERS
def test_an_empty_slave_begins_at_the_first_file(cluster: Cluster) -> None:
    """And takes all of the log, which has several files."""
    master, slave = cluster.brokers["broker-a"], cluster.brokers["broker-a-s"]
    cluster.start()
    cluster.create_topic(TOPIC, QUEUES)
    slave.stop()
    shutil.rmtree(slave.store_dir)
    large = bodies("large", 3 * LOG_FILE_SIZE // 100_000, size=80_000)
    send(master, large)
    assert log_end(master) > 2 * LOG_FILE_SIZE
    slave.start()
    cluster.wait_registered(slave)
    check(cluster, large)
