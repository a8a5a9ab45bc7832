"""Consumes messages in the order of their queues: a listener is called with them, one call a queue at a time.

    def on_message(messages, context):
        for message in messages:
            book(message.body)

    consumer = OrderlyPushConsumer(reactor, "my_group", on_message, namesrv_addr="127.0.0.1:9876")
    consumer.subscribe("TopicTest")
    await consumer.start()

Source: DefaultMQPushConsumer with a MessageListenerOrderly.
"""

from __future__ import annotations

from typing import Any, Final, Unpack

from rmq.client.allocate import AllocateStrategy, allocate_averagely
from rmq.client.config import PushConfig
from rmq.client.consume import Consumption
from rmq.client.lifecycle import Home
from rmq.client.locks import RENEW_INTERVAL, QueueLocks
from rmq.client.message import MessageExt
from rmq.client.orderly import OrderlyConsumption, OrderlyListener
from rmq.client.process_queue import ProcessQueue
from rmq.client.push import PushConsumer
from rmq.client.waiting import Periodic
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ProcessQueueInfo

_FIRST_RENEWAL = 1.0
_WITHOUT_END: Final = 2**31 - 1


class OrderlyPushConsumer(PushConsumer):
    """A consumer that calls a listener with the messages of each queue in their order.

    Args:
        reactor: a Twisted reactor.
        group: the consumer group; all its members must consume in order.
        listener: consumes messages; see `rmq.client.orderly.OrderlyListener`.
        config: how it works.
        allocate: divides the queues of a topic among the group.
        home: where it lives; see `rmq.client.lifecycle.Home`.

    Raises:
        InvalidParameterError: the group's name is not allowed.
        NamesrvAddressError: an address is not `host:port`.
    """

    def __init__(
        self,
        reactor: Any,
        group: str,
        listener: OrderlyListener,
        *,
        config: PushConfig | None = None,
        allocate: AllocateStrategy = allocate_averagely,
        **home: Unpack[Home],
    ) -> None:
        super().__init__(reactor, group, listener, config=config, allocate=allocate, **home)
        self._renewing = Periodic(reactor, RENEW_INTERVAL, self._renew, f"renewing locks of {group}")

    def _make_consumption(self, listener: Any) -> Consumption:
        consumption = OrderlyConsumption(
            send_back=self._give_up,
            locked=self._locked,
            lock=self._lock,
            **self._consuming(listener),
        )
        self._locks = QueueLocks(self.instance, self.group, consumption.rested)
        if not self._broadcasting:
            self.fetcher.guard = self._locks
        return consumption

    async def _start(self) -> None:
        await super()._start()
        if not self._broadcasting:
            self._renewing.start(_FIRST_RENEWAL)

    async def _finish(self) -> None:
        self._renewing.stop()
        await super()._finish()

    async def _leave(self, queues: list[MessageQueue]) -> None:
        await self._locks.unlock_all()

    def _locked(self, queue: MessageQueue) -> bool:
        return self._broadcasting or self._locks.holds(queue)

    async def _lock(self, queue: MessageQueue) -> bool:
        return await self._locks.acquire(queue)

    async def _renew(self) -> None:
        await self._locks.renew(self.fetcher.queues)

    async def _give_up(self, message: MessageExt, _: int) -> None:
        # Apache's broker counts deliveries of orderly messages only in this way, and moves on to dead letters.
        await self._send_as_new(message)

    @property
    def _max_reconsume_times(self) -> int:
        given = self.config.max_reconsume_times
        return _WITHOUT_END if given is None else given

    def _queue_info(self, queue: MessageQueue, process_queue: ProcessQueue) -> ProcessQueueInfo:
        info = super()._queue_info(queue, process_queue)
        info.locked = self._locks.holds(queue)
        info.last_lock_timestamp = self._locks.last_locked(queue)
        return info
