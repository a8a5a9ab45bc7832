"""A slave beside its master: when it asks, and what it does while nobody answers."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rmq.remoting.errors import ConnectFailedError
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.slave.service import SlaveService
from rmq.server.broker.slave.watch import MasterWatch
from rmq.wire.bodies.topic import TopicConfig
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles

A, B, HA = "10.0.0.1:10911", "10.0.0.2:10911", "10.0.0.1:10912"


class Watch(MasterWatch):
    """A master that is there or not, as the test says."""

    def __init__(self) -> None:
        super().__init__(None)  # type: ignore[arg-type]

    def be(self, reachable: bool) -> None:
        self.reachable = reachable
        self._judge()


class Sync:
    """Says what it was called for; synchronizing everything waits until the test ends it."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.there = True
        self.done: list[str] = []
        self.running: list[Deferred[bool]] = []

    async def follow(self) -> None:
        self.done.append("follow")
        self.watch.be(self.there)

    async def everything(self) -> bool:
        self.done.append("everything")
        self.running.append(Deferred())
        return await self.running[-1]

    def restart(self) -> None:
        self.done.append("restart")

    def stop(self) -> None:
        self.done.append("stop")

    def end(self, known: bool = True) -> None:
        self.running.pop(0).callback(known)

    def take(self) -> list[str]:
        done, self.done = self.done, []
        return done


class Scene:
    def __init__(self) -> None:
        self.clock = Clock()
        self.watch = Watch()
        self.sync = Sync(self.watch)
        self.topics = TopicTable(settings_of(), ConfigFile("t", MemoryFiles()), lambda: 1)
        self.topics.put(TopicConfig("T", 2, 2))
        self.hurried: list[float | None] = []
        self.masters: list[Any] = []
        self.cuts = 0
        self.is_following = True
        self.disk: OSError | None = None
        anything: Any = self
        sync: Any = self.sync
        self.service = SlaveService(self.clock, anything, self.watch, sync, self.topics, anything, self.hurried.append)

    # What is told of the master, and of a log that was cut.

    def master_is(self, *where: str | None) -> None:
        self.masters.append(where)

    def cut(self) -> None:
        self.cuts += 1
        if self.disk is not None:
            raise self.disk

    def up(self) -> "Scene":
        """In step with its master."""
        self.service.start()
        self.service.master_is(A, HA)
        self.sync.end()
        self.sync.take()
        return self


def test_a_master_that_is_found_is_asked_for_everything_at_once() -> None:
    scene = Scene()
    scene.service.start()
    scene.clock.advance(10)
    assert scene.sync.take() == []
    scene.service.master_is(A, HA)
    assert scene.masters == [(A, HA)]
    assert scene.sync.take() == ["restart", "follow", "everything"]
    scene.service.master_is(A, HA)
    assert scene.sync.take() == ["follow"]
    assert scene.hurried == [3.0, None]


def test_the_tables_of_a_master_with_another_log_are_not_taken() -> None:
    scene = Scene()
    scene.is_following = False
    scene.service.start()
    scene.service.master_is(A, HA)
    scene.clock.advance(3)
    assert scene.sync.take() == ["restart", "follow", "follow"]
    scene.is_following = True
    scene.service.following()
    assert scene.sync.take() == ["restart", "everything"]


def test_deliveries_every_three_seconds_and_everything_every_minute() -> None:
    scene = Scene().up()
    for _ in range(19):
        scene.clock.advance(3)
    assert scene.sync.take() == ["follow"] * 19
    scene.clock.advance(3)
    assert scene.sync.take() == ["follow", "everything"]
    # A synchronization that takes long keeps nothing waiting, and is not begun twice.
    scene.clock.advance(3)
    scene.service.following()
    assert scene.sync.take() == ["follow", "restart"]
    scene.sync.end()
    assert scene.sync.take() == ["everything"]
    scene.sync.end()
    scene.clock.advance(3)
    assert scene.sync.take() == ["follow"]


def test_a_stream_that_begins_cuts_the_timer_and_wants_everything() -> None:
    scene = Scene().up()
    scene.service.following()
    assert (scene.cuts, scene.sync.take()) == (1, ["restart", "everything"])
    scene.sync.end()
    scene.disk = OSError("full")
    scene.service.following()
    assert (scene.cuts, scene.sync.take()) == (2, ["restart", "everything"])


