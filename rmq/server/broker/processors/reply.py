"""Request-reply: the answer of a consumer goes straight to the producer that waits for it.

A request is an ordinary message with two properties more: REPLY_TO_CLIENT, the id of the asking client, and
CORRELATION_ID, by which that client knows its request again. Whoever consumes it sends an answer that carries both, and
this broker pushes the answer over the connection on which the asking client sends its heartbeats:

    consumer --SEND_REPLY_MESSAGE--> broker --PUSH_REPLY_MESSAGE_TO_CLIENT--> producer
             <--------code---------        <-------------code--------------

The consumer is told whether the producer took it; a producer that is gone is an error. Beside that the answer is
stored in the topic it names, `<cluster>_REPLY_TOPIC`, so that it can be looked up, whether it was taken or not;
storeReplyMessageEnable=false ends that. How long a request is worth an answer (TTL) only the clients look at.

Source: ReplyMessageProcessor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.calls import request_command
from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.clients import Client, ProducerTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.processors.target import checked_queue, checked_topic
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.broker.stats import BrokerStats
from rmq.settings.model import BrokerSettings
from rmq.wire.address import join_address
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command, Ext
from rmq.wire.errors import RemotingError, SystemBusyError
from rmq.wire.message import format_properties, offset_message_id, parse_properties, unpack_host
from rmq.wire.requests.reply import PushReplyMessageToClient, SendReplyMessage, SendReplyMessageV2
from rmq.wire.requests.send import SendMessageReply
from rmq.wire.sysflag import COMPRESSED, COMPRESSION_MASK

PUSH_SECONDS: Final = 10.0
"""Time that a producer has to take an answer (Broker2Client.callClient)."""
MOST_WAITING: Final = 64 * 1024 * 1024
"""About how many bytes answers that wait for their producers may take together."""

_ANSWER_BYTES: Final = 1024
"""What an answer takes beside its body and header fields."""

_REPLY_TO: Final = "REPLY_TO_CLIENT"
_PUSHED_AT: Final = "PUSH_REPLY_TIME"
_NOT_STORED: Final = "0"
"""What stands for the id of an answer that was not stored: clients expect one."""

log = Logger()


class ReplyProcessor:
    """Handles answers to requests.

    Args:
        settings: whether answers are stored.
        topics: topics of answers.
        putter: the way into the store.
        producers: finds who asked.
        stats: counts what was stored.
        store_host: this broker, as stored messages name it.
        now: milliseconds since the epoch.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        putter: MessagePutter,
        producers: ProducerTable,
        stats: BrokerStats,
        store_host: bytes,
        now: Callable[[], int],
    ) -> None:
        self._broker = settings.broker
        self._topics = topics
        self._putter = putter
        self._producers = producers
        self._stats = stats
        self._store_host = store_host
        self._store_address = join_address(*unpack_host(store_host))
        self._now = now
        self._waiting = 0

    @handles(SendReplyMessage, SendReplyMessageV2)
    def reply(self, header: SendReplyMessage | SendReplyMessageV2, call: Call) -> Deferred[Reply]:
        """Pushes an answer to the producer that asked, and stores it."""
        opening = self._broker.start_accept_send_request_time_stamp
        if opening and opening > self._now():
            raise RemotingError(f"broker unable to service, until {opening} ms")
        topic = checked_topic(self._broker, self._topics, header)
        queue_id = checked_queue(topic, header.queue_id, call.connection.address)
        size = _ANSWER_BYTES + len(call.body) + sum(map(len, call.command.ext.values()))
        if self._waiting + size > MOST_WAITING:
            raise SystemBusyError(f"answers of {self._waiting} bytes wait for producers, no more are accepted")
        marks = {"MSG_REGION": self._broker.region_id, "TRACE_ON": "true" if self._broker.trace_on else "false"}
        properties = {**parse_properties(header.properties or ""), **marks}
        pushed = self._push(header, properties, call, size)
        sent = SendMessageReply(_NOT_STORED, queue_id, 0)
        if self._broker.store_reply_message_enable:
            sent = self._store(header, queue_id, properties, call) or sent
        return pushed.addCallback(_answer, sent, marks)

    # --- pushing --------------------------------------------------------------------------------------------------

    def _push(
        self, header: SendReplyMessage | SendReplyMessageV2, properties: dict[str, str], call: Call, size: int
    ) -> Deferred[str | None]:
        """Fires with None when the producer took it, else with the sentence that tells why not."""
        asker = properties.get(_REPLY_TO)
        if asker is None:
            return succeed(f"reply message properties[{_REPLY_TO}] is null")
        client = self._producers.find(asker)
        if client is None:
            return succeed(f"push reply message fail, channel of <{asker}> not found.")
        now = self._now()
        pushed = PushReplyMessageToClient(
            producer_group=header.producer_group,
            topic=header.topic,
            default_topic=header.default_topic,
            default_topic_queue_nums=header.default_topic_queue_nums,
            queue_id=header.queue_id,
            sys_flag=header.sys_flag,
            born_timestamp=header.born_timestamp,
            flag=header.flag,
            born_host=call.connection.address,
            store_host=self._store_address,
            store_timestamp=now,
            properties=format_properties({**properties, _PUSHED_AT: str(now)}),
            reconsume_times=header.reconsume_times,
            unit_mode=header.unit_mode,
        )
        return self._call(client, request_command(pushed, call.body), size)

    def _call(self, client: Client, request: Command, size: int) -> Deferred[str | None]:
        self._waiting += size

        def done(result: Command | Failure) -> str | None:
            self._waiting -= size
            if isinstance(result, Command) and result.code == ResponseCode.SUCCESS:
                return None
            why = result.getErrorMessage() if isinstance(result, Failure) else result.remark
            log.warn("the answer for {client} was not taken: {why}", client=client.client_id, why=why)
            return f"push reply message to {client.client_id} fail."

        return client.connection.call(request, PUSH_SECONDS).addBoth(done)

    # --- storing --------------------------------------------------------------------------------------------------

    def _store(
        self, header: SendReplyMessage | SendReplyMessageV2, queue_id: int, properties: dict[str, str], call: Call
    ) -> SendMessageReply | None:
        """Where the answer is kept, None when it could not be: that refuses nothing."""
        message = MessageInner(
            header.topic,
            queue_id,
            call.body,
            properties,
            header.flag,
            header.sys_flag & (COMPRESSED | COMPRESSION_MASK),
            header.born_timestamp,
            call.connection.host,
            header.reconsume_times or 0,
        )
        try:
            result = self._putter.put(message)
        except RemotingError as error:
            log.warn("an answer is not stored: {error}", error=error)
            return None
        if result.physical_offset < 0:
            log.warn("an answer is not stored: {status}", status=result.status.name)
            return None
        self._stats.put(message.topic, 1, result.wrote_bytes)
        return SendMessageReply(
            offset_message_id(self._store_host, result.physical_offset), queue_id, result.queue_offset
        )


def _answer(problem: str | None, sent: SendMessageReply, marks: Ext) -> Reply:
    code = ResponseCode.SUCCESS if problem is None else ResponseCode.SYSTEM_ERROR
    return Reply(sent, code=code, remark=problem, ext=marks)
