"""Messages as a client sends and receives them.

Everything beside topic, body and flag is a property: tags, keys, whether to wait until it is stored. Some names are
reserved for such meanings and refused as a user's own. A received message knows where it was stored; its `msg_id` is
the sender's id where there is one, else the broker's.

`str()` of these values is what Java's clients print, with properties in the order of a HashMap.

Source: Message, MessageExt, MessageClientExt, MessageConst, MessageDecoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import ClassVar, Final

from rmq.client.compression import decompress
from rmq.client.errors import IllegalMessageError
from rmq.wire.address import join_address
from rmq.wire.javahash import hash_order, java_hash
from rmq.wire.message import (
    KEY_SEPARATOR,
    PROPERTY_DELAY,
    PROPERTY_KEYS,
    PROPERTY_TAGS,
    PROPERTY_UNIQ_KEY,
    StoredMessage,
    format_properties,
    offset_message_id,
    unpack_host,
)
from rmq.wire.sysflag import COMPRESSED, COMPRESSION_MASK

PROPERTY_WAIT: Final = "WAIT"
PROPERTY_RETRY_TOPIC: Final = "RETRY_TOPIC"
PROPERTY_ORIGIN_MESSAGE_ID: Final = "ORIGIN_MESSAGE_ID"
PROPERTY_RECONSUME_TIME: Final = "RECONSUME_TIME"
PROPERTY_MAX_RECONSUME_TIMES: Final = "MAX_RECONSUME_TIMES"
PROPERTY_MIN_OFFSET: Final = "MIN_OFFSET"
PROPERTY_MAX_OFFSET: Final = "MAX_OFFSET"
PROPERTY_CONSUME_START_TIME: Final = "CONSUME_START_TIME"
PROPERTY_TRAN_MSG: Final = "TRAN_MSG"
PROPERTY_MSG_REGION: Final = "MSG_REGION"
PROPERTY_TRACE_ON: Final = "TRACE_ON"
PROPERTY_PRODUCER_GROUP: Final = "PGROUP"
PROPERTY_INSTANCE_ID: Final = "INSTANCE_ID"
PROPERTY_TIMER_DELAY_SEC: Final = "TIMER_DELAY_SEC"
PROPERTY_TIMER_DELAY_MS: Final = "TIMER_DELAY_MS"
PROPERTY_TIMER_DELIVER_MS: Final = "TIMER_DELIVER_MS"
PROPERTY_CLUSTER: Final = "CLUSTER"
PROPERTY_MESSAGE_TYPE: Final = "MSG_TYPE"
PROPERTY_CORRELATION_ID: Final = "CORRELATION_ID"
PROPERTY_REPLY_TO_CLIENT: Final = "REPLY_TO_CLIENT"
PROPERTY_TTL: Final = "TTL"
PROPERTY_ARRIVE_TIME: Final = "ARRIVE_TIME"

TIMER_PROPERTIES: Final = (PROPERTY_TIMER_DELAY_SEC, PROPERTY_TIMER_DELAY_MS, PROPERTY_TIMER_DELIVER_MS)
"""How a message says when it is to be delivered, other than by a delay level."""
REPLY: Final = "reply"
"""The MSG_TYPE of an answer to a request."""

_RESERVED = """
    TRACE_ON MSG_REGION KEYS TAGS WAIT DELAY RETRY_TOPIC REAL_TOPIC REAL_QID TRAN_MSG PGROUP MIN_OFFSET MAX_OFFSET
    BUYER_ID ORIGIN_MESSAGE_ID TRANSFER_FLAG CORRECTION_FLAG MQ2_FLAG RECONSUME_TIME UNIQ_KEY MAX_RECONSUME_TIMES
    CONSUME_START_TIME POP_CK POP_CK_OFFSET 1ST_POP_TIME TRAN_PREPARED_QUEUE_OFFSET DUP_INFO EXTEND_UNIQ_INFO
    INSTANCE_ID CORRELATION_ID REPLY_TO_CLIENT TTL ARRIVE_TIME PUSH_REPLY_TIME CLUSTER MSG_TYPE
    INNER_MULTI_QUEUE_OFFSET TIMER_DELAY_MS TIMER_DELAY_SEC TIMER_DELIVER_MS TIMER_ENQUEUE_MS TIMER_DEQUEUE_MS
    TIMER_ROLL_TIMES TIMER_OUT_MS TIMER_DEL_UNIQKEY TIMER_DELAY_LEVEL __BORNHOST BORN_TIMESTAMP DLQ_ORIGIN_TOPIC
    DLQ_ORIGIN_MESSAGE_ID __CRC32#
