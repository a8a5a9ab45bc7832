"""Takes messages: one, one-way, or a batch.

This is the product's first hot path: what repeats between messages is read once (`rmq.wire.sendcommand`,
`rmq.wire.sendproperties`), no Deferred when nothing is to be waited for, properties kept as the bytes that came plus a
fixed tail. What the broker adds to every message is what Apache's adds: region, tracing switch, cluster, and a unique
id where the client gave none. To the messages of a batch it adds nothing: the properties of the request belong to the
batch, and only its unique id is told back.

Order of checks, as Apache's: broker permission, topic name, topics closed to clients, topic existence (made now if
it may be), queue id, then what the store says.

Source: SendMessageProcessor, AbstractSendMessageProcessor, MessageExtEncoder.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from itertools import product
from struct import pack
from typing import Final

from twisted.internet.defer import Deferred

from rmq.remoting.dispatch import Late, RawReply, handles_raw
from rmq.remoting.protocol import Connection
from rmq.server.broker.delay.recall import handle_of
from rmq.server.broker.mapping.queues import led_queue
from rmq.server.broker.mapping.table import MappingTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.priority import PROPERTY_PRIORITY, apply_priority
from rmq.server.broker.processors.target import checked_queue, checked_topic
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.broker.retry import RetryRules
from rmq.server.broker.safety import Safety
from rmq.server.broker.stats import BrokerStats
from rmq.server.broker.transaction.half import is_half
from rmq.server.broker.transaction.service import Transactions
from rmq.server.store.api import AppendResult, PutStatus
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.topic import PERM_WRITE, TopicFilterType
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.declare import decode_header, wire_name
from rmq.wire.errors import (
    MessageIllegalError,
    RemotingError,
    ServiceNotAvailableError,
)
from rmq.wire.mapping import loose_static_offset
from rmq.wire.message import (
    DELAY_PROPERTIES,
    PROPERTY_SEPARATOR,
    MessageError,
    UniqueIds,
    format_properties,
    parse_properties,
)
from rmq.wire.names import RETRY_PREFIX
from rmq.wire.requests.send import SendBatchMessage, SendMessage, SendMessageV2
from rmq.wire.sendcommand import SendCommand, read_send
from rmq.wire.sendproperties import PropertyFacts, SendProperties
from rmq.wire.sendreply import SendReplies
from rmq.wire.sysflag import COMPRESSED, COMPRESSION_MASK, MULTI_TAGS

_V2_NAMES: Final = {
    wire_name(long): wire_name(short)
    for long, short in product(dataclasses.fields(SendMessage), dataclasses.fields(SendMessageV2))
    if long.name == short.name
}
_CLIENT_SYS_FLAGS: Final = COMPRESSED | MULTI_TAGS | COMPRESSION_MASK
_MAX_TOPIC_OF_BATCH: Final = 127
_STAMPED: Final = frozenset({"MSG_REGION", "TRACE_ON", "CLUSTER", "POP_CK"})
_NOT_IN_BATCH: Final = DELAY_PROPERTIES | {"TRAN_MSG"}
_SPECIAL: Final = _STAMPED | _NOT_IN_BATCH | {PROPERTY_PRIORITY}
_SEPARATOR: Final = ord(PROPERTY_SEPARATOR)

_STORED: Final = {
    PutStatus.FLUSH_DISK_TIMEOUT: ResponseCode.FLUSH_DISK_TIMEOUT,
    PutStatus.FLUSH_SLAVE_TIMEOUT: ResponseCode.FLUSH_SLAVE_TIMEOUT,
    PutStatus.SLAVE_NOT_AVAILABLE: ResponseCode.SLAVE_NOT_AVAILABLE,
}


class SendProcessor:
    """Handles the three send requests.

    Args:
        settings: names and permissions of the broker.
        topics: the topics, which may be made by a send.
        store: where messages go.
        safety: when senders may be answered.
        putter: the way there for messages with properties that mean something to the broker.
        retry_rules: tells which messages to a retry topic are dead letters.
        transactions: takes the messages that begin one.
        stats: counts what was stored.
        unique_ids: makes ids for clients that give none.
        now: milliseconds since the epoch.
        mappings: which topics have logical queues.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        store: MessageStore,
        safety: Safety,
        putter: MessagePutter,
        retry_rules: RetryRules,
        transactions: Transactions,
        stats: BrokerStats,
        unique_ids: UniqueIds,
        store_host: bytes,
        now: Callable[[], int],
        mappings: MappingTable,
    ) -> None:
        self._mappings = mappings.details
        self._settings = settings
        self._topics = topics
        self._store = store
        self._safety = safety
        self._putter = putter
        self._retry_rules = retry_rules
        self._transactions = transactions
        self._stats = stats
        self._unique_ids = unique_ids
        # An offset message id (see `rmq.wire.message`) is this and the physical offset.
        self._host_hex = store_host.hex().upper().encode()
        self._properties = SendProperties(_SPECIAL)
        self._now = now
        self._broker = settings.broker
        self._stamp()

    def _stamp(self) -> None:
        """Makes what every message and reply gets; tracing can be switched while the broker runs."""
        broker = self._broker
        self._traced = broker.trace_on
        marks = {"MSG_REGION": broker.region_id, "TRACE_ON": "true" if self._traced else "false"}
        self._replies = SendReplies(marks)
        self._stamps = {**marks, "CLUSTER": broker.broker_cluster_name}
        self._tail = format_properties(self._stamps).encode()

    @handles_raw(SendMessage)
    def send(self, connection: Connection, command: Command) -> RawReply:
        """The old long-named form."""
        command.ext = {_V2_NAMES.get(name, name): value for name, value in command.ext.items()}
        return self.send_v2(connection, command)

    @handles_raw(SendMessageV2, SendBatchMessage)
    def send_v2(self, connection: Connection, command: Command) -> RawReply:
        """The short-named form, for one message or a batch."""
        if type(command) is SendCommand:
            fields, born, properties = command.fields, command.born_timestamp, command.properties
        else:
            fields, born, properties = read_send(command.ext)
        broker = self._broker
        if broker.trace_on is not self._traced:
            self._stamp()
        opening = broker.start_accept_send_request_time_stamp
        if opening and opening > self._now():
            raise RemotingError(f"broker unable to service, until {opening} ms")
        name = fields.topic
        topic = self._topics.configs.get(name)
        if topic is None or fields.closed or (topic.order and not broker.broker_permission & PERM_WRITE):
            made = topic is None
            topic = checked_topic(broker, self._topics, decode_header(SendMessageV2, command.ext))
            if made:
                return self._when_told(self.send_v2(connection, command))
        queue_id = fields.queue_id
        logical = None
        mapping = self._mappings.get(name)
        if mapping is not None and command.ext.get("lo") != "false":
            logical = led_queue(mapping, queue_id)
            queue_id = logical.leader.queue_id
        if not 0 <= queue_id < topic.write_queue_nums:
            queue_id = checked_queue(topic, queue_id, connection.address)
        sys_flag = fields.sys_flag & _CLIENT_SYS_FLAGS
        if topic.topic_filter_type is TopicFilterType.MULTI_TAG:
            sys_flag |= MULTI_TAGS
        unique_id, facts = self._properties.read(properties)
        recall_handle = None
        if fields.batch:
            _check_batch(name, properties, facts, command.body)
            try:
                result = self._store.append_batch(
                    name, queue_id, sys_flag, born, connection.host, fields.reconsume_times, command.body
                )
            except MessageError as error:
                raise MessageIllegalError(str(error)) from None
        elif facts.special or fields.retry:
            unique_id = unique_id or self._new_unique_id()
            message = MessageInner(
                name,
                queue_id,
                command.body,
                self._special_properties(properties, unique_id),
                fields.flag,
                sys_flag,
                born,
                connection.host,
                fields.reconsume_times,
            )
            if fields.retry:
                most = decode_header(SendMessageV2, command.ext).max_reconsume_times
                self._retry_rules.redirect(message, most, command.version)
            if PROPERTY_PRIORITY in message.properties:
                apply_priority(message, topic.write_queue_nums)
                queue_id = message.queue_id
            result = self._transactions.begin(message) if is_half(message) else self._putter.put(message)
            name = message.topic
            recall_handle = handle_of(message, broker.broker_name)
        else:
            if properties and properties[-1] != _SEPARATOR:
                properties += b"\x02"
            if unique_id is None:
                unique_id = self._new_unique_id()
                properties += b"UNIQ_KEY\x01%b\x02" % unique_id
            result = self._store.append(
                name,
                queue_id,
                fields.flag,
                sys_flag,
                born,
                connection.host,
                fields.reconsume_times,
                0,
                command.body,
                properties + self._tail,
                facts.tags_code,
            )
        if logical is not None:
            # -1 while the queue is moving here: where it will begin is not decided yet.
            queue_id = logical.number
            result = result._replace(queue_offset=loose_static_offset(logical.leader, result.queue_offset))
        if result.status is not PutStatus.PUT_OK:
            self._stats.put_failed()
            raise self._refusal(result.status)
        self._stats.put(name, len(result.offsets) or 1, result.wrote_bytes)
        reply = partial(self._reply, command, result, queue_id, unique_id, recall_handle)
        if not (facts.waits and self._safety.waits):
            return reply(PutStatus.PUT_OK)
        late = Late(reply)
        safe = self._safety.wait(result, late)
        if safe is not None:
            return reply(safe)
        if not connection.waiting:
            # Who sends one at a time waits for each step; for the messages of many it is better done in one go.
            late.expect(PutStatus.PUT_OK)
        return late

    # --- checks ---------------------------------------------------------------------------------------------------

    def _new_unique_id(self) -> bytes:
        return self._unique_ids.next(self._now()).encode()

    def _special_properties(self, text: bytes, unique_id: bytes) -> dict[str, str]:
        """Properties of a message that carries names which mean something to the broker."""
        properties = parse_properties(text.decode())
        kept = {name: value for name, value in properties.items() if name not in _STAMPED}
        return {**kept, "UNIQ_KEY": unique_id.decode(), **self._stamps}

    def _when_told(self, reply: RawReply) -> RawReply:
        """Answers who created a topic when the name servers know of it."""
        told = self._topics.told()
        if told is None:
            return reply
        frame: bytes | Deferred[bytes | None] | None = reply.deferred() if isinstance(reply, Late) else reply
        return told.addCallback(lambda _: frame)

    # --- answering ------------------------------------------------------------------------------------------------

    def _reply(
        self,
        command: Command,
        result: AppendResult,
        queue_id: int,
        unique_id: bytes | None,
        recall_handle: str | None,
        status: PutStatus,
    ) -> bytes:
        code = 0 if status is PutStatus.PUT_OK else _STORED[status]
        if result.offsets:
            message_id = self._message_ids(result.offsets)
        else:
            message_id = b"%b%016X" % (self._host_hex, result.physical_offset)
        queue_offset = result.queue_offset
        return self._replies.encode(command, code, message_id, queue_id, queue_offset, unique_id, recall_handle)

    def _message_ids(self, offsets: tuple[int, ...]) -> bytes:
        """Ids of a batch, joined by commas."""
        places = pack(f">{len(offsets)}q", *offsets).hex(",", 8).upper()
        return (self._host_hex.decode() + places.replace(",", f",{self._host_hex.decode()}")).encode()

    def _refusal(self, status: PutStatus) -> RemotingError:
        if status in {PutStatus.MESSAGE_ILLEGAL, PutStatus.PROPERTIES_SIZE_EXCEEDED}:
            return MessageIllegalError(
                "the message is illegal, maybe msg body or properties length not matched. msg body length limit "
                f"{self._settings.store.max_message_size}B, msg properties length limit 32KB."
            )
        if status is PutStatus.SERVICE_NOT_AVAILABLE:
            return ServiceNotAvailableError(
                "service not available now. It may be caused by one of the following reasons: the broker's disk is "
                f"full [CL: {self._store.commit_log_disk_ratio():5.2f} CQ: "
                f"{self._store.consume_queue_disk_ratio():5.2f}], messages are put to the slave, message store has "
                "been shut down, etc."
            )
        if status is PutStatus.CREATE_MAPPED_FILE_FAILED:
            return RemotingError("create mapped file failed, server is busy or broken.")
        return RemotingError(status.name)


def _check_batch(name: str, properties: bytes, facts: PropertyFacts, body: bytes) -> None:
    """Refuses what a batch may not be."""
    if len(name) > _MAX_TOPIC_OF_BATCH:
        raise MessageIllegalError(f"message topic length too long {len(name)}")
    if name.startswith(RETRY_PREFIX):
        raise MessageIllegalError(f"batch request does not support retry group {name}")
    if facts.special and not _NOT_IN_BATCH.isdisjoint(parse_properties(properties.decode())):
        raise MessageIllegalError("a batch can be neither delayed nor transactional")
    if not body:
        raise MessageIllegalError("the batch is empty")
