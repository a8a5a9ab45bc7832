"""Dead letters of a real broker: what is shown of them, and what becomes of them when they are sent again."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from rmq.client.admin.groups import create_group
from rmq.client.admin.topics import create_topic
from rmq.client.aio import Producer, PushConsumer
from rmq.client.config import PushConfig
from rmq.client.consume import ConsumeContext
from rmq.client.message import Message, MessageExt
from rmq.testing.server import RocketMQ
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.dead_letters import ResendDead
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import DeadLetters, LetterPlace
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.heartbeat import ConsumeFromWhere
from rmq.wire.bodies.topic import TopicConfig
from tests.kit.tui.real import now, service_of, until

FIRST = LetterPlace("broker-a", 0, 0)


@pytest.fixture(scope="module")
def rocketmq() -> Iterator[RocketMQ]:
    with RocketMQ() as running:
        yield running


def consumer(rocketmq: RocketMQ, group: str, topic: str, listen: Any) -> PushConsumer:
    config = PushConfig(
        consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET, concurrency=1, max_reconsume_times=0
    )
    made = PushConsumer(group, listen, namesrv_addr=rocketmq.namesrv_addr, config=config)
    made.subscribe(topic)
    return made


async def make_dead(rocketmq: RocketMQ, service: LiveService, group: str, topic: str, number: int) -> None:
    """A topic, and a group that has given up on so many of its messages."""
    admin = service._known.admin
    await create_topic(admin, rocketmq.broker_addr, TopicConfig(topic, 1, 1))
    config = SubscriptionGroupConfig(group, retry_max_times=0)
    await create_group(admin, rocketmq.broker_addr, config)

    async def refuse(messages: list[MessageExt], context: ConsumeContext) -> None:
        raise ValueError("no")

    async with Producer("shop", namesrv_addr=rocketmq.namesrv_addr) as producer:
        for count in range(number):
            properties = {"shop": str(count), "region": "eu"}
            await producer.send(
                Message(topic, f"body {count}", tags="TagA", keys=f"key-{count}", properties=properties)
            )
    async with consumer(rocketmq, group, topic, refuse):

        async def dead() -> Any:
            service.forget()
            return await service.dead_letters(group, 100)

        await until(dead, lambda found: isinstance(found, DeadLetters) and len(found.letters) == number)


def test_dead_letters_are_told_exactly(rocketmq: RocketMQ) -> None:
    async def look() -> None:
        async with service_of(rocketmq) as service:
            begun = now()
            await make_dead(rocketmq, service, "told", "Told", 3)
            assert "told" in await service.dead_groups()  # type: ignore[operator]
            found = await service.dead_letters("told", 100)
            assert isinstance(found, DeadLetters)
            assert (found.group.count, found.problems) == (3, ())
            assert begun <= found.group.oldest <= found.group.newest <= now()
            assert [(one.place, one.topic, one.tags, one.keys, one.preview, one.size) for one in found.letters] == [
                (LetterPlace("broker-a", 0, count), "Told", "TagA", f"key-{count}", f"body {count}", 6)
                for count in (2, 1, 0)
            ]
            assert all(one.original and one.original != one.message_id for one in found.letters)
            assert (await service.dead_figures(["told"]))["told"] == found.group
            newest = await service.dead_letters("told", 2)
            assert isinstance(newest, DeadLetters)
            assert [one.keys for one in newest.letters] == ["key-2", "key-1"]
            whole, gone = await service.letter_bodies(
                "told", [LetterPlace("broker-a", 0, 1), LetterPlace("broker-a", 0, 99)]
            )
            assert (whole.body, dict(whole.properties)["shop"], whole.problem) == (b"body 1", "1", None)
            assert str(gone.problem) == "it is not there any more"

    asyncio.run(look())


def test_letters_are_read_once(rocketmq: RocketMQ) -> None:
    async def look() -> None:
        async with service_of(rocketmq) as service:
            await make_dead(rocketmq, service, "once", "Once", 3)
            before = service.limited.asked
            await service.dead_letters("once", 100)
            # The route and the bounds are asked for, and when the oldest was stored.
            assert service.limited.asked - before <= 4

    asyncio.run(look())


def test_letters_sent_again_arrive_with_their_properties(rocketmq: RocketMQ) -> None:
    async def look() -> None:
        async with service_of(rocketmq) as service:
            await make_dead(rocketmq, service, "again", "Again", 3)
            places = tuple(LetterPlace("broker-a", 0, count) for count in (0, 2))
            change = ResendDead("again", places, 50.0)
            assert change.title == "re-send 2 dead letters of again to where they came from at 50/s"
            preview = await service.preview(change)
            assert isinstance(preview, Preview)
            assert preview.rows == (
                ("broker-a/0@0", "Again", "TagA", "key-0", "6"),
                ("broker-a/0@2", "Again", "TagA", "key-2", "6"),
            )
            assert (preview.notes[0], preview.refusal) == ("2 to Again", "")

            received: list[MessageExt] = []

            async def take(messages: list[MessageExt], context: ConsumeContext) -> None:
                received.extend(messages)

            told: list[Item] = []
            outcome = await service.change(change, told.append)
            assert isinstance(outcome, Outcome)
            assert (outcome.ok, outcome.text) == (True, "2 of 2 re-sent")
            assert outcome.read_back == ("read back: 2 of 2 looked at are stored, with the same body",)
            assert list(outcome.items) == told
            assert [item.name for item in told] == ["broker-a/0@0", "broker-a/0@2"]
            async with consumer(rocketmq, "reader", "Again", take):
                await until(lambda: asyncio.sleep(0, len(received)), lambda number: number == 5)
            first, last = received[3:]
            assert [(one.body, one.tags, one.keys) for one in (first, last)] == [
                (b"body 0", "TagA", "key-0"),
                (b"body 2", "TagA", "key-2"),
            ]
            assert {name: first.properties[name] for name in ("shop", "region")} == {"shop": "0", "region": "eu"}
            assert not {"RETRY_TOPIC", "ORIGIN_MESSAGE_ID", "DELAY", "REAL_TOPIC"} & first.properties.keys()
            assert first.msg_id not in {message.msg_id for message in received[:3]}
            assert first.reconsume_times == 0

    asyncio.run(look())


def test_the_retry_topic_reaches_the_group_alone(rocketmq: RocketMQ) -> None:
    async def look() -> None:
        async with service_of(rocketmq) as service:
            await make_dead(rocketmq, service, "alone", "Alone", 1)
            change = ResendDead("alone", (LetterPlace("broker-a", 0, 0),), 50.0, "%RETRY%alone")
            received: list[tuple[str, MessageExt]] = []

            def taker(name: str) -> Any:
                async def take(messages: list[MessageExt], context: ConsumeContext) -> None:
                    received.extend((name, message) for message in messages)

                return take

            async with consumer(rocketmq, "alone", "Alone", taker("alone")):
                outcome = await service.change(change, lambda item: None)
                assert isinstance(outcome, Outcome)
                assert outcome.ok
                await until(lambda: asyncio.sleep(0, len(received)), lambda number: number == 1)
            name, message = received[0]
            assert (name, message.topic, message.body, message.properties["shop"]) == ("alone", "Alone", b"body 0", "0")

    asyncio.run(look())


def test_one_that_fails_does_not_keep_the_others_back(rocketmq: RocketMQ) -> None:
    async def look() -> None:
        async with service_of(rocketmq) as service:
            await make_dead(rocketmq, service, "partly", "Partly", 2)
            places = (LetterPlace("broker-a", 0, 0), LetterPlace("broker-a", 0, 77), LetterPlace("broker-a", 0, 1))
            change = ResendDead("partly", places, 50.0, keep_properties=False)
            preview = await service.preview(change)
            assert isinstance(preview, Preview)
            assert preview.rows[1] == ("broker-a/0@77", "✗ is not there any more", "", "", "")
            assert "1 of them cannot be sent; the table says why" in preview.warnings
            outcome = await service.change(change, lambda item: None)
            assert isinstance(outcome, Outcome)
            assert (outcome.ok, outcome.text) == (False, "2 of 3 re-sent, 1 failed")
            assert [(item.name, item.ok) for item in outcome.items] == [
                ("broker-a/0@0", True),
                ("broker-a/0@77", False),
                ("broker-a/0@1", True),
            ]
            assert outcome.items[1].text == "it is not there any more"
            assert outcome.items[2].text.startswith("Partly broker-a/0@3 as ")

    asyncio.run(look())


def test_it_ends_where_it_is_when_it_is_stopped(rocketmq: RocketMQ) -> None:
    async def look() -> None:
        async with service_of(rocketmq) as service:
            await make_dead(rocketmq, service, "stopped", "Stopped", 3)
            places = tuple(LetterPlace("broker-a", 0, count) for count in range(3))
            first = asyncio.Event()
            job = asyncio.ensure_future(
                service.change(ResendDead("stopped", places, 0.001), lambda item: first.set())
            )
            await first.wait()
            job.cancel()
            outcome = await job
            assert isinstance(outcome, Outcome)
            assert (outcome.ok, outcome.text) == (False, "1 of 3 re-sent, stopped, 2 not tried")
            assert [item.ok for item in outcome.items] == [True]

    asyncio.run(look())


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (ResendDead("refused", ()), "no dead letter is chosen"),
        (ResendDead("refused", (FIRST,), 0.0), "a rate from above 0 to 1000 a second is needed"),
        (ResendDead("refused", (FIRST,), 1.0, "Nowhere"), "there is no topic Nowhere"),
    ],
)
def test_what_cannot_be_sent_is_refused(rocketmq: RocketMQ, change: ResendDead, refusal: str) -> None:
    async def look() -> None:
        async with service_of(rocketmq) as service:
            groups = await service.dead_groups()
            if isinstance(groups, tuple) and "refused" not in groups:
                await make_dead(rocketmq, service, "refused", "Refused", 1)
            preview = await service.preview(change)
            assert isinstance(preview, Preview)
            assert preview.refusal == refusal

    asyncio.run(look())