"""
RESERVED_PROPERTIES: Final = frozenset(_RESERVED.split())
"""Property names that users may not give their own meaning (MessageConst.STRING_HASH_SET)."""

_SIGNED: Final = tuple(str(byte - 256 if byte > 127 else byte) for byte in range(256))
"""Each byte as Java prints it."""


class Message:
    """A message to send.

    Args:
        topic: where it goes.
        body: the payload; text is sent as UTF-8.
        tags: the tag that consumers select by.
        keys: one key, or several, by which the message can be looked up.
        properties: the user's own.
        flag: a number of the user's, carried untouched.
        wait_store_ok: whether the broker answers only when disk and slave have it, as far as they are configured to.
        delay_level: delivered only after the delay of that level of the broker's table, from 1.
        delay_seconds: delivered only after so many seconds.
        deliver_at: delivered only at that time, ms since the epoch.

    Attributes:
        properties: all properties by wire name, those included that the other arguments stand for.

    Raises:
        IllegalMessageError: a property has a reserved name or is empty, or there is more than one delay.
    """

    __slots__ = ("body", "flag", "properties", "topic", "transaction_id")

    _BUCKETS: ClassVar[int] = 16

    def __init__(
        self,
        topic: str,
        body: bytes | str,
        *,
        tags: str | None = None,
        keys: str | Iterable[str] | None = None,
        properties: Mapping[str, str] | None = None,
        flag: int = 0,
        wait_store_ok: bool = True,
        delay_level: int = 0,
        delay_seconds: float | None = None,
        deliver_at: int | None = None,
    ) -> None:
        self.topic = topic
        self.body = body.encode() if isinstance(body, str) else bytes(body)
        self.flag = flag
        self.transaction_id: str | None = None
        self.properties: dict[str, str] = {}
        if tags:
            self.properties[PROPERTY_TAGS] = tags
        if keys:
            self.properties[PROPERTY_KEYS] = keys if isinstance(keys, str) else KEY_SEPARATOR.join(keys)
        self.properties[PROPERTY_WAIT] = "true" if wait_store_ok else "false"
        self._delay(delay_level, delay_seconds, deliver_at)
        for name, value in (properties or {}).items():
            self.put(name, value)

    def _delay(self, level: int, seconds: float | None, at: int | None) -> None:
        if (level > 0) + (seconds is not None) + (at is not None) > 1:
            raise IllegalMessageError("a message has one of delay_level, delay_seconds and deliver_at")
        if level > 0:
            self.properties[PROPERTY_DELAY] = str(level)
        elif at is not None:
            self.properties[PROPERTY_TIMER_DELIVER_MS] = str(at)
        elif seconds is not None and seconds == int(seconds):
            self.properties[PROPERTY_TIMER_DELAY_SEC] = str(int(seconds))
        elif seconds is not None:
            self.properties[PROPERTY_TIMER_DELAY_MS] = str(round(seconds * 1000))

    def put(self, name: str, value: str) -> None:
        """Sets a property of the user's own.

        Raises:
            IllegalMessageError: the name is reserved, or name or value is blank or holds a separator.
        """
        if name in RESERVED_PROPERTIES:
            raise IllegalMessageError(f"The Property<{name}> is used by system, input another please")
        if not name.strip() or not value.strip():
            raise IllegalMessageError("The name or value of property can not be null or blank string!")
        if {"\x01", "\x02"} & (set(name) | set(value)):
            raise IllegalMessageError(f"property {name!r} holds a control character that separates properties")
        self.properties[name] = value

    @property
    def tags(self) -> str | None:
        """The tag."""
        return self.properties.get(PROPERTY_TAGS)

    @property
    def keys(self) -> str | None:
        """The keys, separated by blanks."""
        return self.properties.get(PROPERTY_KEYS)

    @property
    def wait_store_ok(self) -> bool:
        """Whether the broker's answer waits for disk and slave."""
        return self.properties.get(PROPERTY_WAIT, "true").lower() == "true"

    @property
    def unique_id(self) -> str | None:
        """The sender's id; a producer gives it when it sends."""
        return self.properties.get(PROPERTY_UNIQ_KEY)

    @property
    def delay_level(self) -> int:
        """The delay level, 0 for none."""
        return int(self.properties.get(PROPERTY_DELAY, "0"))

    @property
    def delayed(self) -> bool:
        """Whether it is to be delivered later."""
        return self.delay_level > 0 or any(name in self.properties for name in TIMER_PROPERTIES)

    def __str__(self) -> str:
        properties = ", ".join(f"{name}={value}" for name, value in hash_map_order(self.properties, self._BUCKETS))
        body = ", ".join(map(_SIGNED.__getitem__, self.body))
        return (
            f"Message{{topic='{self.topic}', flag={self.flag}, properties={{{properties}}}, body=[{body}], "
            f"transactionId='{self.transaction_id or 'null'}'}}"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.topic} {len(self.body)} bytes {self.properties}>"


