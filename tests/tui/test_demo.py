"""The demonstration: real servers, real traffic, the real service."""

import asyncio
import time
from typing import Any

import pytest

from rmq.tui.demo import Demo
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import Cluster, DeadLetters, GroupDetail, StepKind, TopicDetail, Traced
from tests.kit.tui.real import until


@pytest.fixture(autouse=True)
def instant() -> None:
    """Real servers take their time."""


def test_there_is_something_to_see() -> None:
    async def look(address: str) -> None:
        service = LiveService([address], lambda: time.time_ns() // 1_000_000)
        try:
            names = await until(service.topic_names, lambda found: isinstance(found, tuple) and "Audit" in found)
            assert {"Orders", "Payments", "Shipments", "Reminders", "Clicks", "Audit"} <= set(names)
            expected = {"billing", "warehouse", "fraud-check", "analytics", "mail-sender"}
            await until(service.group_names, lambda found: isinstance(found, tuple) and expected <= set(found))

            def flows(detail: Any) -> bool:
                return isinstance(detail, TopicDetail) and detail.topic.total > 40 and len(detail.readers) >= 3

            def anew() -> Any:
                service.forget()
                return service.topic("Orders")

            orders = await until(anew, flows)
            assert (orders.topic.kind, orders.topic.read_queues, orders.problems) == ("NORMAL", 8, ())

            def owned(detail: Any) -> bool:
                return isinstance(detail, GroupDetail) and bool(detail.queues) and all(q.owner for q in detail.queues)

            billing = await until(lambda: service.group("billing"), owned)
            assert (billing.group.state, billing.group.clients, len(billing.clients)) == ("online", 1, 1)
            assert {item.topic for item in billing.subscriptions} >= {"Orders", "Payments"}
            assert all(item.agreed for item in billing.subscriptions)
            mail = (await service.groups(["mail-sender"]))["mail-sender"]
            assert mail.state == "offline"
            cluster = await service.cluster()
            assert isinstance(cluster, Cluster)
            assert (cluster.names, [broker.name for broker in cluster.brokers]) == (("DemoCluster",), ["broker-demo"])
            assert cluster.brokers[0].put_total > 0
            assert isinstance(await service.broker_config(cluster.brokers[0].address), tuple)

            def dead(found: Any) -> bool:
                return isinstance(found, DeadLetters) and bool(found.letters)

            letters = (await until(lambda: service.dead_letters("refunds", 10), dead)).letters
            assert (letters[-1].topic, letters[-1].reconsumed, letters[-1].keys) == ("Refunds", 3, "refunds-4")

            def whole(found: Any) -> bool:
                return isinstance(found, Traced) and len(found.steps) >= 5

            traced = await until(lambda: service.trace(letters[-1].message_id, "Refunds"), whole)
            tries = [step for step in traced.steps if step.kind is StepKind.CONSUME]
            assert [(step.group, step.attempt, step.ok) for step in tries] == [
                ("refunds", attempt, False) for attempt in (1, 2, 3)
            ]
            reminders = await until(lambda: service.topic("Reminders"), lambda found: found.topic.total > 0)
            assert reminders.topic.kind == "DELAY"
        finally:
            await service.close()

    with Demo() as demo:
        asyncio.run(look(demo.namesrv_addr))
