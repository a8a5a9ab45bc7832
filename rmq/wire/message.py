"""Stored messages as values: fast codec of records, properties text, hosts and message ids.

Properties travel as text, `name 0x01 value 0x02` repeated; the last 0x02 may be missing. Readers skip a segment that
is shorter than three characters or whose name or value is empty.

Two ids name a message. The *offset id* is the broker's: store host and physical offset in hex, so that whoever holds
it knows whom to ask. The *unique id* is the sending client's: address, process, a hash, milliseconds since the first
of the month and a counter, all in hex; it is a property (UNIQ_KEY) and always indexed.

Source: MessageDecoder, MessageExtEncoder, MessageConst, MessageClientIDSetter, MessageExtBrokerInner.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from zlib import crc32

from rmq.wire.javahash import java_hash
from rmq.wire.layouts import (
    BATCH_ITEM_HEAD,
    RECORD_HEAD,
    RECORD_HEAD_BORN6,
    RECORD_HEAD_BOTH6,
    RECORD_HEAD_STORE6,
)
from rmq.wire.sysflag import BORN_HOST_V6, MAGIC_V1, MAGIC_V2, STORE_HOST_V6

NAME_SEPARATOR: Final = "\x01"
PROPERTY_SEPARATOR: Final = "\x02"
KEY_SEPARATOR: Final = " "
MAX_PROPERTIES: Final = 32767
"""Most bytes of properties: their length is a signed 16-bit number."""

PROPERTY_KEYS: Final = "KEYS"
PROPERTY_TAGS: Final = "TAGS"
PROPERTY_UNIQ_KEY: Final = "UNIQ_KEY"
PROPERTY_DELAY: Final = "DELAY"
PROPERTY_TIMER_DELAY_SEC: Final = "TIMER_DELAY_SEC"
PROPERTY_TIMER_DELAY_MS: Final = "TIMER_DELAY_MS"
PROPERTY_TIMER_DELIVER_MS: Final = "TIMER_DELIVER_MS"
TIMER_PROPERTIES: Final = (PROPERTY_TIMER_DELAY_SEC, PROPERTY_TIMER_DELAY_MS, PROPERTY_TIMER_DELIVER_MS)
"""The three ways to say when a message is to be delivered, in the order in which they count."""
DELAY_PROPERTIES: Final = frozenset({PROPERTY_DELAY, *TIMER_PROPERTIES})
"""Everything that makes a message wait."""
PROPERTY_REAL_TOPIC: Final = "REAL_TOPIC"
PROPERTY_REAL_QUEUE_ID: Final = "REAL_QID"

_HEADS: Final = {
    0: RECORD_HEAD,
    BORN_HOST_V6: RECORD_HEAD_BORN6,
    STORE_HOST_V6: RECORD_HEAD_STORE6,
    BORN_HOST_V6 | STORE_HOST_V6: RECORD_HEAD_BOTH6,
}
_HOST_BITS: Final = BORN_HOST_V6 | STORE_HOST_V6
_CRC_MASK: Final = 0x7FFFFFFF
_SYS_FLAG_AT: Final = 36


class MessageError(ValueError):
    """Bytes that are no stored message, no batch or no message id."""


# --- properties ------------------------------------------------------------------------------------------------


def parse_properties(text: str) -> dict[str, str]:
    """The properties that `text` holds (MessageDecoder.string2messageProperties)."""
    properties = {}
    for segment in text.split(PROPERTY_SEPARATOR):
        if len(segment) >= 3:
            name, found, value = segment.partition(NAME_SEPARATOR)
            if found and name and value:
                properties[name] = value
    return properties


def format_properties(properties: Mapping[str, str]) -> str:
    """The text of `properties` (MessageDecoder.messageProperties2String); ends with a separator."""
    return "".join(f"{name}{NAME_SEPARATOR}{value}{PROPERTY_SEPARATOR}" for name, value in properties.items())


def find_property(properties: bytes, name: bytes) -> bytes | None:
    """The value of one property in properties text, without reading the others; None where it is absent or empty."""
    wanted = name + b"\x01"
    at = properties.find(wanted)
    if at > 0 and properties[at - 1] != 2:
        # The end of a longer name.
        at = properties.find(b"\x02" + wanted) + 1 or -1
    if at < 0:
        return None
    start = at + len(wanted)
    end = properties.find(b"\x02", start)
    return (properties[start:] if end < 0 else properties[start:end]) or None


@lru_cache(maxsize=8192)
def tags_code(tags: str | None) -> int:
    """What the consume queue keeps of a message's tags: their Java hash, 0 for none (tagsString2tagsCode)."""
    return java_hash(tags) if tags else 0


# --- hosts -----------------------------------------------------------------------------------------------------


def pack_host(address: str, port: int) -> bytes:
    """Packed address and int32 port, as records carry them.

    Raises:
        ValueError: `address` is no IP address.
    """
    return ipaddress.ip_address(address).packed + port.to_bytes(4, "big", signed=True)


