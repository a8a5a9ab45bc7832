"""Consumes messages as they come: a listener is called with them.

    def on_message(messages, context):
        for message in messages:
            print(message.topic, message.body)

    consumer = PushConsumer(reactor, "my_group", on_message, namesrv_addr="127.0.0.1:9876")
    consumer.subscribe("TopicTest", "TagA || TagB")
    await consumer.start()

Source: DefaultMQPushConsumer, DefaultMQPushConsumerImpl.
"""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

from twisted.logger import Logger

from rmq.client.allocate import AllocateStrategy, allocate_averagely
from rmq.client.config import ProducerConfig, PushConfig
from rmq.client.consume import ConcurrentConsumption, Consumption, Listener
from rmq.client.consumer import Consumer
from rmq.client.lifecycle import Home
from rmq.client.message import (
    PROPERTY_MAX_RECONSUME_TIMES,
    PROPERTY_ORIGIN_MESSAGE_ID,
    PROPERTY_RECONSUME_TIME,
    PROPERTY_RETRY_TOPIC,
    PROPERTY_TRAN_MSG,
    Message,
    MessageExt,
)
from rmq.client.orderly import OrderlyListener
from rmq.client.outgoing import outgoing_message
from rmq.client.process_queue import ProcessQueue
from rmq.client.receiving import received
from rmq.client.sender import Sender
from rmq.client.waiting import Periodic
from rmq.wire.bodies.heartbeat import ConsumeType
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult
from rmq.wire.errors import RemotingError
from rmq.wire.message import PROPERTY_DELAY, StoredMessage
from rmq.wire.names import INNER_PRODUCER_GROUP, retry_topic
from rmq.wire.requests.retry import ConsumerSendMsgBack
from rmq.wire.subscription import build_subscription

_SEND_BACK_TIMEOUT = 5.0
_DEFAULT_MAX_RECONSUME = 16
_FIRST_RETRY_LEVEL = 3

log = Logger()


