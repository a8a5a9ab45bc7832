"""A master and a slave with real stores over loopback: the slave's log becomes the master's, whatever happens."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rmq.remoting.epoll import ServerReactor
from rmq.server.ha.acks import AckTable
from rmq.server.ha.master import HaMaster
from rmq.server.ha.slave import HaSlave, HaState
from tests.kit.masters import MASTER, AnsweringMaster, small_settings
from tests.kit.relay import Line
from tests.kit.stores import SmallStore

FILE = 64 * 1024


class World:
    """A reactor, a master with its store, and a slave with its own that follows through a relay."""

    def __init__(self, root: Path) -> None:
        self.reactor: Any = ServerReactor(0)
        self.master = SmallStore(root / "master")
        self.settings = small_settings()
        self.answers = AnsweringMaster(self.master.store)
        self.acks = AckTable(self.reactor, lambda: 2, lambda: 5.0)
        self.ha_master = self.listen()
        self.line = Line(f"127.0.0.1:{self.ha_master.port}")
        self.root = root / "slave"
        self.slave = SmallStore(self.root)
        self.ha_slave: HaSlave | None = None
        self.states: list[str] = []

    def listen(self) -> HaMaster:
        ha_master = HaMaster(self.reactor, self.master.store, self.settings, self.acks)
        ha_master.listen("127.0.0.1", 0)
        return ha_master

    def follow(self) -> HaSlave:
        """The slave's store is opened as a slave's, and follows."""
        self.slave.close()
        self.slave = SmallStore(self.root, read_only=True)
        slave = self.ha_slave = HaSlave(
            self.reactor,
            self.slave.store,
            self.settings,
            self.answers,
            on_read=lambda: self.states.append("read"),
            on_following=lambda: self.states.append(slave.state.name),
        )
        slave.start()
        slave.master_is(MASTER, self.line.address)
        return slave

    def until(self, reached: Callable[[], bool], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, (self.ha_slave and self.ha_slave.state, self.ends())
            self.reactor.iterate(0.01)

    def ends(self) -> tuple[int, int]:
        return self.master.store.log_max_offset, self.slave.store.log_max_offset

    def in_step(self) -> None:
        """Waits until the slave has acknowledged everything, and compares."""
        end = self.master.store.log_max_offset
        self.until(lambda: [state.ack for state in self.ha_master.slaves()] == [end])
        assert self.ends() == (end, end)
        assert log_of(self.slave) == log_of(self.master)
        assert self.slave.numbers() == self.master.numbers()

    def stop(self) -> None:
        done: list[object] = []
        if self.ha_slave is not None:
            self.ha_slave.stop().addCallback(done.append)
            self.until(lambda: bool(done))
            done.clear()
        self.ha_master.stop().addCallback(done.append)
        self.until(lambda: bool(done))
        self.line.stop()
        self.master.close()
        self.slave.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.stop()


def log_of(small: SmallStore) -> dict[str, bytes]:
    """The log's files by name, up to the log's end; the last one is filled with zeros."""
    return {path.name: path.read_bytes() for path in sorted((small.root / "commitlog").iterdir())}


def test_an_empty_slave_catches_up_over_many_files_and_follows(world: World) -> None:
    world.master.fill(3000, size=200)
    slave = world.follow()
    world.in_step()
    assert len(log_of(world.slave)) > 10
    assert slave.state is HaState.FOLLOWING
    assert world.states[0] == "FOLLOWING"
    for number in range(5):
        world.master.fill(3, first=3000 + 3 * number)
        world.ha_master.pump()
        world.in_step()
    assert world.states.count("FOLLOWING") == 1
    figures = slave.figures()
    assert (figures.master_addr, figures.max_offset) == (world.line.address, world.ends()[0])
    assert abs(figures.last_read_timestamp / 1000 - world.reactor.seconds()) < 60
    assert figures.last_write_timestamp >= figures.last_read_timestamp


def test_an_empty_slave_of_an_empty_master_gets_the_first_message(world: World) -> None:
    slave = world.follow()
    world.until(lambda: slave.state is HaState.FOLLOWING)
    world.master.fill(1)
    world.in_step()


def test_a_sender_that_waits_is_told_when_the_slave_has_the_message(world: World) -> None:
    world.follow()
    world.until(lambda: len(world.ha_master.slaves()) == 1)
    result = world.master.fill(1)[0]
    told: list[str] = []
    end = result.physical_offset + result.wrote_bytes
    assert world.acks.wait(end, lambda status: told.append(status.name)) is None
    world.ha_master.pump()
    world.until(lambda: bool(told))
    assert told == ["PUT_OK"]
    world.in_step()


def test_an_empty_slave_gets_the_log_from_the_masters_first_file(world: World) -> None:
    world.master.fill(2000)
    world.master.close()
    for name in ("0".zfill(20), str(FILE).zfill(20)):
        (world.master.root / "commitlog" / name).unlink()
    world.master.open()
    world.answers.store = world.master.store
    world.ha_master.stop()
    world.ha_master = world.listen()
    world.line.stop()
    world.line = Line(f"127.0.0.1:{world.ha_master.port}")
    world.follow()
    end = world.master.store.log_max_offset
    world.until(lambda: world.slave.store.log_max_offset == end)
    assert world.slave.store.log_min_offset == 2 * FILE
    assert log_of(world.slave) == log_of(world.master)


@pytest.mark.parametrize("common", [1, 900])
@pytest.mark.parametrize("there", [0, 1500])
def test_what_only_the_slave_has_is_cut_off_and_kept(world: World, common: int, there: int) -> None:
    world.master.fill(common)
    world.slave.fill(common)
    point = world.master.store.log_max_offset
    lost = world.slave.fill(700, size=80, first=50_000)
    world.master.fill(there, first=90_000)
    lost_log = b"".join(log_of(world.slave).values())[point : world.slave.store.log_max_offset]
    slave = world.follow()
    world.until(lambda: slave.state is HaState.FOLLOWING)
    world.in_step()
    kept = [path.read_bytes() for path in (world.root / "cut").iterdir()]
    assert kept == [lost_log]
    assert len(lost) == 700
    world.master.fill(10, first=95_000)
    world.in_step()


def test_a_slave_goes_on_after_every_cut_of_the_line(world: World) -> None:
    slave = world.follow()
    for number in range(8):
        world.until(lambda times=number + 1: world.line.opened == world.states.count("FOLLOWING") == times)
        world.master.fill(700, first=700 * number)
        world.ha_master.pump()
        for _ in range(number):
            world.reactor.iterate(0.01)
        world.line.cut()
        world.until(lambda: slave.state is HaState.WAITING)
    world.in_step()
    assert world.states.count("FOLLOWING") == 9


def test_a_slave_that_was_away_catches_up_from_where_it_was(world: World) -> None:
    world.master.fill(100)
    slave = world.follow()
    world.in_step()
    done: list[object] = []
    slave.stop().addCallback(done.append)
    world.until(lambda: bool(done))
    assert slave.state is HaState.IDLE
    world.master.fill(3000, first=100)
    world.until(lambda: world.ha_master.slaves() == [])
    world.follow()
    world.in_step()


def test_a_strange_master_changes_nothing_and_the_right_one_is_followed_at_once(world: World) -> None:
    world.slave.fill(100)
    world.master.fill(200)
    before = log_of(world.slave)
    world.answers.settings = small_settings(brokerName="broker-b")
    slave = world.follow()
    world.until(lambda: slave.state is HaState.WAITING)
    for _ in range(5):
        world.reactor.iterate(0.05)
    assert world.line.opened == 0
    assert log_of(world.slave) == before
    world.answers.settings = world.settings
    slave.master_is("10.0.0.2:10911", world.line.address)
    world.in_step()


def test_a_master_that_moved_is_followed_where_it_is_now(world: World) -> None:
    slave = world.follow()
    world.master.fill(50)
    world.in_step()
    before, world.ha_master = world.ha_master, world.listen()
    slave.master_is(MASTER, f"127.0.0.1:{world.ha_master.port}")
    world.until(lambda: before.slaves() == [])
    world.master.fill(50, first=50)
    world.in_step()
    done: list[object] = []
    before.stop().addCallback(done.append)
    world.until(lambda: bool(done))


def test_the_log_of_another_broker_is_not_taken(world: World) -> None:
    """The stream comes from there, over loopback, while the master that answers has other messages."""
    world.master.fill(300)
    right = SmallStore(world.root.parent / "right")
    right.fill(300, first=5000)
    world.answers.store = right.store
    slave = world.follow()
    world.until(lambda: slave.state is HaState.WAITING)
    first = right.store.message_at(0)
    assert first is not None
    assert world.slave.store.log_max_offset == len(first)
    assert world.slave.store.message_at(0) == first
    world.answers.store = world.master.store
    right.close()
