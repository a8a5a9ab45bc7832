"""Whole brokers as master and slave of one name, beside a name server, on one reactor."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rmq.remoting.client import RemotingClient
from rmq.remoting.server import ListenError
from rmq.server.broker.build import Broker
from rmq.server.namesrv.build import NameServer
from rmq.settings.load import load_namesrv
from rmq.wire.bodies.broker import HARuntimeInfo
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import RemotingError
from rmq.wire.requests.client import Heartbeat
from rmq.wire.requests.offset import QueryConsumerOffset, UpdateConsumerOffset
from rmq.wire.requests.replication import GetBrokerHaStatus
from rmq.wire.requests.topic import GetTopicConfig
from tests.kit.broker import heartbeat, messages, pull_header, send_header, settings_of
from tests.kit.memory_files import MemoryFiles
from tests.kit.turning import Loop

SMALL = {
    "bindAddress": "127.0.0.1", "mapedFileSizeCommitLog": 1 << 20, "mapedFileSizeConsumeQueue": 20000,
    "maxHashSlotNum": 100, "maxIndexNum": 400, "diskMaxUsedSpaceRatio": 95, "slaveReadEnable": True,
}  # fmt: skip


class Group:
    """A master and a slave, and the name server that tells one of the other."""

    def __init__(self, loop: Loop, directory: Path) -> None:
        self.loop = loop
        self._directory = directory
        self.namesrv = NameServer(
            loop.reactor, load_namesrv("listenPort=0\nbindAddress=127.0.0.1").settings, MemoryFiles()
        )
        self.namesrv.start()
        self.client = RemotingClient(loop.reactor)
        self.running: list[Broker] = []

    def start(self, name: str, **more: Any) -> Broker:
        values = {
            "namesrvAddr": f"127.0.0.1:{self.namesrv.port}", "listenPort": 0, **SMALL,
            "storePathRootDir": str(self._directory / name), **more,
        }  # fmt: skip
        made = Broker(self.loop.reactor, settings_of(**values))
        self.loop.wait(made.start())
        self.running.append(made)
        return made

    def master(self, **more: Any) -> Broker:
        return self.start("master", **{"brokerRole": "SYNC_MASTER", "inSyncReplicas": 2, **more})

    def slave(self, **more: Any) -> Broker:
        return self.start("slave", **{"brokerRole": "SLAVE", "brokerId": 1, **more})

    def stop(self, broker: Broker) -> None:
        self.running.remove(broker)
        self.loop.wait(broker.stop())

    def call(self, broker: Broker, header: Any, body: bytes = b"") -> Any:
        return self.loop.wait(self.client.call(broker.address, header, body))

    def send(self, broker: Broker, topic: str, body: bytes) -> int:
        answer = self.loop.wait(
            self.client.call(broker.address, send_header(topic), body, accept=frozenset(map(int, ResponseCode)))
        )
        return int(answer.code)

    def status(self, broker: Broker) -> HARuntimeInfo:
        found: HARuntimeInfo = self.call(broker, GetBrokerHaStatus()).json(HARuntimeInfo)
        return found

    def in_step(self, master: Broker) -> bool:
        found = self.status(master).ha_connection_info
        return [connection.diff for connection in found] == [0]

    def until(self, holds: Callable[[], bool]) -> None:
        self.loop.until(holds)

    def answers(self, broker: Broker, header: Any) -> bool:
        try:
            self.call(broker, header)
        except RemotingError:
            return False
        return True


@pytest.fixture
def group(loop: Loop, tmp_path: Path) -> Iterator[Group]:
    made = Group(loop, tmp_path)
    yield made
    made.client.close()
    for broker in reversed(made.running):
        loop.wait(broker.stop())
    loop.wait(made.namesrv.stop())


def test_an_acknowledged_message_is_on_the_slave_and_read_there_when_the_master_is_gone(group: Group) -> None:
    master, slave = group.master(), group.slave()
    group.until(lambda: group.in_step(master))
    assert [group.send(master, "T", body) for body in (b"1", b"2")] == [0, 0]
    told = group.status(master)
    assert (told.master, told.in_sync_slave_nums, told.ha_connection_info[0].lag_millis) == (True, 1, 0)
    assert told.ha_connection_info[0].slave_ack_offset == told.master_commit_log_max_offset > 0
    following = group.status(slave)
    assert (following.master, following.ha_client_runtime_info.max_offset) == (
        False, told.master_commit_log_max_offset,
    )  # fmt: skip
    group.until(lambda: group.answers(slave, GetTopicConfig("T")))
    before = group.call(slave, pull_header("T"))
    assert (before.header.suggest_which_broker_id, [found.body for found in messages(before)]) == (0, [b"1", b"2"])
    group.stop(master)
    group.until(lambda: group.call(slave, pull_header("T")).header.suggest_which_broker_id == 1)
    assert [found.body for found in messages(group.call(slave, pull_header("T")))] == [b"1", b"2"]
    with pytest.raises(RemotingError, match="system busy, start flow control"):
        group.call(slave, send_header("T"), b"3")


def test_a_synchronous_master_says_which_messages_no_slave_has(group: Group) -> None:
    master = group.master(slaveTimeout=50)
    assert group.send(master, "T", b"alone") == ResponseCode.FLUSH_SLAVE_TIMEOUT
    group.slave()
    group.until(lambda: group.in_step(master))
    assert group.send(master, "T", b"together") == ResponseCode.SUCCESS
    assert [found.body for found in messages(group.call(master, pull_header("T")))] == [b"alone", b"together"]


def test_what_a_group_commits_on_the_slave_reaches_the_master_that_returns(group: Group) -> None:
    master = group.master(brokerRole="ASYNC_MASTER")
    for body in (b"1", b"2", b"3"):
        group.send(master, "T", body)
    for name, offset in (("Reads", 1), ("Rests", 2)):
        group.call(master, Heartbeat(), heartbeat("c", name, {"T": "*"}))
        group.call(master, UpdateConsumerOffset(name, "T", 0, offset))
    slave = group.slave()
    group.until(lambda: group.in_step(master))
    group.until(lambda: group.answers(slave, UpdateConsumerOffset("Rests", "T", 0, 2)))
    group.stop(master)
    # Further, for one group; the other one's older than what the master has.
    group.call(slave, UpdateConsumerOffset("Reads", "T", 0, 3))
    group.call(slave, UpdateConsumerOffset("Rests", "T", 0, 1))
    master = group.master(brokerRole="ASYNC_MASTER")
    group.until(lambda: group.call(master, QueryConsumerOffset("Reads", "T", 0)).header.offset == 3)
    assert group.call(master, QueryConsumerOffset("Rests", "T", 0)).header.offset == 2
    group.until(lambda: group.call(slave, QueryConsumerOffset("Rests", "T", 0)).header.offset == 2)


def test_what_a_group_commits_on_the_slave_is_told_after_a_restart_too(group: Group) -> None:
    master = group.master(brokerRole="ASYNC_MASTER")
    for body in (b"1", b"2", b"3"):
        group.send(master, "T", body)
    group.call(master, Heartbeat(), heartbeat("c", "Reads", {"T": "*"}))
    group.call(master, UpdateConsumerOffset("Reads", "T", 0, 1))
    slave = group.slave()
    group.until(lambda: group.in_step(master))
    group.until(lambda: group.call(slave, QueryConsumerOffset("Reads", "T", 0)).header.offset == 1)
    group.stop(master)
    group.call(slave, UpdateConsumerOffset("Reads", "T", 0, 3))
    group.stop(slave)
    slave = group.slave()
    assert group.call(slave, QueryConsumerOffset("Reads", "T", 0)).header.offset == 3
    master = group.master(brokerRole="ASYNC_MASTER")
    group.until(lambda: group.call(master, QueryConsumerOffset("Reads", "T", 0)).header.offset == 3)


def test_a_promoted_slave_forgets_what_it_had_to_tell(group: Group, tmp_path: Path) -> None:
    master, slave = group.master(brokerRole="ASYNC_MASTER"), group.slave()
    group.send(master, "T", b"1")
    group.call(master, Heartbeat(), heartbeat("c", "Reads", {"T": "*"}))
    group.until(lambda: group.in_step(master))
    group.until(lambda: group.answers(slave, UpdateConsumerOffset("Reads", "T", 0, 0)))
    group.stop(master)
    group.call(slave, UpdateConsumerOffset("Reads", "T", 0, 1))
    group.stop(slave)
    marks = tmp_path / "slave" / "config" / "slaveConsumerOffset.json"
    assert "T@Reads" in marks.read_text()
    promoted = group.start("slave", brokerRole="ASYNC_MASTER")
    assert "T@Reads" not in marks.read_text()
    assert group.call(promoted, QueryConsumerOffset("Reads", "T", 0)).header.offset == 1


def test_a_promoted_slave_goes_on_and_the_old_master_follows_it(group: Group) -> None:
    master, slave = group.master(), group.slave()
    group.until(lambda: group.in_step(master))
    assert group.send(master, "T", b"1") == 0
    group.stop(master)
    # It was never acknowledged: nobody else has it.
    lonely = group.master(slaveTimeout=50, namesrvAddr="")
    group.stop(slave)
    assert group.send(lonely, "T", b"lost") == ResponseCode.FLUSH_SLAVE_TIMEOUT
    group.stop(lonely)
    promoted = group.start("slave", brokerRole="ASYNC_MASTER")
    assert group.send(promoted, "T", b"2") == 0
    follower = group.start("master", brokerRole="SLAVE", brokerId=1)
    group.until(lambda: group.in_step(promoted))
    group.stop(promoted)
    group.until(lambda: group.call(follower, pull_header("T")).header.suggest_which_broker_id == 1)
    assert [found.body for found in messages(group.call(follower, pull_header("T")))] == [b"1", b"2"]


def taken_port() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock


def test_only_who_waits_for_slaves_must_have_the_port_for_them(group: Group) -> None:
    with taken_port() as sock:
        port = sock.getsockname()[1]
        alone = group.start("alone", brokerRole="ASYNC_MASTER", haListenPort=port)
        assert group.send(alone, "T", b"1") == 0
        group.stop(alone)
        with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{port}.*Choose another haListenPort"):
            group.master(haListenPort=port)


def test_the_second_port_answers_too(group: Group) -> None:
    with taken_port() as sock:
        port = sock.getsockname()[1]
    running = group.start("vip", brokerRole="ASYNC_MASTER", listenPort=port)
    second = f"127.0.0.1:{port - 2}"
    assert group.loop.wait(group.client.call(second, GetTopicConfig("TBW102"))).json().topic_name == "TBW102"
    group.stop(running)
    with socket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", port - 2)) != 0


def test_a_slave_that_never_heard_of_a_topic_lets_it_be_read_when_the_master_cannot_tell(
    group: Group, tmp_path: Path
) -> None:
    master, slave = group.master(), group.slave()
    group.until(lambda: group.in_step(master))
    assert group.send(master, "T", b"1") == 0
    group.stop(master)
    group.stop(slave)
    (tmp_path / "slave" / "config" / "topics.json").unlink()
    slave = group.slave()
    group.until(lambda: group.answers(slave, pull_header("T")))
    assert [found.body for found in messages(group.call(slave, pull_header("T")))] == [b"1"]