def test_a_master_that_comes_back_is_asked_for_everything() -> None:
    scene = Scene().up()
    scene.sync.there = False
    scene.clock.advance(3)
    scene.clock.advance(3)
    assert (scene.sync.take(), scene.watch.away) == (["follow", "follow"], True)
    assert scene.hurried == [3.0, None, 3.0]
    scene.sync.there = True
    scene.clock.advance(3)
    assert scene.sync.take() == ["follow", "everything"]
    assert scene.hurried == [3.0, None, 3.0, None]


def test_new_queues_are_gathered_and_asked_for() -> None:
    scene = Scene().up()
    for queue_id in (0, 1):
        scene.service.new_queue("T", queue_id)
    scene.clock.advance(0.5)
    assert scene.sync.take() == []
    for topic, queue_id in (("N", 3), ("N", 1), ("T", 2)):
        scene.service.new_queue(topic, queue_id)
    scene.clock.advance(0.1)
    assert scene.sync.take() == []
    scene.clock.advance(0.1)
    assert scene.sync.take() == ["everything"]
    scene.sync.end()
    # The master has no such topic any more.
    scene.sync.there = False
    scene.clock.advance(3)
    assert "N" not in scene.topics.configs


def test_topics_that_only_the_log_knows_become_readable_while_the_master_is_away() -> None:
    scene = Scene().up()
    changes: list[Any] = []
    scene.topics.on_change = changes.append
    scene.service.new_queue("N", 3)
    scene.watch.be(False)
    config = TopicConfig("N", read_queue_nums=4, write_queue_nums=4, perm=6)
    assert scene.topics.configs["N"] == config
    assert changes == [[config]]
    scene.sync.there = False
    scene.service.new_queue("M", 0)
    scene.service.new_queue("T", 5)
    scene.clock.advance(0.25)
    assert scene.topics.configs["M"].perm == 6
    assert scene.topics.configs["T"] == TopicConfig("T", read_queue_nums=6, write_queue_nums=2)


def test_topics_that_the_master_does_not_tell_become_readable_too() -> None:
    scene = Scene().up()
    scene.service.new_queue("N", 0)
    scene.clock.advance(0.25)
    scene.sync.end(known=False)
    assert scene.topics.configs["N"].perm == 6


def test_queues_that_come_while_everything_is_asked_for_are_not_forgotten() -> None:
    scene = Scene().up()
    scene.service.following()
    scene.service.new_queue("N", 0)
    scene.sync.end()
    assert scene.sync.take() == ["restart", "everything"]
    scene.clock.advance(0.25)
    assert scene.sync.take() == ["everything"]
    scene.watch.be(False)
    assert "N" in scene.topics.configs


def test_a_master_nobody_knows_is_passed_on() -> None:
    scene = Scene().up()
    scene.service.master_is(None, None)
    assert scene.masters == [(A, HA), (None, None)]
    assert scene.watch.away
    assert scene.sync.take() == ["follow"]
    scene.service.master_is(B, HA)
    assert scene.sync.take() == ["restart", "follow", "everything"]


def test_what_fails_unforeseen_is_tried_again() -> None:
    scene = Scene().up()
    scene.service.following()
    scene.sync.running.pop().errback(ConnectFailedError(A))
    scene.service.following()
    assert scene.sync.take() == ["restart", "everything", "restart", "everything"]


def test_after_the_end_nothing_is_done() -> None:
    scene = Scene().up()
    scene.service.new_queue("N", 0)
    scene.service.stop()
    scene.watch.be(False)
    scene.service.master_is(B, HA)
    scene.service.new_queue("M", 0)
    scene.service.following()
    scene.clock.advance(100)
    assert (scene.sync.take(), scene.cuts) == (["stop"], 0)
    assert scene.masters == [(A, HA)]
    assert scene.hurried == [3.0, None]
    assert scene.topics.configs.keys().isdisjoint({"N", "M"})
    assert scene.clock.getDelayedCalls() == []
