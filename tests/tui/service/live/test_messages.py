"""Searches, tails and tracks against a real server in this process: exact bodies, and nothing left behind."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC
from typing import Any, TypeVar

import pytest

from rmq.client.admin.groups import create_group
from rmq.client.admin.topics import create_topic
from rmq.client.aio import Producer
from rmq.client.message import Message
from rmq.testing.server import RocketMQ
from rmq.tui.service.live.messages import newest
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import Batch, StoredMessage
from rmq.tui.service.query import QueueRange, parse_query
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.topic import TopicConfig
from tests.kit.tui.real import now

T = TypeVar("T")
SENT = 40
SETTINGS = {"enablePropertyFilter": True}


def told(rocketmq: RocketMQ, ask: Callable[[LiveService], Awaitable[T]]) -> T:
    async def run() -> T:
        service = LiveService([rocketmq.namesrv_addr], now)
        try:
            return await ask(service)
        finally:
            await service.close()

    return asyncio.run(run())


async def send(rocketmq: RocketMQ, topic: str, bodies: list[str], **more: Any) -> list[Any]:
    async with Producer("sender", namesrv_addr=rocketmq.namesrv_addr) as producer:
        return [
            await producer.send(
                Message(topic, body, tags=f"Tag{'AB'[at % 2]}", keys=f"key-{at}", properties={"n": str(at)}, **more)
            )
            for at, body in enumerate(bodies)
        ]


class Stored:
    """A server with messages in `Orders`, and what is known of them."""

    def __init__(self, rocketmq: RocketMQ) -> None:
        self.rocketmq = rocketmq
        self.results = asyncio.run(self._fill())

    async def _fill(self) -> list[Any]:
        service = LiveService([self.rocketmq.namesrv_addr], now)
        admin, address = service._known.admin, self.rocketmq.broker_addr
        for name, queues in (("Orders", 4), ("Live", 2), ("Fast", 2), ("Empty", 1)):
            await create_topic(admin, address, TopicConfig(name, queues, queues))
        await create_group(admin, address, SubscriptionGroupConfig("readers"))
        await service.close()
        self.begun = now()
        first = await send(self.rocketmq, "Orders", [f"book {at}" for at in range(SENT // 2)])
        await asyncio.sleep(0.005)
        self.middle = now()
        second = await send(self.rocketmq, "Orders", [f"pen {at}" for at in range(SENT // 2, SENT)])
        return first + second


@pytest.fixture(scope="module")
def stored() -> Iterator[Stored]:
    with RocketMQ(settings=SETTINGS) as rocketmq:
        yield Stored(rocketmq)


def search(stored: Stored, line: str) -> tuple[list[StoredMessage], Batch, list[str]]:
    """What is found, the last batch, and all notes and problems."""
    batches: list[Batch] = []
    told(stored.rocketmq, lambda service: service.search(parse_query(line, now(), UTC), batches.append))
    assert [batch.done for batch in batches] == [False] * (len(batches) - 1) + [True]
    said = [text for batch in batches for text in (*batch.notes, *map(str, batch.problems))]
    return [message for batch in batches for message in batch.messages], batches[-1], said


def bodies(messages: list[StoredMessage]) -> set[str]:
    return {message.body.decode() for message in messages}


ALL = {f"book {at}" for at in range(SENT // 2)} | {f"pen {at}" for at in range(SENT // 2, SENT)}


def test_a_topic(stored: Stored) -> None:
    found, last, said = search(stored, "Orders")
    assert bodies(found) == ALL
    assert (last.scanned, last.total, said) == (SENT, SENT, [])
    result = stored.results[3]
    message = next(message for message in found if message.message_id == result.msg_id)
    assert (message.topic, message.broker, message.queue) == (
        "Orders",
        "broker-a",
        f"broker-a/{result.message_queue.queue_id}",
    )
    assert (message.offset, message.offset_id, message.store_host) == (
        result.queue_offset,
        result.offset_msg_id,
        stored.rocketmq.broker_addr,
    )
    assert (message.body, message.tags, message.keys) == (b"book 3", "TagB", "key-3")
    named = dict(message.properties)
    assert (named["n"], named["KEYS"], named["UNIQ_KEY"]) == ("3", "key-3", result.msg_id)
    assert not {"MIN_OFFSET", "MAX_OFFSET"} & set(named)
    assert stored.begun <= message.stored <= stored.middle


def test_words_select_exactly(stored: Stored) -> None:
    even = {f"book {at}" for at in range(0, SENT // 2, 2)} | {f"pen {at}" for at in range(SENT // 2, SENT, 2)}
    assert bodies(search(stored, "Orders tag:TagA")[0]) == even
    assert bodies(search(stored, "Orders tag:TagA||TagB")[0]) == ALL
    assert bodies(search(stored, "Orders body~PEN")[0]) == {body for body in ALL if body.startswith("pen")}
    assert bodies(search(stored, "Orders body~/^book 1?3$/")[0]) == {"book 3", "book 13"}
    assert bodies(search(stored, 'Orders tag:TagB body~"k 3"')[0]) == {"book 3"}
    assert bodies(search(stored, 'Orders sql:"n > 17 AND n < 19"')[0]) == {"book 18", "pen 38"}
    assert bodies(search(stored, "Orders sql:\"TAGS = 'TagA' AND n = 4\" body~book")[0]) == {"book 4"}


def test_times(stored: Stored) -> None:
    old, young = {body for body in ALL if "book" in body}, {body for body in ALL if "pen" in body}
    assert bodies(search(stored, f"Orders time:{stored.middle}..now")[0]) == young
    assert bodies(search(stored, f"Orders time:{stored.begun}..{stored.middle - 1}")[0]) == old
    assert bodies(search(stored, f"Orders time:..{stored.middle - 1}")[0]) == old
    found, last, _ = search(stored, f"Orders time:{now() + 60_000}")
    assert (found, last.scanned) == ([], last.total)


def test_a_queue_and_offsets(stored: Stored) -> None:
    of_two = [result for result in stored.results if result.message_queue.queue_id == 2]
    ids = [result.msg_id for result in of_two]
    assert [message.message_id for message in search(stored, "Orders queue:broker-a/2@0..")[0]] == ids
    assert [message.message_id for message in search(stored, "Orders queue:2@1..3")[0]] == ids[1:4]
    assert [message.message_id for message in search(stored, "Orders queue:broker-a/2@4")[0]] == [ids[4]]
    _, last, said = search(stored, "Orders queue:broker-a/9")
    assert (last.total, said) == (
        0,
        ["there is no such queue: Orders has broker-a/0, broker-a/1, broker-a/2, broker-a/3"],
    )


def test_a_limit_keeps_the_newest(stored: Stored) -> None:
    found, last, said = search(stored, "Orders limit:8")
    assert bodies(found) == {f"pen {at}" for at in range(SENT - 8, SENT)}
    assert (last.scanned, said) == (8, ["stopped at 8 messages, 32 were not looked at: narrow it, or set limit:"])
    first = search(stored, "Orders queue:broker-a/0@0.. limit:1")[0]
    assert [message.offset for message in first] == [0]


def test_ids_and_keys(stored: Stored) -> None:
    result = stored.results[7]
    for line in (f"id:{result.offset_msg_id}", f"Orders id:{result.msg_id}", f"Orders uniq:{result.msg_id}"):
        found, _, said = search(stored, line)
        assert ([message.body for message in found], [message.broker for message in found], said) == (
            [b"book 7"],
            ["broker-a"],
            [],
        )
    assert bodies(search(stored, "Orders key:key-5")[0]) == {"book 5", "pen 25"}
    assert bodies(search(stored, "Orders key:key-5 body~pen")[0]) == {"pen 25"}
    assert bodies(search(stored, f"Orders key:key-5 time:..{stored.middle - 1}")[0]) == {"book 5"}


def test_what_an_index_does_not_have(stored: Stored) -> None:
    found, _, said = search(stored, "Orders key:nothing")
    hint = "with time: or queue: added, the messages of that range are scanned"
    assert (found, said) == ([], [f"the index has no such key: {hint}"])
    found, last, said = search(stored, "Orders uniq:nothing queue:broker-a/1")
    assert (found, last.scanned) == ([], last.total)
    assert said == ["the index has no message of this id: the range is scanned, which takes longer"]
    _, _, said = search(stored, f"id:{stored.results[0].msg_id}")
    assert said == ["no broker here gave out this id: if it is a sender's, write the topic in front"]


def test_what_servers_refuse(stored: Stored) -> None:
    _, last, said = search(stored, "Nowhere")
    assert last.done
    assert "No topic route info in name server for the topic: Nowhere" in said[0]
    found, last, said = search(stored, 'Orders sql:"n >"')
    assert (found, last.total, len(said)) == ([], None, 1)
    assert "Encountered the end at line 1, column 3" in said[0]
    with RocketMQ(settings={"enablePropertyFilter": False}) as plain:
        asyncio.run(send(plain, "Orders", ["a"]))
        batches: list[Batch] = []
        told(plain, lambda service: service.search(parse_query('Orders sql:"n > 1"', 0, UTC), batches.append))
    assert batches[-1].notes == ("a broker filters by SQL92 when its setting enablePropertyFilter is true",)


def test_a_search_ends_when_it_is_cancelled(stored: Stored) -> None:
    async def ask(service: LiveService) -> int:
        batches: list[Batch] = []
        begun = asyncio.Event()

        def tell(batch: Batch) -> None:
            batches.append(batch)
            begun.set()

        task = asyncio.ensure_future(service.search(parse_query("Orders body~nothing", 0, UTC), tell))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        asked = service.limited.asked
        await asyncio.sleep(0.05)
        assert not any(batch.done for batch in batches)
        return service.limited.asked - asked

    assert told(stored.rocketmq, ask) == 0


def test_the_newest_of_a_topic(stored: Stored) -> None:
    found = told(stored.rocketmq, lambda service: newest(service._known, "Orders", 5))
    assert [message.body.decode() for message in found] == [f"pen {at}" for at in range(SENT - 1, SENT - 6, -1)]
    assert told(stored.rocketmq, lambda service: service.newest("Empty", 5)) == ()


def test_tracks(stored: Stored) -> None:
    message = search(stored, f"Orders uniq:{stored.results[0].msg_id}")[0][0]
    assert told(stored.rocketmq, lambda service: service.tracks(message)) == ()


def test_a_tail_shows_what_comes(stored: Stored) -> None:
    async def ask(service: LiveService) -> list[list[str]]:
        whole, one = service.tail("Live"), service.tail("Live", QueueRange("broker-a", 1, 0))
        seen = [await whole.look(), await one.look()]
        sent = await send(stored.rocketmq, "Live", ["a", "b", "c", "d"])
        on_one = [body for body, result in zip("abcd", sent, strict=True) if result.message_queue.queue_id == 1]
        seen += [await whole.look(), await whole.look(), await one.look()]
        assert [tailed.problem for tailed in seen] == [None] * 5
        assert [message.body.decode() for message in seen[4].messages] == on_one
        return [[message.body.decode() for message in tailed.messages] for tailed in seen[:4]]

    assert told(stored.rocketmq, ask) == [[], [], ["a", "b", "c", "d"], []]


def test_a_tail_leaves_out_what_comes_too_fast(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmq.tui.service.live.message_tail.MOST", 4)

    async def ask(service: LiveService) -> tuple[int, set[str]]:
        tail = service.tail("Fast")
        await tail.look()
        await send(stored.rocketmq, "Fast", [f"m{at}" for at in range(10)])
        tailed = await tail.look()
        return tailed.skipped, {message.body.decode() for message in tailed.messages}

    assert told(stored.rocketmq, ask) == (6, {"m6", "m7", "m8", "m9"})


def test_nothing_is_committed_and_no_group_is_there(stored: Stored) -> None:
    search(stored, "Orders tag:TagA")
    groups = told(stored.rocketmq, lambda service: service.group_names())
    assert groups == ("readers",)
    assert threading.active_count() < 20


def test_a_limit_favours_no_queue(stored: Stored) -> None:
    found, last, said = search(stored, "Orders body~n limit:6")
    assert bodies(found) == {f"pen {at}" for at in range(SENT - 6, SENT)}
    assert (last.scanned, said) == (SENT, ["stopped at 6 messages, more were found: narrow it, or set limit:"])