class MessageExt(Message):
    """A received message.

    Args:
        stored: the record.
        broker_name: the broker that it was pulled from.
        decompressed: whether a compressed body is to be decompressed.

    Attributes:
        body: the payload.
        broker_name: the broker that it was pulled from; empty where that is not known.
        queue_id: its queue on that broker.
        queue_offset: its position in that queue.
        store_size: bytes of its record.
        sys_flag: the stored flags (compression, transaction, host kinds).
        born_timestamp: ms since the epoch at the sender.
        store_timestamp: ms since the epoch at the broker.
        commit_log_offset: physical offset in the broker's log.
        body_crc: CRC-32 of the stored body.
        reconsume_times: how often its consumption failed before.
        prepared_transaction_offset: log offset of the half message it was committed from.

    Raises:
        IllegalMessageError: the body cannot be decompressed.
    """

    __slots__ = (
        "_born_host",
        "_store_host",
        "body_crc",
        "born_timestamp",
        "broker_name",
        "commit_log_offset",
        "prepared_transaction_offset",
        "queue_id",
        "queue_offset",
        "reconsume_times",
        "store_size",
        "store_timestamp",
        "sys_flag",
    )

    _BUCKETS: ClassVar[int] = 128

    def __init__(self, stored: StoredMessage, broker_name: str = "", *, decompressed: bool = True) -> None:
        self.topic = stored.topic
        self.body = stored.body
        self.sys_flag = stored.sys_flag
        if decompressed and stored.sys_flag & COMPRESSED:
            self.body = decompress(stored.body, stored.sys_flag & COMPRESSION_MASK)
            self.sys_flag &= ~COMPRESSED
        self.flag = stored.flag
        self.properties = stored.properties
        self.transaction_id = None
        self.broker_name = broker_name
        self.queue_id = stored.queue_id
        self.queue_offset = stored.queue_offset
        self.store_size = stored.total_size
        self.born_timestamp = stored.born_timestamp
        self._born_host = stored.born_host
        self.store_timestamp = stored.store_timestamp
        self._store_host = stored.store_host
        self.commit_log_offset = stored.physical_offset
        self.body_crc = stored.body_crc
        self.reconsume_times = stored.reconsume_times
        self.prepared_transaction_offset = stored.prepared_transaction_offset

    @property
    def born_host(self) -> str:
        """The sender, `ip:port`."""
        return join_address(*unpack_host(self._born_host))

    @property
    def store_host(self) -> str:
        """The broker, `ip:port`."""
        return join_address(*unpack_host(self._store_host))

    @property
    def offset_msg_id(self) -> str:
        """The broker's id."""
        return offset_message_id(self._store_host, self.commit_log_offset)

    @property
    def msg_id(self) -> str:
        """The sender's id where there is one, else the broker's."""
        return self.properties.get(PROPERTY_UNIQ_KEY) or self.offset_msg_id

    def __str__(self) -> str:
        return (
            f"MessageExt [brokerName={self.broker_name or 'null'}, queueId={self.queue_id}, "
            f"storeSize={self.store_size}, queueOffset={self.queue_offset}, sysFlag={self.sys_flag}, "
            f"bornTimestamp={self.born_timestamp}, bornHost=/{self.born_host}, "
            f"storeTimestamp={self.store_timestamp}, storeHost=/{self.store_host}, msgId={self.offset_msg_id}, "
            f"commitLogOffset={self.commit_log_offset}, bodyCRC={self.body_crc}, "
            f"reconsumeTimes={self.reconsume_times}, preparedTransactionOffset={self.prepared_transaction_offset}, "
            f"toString()={super().__str__()}]"
        )

    def __repr__(self) -> str:
        return f"<MessageExt {self.topic} {self.broker_name}:{self.queue_id}@{self.queue_offset} {self.msg_id}>"


def properties_text(message: Message) -> str:
    """The properties as they travel."""
    return format_properties(message.properties)


def hash_map_order(properties: Mapping[str, str], buckets: int = 128) -> list[tuple[str, str]]:
    """The entries in the order in which Java's HashMap of so many buckets gives them."""
    return hash_order(properties.items(), lambda entry: _hash_of_name(entry[0]), buckets)


# The same few names stand in every message.
_hash_of_name = lru_cache(1024)(java_hash)
