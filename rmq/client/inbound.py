"""Requests that brokers send to clients.

Source: ClientRemotingProcessor.
"""

from __future__ import annotations

import sys
import threading
import traceback
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rmq.client.message import PROPERTY_PRODUCER_GROUP
from rmq.client.receiving import received
from rmq.client.request_reply import pushed_answer
from rmq.client.waiting import logged
from rmq.remoting.dispatch import Call, handles
from rmq.wire import fastjson
from rmq.wire.bodies.offset import ConsumerStatus, ResetOffsetBody, ResetOffsetList
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult, ConsumerRunningInfo
from rmq.wire.declare import from_plain
from rmq.wire.errors import InvalidFieldError, RemotingError
from rmq.wire.message import MessageError, decode_message
from rmq.wire.requests.client import NotifyConsumerIdsChanged
from rmq.wire.requests.consumer import ConsumeMessageDirectly, GetConsumerRunningInfo
from rmq.wire.requests.reply import PushReplyMessageToClient
from rmq.wire.requests.reset import GetConsumerStatusFromClient, ResetConsumerClientOffset
from rmq.wire.requests.transaction import CheckTransactionState

if TYPE_CHECKING:
    from rmq.client.instance import ClientInstance, ConsumerMember


log = Logger()


class ClientProcessor:
    """Answers brokers on behalf of the producers and consumers of one instance."""

    def __init__(self, instance: ClientInstance) -> None:
        self._instance = instance

    def _consumer(self, group: str) -> ConsumerMember:
        consumer = self._instance.consumer(group)
        if consumer is None:
            raise RemotingError(f"The Consumer Group <{group}> not exist in this consumer")
        return consumer

    @handles(NotifyConsumerIdsChanged)
    def consumer_ids_changed(self, header: NotifyConsumerIdsChanged, call: Call) -> None:
        """Somebody joined or left a group."""
        self._instance.rebalance_soon()

    @handles(CheckTransactionState)
    def check_transaction(self, header: CheckTransactionState, call: Call) -> None:
        """What became of the half message in the body; the request is one-way, the answer a request of its own."""
        try:
            message = received(decode_message(call.body), header.broker_name or "")
        except MessageError as error:
            log.warn("{peer} asks about what is no message: {error}", peer=call.connection.address, error=error)
            return
        message.topic = self._instance.namespace.unwrap(message.topic)
        message.transaction_id = message.unique_id
        group = message.properties.get(PROPERTY_PRODUCER_GROUP, "")
        producer = self._instance.producer(group)
        if producer is None:
            log.warn("{peer} asks about a transaction of {group}, which has no producer here",
                     peer=call.connection.address, group=group)  # fmt: skip
            return
        producer.check_transaction(message, header, call.connection.address)

    @handles(PushReplyMessageToClient)
    def answered(self, header: PushReplyMessageToClient, call: Call) -> None:
        """The answer to a request came."""
        message = pushed_answer(header, call.body, self._instance.now())
        if not self._instance.requests.answer(message):
            log.warn("nobody waits for the answer {message}", message=message)

    @handles(ResetConsumerClientOffset)
    def reset_offset(self, header: ResetConsumerClientOffset, call: Call) -> None:
        """A group is to go on from other offsets; the request is one-way."""
        offsets = _reset_offsets(call.body)
        resetting = self._consumer(header.group).reset_offsets(header.topic, offsets)
        logged(Deferred.fromCoroutine(resetting), f"resetting offsets of {header.group}")

    @handles(GetConsumerStatusFromClient)
    def consumer_status(self, header: GetConsumerStatusFromClient, call: Call) -> ConsumerStatus:
        """Which offsets a group holds."""
        return self._consumer(header.group).consumer_status(header.topic)

    @handles(GetConsumerRunningInfo)
    def running_info(self, header: GetConsumerRunningInfo, call: Call) -> ConsumerRunningInfo:
        """How a consumer is."""
        info = self._consumer(header.consumer_group).running_info()
        if header.jstack_enable:
            info.jstack = thread_dump()
        return info

    @handles(ConsumeMessageDirectly)
    def consume_directly(
        self, header: ConsumeMessageDirectly, call: Call
    ) -> Deferred[ConsumeMessageDirectlyResult]:
        """Consumes the message in the body now."""
        consumer = self._consumer(header.consumer_group)
        return Deferred.fromCoroutine(consumer.consume_directly(decode_message(call.body), header.broker_name or ""))


def _reset_offsets(body: bytes) -> dict[MessageQueue, int]:
    """The new offsets, from either form of the body."""
    try:
        plain = fastjson.loads(body)
    except fastjson.JSONError as error:
        raise InvalidFieldError(str(error)) from None
    if isinstance(plain, dict) and isinstance(plain.get("offsetTable"), list):
        listed = from_plain(ResetOffsetList, plain).offset_table
        return {MessageQueue(item.topic, item.broker_name, item.queue_id): item.offset for item in listed}
    return from_plain(ResetOffsetBody, plain).offset_table


def thread_dump() -> str:
    """The stack of every thread of this process."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"{names.get(ident, '?')} TID: {ident}\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
    )
