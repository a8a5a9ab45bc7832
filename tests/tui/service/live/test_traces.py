"""The way of messages through a real broker, and why there is none."""

import asyncio
from typing import Any

from rmq.client.admin.brokers import update_broker_config
from rmq.client.admin.topics import create_topic
from rmq.client.admin.traces import TraceEvent
from rmq.client.aio import Producer, PushConsumer
from rmq.client.config import ClientConfig, PushConfig
from rmq.client.consume import ConsumeContext
from rmq.client.message import Message, MessageExt
from rmq.testing.server import RocketMQ
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.live.traces import steps_of
from rmq.tui.service.model import StepKind, Traced
from rmq.wire.bodies.heartbeat import ConsumeFromWhere
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.names import TRACE_TOPIC
from tests.kit.tui.real import now, service_of, until

NEVER = "7F000001000018B4AAC200000000FFFF"


def test_send_store_and_each_try() -> None:
    async def look(rocketmq: RocketMQ) -> None:
        async with service_of(rocketmq) as service:
            await create_topic(service._known.admin, rocketmq.broker_addr, TopicConfig("Orders", 1, 1))
            tries = 0

            async def listen(messages: list[MessageExt], context: ConsumeContext) -> None:
                nonlocal tries
                tries += 1
                if tries == 1:
                    context.delay_level = 1
                    raise ValueError("not at once")

            config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET, concurrency=1)
            tracing = ClientConfig(enable_trace=True)
            consumer = PushConsumer(
                "billing", listen, namesrv_addr=rocketmq.namesrv_addr, client_config=tracing, config=config
            )
            consumer.subscribe("Orders")
            begun = now()
            producer = Producer("shop", namesrv_addr=rocketmq.namesrv_addr, client_config=tracing)
            async with producer, consumer:
                sent = await producer.send(Message("Orders", "book", tags="TagA", keys="order-17"))
                await until(lambda: asyncio.sleep(0, tries), lambda number: number == 2)

            def whole(found: Any) -> bool:
                return isinstance(found, Traced) and len(found.steps) == 4

            traced = await until(lambda: service.trace(sent.msg_id), whole)
            assert (traced.message_id, traced.topic, traced.why, traced.problems) == (sent.msg_id, "Orders", "", ())
            steps = traced.steps
            told = [step for step in steps if step.kind is not StepKind.STORE]
            assert [(step.kind, step.group, step.ok, step.attempt, step.outcome) for step in told] == [
                (StepKind.SEND, "shop", True, 0, "sent"),
                (StepKind.CONSUME, "billing", False, 1, "exception"),
                (StepKind.CONSUME, "billing", True, 2, "success"),
            ]
            stored = next(step for step in steps if step.kind is StepKind.STORE)
            assert (stored.group, stored.client, stored.outcome) == ("broker-a", rocketmq.broker_addr, "queue 0 @ 0")
            assert all(begun <= step.start <= now() for step in steps)
            assert steps[0].facts["keys"] == "order-17"
            assert all(step.millis is not None and 0 <= step.millis < 5000 for step in steps)
            assert await service.trace(sent.msg_id, "Orders") == traced

    with RocketMQ(settings={"traceTopicEnable": "true"}) as running:
        asyncio.run(look(running))


async def why(service: LiveService, message_id: str, topic: str = "", trace_topic: str = "") -> str:
    """Why there is no trace; there is something to do about each reason."""
    found = await service.trace(message_id, topic, trace_topic)
    assert isinstance(found, Traced)
    assert found.remedy
    return found.why


def test_why_there_is_no_trace_topic() -> None:
    async def look(rocketmq: RocketMQ) -> None:
        async with service_of(rocketmq) as service, Producer("shop", namesrv_addr=rocketmq.namesrv_addr) as producer:
            sent = (await producer.send(Message("Orders", "book"))).msg_id
            assert await why(service, sent, "Orders") == (
                "there is no trace topic: traceTopicEnable is off on broker-a, so RMQ_SYS_TRACE_TOPIC was not made"
            )
            assert await why(service, sent, "Orders", "Own") == "the trace topic Own does not exist"
            found = await service.trace(sent, "Orders")
            assert isinstance(found, Traced)
            assert [step.kind for step in found.steps] == [StepKind.STORE]

    with RocketMQ(settings={"traceTopicEnable": "false"}) as running:
        asyncio.run(look(running))


def test_why_a_message_has_no_trace() -> None:
    async def look(rocketmq: RocketMQ) -> None:
        late = service_of(rocketmq, ahead=60_000)
        async with late as service, Producer("shop", namesrv_addr=rocketmq.namesrv_addr) as producer:
            sent = (await producer.send(Message("Orders", "book"))).msg_id
            nothing = await until(
                lambda: service.trace(sent, "Orders"),
                lambda told: isinstance(told, Traced) and "there is no" not in told.why,
            )
            assert nothing.why.startswith(f"nothing is recorded in {TRACE_TOPIC}: no client has tracing turned on")
            await producer.send(Message(TRACE_TOPIC, "of another message", keys="another"))
            assert await why(service, sent, "Orders") == (
                "the message is stored, but neither its sender nor a consumer told of it: they do not trace"
            )
            assert await why(service, NEVER, "Orders") == (
                "Orders has no message with this id in the last three days, and nothing is traced of it"
            )
            assert await why(service, NEVER) == (
                "nothing is traced of this id; whether there is such a message cannot be told without its topic"
            )
            await update_broker_config(service._known.admin, rocketmq.broker_addr, {"traceOn": "false"})
            silent = (await producer.send(Message("Orders", "pen"))).msg_id
            assert await why(service, silent, "Orders") == (
                "the broker told the sender not to trace this message (traceOn is off)"
            )
        async with service_of(rocketmq) as service:
            assert await why(service, sent, "Orders") == (
                "nothing is told of it yet: clients tell some seconds later"
            )

    with RocketMQ(settings={"traceTopicEnable": "true"}) as running:
        asyncio.run(look(running))


def event(kind: str, time: int, group: str | None = "g", *, cost: int | None = None, success: bool | None = None,
          **facts: str) -> TraceEvent:  # fmt: skip
    return TraceEvent(kind, group, "10.0.0.7", time, cost, success, facts)


def test_steps_of_what_clients_told() -> None:
    events = [
        event("Pub", 100, cost=5, success=False, topic="T"),
        event("EndTransaction", 130, topic="T", state="COMMIT_MESSAGE", checked="true"),
        event("SubBefore", 200, call="c1", reconsumeTimes="0"),
        event("SubBefore", 300, call="c2", reconsumeTimes="1"),
        event("SubAfter", 210, call="c1", cost=9, success=False, outcome="2"),
        event("SubAfter", 460, call="lost", cost=60, success=True),
        event("Recall", 500, success=True, topic="T"),
    ]
    assert [(s.kind, s.start, s.millis, s.ok, s.outcome, s.attempt) for s in steps_of(events)] == [
        (StepKind.SEND, 100, 5, False, "failed", 0),
        (StepKind.DECIDE, 130, None, None, "committed when asked", 0),
        (StepKind.CONSUME, 200, 9, False, "exception", 1),
        (StepKind.CONSUME, 300, None, None, "not ended", 2),
        (StepKind.RECALL, 500, None, True, "recalled", 0),
        (StepKind.CONSUME, 400, 60, True, "success", 0),
    ]
