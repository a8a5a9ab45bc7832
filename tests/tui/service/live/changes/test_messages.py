"""Messages that are sent to a real server in this process, and read back."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from rmq.client.admin.groups import create_group
from rmq.client.admin.topics import create_topic
from rmq.testing.server import RocketMQ
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.messages import SendMessage
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import Problem
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.topic import TopicConfig

T = TypeVar("T")


def told(rocketmq: RocketMQ, ask: Callable[[LiveService], Awaitable[T]]) -> T:
    async def run() -> T:
        service = LiveService([rocketmq.namesrv_addr], lambda: time.time_ns() // 1_000_000)
        try:
            return await ask(service)
        finally:
            await service.close()

    return asyncio.run(run())


@pytest.fixture(scope="module")
def rocketmq() -> Iterator[RocketMQ]:
    with RocketMQ() as servers:

        async def prepare(service: LiveService) -> None:
            admin, address = service._known.admin, servers.broker_addr
            for name, kind in (("Orders", "NORMAL"), ("Steps", "FIFO"), ("Later", "DELAY"), ("Both", "TRANSACTION")):
                await create_topic(admin, address, TopicConfig(name, 2, 2, attributes={"+message.type": kind}))
            await create_topic(admin, address, TopicConfig("Shut", 2, 2, perm=4))
            await create_group(admin, address, SubscriptionGroupConfig("readers"))

        told(servers, prepare)
        yield servers


def previewed(rocketmq: RocketMQ, change: SendMessage) -> Preview:
    answer = told(rocketmq, lambda service: service.preview(change))
    assert isinstance(answer, Preview)
    return answer


def test_previews(rocketmq: RocketMQ) -> None:
    assert previewed(rocketmq, SendMessage("Orders", b"abc")) == Preview(
        notes=("any of 2 queues takes it: 3 bytes", "no group reads the topic")
    )
    assert previewed(rocketmq, SendMessage("Orders", b"abc", broker="broker-a", queue_id=1)).notes[0] == (
        "broker-a/1 takes it: 3 bytes"
    )
    assert previewed(rocketmq, SendMessage("Shut", b"")).refusal == "no queue of Shut can be written to"
    refused = previewed(rocketmq, SendMessage("Orders", b"", broker="broker-a", queue_id=9))
    assert refused.refusal == "broker-a/9 of Orders cannot be written to"
    assert (
        "is used by system" in previewed(rocketmq, SendMessage("Orders", b"", properties=(("TRAN_MSG", "1"),))).refusal
    )
    warned = {
        topic: previewed(rocketmq, SendMessage(topic, b"")).warnings for topic in ("Steps", "Later", "Both", "Newer")
    }
    assert warned == {
        "Steps": ("the topic is FIFO, and neither queue nor message group is given: its place in the order is any",),
        "Later": ("the topic is for delayed messages, and this one has no delay",),
        "Both": ("the topic is for transactions: this message is sent without one",),
        "Newer": ("the topic does not exist: the broker makes it",),
    }
    assert previewed(rocketmq, SendMessage("Orders", b"", delay=1000)).warnings == (
        "the topic is for messages of the type NORMAL, and this one is delayed",
    )


def test_a_message_is_sent_and_read_back(rocketmq: RocketMQ) -> None:
    items: list[Item] = []
    body = "grüße\n".encode()
    change = SendMessage("Orders", body, "TagA", "k1 k2", (("region", "eu"), ("x", "a=b")), "broker-a", 1)
    outcome = told(rocketmq, lambda service: service.change(change, items.append))
    assert isinstance(outcome, Outcome)
    assert (outcome.ok, [item.name for item in items], outcome.items) == (True, ["broker-a/1 @ 0"], tuple(items))
    assert outcome.read_back[0].endswith(": 8 bytes, as sent")
    newest = told(rocketmq, lambda service: service.newest("Orders", 1))
    assert isinstance(newest, tuple)
    message = newest[0]
    assert (message.body, message.tags, message.keys, message.queue) == (body, "TagA", "k1 k2", "broker-a/1")
    assert {"region": "eu", "x": "a=b"}.items() <= dict(message.properties).items()
    assert outcome.text == f"sent as {message.message_id}"


def test_what_a_broker_refuses(rocketmq: RocketMQ) -> None:
    answer = told(
        rocketmq, lambda service: service.change(SendMessage("Orders", b"a", "", "", (), "broker-a", 9), lambda _: None)
    )
    assert isinstance(answer, Problem)
    assert "queueId[9] is illegal" in answer.cause
