"""The states of a slave: what it waits for, how long, and what may interrupt it."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from rmq.remoting.errors import CallTimeoutError, ConnectFailedError
from rmq.server.ha.slave import HaSlave, HaState
from rmq.server.store.api import Cut
from rmq.wire.hastream import encode_report, encode_transfer
from rmq.wire.requests.message import QueryConsumeQueue
from tests.kit.logs import logged
from tests.kit.masters import MASTER, AnsweringMaster, small_settings
from tests.kit.peer import MemoryTransport
from tests.kit.stores import FaultyEnv, SmallStore

HA = "10.0.0.1:10912"


class Stuck:
    """An `Invoker` that never answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.given_up = 0

    def call(self, address: str, header: Any, body: Any = b"", **options: Any) -> Deferred[Any]:
        self.asked.append(address)
        return Deferred(self._give_up)

    def _give_up(self, _: object) -> None:
        self.given_up += 1


class World:
    def __init__(self, root: Path) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.master = SmallStore(root / "master")
        self.answers = AnsweringMaster(self.master.store)
        self.settings = small_settings()
        self.env = FaultyEnv()
        self.small = SmallStore(root / "slave", env=self.env)
        self.said: list[str] = []
        self.slave = self.make(self.answers)

    def make(self, invoker: Any) -> HaSlave:
        slave = HaSlave(
            self.reactor,
            self.small.store,
            self.settings,
            invoker,
            on_read=lambda: None,
            on_following=lambda: self.said.append("following"),
        )
        slave.start()
        return slave

    @property
    def connects(self) -> list[tuple[str, int]]:
        """Where streams were asked for."""
        return [(host, port) for host, port, *_ in self.reactor.tcpClients]

    def connected(self) -> MemoryTransport:
        """The newest attempt to connect succeeds."""
        receiver = self.reactor.tcpClients[-1][2].buildProtocol(None)
        transport = MemoryTransport()
        transport.connection = receiver
        receiver.makeConnection(transport)
        return transport

    def refused(self) -> None:
        """The newest attempt to connect fails."""
        host, port, factory, *_ = self.reactor.tcpClients[-1]
        connector = type("Connector", (), {"host": host, "port": port})
        factory.clientConnectionFailed(connector, Failure(ConnectionRefusedError()))

    def stop(self) -> list[object]:
        done: list[object] = []
        self.slave.stop().addCallback(done.append)
        return done


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.stop()
    world.master.close()
    world.small.close()


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What is logged as an error."""
    with logged(lambda event: event["log_level"].name == "error") as found:
        yield found


def test_nothing_happens_until_the_master_is_known(world: World) -> None:
    for address, ha_address in ((None, None), (MASTER, None), (None, HA)):
        world.slave.master_is(address, ha_address)
        assert world.slave.state is HaState.IDLE
    assert world.connects == []
    assert world.slave.figures().master_addr is None
    world.slave.master_is(MASTER, HA)
    assert world.slave.state is HaState.CONNECTING
    assert world.connects == [("10.0.0.1", 10912)]
    transport = world.connected()
    assert world.slave.state is HaState.FOLLOWING
    assert world.said == ["following"]
    assert transport.value() == encode_report(0)


def test_the_setting_goes_before_what_name_servers_say(world: World) -> None:
    world.settings.store.ha_master_address = "10.0.0.7:4000"
    world.slave.master_is(MASTER, None)
    assert world.connects == [("10.0.0.7", 4000)]
    assert world.slave.figures().master_addr == "10.0.0.7:4000"


def test_a_master_that_nobody_knows_any_more_is_still_followed(world: World) -> None:
    world.slave.master_is(MASTER, HA)
    transport = world.connected()
    world.slave.master_is(None, None)
    world.slave.master_is(MASTER, HA)
    assert world.slave.state is HaState.FOLLOWING
    assert not transport.disconnecting


def test_pauses_grow_up_to_five_seconds_and_the_same_trouble_is_logged_once_a_minute(
    world: World, lines: list[str]
) -> None:
    world.answers.refuses = ConnectFailedError(MASTER, "refused")
    asked: list[float] = []
    original = world.answers.call

    async def call(*args: Any, **options: Any) -> Any:
        asked.append(world.reactor.seconds())
        return await original(*args, **options)

    world.answers.call = call
    world.slave.master_is(MASTER, HA)
    assert world.slave.state is HaState.WAITING
    world.reactor.pump([0.05] * 440)
    assert asked == pytest.approx([0.0, 0.2, 0.6, 1.4, 3.0, 6.2, 11.2, 16.2, 21.2], abs=0.5)
    trouble = f"replication is interrupted: connect to {MASTER} failed: refused"
    assert lines == [trouble]
    world.reactor.pump([1.0] * 60)
    assert lines == [trouble, trouble]
    world.answers.refuses = None
    world.reactor.pump([0.1] * 51)
    assert world.slave.state is HaState.CONNECTING


def test_a_stream_that_brought_something_makes_the_next_pause_short(world: World) -> None:
    world.slave.master_is(MASTER, HA)
    for _ in range(5):
        world.refused()
        assert world.slave.state is HaState.WAITING
        world.reactor.advance(5)
        assert world.slave.state is HaState.CONNECTING
    world.connected().lose()
    world.reactor.advance(1)
    assert world.slave.state is HaState.WAITING
    world.reactor.advance(4)
    transport = world.connected()
    transport.connection.dataReceived(encode_transfer(0, 0))
    transport.lose()
    assert world.slave.state is HaState.WAITING
    world.reactor.advance(0.2)
    assert world.slave.state is HaState.CONNECTING


def test_another_master_interrupts_the_questions_to_the_first(world: World) -> None:
    world.stop()
    stuck = Stuck()
    world.slave = world.make(stuck)
    world.slave.master_is(MASTER, HA)
    assert world.slave.state is HaState.VERIFYING
    world.slave.master_is("10.0.0.2:10911", "10.0.0.2:10912")
    assert stuck.asked == [MASTER, "10.0.0.2:10911"]
    assert stuck.given_up == 1
    assert world.stop() == [None]
    assert stuck.given_up == 2


def test_another_master_interrupts_stream_and_pause(world: World) -> None:
    world.slave.master_is(MASTER, HA)
    first = world.connected()
    world.slave.master_is(MASTER, "10.0.0.2:10912")
    assert first.aborting
    world.refused()
    assert world.slave.state is HaState.WAITING
    world.slave.master_is(MASTER, "10.0.0.3:10912")
    assert [host for host, _ in world.connects] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert world.slave.state is HaState.CONNECTING
    assert world.said == ["following"]


def test_the_log_is_cut_to_the_end_before_anything_else(world: World, lines: list[str]) -> None:
    world.master.fill(10)
    world.small.fill(10)
    end = world.small.store.log_max_offset
    world.small.fill(2, first=100)
    cutting: Deferred[Cut] = Deferred()
    asked: list[int] = []

    def truncate(offset: int, begins: Any) -> Deferred[Cut]:
        asked.append(offset)
        return cutting

    world.small.store.truncate = truncate
    world.slave.master_is(MASTER, HA)
    assert asked == [end]
    assert world.slave.state is HaState.VERIFYING
    done = world.stop()
    assert done == []
    cutting.callback(Cut(end, 500, 2, "/store/cut/1"))
    assert done == [None]
    assert world.connects == []
    assert lines == [
        f"the log differed from the master's: 2 messages, 500 bytes from {end} on were cut off and kept in /store/cut/1"
    ]


def test_a_cut_that_stopped_halfway_is_made_again(world: World) -> None:
    for store in (world.master, world.small):
        store.fill(10)
    world.small.fill(2, first=100)
    world.master.fill(3, first=500)
    world.env.only_below = "commitlog"
    world.env.fail = {"erase": (0, errno.EIO)}
    world.slave.master_is(MASTER, HA)
    assert world.slave.state is HaState.WAITING
    world.env.fail = {}
    world.reactor.advance(0.2)
    transport = world.connected()
    end = world.small.store.replica.received
    assert transport.value() == encode_report(end)
    data = world.master.store.transfer(end, 1000)
    transport.connection.dataReceived(encode_transfer(end, len(data)) + data)
    assert world.slave.state is HaState.FOLLOWING
    assert world.small.numbers() == world.master.numbers()


def test_a_topic_that_was_deleted_and_made_anew_behind_the_cut_has_its_older_messages_again(world: World) -> None:
    """The master never deleted it, and its next messages follow them."""
    for store in (world.master, world.small):
        store.fill(11)
    world.small.store.destroy_topic("T")
    world.small.fill(3, first=100)
    assert world.small.numbers() == {0: [(0, 100), (1, 102)], 1: [(0, 101)]}
    world.slave.master_is(MASTER, HA)
    transport = world.connected()
    end = world.small.store.replica.received
    world.master.fill(5, first=11)
    data = world.master.store.transfer(end, 1 << 20)
    transport.connection.dataReceived(encode_transfer(end, len(data)) + data)
    assert world.small.numbers() == world.master.numbers()
    assert sum(map(len, world.small.numbers().values())) == 16


def test_a_topic_that_only_the_slave_has_deleted_is_there_again(world: World) -> None:
    for store in (world.master, world.small):
        store.fill(10)
        store.fill(10, "Other")
    end = world.small.store.log_max_offset
    world.small.store.destroy_topic("T")
    world.slave.master_is(MASTER, HA)
    first = world.connected()
    assert world.small.store.replica.received == end
    assert not (world.small.root / "cut").exists()
    assert world.small.numbers() == world.master.numbers()
    assert world.answers.asked_of == ["", "T"]
    # All topics are compared once with a master.
    first.lose()
    world.reactor.advance(0.2)
    world.connected()
    assert world.answers.asked_of == ["", "T"]
    world.slave.master_is("10.0.0.2:10911", HA)
    assert world.answers.asked_of == ["", "T", ""]


def test_a_master_that_cannot_tell_where_a_queue_begins_is_asked_again(world: World) -> None:
    for store in (world.master, world.small):
        store.fill(10)
    world.small.store.destroy_topic("T")
    world.small.fill(1, first=100)
    size = world.small.store.log_max_offset
    original = world.answers.call

    async def call(address: str, header: Any, *args: Any, **options: Any) -> Any:
        if isinstance(header, QueryConsumeQueue):
            raise CallTimeoutError(MASTER, 3.0)
        return await original(address, header, *args, **options)

    world.answers.call = call
    world.slave.master_is(MASTER, HA)
    assert (world.slave.state, world.small.store.log_max_offset) == (HaState.WAITING, size)
    world.answers.call = original
    world.reactor.advance(0.2)
    assert world.slave.state is HaState.CONNECTING
    assert world.small.numbers() == world.master.numbers()


def test_a_stream_that_nobody_could_be_told_of_ends(world: World) -> None:
    def fail() -> None:
        raise RuntimeError("not now")

    world.stop()
    world.slave = HaSlave(
        world.reactor,
        world.small.store,
        world.settings,
        world.answers,
        on_read=lambda: None,
        on_following=fail,
    )
    world.slave.start()
    world.slave.master_is(MASTER, HA)
    transport = world.connected()
    assert world.slave.state is HaState.WAITING
    assert transport.aborting


def test_a_slave_without_anything_the_master_has_begins_again(world: World, lines: list[str]) -> None:
    world.small.fill(10)
    end = world.small.store.log_max_offset
    world.answers.minimum = 3 * 65536
    world.slave.master_is(MASTER, HA)
    assert world.connected().value() == encode_report(3 * 65536)
    assert lines == [
        f"the master has removed everything that this slave has, 0 to {end}: beginning again at {3 * 65536}"
    ]


def test_logs_with_nothing_in_common_stay_as_they_are(world: World, lines: list[str]) -> None:
    world.small.fill(10)
    numbers = world.small.numbers()
    world.master.fill(10, first=500)
    world.slave.master_is(MASTER, HA)
    assert world.slave.state is HaState.WAITING
    assert world.small.numbers() == numbers
    assert len(lines) == 1
    assert lines[0].startswith("replication is interrupted: no message between 0 and ")


def test_an_empty_slave_asks_for_what_follows_the_first_record(world: World) -> None:
    world.master.fill(3)
    first = world.master.store.message_at(0)
    assert first is not None
    world.slave.master_is(MASTER, HA)
    assert world.connected().value() == encode_report(len(first))
    assert world.small.store.message_at(0) == first


@pytest.mark.parametrize("number", [1, 500])
def test_the_stream_of_another_broker_is_refused(world: World, lines: list[str], tmp_path: Path, number: int) -> None:
    """haMasterAddress points at it; the master that was asked is another one, with records of the same size or not."""
    stranger = SmallStore(tmp_path / "stranger")
    stranger.fill(5, first=number)
    world.master.fill(5)
    world.settings.store.ha_master_address = "10.0.0.7:4000"
    world.slave.master_is(MASTER, HA)
    transport = world.connected()
    first = world.small.store.replica.received
    data = stranger.store.transfer(first, 1 << 20)
    transport.connection.dataReceived(encode_transfer(first, len(data)) + data)
    assert transport.aborting
    assert world.slave.state is HaState.WAITING
    assert world.small.store.log_max_offset == first
    assert lines == [
        "replication is interrupted: the stream from 10.0.0.7:4000 is not that of the master 10.0.0.1:10911: what it "
        f"brings for offset {first} is not what that one has there. haMasterAddress must be where this master listens"
        " for its slaves"
    ]
    # Pauses grow, until the address is the right one.
    world.reactor.advance(0.2)
    transport = world.connected()
    transport.connection.dataReceived(encode_transfer(first, len(data)) + data)
    world.reactor.advance(0.2)
    assert world.slave.state is HaState.WAITING
    world.reactor.advance(0.2)
    transport = world.connected()
    data = world.master.store.transfer(first, 1 << 20)
    transport.connection.dataReceived(encode_transfer(first, len(data)) + data)
    assert world.slave.state is HaState.FOLLOWING
    assert world.small.numbers() == world.master.numbers()
    assert transport.value()[-8:] == encode_report(world.master.store.log_max_offset)
    stranger.close()


def test_stopping_ends_the_stream(world: World) -> None:
    world.slave.master_is(MASTER, HA)
    transport = world.connected()
    assert world.stop() == [None]
    assert transport.aborting
    assert world.slave.state is HaState.IDLE
    assert world.reactor.getDelayedCalls() == []
