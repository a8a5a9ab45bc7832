"""A first message: sent, received and shown."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from rmq.client.config import PushConfig
from rmq.client.consume import ConsumeContext, ConsumeStatus
from rmq.client.message import Message, MessageExt
from rmq.client.producer import Producer
from rmq.client.push import PushConsumer
from rmq.wire.bodies.heartbeat import ConsumeFromWhere

TOPIC: Final = "DemoTopic"
GROUP: Final = "demo_group"
_TIMEOUT: Final = 20.0


async def demo(reactor: Any, namesrv_addr: str) -> None:
    """Sends one message and waits until it has come back.

    Raises:
        RemotingError: it could not be sent.
        TimeoutError: it did not come back.
    """
    arrived: Deferred[MessageExt] = Deferred()
    sent_id = ""

    def listen(messages: list[MessageExt], _: ConsumeContext) -> ConsumeStatus:
        for message in messages:
            if message.msg_id == sent_id and not arrived.called:
                arrived.callback(message)
        return ConsumeStatus.CONSUME_SUCCESS

    async with Producer(reactor, GROUP, namesrv_addr=namesrv_addr) as producer:
        result = await producer.send(Message(TOPIC, "Hello RocketMQ", tags="TagA", keys="first"), timeout=_TIMEOUT)
    sent_id = result.msg_id
    print(f"sent      {result}", flush=True)
    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    consumer = PushConsumer(reactor, GROUP, listen, namesrv_addr=namesrv_addr, config=config)
    consumer.subscribe(TOPIC)
    async with consumer:
        message = await arrived.addTimeout(_TIMEOUT, reactor)
    print(
        f"received  {message.body.decode()!r} from {message.topic} queue {message.queue_id} offset "
        f"{message.queue_offset}, tags {message.tags}, keys {message.keys}",
        flush=True,
    )
