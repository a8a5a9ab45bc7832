"""Clients of a real broker, and which groups are asked when there are many."""

import asyncio
from typing import Any

from rmq.client.aio import Producer, PushConsumer
from rmq.client.config import ClientConfig, PushConfig
from rmq.client.consume import ConsumeContext
from rmq.client.message import Message, MessageExt
from rmq.testing.server import RocketMQ
from rmq.tui.service.live.consumers import GROUPS_AT_A_TIME, ConsumersSeen
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import CONSUMER, PRODUCER, ClientDetail, Clients, Connected, Problem
from rmq.wire.bodies.heartbeat import ConsumeFromWhere
from tests.kit.tui.real import now, until


def test_a_producer_and_a_consumer() -> None:
    async def look(rocketmq: RocketMQ) -> None:
        service = LiveService([rocketmq.namesrv_addr], now)

        async def listen(messages: list[MessageExt], context: ConsumeContext) -> None:
            return None

        config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
        consumer = PushConsumer("billing", listen, namesrv_addr=rocketmq.namesrv_addr, config=config)
        consumer.subscribe("Orders", "TagA || TagB")
        try:
            client = ClientConfig(heartbeat_broker_interval=0.2)
            async with Producer("shop", namesrv_addr=rocketmq.namesrv_addr, client_config=client) as producer:
                await producer.send(Message("Orders", "book", tags="TagA"))
                async with consumer:

                    async def ask() -> Clients | Problem:
                        service.forget()
                        return await service.clients()

                    found = await until(ask, lambda told: isinstance(told, Clients) and len(told.connected) == 2)
                    assert (found.asked, found.groups, found.problems) == (1, 1, ())
                    taker, sender = found.connected
                    assert (taker.role, taker.group, taker.kind) == (CONSUMER, "billing", "push")
                    assert (sender.role, sender.group) == (PRODUCER, "shop")
                    assert {one.broker for one in found.connected} == {rocketmq.broker_addr}
                    assert all(one.address.startswith("127.0.0.1") for one in found.connected)
                    assert abs(now() - sender.heard) < 30_000
                    assert {(one.language, one.version) for one in found.connected} == {("PYTHON", "V5_4_0")}

                    async def running() -> Any:
                        service.forget()
                        return await service.client(taker)

                    detail = await until(
                        running, lambda told: isinstance(told, ClientDetail) and any(q.consumed for q in told.queues)
                    )
                    assert {queue.topic for queue in detail.queues} >= {"Orders"}
                    assert ("Orders", "TAG", "TagA || TagB") in {
                        (one.topic, one.kind, one.expression) for one in detail.wanted
                    }
                    assert detail.running.queues == len(detail.queues)
                    assert (await service.running(taker)).queues == detail.running.queues
                    assert dict(detail.facts)["role"] == "push consumer"
                    stack = await service.stack(taker)
                    assert isinstance(stack, str)
                    assert len(stack.splitlines()) > 2
                    assert isinstance(await service.stack(sender), Problem)
                    assert dict((await service.client(sender)).facts)["role"] == "producer"  # type: ignore[union-attr]
        finally:
            await service.close()

    with RocketMQ() as running:
        asyncio.run(look(running))


def test_a_few_groups_are_asked_at_a_time() -> None:
    seen = ConsumersSeen()
    groups = [f"group-{number:03}" for number in range(80)]
    first = seen.due(groups)
    assert first == groups[:GROUPS_AT_A_TIME]
    client = Connected(CONSUMER, "group-000", "c", "", "", "", "")
    for name in first:
        seen.take(name, ((client,), None))
    second = seen.due(groups, "group-079")
    assert second == ["group-079", *groups[GROUPS_AT_A_TIME : 2 * GROUPS_AT_A_TIME - 1]]
    for name in second:
        seen.take(name, ((), None))
    third = seen.due(groups)
    assert third == [*groups[63:79], *groups[:16]]
    for name in third:
        seen.take(name, ((), None))
    assert seen.due(groups)[:2] == ["group-016", "group-017"]
    seen.due(groups[:3])
    assert sorted(seen.found) == groups[:3]
