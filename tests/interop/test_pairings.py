"""Servers of both kinds in one cluster, in every pairing, while the official Java client sends and consumes.

RMQ_TEST_SERVER says which kind stands beside Apache's: with `apache` these tests run among Apache's servers alone.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kit import toolchains
from tests.kit.driver import wait_until
from tests.kit.failover import ReplicasProgram
from tests.kit.frames import ask, create_topic
from tests.kit.members import Broker
from tests.kit.replicas import Cluster, quoted, registered, routed, topic_known
from tests.kit.rounds import QUEUES, TOPIC, Rounds
from tests.kit.server import chosen_kind

pytestmark = [pytest.mark.interop, pytest.mark.timeout(280)]

OURS, APACHE = chosen_kind(), "apache"
PAIRS = pytest.mark.parametrize("kinds", [(OURS, APACHE), (APACHE, OURS)], ids=["apache-slave", "apache-master"])
SETTINGS = {"registerNameServerPeriod": "10000"}
"""The shortest that brokers take: a name server that has come back waits for their next word."""
GET_ALL_CONSUMER_OFFSET, GET_ALL_GROUPS, UPDATE_GROUP, UPDATE_CONSUMER_OFFSET = 43, 201, 200, 15
METADATA = 90.0
"""Seconds in which a slave has asked for its master's tables; Apache's first does after one minute."""

Start = Callable[..., Cluster]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a cluster of a mode, from kinds by member."""
    toolchains.require("java")
    started: list[Cluster] = []

    def make(mode: str, kinds: Mapping[str, str], *namesrvs: str) -> Cluster:
        cluster = Cluster(tmp_path, mode, kinds, namesrvs=namesrvs, extra=SETTINGS)
        started.append(cluster)
        cluster.start()
        return cluster

    yield make
    for cluster in started:
        cluster.kill()


@contextmanager
def load(cluster: Cluster, home: Path) -> Iterator[tuple[Rounds, ReplicasProgram]]:
    cluster.create_topic(TOPIC, QUEUES)
    cluster.wait_topic(TOPIC)
    program = ReplicasProgram(cluster.namesrv_addr, home, TOPIC)
    try:
        rounds = Rounds(cluster, program, complete=True, seed="pairings")
        rounds.begin()
        yield rounds, program
        rounds.finish()
    finally:
        program.kill()


@PAIRS
def test_master_and_slave(start: Start, kinds: tuple[str, str], tmp_path: Path) -> None:
    """Each is killed and comes back: what was acknowledged is on both, byte for byte."""
    cluster = start("2m-2s-sync", dict(zip(("broker-a", "broker-a-s"), kinds, strict=True)), OURS)
    (master,) = cluster.masters
    with load(cluster, tmp_path) as (rounds, _):
        rounds.master_dies(master)
        rounds.slave_dies(master)


def test_masters_and_name_servers_of_both_kinds(start: Start, tmp_path: Path) -> None:
    """Each is killed and comes back; clients and brokers go on with the others."""
    cluster = start("2m-noslave", {"broker-a": OURS, "broker-b": APACHE}, OURS, APACHE)
    with load(cluster, tmp_path) as (rounds, program):
        for number, namesrv in enumerate(cluster.namesrvs):
            (other,) = (each for each in cluster.namesrvs if each is not namesrv)
            namesrv.kill()
            for master in cluster.masters:
                create_topic(other.address, master.address, f"Meanwhile-{number}", 1)
            rounds.goes_on()
            program.wait_consumed(program.read().answers, timeout=30)
            namesrv.start()
            for master in cluster.masters:
                wait_known(cluster, master)
            assert routed(namesrv.address, f"Meanwhile-{number}").keys() == {"broker-a", "broker-b"}
        for master in cluster.masters:
            rounds.master_leaves(master)


def wait_known(cluster: Cluster, broker: Broker) -> None:
    """Until every name server knows the broker by its own doing."""
    wait_until(
        lambda: all(registered(namesrv.address, broker) for namesrv in cluster.namesrvs),
        timeout=45,
        what=lambda: f"{broker.name} is not known to {cluster.namesrv_addr}",
    )


@pytest.mark.long
@PAIRS
def test_metadata_of_a_slave(start: Start, kinds: tuple[str, str]) -> None:
    """Topics, groups and offsets come to the slave without anybody's help."""
    cluster = start("2m-2s-async", dict(zip(("broker-a", "broker-a-s"), kinds, strict=True)), OURS)
    (master,) = cluster.masters
    slave = cluster.slave_of(master)
    create_topic(cluster.namesrvs[0].address, master.address, "Told", 3)
    group = json.dumps({"groupName": "told", "retryQueueNums": 2, "retryMaxTimes": 7}).encode()
    assert ask(master.address, UPDATE_GROUP, {}, group)[0]["code"] == 0
    place = {"consumerGroup": "told", "topic": "Told", "queueId": "2", "commitOffset": "0"}
    assert ask(master.address, UPDATE_CONSUMER_OFFSET, place)[0]["code"] == 0
    wanted = told(master)
    assert wanted["offsets"] == {"2": 0}
    assert wanted["group"]["retryMaxTimes"] == 7
    wait_until(
        lambda: topic_known(slave, "Told") and told(slave) == wanted,
        timeout=METADATA,
        what=lambda: f"{topic_known(slave, 'Told')}, {told(slave)}, master {wanted}",
    )


def told(broker: Broker) -> dict[str, Any]:
    """The group as the broker's tables have it; a question for the group alone would make it where it is not."""
    _, offsets = ask(broker.address, GET_ALL_CONSUMER_OFFSET)
    _, groups = ask(broker.address, GET_ALL_GROUPS)
    return {
        "offsets": json.loads(quoted(offsets))["offsetTable"].get("Told@told"),
        "group": json.loads(quoted(groups))["subscriptionGroupTable"].get("told"),
    }