def unpack_host(host: bytes) -> tuple[str, int]:
    """Address and port of a packed host."""
    return str(ipaddress.ip_address(host[:-4])), int.from_bytes(host[-4:], "big", signed=True)


# --- ids -------------------------------------------------------------------------------------------------------


def offset_message_id(store_host: bytes, physical_offset: int) -> str:
    """The broker's id of a message, 32 or 56 upper-case hex digits (MessageDecoder.createMessageId)."""
    return (store_host + physical_offset.to_bytes(8, "big", signed=True)).hex().upper()


def parse_offset_message_id(text: str) -> tuple[bytes, int]:
    """Packed store host and physical offset of a broker's id.

    Raises:
        MessageError: `text` is no such id.
    """
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) not in {16, 28}:
        raise MessageError(f"{text!r} is no message id: 32 or 56 hex digits are expected")
    return raw[:-8], int.from_bytes(raw[-8:], "big", signed=True)


class UniqueIds:
    """Makes the ids that a client gives its messages (MessageClientIDSetter).

    Args:
        address: packed IP address of the client, 4 or 16 bytes.
        process_id: its low 16 bits go into the id.
        seed: stands for the hash of Java's class loader: tells clients of one process apart.
    """

    def __init__(self, address: bytes, process_id: int, seed: int) -> None:
        fixed = address + (process_id & 0xFFFF).to_bytes(2, "big") + (seed & 0xFFFFFFFF).to_bytes(4, "big")
        self._fixed = fixed.hex().upper()
        self._month_start = 0
        self._month_end = 0
        self._counter = 0

    def next(self, now: int) -> str:
        """A new id.

        Args:
            now: milliseconds since the epoch.
        """
        if not self._month_start <= now < self._month_end:
            self._month_start, self._month_end = _month(now)
        self._counter = (self._counter + 1) & 0xFFFF
        return f"{self._fixed}{(now - self._month_start) & 0xFFFFFFFF:08X}{self._counter:04X}"


def _month(now: int) -> tuple[int, int]:
    first = datetime.fromtimestamp(now / 1000).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return int(first.timestamp() * 1000), int(after.timestamp() * 1000)


def unique_id_time(unique_id: str, now: int) -> int:
    """When a unique id was made, milliseconds since the epoch: the latest such moment not after `now`.

    Raises:
        MessageError: `unique_id` is no such id.
    """
    if len(unique_id) not in {32, 56}:
        raise MessageError(f"{unique_id!r} is no unique message id: 32 or 56 hex digits are expected")
    try:
        since = int(unique_id[-12:-4], 16)
    except ValueError:
        raise MessageError(f"{unique_id!r} is no unique message id: it has characters that are no hex digits") from None
    start = _month(now)[0]
    if start + since > now:
        start = _month(start - 1)[0]
    return start + since


# --- records ---------------------------------------------------------------------------------------------------


class StoredMessage:
    """One stored message. Fields are those of the record; `properties` is parsed when first asked for.

    Attributes:
        born_host: packed address and port of the sender; `unpack_host` reads it.
        store_host: packed address and port of the broker.
        body: as stored: possibly compressed, see `sys_flag`.
        properties_text: the properties as they stand in the record.
    """

    __slots__ = (
        "_properties",
        "body",
        "body_crc",
        "born_host",
        "born_timestamp",
        "flag",
        "physical_offset",
        "prepared_transaction_offset",
        "properties_text",
        "queue_id",
        "queue_offset",
        "reconsume_times",
        "store_host",
        "store_timestamp",
        "sys_flag",
        "topic",
        "total_size",
    )

    total_size: int
    body_crc: int
    queue_id: int
    flag: int
    queue_offset: int
    physical_offset: int
    sys_flag: int
    born_timestamp: int
    born_host: bytes
    store_timestamp: int
    store_host: bytes
    reconsume_times: int
    prepared_transaction_offset: int
    body: bytes
    topic: str
    properties_text: str
    _properties: dict[str, str] | None

    @property
    def properties(self) -> dict[str, str]:
        """The properties; the same dictionary each time."""
        if self._properties is None:
            self._properties = parse_properties(self.properties_text)
        return self._properties

    @property
    def offset_id(self) -> str:
        """The broker's id of this message."""
        return offset_message_id(self.store_host, self.physical_offset)

    @property
    def unique_id(self) -> str | None:
        """The client's id of this message."""
        return self.properties.get(PROPERTY_UNIQ_KEY)

    @property
    def body_is_sound(self) -> bool:
        """Whether the body is the one that was stored."""
        return crc32(self.body) & _CRC_MASK == self.body_crc


