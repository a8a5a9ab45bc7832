"""`rmq tui --demo`: servers in this process, and something going on in them.

The only file of this part that knows servers. A name server and a broker run in a thread, as in tests; producers and
consumers run on a loop in another one, so that the interface's own loop has nothing to do with them. The shop that they
play has orders that come in waves, a group that keeps up, one that falls behind and one whose clients have gone;
reminders that are delivered late, and refunds that are traced and now and then end as dead letters.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import random
import threading
import time
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from rmq.client.admin.aio import together
from rmq.client.admin.groups import create_group
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import create_topic
from rmq.client.aio import Producer, PushConsumer
from rmq.client.config import ClientConfig, PushConfig
from rmq.client.consume import ConsumeContext, ConsumeStatus
from rmq.client.message import Message, MessageExt
from rmq.remoting.aio import AsyncioClient
from rmq.testing.server import RocketMQ
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.heartbeat import ConsumeFromWhere
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.errors import RemotingError

_TOPICS: Final[tuple[tuple[str, str, int, float], ...]] = (
    ("Orders", "NORMAL", 8, 24.0),
    ("Payments", "TRANSACTION", 4, 8.0),
    ("Shipments", "FIFO", 4, 6.0),
    ("Reminders", "DELAY", 4, 1.0),
    ("Clicks", "NORMAL", 8, 40.0),
    ("Refunds", "NORMAL", 2, 0.0),
    ("Audit", "NORMAL", 2, 0.0),
)
"""Name, type, queues and messages a second."""
_GROUPS: Final[tuple[tuple[str, tuple[str, ...], float], ...]] = (
    ("billing", ("Orders", "Payments"), 0.001),
    ("warehouse", ("Orders", "Shipments"), 0.001),
    ("fraud-check", ("Orders",), 0.07),
    ("analytics", ("Clicks",), 0.001),
    ("reminder", ("Reminders",), 0.001),
)
"""Name, topics, and seconds that a message takes."""
_OFFLINE: Final = "mail-sender"
_REFUNDS: Final = "refunds"
"""A group that gives up on three of ten messages, and traces what it does."""
_REFUND_SECONDS: Final = 1.5
_REMINDED_AFTER: Final = 5.0
_STEP: Final = 0.1
_COMMITS: Final = ClientConfig(
    persist_consumer_offset_interval=1.0, rebalance_interval=5.0, heartbeat_broker_interval=5.0
)
"""So that lag and rates are seen to move soon after the start."""
_SETTINGS: Final = {"brokerName": "broker-demo", "brokerClusterName": "DemoCluster", "traceTopicEnable": "true"}
_TRACED: Final = replace(_COMMITS, enable_trace=True)
_WAVE_SECONDS: Final = 40.0


class Demo:
    """Servers with traffic, from the beginning to the end of a `with`.

    Attributes:
        namesrv_addr: the name server, once entered.
    """

    def __init__(self) -> None:
        self.namesrv_addr = ""
        self._thread = threading.Thread(target=self._run, name="demo-traffic", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._servers = RocketMQ(settings=_SETTINGS)
        self.namesrv_addr = self._servers.namesrv_addr
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._work is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._work.cancel)
        self._thread.join(5.0)
        self._servers.stop()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop, self._work = asyncio.get_running_loop(), asyncio.current_task()
        await self._prepare()
        consumers = [_consumer(self.namesrv_addr, *group) for group in _GROUPS]
        consumers.append(_refunding(self.namesrv_addr))
        try:
            await asyncio.gather(*(consumer.start() for consumer in consumers))
            traced = Producer("shop-desk", namesrv_addr=self.namesrv_addr, client_config=_TRACED)
            async with Producer("shop", namesrv_addr=self.namesrv_addr, client_config=_COMMITS) as producer, traced:
                await asyncio.gather(_traffic(producer), _refunds(traced))
        finally:
            await asyncio.gather(*(consumer.shutdown() for consumer in consumers), return_exceptions=True)

    async def _prepare(self) -> None:
        client = AsyncioClient()
        admin = Admin(
            client,
            [self.namesrv_addr],
            together=together,
            now=lambda: time.time_ns() // 1_000_000,
            sleep=asyncio.sleep,
            choose=random.randrange,
        )
        for name, kind, queues, _ in _TOPICS:
            attributes = {"+message.type": kind}
            await create_topic(
                admin, self._servers.broker_addr, TopicConfig(name, queues, queues, attributes=attributes)
            )
        for group in (*(name for name, _, _ in _GROUPS), _OFFLINE, _REFUNDS):
            await create_group(admin, self._servers.broker_addr, SubscriptionGroupConfig(group))
        await client.close()
        # A group whose clients have gone: it has read a little, and will never read the rest.
        mail = _consumer(self.namesrv_addr, _OFFLINE, ("Orders",), 0.001)
        async with Producer("shop-start", namesrv_addr=self.namesrv_addr) as producer, mail:
            for number in range(20):
                await producer.send(_message("Orders", number))
            await asyncio.sleep(1.0)


def _consumer(namesrv_addr: str, group: str, topics: tuple[str, ...], seconds: float) -> PushConsumer:
    async def listen(messages: list[MessageExt], context: ConsumeContext) -> None:
        await asyncio.sleep(seconds)

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET, concurrency=1)
    consumer = PushConsumer(group, listen, namesrv_addr=namesrv_addr, client_config=_COMMITS, config=config)
    for topic in topics:
        consumer.subscribe(topic)
    return consumer


def _refunding(namesrv_addr: str) -> PushConsumer:
    async def listen(messages: list[MessageExt], context: ConsumeContext) -> ConsumeStatus:
        await asyncio.sleep(0.02 + 0.2 * random.random())
        if any((message.keys or "").endswith(("0", "4", "8")) for message in messages):
            context.delay_level = 1
            return ConsumeStatus.RECONSUME_LATER
        return ConsumeStatus.CONSUME_SUCCESS

    config = PushConfig(
        consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET, concurrency=2, max_reconsume_times=2
    )
    consumer = PushConsumer(_REFUNDS, listen, namesrv_addr=namesrv_addr, client_config=_TRACED, config=config)
    consumer.subscribe("Refunds")
    return consumer


def _message(topic: str, number: int) -> Message:
    body = f'{{"id": {number}, "item": "book", "amount": {number % 7 + 1}}}'
    delay = _REMINDED_AFTER if topic == "Reminders" else None
    return Message(topic, body, tags=f"Tag{'ABC'[number % 3]}", keys=f"{topic.lower()}-{number}", delay_seconds=delay)


async def _refunds(producer: Producer) -> None:
    """A refund now and then, each with a trace of its way."""
    for number in itertools.count(1):
        with contextlib.suppress(RemotingError):
            # The servers are going down, or do not get on; the interface shows which.
            await producer.send(_message("Refunds", number))
        await asyncio.sleep(_REFUND_SECONDS)


async def _traffic(producer: Producer) -> None:
    due = dict.fromkeys((name for name, _, _, rate in _TOPICS if rate), 0.0)
    numbers = itertools.count(100)
    for step in itertools.count():
        wave = 0.6 + 0.4 * math.sin(step * _STEP * 2 * math.pi / _WAVE_SECONDS)
        for name, _, _, rate in _TOPICS:
            if name not in due:
                continue
            due[name] += rate * wave * _STEP
            while due[name] >= 1:
                due[name] -= 1
                try:
                    await producer.send_oneway(_message(name, next(numbers)))
                except RemotingError:
                    # The servers are going down, or do not get on; the interface shows which.
                    due[name] = 0
        await asyncio.sleep(_STEP)
