"""Groups that real brokers move: where every queue goes, that it goes there, and what is read back."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from rmq.client.admin.offsets import commit_offset
from rmq.client.aio import Producer, PushConsumer
from rmq.client.message import Message
from rmq.testing.server import RocketMQ
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.groups import CreateGroup, GroupDefinition
from rmq.tui.service.changes.offsets import Kind, ResetOffsets, Target
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.topics import CreateTopic, TopicDefinition
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import Problem
from rmq.wire.bodies.route import MessageQueue
from tests.kit.tui.real import now

EARLIEST, LATEST = Target(Kind.EARLIEST, 0, "the oldest message"), Target(Kind.LATEST, 0, "the end")
FIRST, SECOND = MessageQueue("Orders", "broker-a", 0), MessageQueue("Orders", "broker-a", 1)
PLACE = Place(cluster="DefaultCluster")
PAUSE = 0.02


class Cluster:
    """A server with ten messages in one queue of `Orders` and four in the other; `between` is a time amid them."""

    def __init__(self, servers: RocketMQ) -> None:
        self.servers = servers
        self.between = 0

    def ask(self, work: Callable[[LiveService], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            service = LiveService([self.servers.namesrv_addr], now)
            try:
                return await work(service)
            finally:
                await service.close()

        return asyncio.run(run())

    async def fill(self) -> None:
        service = LiveService([self.servers.namesrv_addr], now)
        definition = TopicDefinition("Orders", 2, 2, 6)
        made = await service.change(CreateTopic(PLACE, definition), lambda item: None)
        assert isinstance(made, Outcome), made
        await service.close()
        async with Producer("filling", namesrv_addr=self.servers.namesrv_addr) as producer:
            for number in range(14):
                if number == 6:
                    await asyncio.sleep(PAUSE)
                    self.between = now()
                    await asyncio.sleep(PAUSE)
                await producer.send(Message("Orders", b"x"), queue=SECOND if number >= 10 else FIRST)

    def commit(self, group: str, first: int, second: int) -> None:
        async def work(service: LiveService) -> None:
            await service.change(CreateGroup(PLACE, GroupDefinition(group)), lambda item: None)
            admin = service._known.admin
            await commit_offset(admin, self.servers.broker_addr, group, FIRST, first)
            await commit_offset(admin, self.servers.broker_addr, group, SECOND, second)

        self.ask(work)

    def preview(self, change: ResetOffsets) -> Preview:
        found = self.ask(lambda service: service.preview(change))
        assert isinstance(found, Preview), found
        return found

    def change(self, change: ResetOffsets) -> Outcome:
        found = self.ask(lambda service: service.change(change, lambda item: None))
        assert isinstance(found, Outcome), found
        return found

    def offsets(self, group: str) -> list[int]:
        """Where the broker says that a group is."""
        detail = self.ask(lambda service: service.group(group))
        assert not isinstance(detail, Problem), detail
        return [queue.consumer_offset for queue in detail.queues if queue.topic == "Orders"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with RocketMQ() as running:
        made = Cluster(running)
        asyncio.run(made.fill())
        yield made


def test_to_a_time(cluster: Cluster) -> None:
    cluster.commit("timed", 9, 1)
    change = ResetOffsets(("timed",), "Orders", Target(Kind.TIME, cluster.between, "then"))
    preview = cluster.preview(change)
    assert preview == Preview(
        ("QUEUE", "NOW", "TARGET", "AGAIN", "SKIPPED"),
        (("broker-a/0", "9", "6", "3", ""), ("broker-a/1", "1", "0", "1", "")),
        ("2 queues, 4 messages come again", "timed is offline: it counts once clients connect"),
        commands=(("resetOffsetByTime", "-g", "timed", "-t", "Orders", "-s", str(cluster.between)),),
    )
    assert cluster.offsets("timed") == [9, 1]
    assert cluster.change(change) == Outcome(
        True,
        "2 queues moved and read back",
        (Item("timed Orders broker-a/0", True, "9 → 6"), Item("timed Orders broker-a/1", True, "1 → 0")),
        ("timed: offline, lag 8, 2 queues looked at",),
    )
    assert cluster.offsets("timed") == [6, 0]
    assert cluster.preview(change).refusal == "nothing moves: the group is there already"


def test_to_the_ends_of_every_topic(cluster: Cluster) -> None:
    cluster.commit("ending", 5, 1)
    latest = ResetOffsets(("ending",), "", LATEST)
    assert cluster.preview(latest).rows == (("broker-a/0", "5", "10", "", "5"), ("broker-a/1", "1", "4", "", "3"))
    assert cluster.preview(latest).notes[0] == "2 queues, 8 are skipped"
    assert cluster.change(latest).ok
    assert cluster.offsets("ending") == [10, 4]
    assert cluster.change(ResetOffsets(("ending",), "", EARLIEST)).ok
    assert cluster.offsets("ending") == [0, 0]


def test_one_queue_to_an_offset(cluster: Cluster) -> None:
    cluster.commit("single", 5, 1)
    change = ResetOffsets(("single",), "Orders", Target(Kind.OFFSET, 3, "offset 3"), ("broker-a", 1))
    preview = cluster.preview(change)
    assert preview.rows == (("broker-a/1", "1", "3", "", "2"),)
    assert preview.commands == (
        ("resetOffsetByTime", "-g", "single", "-t", "Orders", "-s", "0", "-b", "broker-a", "-q", "1", "-o", "3"),
    )
    assert cluster.change(change).items == (Item("single Orders broker-a/1", True, "1 → 3"),)
    assert cluster.offsets("single") == [5, 3]

    beyond = ResetOffsets(("single",), "Orders", Target(Kind.OFFSET, 99, "offset 99"), ("broker-a", 1))
    assert cluster.preview(beyond).rows == (("broker-a/1", "3", "4", "", "1"),)
    assert cluster.preview(beyond).warnings == ("1 queue does not reach that far, and goes to its end",)
    nowhere = ResetOffsets(("single",), "Orders", Target(Kind.OFFSET, 3, "offset 3"), ("broker-a", 7))
    assert cluster.preview(nowhere).refusal == "there is no queue broker-a/7 of Orders"
    without = ResetOffsets(("single",), "Orders", Target(Kind.OFFSET, 3, "offset 3"))
    assert cluster.preview(without).refusal == "an offset is one queue's: choose the queue, too"


def test_so_many_messages_of_several_groups(cluster: Cluster) -> None:
    cluster.commit("far", 8, 2)
    cluster.commit("near", 2, 0)
    change = ResetOffsets(("far", "near"), "Orders", Target(Kind.BY, -3, "3 messages back"))
    preview = cluster.preview(change)
    assert preview.columns == ("GROUP", "QUEUE", "NOW", "TARGET", "AGAIN", "SKIPPED")
    assert preview.rows == (
        ("far", "broker-a/0", "8", "5", "3", ""),
        ("far", "broker-a/1", "2", "0", "2", ""),
        ("near", "broker-a/0", "2", "0", "2", ""),
        ("near", "broker-a/1", "0", "0", "", ""),
    )
    assert preview.warnings == ("3 queues do not reach that far, and go to their ends",)
    assert [words[2] for words in preview.commands] == ["far", "far", "near"]
    outcome = cluster.change(change)
    assert (outcome.ok, outcome.text) == (True, "3 queues moved and read back")
    assert outcome.items[-1] == Item("near Orders broker-a/1", True, "stays at 0")
    assert (cluster.offsets("far"), cluster.offsets("near")) == ([5, 0], [0, 0])


def test_what_is_not_there(cluster: Cluster) -> None:
    found = cluster.ask(lambda service: service.preview(ResetOffsets(("timed",), "Nothing", EARLIEST)))
    assert isinstance(found, Problem)
    assert cluster.preview(ResetOffsets(("nobody",), "", EARLIEST)).refusal == (
        "there is nothing to move: the group has read no topic yet"
    )


def test_a_group_that_is_online(cluster: Cluster) -> None:
    async def run() -> tuple[Any, Any, list[int]]:
        seen: list[int] = []
        again = asyncio.Event()

        async def listen(messages: Any, context: Any) -> None:
            seen.extend(message.queue_offset for message in messages if message.queue_id == 0)
            if seen.count(9) > 1:
                again.set()

        service = LiveService([cluster.servers.namesrv_addr], now)
        consumer = PushConsumer("awake", listen, namesrv_addr=cluster.servers.namesrv_addr)
        consumer.subscribe("Orders", "*")
        await consumer.start()
        try:
            while not seen or max(seen) < 9:
                await asyncio.sleep(PAUSE)
            change = ResetOffsets(("awake",), "Orders", EARLIEST)
            while not isinstance(preview := await service.preview(change), Preview) or preview.refusal:
                await asyncio.sleep(PAUSE)
            outcome = await service.change(change, lambda item: None)
            async with Producer("nudging", namesrv_addr=cluster.servers.namesrv_addr) as producer:
                # The broker hands the new offset out with the next pull, which waits for a message.
                await producer.send(Message("Orders", b"x"), queue=FIRST)
                await again.wait()
            return preview, outcome, seen
        finally:
            await consumer.shutdown()
            await service.close()

    async def limited() -> tuple[Any, Any, list[int]]:
        async with asyncio.timeout(30):
            return await run()

    preview, outcome, seen = asyncio.run(limited())
    assert preview.warnings == (
        "awake is online with 1 client: they go on from there at once, and what they hold may be consumed twice",
    )
    assert outcome.ok, outcome
    assert seen.count(0) == 2