class PushConsumer(Consumer):
    """A consumer that calls a listener, with several messages at once.

    Args:
        reactor: a Twisted reactor.
        group: the consumer group; members of a group must have the same subscriptions.
        listener: consumes messages; see `rmq.client.consume.Listener`.
        config: how it works.
        allocate: divides the queues of a topic among the group.
        home: where it lives; see `rmq.client.lifecycle.Home`.

    Raises:
        InvalidParameterError: the group's name is not allowed.
        NamesrvAddressError: an address is not `host:port`.
    """

    consume_type: ClassVar[ConsumeType] = ConsumeType.CONSUME_PASSIVELY

    def __init__(
        self,
        reactor: Any,
        group: str,
        listener: Listener | OrderlyListener,
        *,
        config: PushConfig | None = None,
        allocate: AllocateStrategy = allocate_averagely,
        **home: Unpack[Home],
    ) -> None:
        self.config = config or PushConfig()
        super().__init__(
            reactor,
            group,
            config=self.config,
            allocate=allocate,
            interval=self.config.pull_interval,
            role="CONSUME",
            **home,
        )
        self._retry_topic = retry_topic(self.group)
        self._consumption = self._make_consumption(listener)
        self._expiring = Periodic(reactor, self.config.consume_timeout, self._expire, f"expiring messages of {group}")

    def _make_consumption(self, listener: Any) -> Consumption:
        return ConcurrentConsumption(
            send_back=None if self._broadcasting else self.send_message_back, **self._consuming(listener)
        )

    def _consuming(self, listener: Any) -> dict[str, Any]:
        """What every kind of consumption needs."""
        return {
            "instance": self.instance,
            "config": self.config,
            "listener": listener,
            "done": lambda queue, offset: self.offsets.update(queue, offset, increase_only=True),
            "stats": self.fetcher.topic_stats,
            "tracer": self.tracer,
            "name": f"ConsumeMessageThread_{self.group}",
        }

    # --- life -------------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        if not self._broadcasting:
            self.subscriptions[self._retry_topic] = build_subscription(
                self._retry_topic, None, version=self.instance.now()
            )
        self._consumption.start()
        await super()._start()
        self._expiring.start()

    async def _finish(self) -> None:
        self._expiring.stop()
        await self._consumption.stop()

    def _deliver(self, messages: list[MessageExt], process_queue: ProcessQueue, queue: MessageQueue) -> None:
        for message in messages:
            self._restore_topic(message)
        self._consumption.submit(messages, process_queue, queue)

    def _restore_topic(self, message: MessageExt) -> None:
        origin = message.properties.get(PROPERTY_RETRY_TOPIC)
        if origin is not None and message.topic == self._retry_topic:
            message.topic = origin
        message.topic = self.instance.namespace.unwrap(message.topic)

    async def _expire(self) -> None:
        for queue in self.fetcher.queues:
            process_queue = self.fetcher.process_queue(queue)
            if process_queue is not None:
                await self._consumption.expire(queue, process_queue)

    # --- messages that failed ---------------------------------------------------------------------------------------

    async def send_message_back(self, message: MessageExt, delay_level: int = 0) -> None:
        """Asks the message's broker to deliver it to this group again.

        When the broker refuses, the message is sent to the group's retry topic like any other.

        Args:
            message: a message that this consumer received.
            delay_level: 0 for later each time, -1 for the dead-letter topic, else a delay level.

        Raises:
            RemotingError: it could be given to no broker.
        """
        header = ConsumerSendMsgBack(
            message.commit_log_offset,
            self.group,
            delay_level,
            origin_msg_id=message.offset_msg_id,
            origin_topic=self.instance.namespace.wrap(message.topic),
            max_reconsume_times=self._max_reconsume_times,
        )
        try:
            address = self.instance.routes.master_address(message.broker_name)
            await self.instance.invoker.call(address, header, timeout=_SEND_BACK_TIMEOUT)
        except RemotingError as error:
            log.warn("{message} goes to the retry topic as new: {error}", message=message, error=error)
            await self._send_as_new(message)
        # Now there is a retry topic, and the message would wait there until the next look.
        if self._troubles.pop(self._retry_topic, None) is not None:
            self.rebalance_soon()

    @property
    def _max_reconsume_times(self) -> int:
        given = self.config.max_reconsume_times
        return _DEFAULT_MAX_RECONSUME if given is None else given

    async def _send_as_new(self, message: MessageExt) -> None:
        again = Message(self._retry_topic, message.body, flag=message.flag)
        again.properties = {
            **message.properties,
            PROPERTY_RETRY_TOPIC: self.instance.namespace.wrap(message.topic),
            PROPERTY_RECONSUME_TIME: str(message.reconsume_times + 1),
            PROPERTY_MAX_RECONSUME_TIMES: str(self._max_reconsume_times),
            PROPERTY_DELAY: str(_FIRST_RETRY_LEVEL + message.reconsume_times),
        }
        again.properties.setdefault(PROPERTY_ORIGIN_MESSAGE_ID, message.offset_msg_id)
        again.properties.pop(PROPERTY_TRAN_MSG, None)
        config = ProducerConfig()
        outgoing = outgoing_message(again, config, self.instance.ids, self.instance.now())
        await Sender(self.instance, INNER_PRODUCER_GROUP, config).send(outgoing, config.send_timeout)

    # --- towards the instance ---------------------------------------------------------------------------------------

    async def consume_directly(self, stored: StoredMessage, broker_name: str) -> ConsumeMessageDirectlyResult:
        """Calls the listener with one message; its offset and retries are nobody's business."""
        message = received(stored, broker_name)
        self._restore_topic(message)
        return await self._consumption.consume_directly(message)

    def _running_properties(self) -> dict[str, str]:
        return {
            "PROP_CONSUMEORDERLY": "true" if self._consumption.ordered else "false",
            "PROP_THREADPOOL_CORE_SIZE": str(self._consumption.workers.threads),
        }
