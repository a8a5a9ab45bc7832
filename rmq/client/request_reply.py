"""Request-reply: messages whose sender waits for an answer.

A request is an ordinary message that carries the id of the asking client and an id of its own. Whoever consumes it
sends an answer with both to the broker, which pushes it to the asking client:

    request = await producer.request(Message("TopicTest", b"how much?"), timeout=5)

    def on_message(messages, context):
        for message in messages:
            producer.send(reply_to(message, b"42"))

Source: RequestResponseFuture, RequestFutureHolder, MessageUtil, ClientRemotingProcessor.receiveReplyMessage.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rmq.client.errors import NoRequestError, NotRunningError, RequestTimeoutError
from rmq.client.message import (
    PROPERTY_ARRIVE_TIME,
    PROPERTY_CLUSTER,
    PROPERTY_CORRELATION_ID,
    PROPERTY_MESSAGE_TYPE,
    PROPERTY_REPLY_TO_CLIENT,
    PROPERTY_TTL,
    REPLY,
    Message,
    MessageExt,
)
from rmq.client.receiving import received
from rmq.wire.address import split_address
from rmq.wire.message import StoredMessage, pack_host
from rmq.wire.names import reply_topic
from rmq.wire.requests.reply import PushReplyMessageToClient

_NOWHERE = bytes(8)


class Requests:
    """Requests of one client that wait for their answers.

    Args:
        clock: a Twisted reactor, which tells time.
    """

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._waiting: dict[str, Deferred[MessageExt]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, correlation_id: str, topic: str, timeout: float) -> Deferred[MessageExt]:
        """Fires with the answer; may be cancelled.

        Raises:
            RequestTimeoutError: none came within `timeout` seconds.
        """

        def late(_: object, seconds: float) -> None:
            raise RequestTimeoutError(topic, seconds)

        waiting: Deferred[MessageExt] = Deferred()
        self._waiting[correlation_id] = waiting
        waiting.addTimeout(timeout, self._clock, onTimeoutCancel=late)

        def forget(result: MessageExt) -> MessageExt:
            self._waiting.pop(correlation_id, None)
            return result

        return waiting.addBoth(forget)

    def give_up(self) -> None:
        """No answer can come any more."""
        for waiting in list(self._waiting.values()):
            waiting.errback(NotRunningError("the client is shut down, an answer would not find it"))

    def answer(self, message: MessageExt) -> bool:
        """An answer came; gives whether somebody waits for it."""
        waiting = self._waiting.pop(message.properties.get(PROPERTY_CORRELATION_ID, ""), None)
        if waiting is None:
            return False
        waiting.callback(message)
        return True


def reply_to(request: Message, body: bytes | str) -> Message:
    """The answer to a request, to be sent by any producer.

    Raises:
        NoRequestError: the message names no cluster or no asking client.
    """
    given = request.properties
    cluster = given.get(PROPERTY_CLUSTER)
    if cluster is None:
        raise NoRequestError(f"create reply message fail, requestMessage error, property[{PROPERTY_CLUSTER}] is null.")
    if PROPERTY_REPLY_TO_CLIENT not in given or PROPERTY_CORRELATION_ID not in given:
        raise NoRequestError(f"create reply message fail, property[{PROPERTY_REPLY_TO_CLIENT}] is null.")
    answer = Message(reply_topic(cluster), body)
    answer.properties[PROPERTY_MESSAGE_TYPE] = REPLY
    for name in (PROPERTY_CORRELATION_ID, PROPERTY_REPLY_TO_CLIENT, PROPERTY_TTL):
        if name in given:
            answer.properties[name] = given[name]
    return answer


def pushed_answer(header: PushReplyMessageToClient, body: bytes, now: int) -> MessageExt:
    """The answer that a broker pushes; it has no offset, for nobody pulled it."""
    stored = StoredMessage()
    stored.topic, stored.queue_id, stored.body, stored.flag = header.topic, header.queue_id, body, header.flag
    stored.sys_flag, stored.body_crc, stored.total_size = header.sys_flag, 0, len(body)
    stored.queue_offset = stored.physical_offset = stored.prepared_transaction_offset = 0
    stored.born_timestamp, stored.store_timestamp = header.born_timestamp, header.store_timestamp
    stored.born_host, stored.store_host = _host(header.born_host), _host(header.store_host)
    stored.reconsume_times = header.reconsume_times or 0
    stored.properties_text, stored._properties = header.properties or "", None
    stored.properties[PROPERTY_ARRIVE_TIME] = str(now)
    return received(stored, "")


def _host(address: str) -> bytes:
    """`ip:port`, possibly with the name and the slash that Java prints before an address."""
    try:
        return pack_host(*split_address(address.rpartition("/")[2]))
    except ValueError:
        return _NOWHERE