def encode_message(message: StoredMessage) -> bytes:
    """The record of `message`; `total_size` and `body_crc` are computed, not taken from it."""
    topic = message.topic.encode()
    properties = message.properties_text.encode()
    long_topic = len(topic) > 127
    tail = len(topic).to_bytes(2 if long_topic else 1, "big") + topic + len(properties).to_bytes(2, "big") + properties
    head = _HEADS[message.sys_flag & _HOST_BITS]
    return b"".join(
        (
            head.pack(
                head.size + len(message.body) + len(tail),
                MAGIC_V2 if long_topic else MAGIC_V1,
                crc32(message.body) & _CRC_MASK,
                message.queue_id,
                message.flag,
                message.queue_offset,
                message.physical_offset,
                message.sys_flag,
                message.born_timestamp,
                message.born_host,
                message.store_timestamp,
                message.store_host,
                message.reconsume_times,
                message.prepared_transaction_offset,
                len(message.body),
            ),
            message.body,
            tail,
        )
    )


def decode_message(data: bytes, start: int = 0) -> StoredMessage:
    """Reads the record that begins at `data[start]`.

    Raises:
        MessageError: there is no whole record.
    """
    available = len(data) - start
    if available < RECORD_HEAD.size:
        raise MessageError(f"{available} bytes are too few for a stored message")
    sys_flag = int.from_bytes(data[start + _SYS_FLAG_AT : start + _SYS_FLAG_AT + 4], "big", signed=True)
    head = _HEADS[sys_flag & _HOST_BITS]
    if available < head.size:
        raise MessageError(f"{available} bytes are too few for a stored message")
    message = StoredMessage()
    (
        message.total_size,
        magic,
        message.body_crc,
        message.queue_id,
        message.flag,
        message.queue_offset,
        message.physical_offset,
        message.sys_flag,
        message.born_timestamp,
        message.born_host,
        message.store_timestamp,
        message.store_host,
        message.reconsume_times,
        message.prepared_transaction_offset,
        body_length,
    ) = head.unpack_from(data, start)
    if magic not in {MAGIC_V1, MAGIC_V2}:
        raise MessageError(f"0x{magic:08X} does not open a stored message")
    end = start + message.total_size
    body_end = start + head.size + body_length
    topic_at = body_end + (1 if magic == MAGIC_V1 else 2)
    if message.total_size > available or body_length < 0 or topic_at > end:
        raise MessageError(f"a stored message of {message.total_size} bytes is cut after {available}")
    topic_end = topic_at + int.from_bytes(data[body_end:topic_at], "big")
    properties_at = topic_end + 2
    if properties_at + int.from_bytes(data[topic_end:properties_at], "big") != end:
        raise MessageError(f"the parts of a stored message do not add up to its {message.total_size} bytes")
    message.body = bytes(data[start + head.size : body_end])
    message.topic = str(data[topic_at:topic_end], "utf-8", "replace")
    message.properties_text = str(data[properties_at:end], "utf-8", "replace")
    message._properties = None
    return message


def decode_messages(data: bytes) -> Iterator[StoredMessage]:
    """The records that `data` holds back to back.

    Raises:
        MessageError: what remains is no whole record.
    """
    start = 0
    while start < len(data):
        message = decode_message(data, start)
        yield message
        start += message.total_size


class BatchMessage(NamedTuple):
    """One message of a batch body."""

    flag: int
    body: bytes
    properties: bytes


def encode_batch(messages: list[BatchMessage]) -> bytes:
    """A batch body.

    Raises:
        MessageError: the properties of a message are longer than 32767 bytes.
    """
    parts: list[bytes] = []
    for flag, body, properties in messages:
        if len(properties) > MAX_PROPERTIES:
            raise MessageError(f"properties of {len(properties)} bytes are longer than {MAX_PROPERTIES}")
        size = BATCH_ITEM_HEAD.size + len(body) + 2 + len(properties)
        head = BATCH_ITEM_HEAD.pack(size, 0, 0, flag, len(body))
        parts += (head, body, len(properties).to_bytes(2, "big"), properties)
    return b"".join(parts)


def decode_batch(data: bytes) -> list[BatchMessage]:
    """The messages of a batch body (MessageDecoder.decodeMessages).

    Raises:
        MessageError: an item is cut, or its lengths contradict each other.
    """
    messages = []
    start = 0
    total = len(data)
    unpack = BATCH_ITEM_HEAD.unpack_from
    head_size = BATCH_ITEM_HEAD.size
    while start < total:
        if total - start < head_size + 2:
            raise MessageError(f"a batch ends with {total - start} bytes that are no message")
        size, _, _, flag, body_length = unpack(data, start)
        body_at = start + head_size
        body_end = body_at + body_length
        properties_at = body_end + 2
        end = start + size
        if body_length < 0 or properties_at > total:
            raise MessageError(f"a message of a batch is cut: {total - body_at} bytes for a body of {body_length}")
        properties_end = properties_at + int.from_bytes(data[body_end:properties_at], "big", signed=True)
        if properties_end != end or end > total or properties_end < properties_at:
            raise MessageError(f"the parts of a batch's message do not add up to its {size} bytes")
        messages.append(BatchMessage(flag, data[body_at:body_end], data[properties_at:end]))
        start = end
    return messages
