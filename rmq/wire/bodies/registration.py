"""What a broker registers: its topics with their version, and its filter servers.

Plain, it is JSON. Compressed, it is one zlib stream of parts, each an int32 length and that many bytes:

    DataVersion as JSON | int32 count, then per topic its text | filter servers as JSON | int32 count, then per static
    topic its mapping as JSON

The text of a topic is `name readQueues writeQueues perm filterType attributes`, the attributes being JSON. The last
group is absent in brokers before 5.0. Inflated data are bounded, because a small body can announce a gigabyte.

Source: RegisterBrokerBody, TopicConfig.encode.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import field
from typing import Final

from rmq.wire import fastjson
from rmq.wire.bodies.mapping import TopicQueueMappingInfo
from rmq.wire.bodies.topic import TopicConfig, TopicConfigAndMappingSerializeWrapper, TopicFilterType
from rmq.wire.bodies.version import DataVersion
from rmq.wire.codes import VERSION_REGISTER_BODY, VERSION_TOPIC_MAPPING
from rmq.wire.declare import body, decode_body, encode_body, parse_int
from rmq.wire.errors import InvalidFieldError

MAX_INFLATED: Final = 64 * 1024 * 1024
"""Bytes that a compressed registration may have when inflated."""

_LENIENT_LIMIT: Final = 1024 * 1024
"""Bytes of JSON that may be other than strict, as mappings of static topics are; reading them takes half a second."""

_LEVEL = 9
_MASK = 0x7FFFFFFF
_LEAST_PARTS = 5
_MOST_SPLITS = 5


@body
class RegisterBrokerBody:
    """Topics and filter servers of a broker."""

    topic_config_serialize_wrapper: TopicConfigAndMappingSerializeWrapper = field(
        default_factory=TopicConfigAndMappingSerializeWrapper
    )
    filter_server_list: list[str] = field(default_factory=list)


def body_crc(data: bytes) -> int:
    """Checksum of a registration's bytes as sent, for the header's `body_crc32` (UtilAll.crc32)."""
    return zlib.crc32(data) & _MASK


def encode_registration(registration: RegisterBrokerBody, *, compressed: bool) -> bytes:
    """The bytes of a registration."""
    if not compressed:
        return encode_body(registration)
    wrapper = registration.topic_config_serialize_wrapper
    topics = wrapper.topic_config_table.values()
    mappings = wrapper.topic_queue_mapping_info_map.values()
    parts = [
        _part(encode_body(wrapper.data_version)),
        *_group(encode_topic(topic).encode() for topic in topics),
        _part(fastjson.dumps(registration.filter_server_list).encode()),
        *_group(encode_body(mapping) for mapping in mappings),
    ]
    return zlib.compress(b"".join(parts), _LEVEL)


def decode_registration(data: bytes, *, compressed: bool, version: int) -> RegisterBrokerBody:
    """Reads a registration.

    Args:
        data: the request's body.
        compressed: what its header says.
        version: MQVersion ordinal of the broker.

    Raises:
        InvalidFieldError: the bytes are not what they should be, or inflate to more than the limit.
    """
    if not compressed:
        if version < VERSION_REGISTER_BODY:
            wrapper = decode_body(TopicConfigAndMappingSerializeWrapper, data, lenient_limit=_LENIENT_LIMIT)
            return RegisterBrokerBody(wrapper)
        return decode_body(RegisterBrokerBody, data, lenient_limit=_LENIENT_LIMIT)
    parts = _Parts(_inflate(data))
    wrapper = TopicConfigAndMappingSerializeWrapper(
        data_version=decode_body(DataVersion, parts.next(), lenient_limit=_LENIENT_LIMIT)
    )
    topics = [decode_topic(parts.text()) for _ in range(parts.count())]
    wrapper.topic_config_table = {topic.topic_name: topic for topic in topics}
    filters = _strings(parts.next())
    if version >= VERSION_TOPIC_MAPPING:
        mappings = [
            decode_body(TopicQueueMappingInfo, parts.next(), lenient_limit=_LENIENT_LIMIT)
            for _ in range(parts.count())
        ]
        wrapper.topic_queue_mapping_info_map = {mapping.topic: mapping for mapping in mappings}
    return RegisterBrokerBody(wrapper, filters)


def encode_topic(topic: TopicConfig) -> str:
    """A topic as one line of text; its system flag and order are not part of it."""
    numbers = f"{topic.read_queue_nums} {topic.write_queue_nums} {topic.perm}"
    return f"{topic.topic_name} {numbers} {topic.topic_filter_type.value} {fastjson.dumps(topic.attributes)}"


def decode_topic(text: str) -> TopicConfig:
    """Reads a topic from its line of text; attributes that are no JSON count as none.

    Raises:
        InvalidFieldError: fewer than five words, or a word is not of its type.
    """
    words = text.split(" ", _MOST_SPLITS)
    if len(words) < _LEAST_PARTS:
        raise InvalidFieldError(f"topic text {text!r:.80} has less than {_LEAST_PARTS} words")
    try:
        read_queues, write_queues, perm = (parse_int(word, 32) for word in words[1:4])
        kind = TopicFilterType(words[4])
    except ValueError as error:
        raise InvalidFieldError(f"topic text {text!r:.80}: {error}") from None
    return TopicConfig(words[0], read_queues, write_queues, perm, kind, attributes=_attributes(words[5:]))


def _attributes(words: list[str]) -> dict[str, str]:
    try:
        plain = fastjson.loads(words[0], lenient_limit=_LENIENT_LIMIT) if words else None
    except fastjson.JSONError:
        plain = None
    return {str(key): str(value) for key, value in plain.items()} if isinstance(plain, dict) else {}


def _strings(data: bytes) -> list[str]:
    try:
        plain = fastjson.loads(data, lenient_limit=_LENIENT_LIMIT)
    except fastjson.JSONError as error:
        raise InvalidFieldError(f"filter servers: {error}") from None
    if not isinstance(plain, list):
        raise InvalidFieldError("filter servers: array expected")
    return [str(item) for item in plain]


def _part(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _group(items: Iterable[bytes]) -> list[bytes]:
    parts = [_part(item) for item in items]
    return [len(parts).to_bytes(4, "big"), *parts]


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data, MAX_INFLATED + 1)
    except zlib.error as error:
        raise InvalidFieldError(f"compressed registration: {error}") from None
    if len(inflated) > MAX_INFLATED:
        raise InvalidFieldError(f"compressed registration inflates to more than {MAX_INFLATED} bytes")
    return inflated


class _Parts:
    """Takes parts off inflated data."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def count(self) -> int:
        """How many parts follow; each takes at least four bytes."""
        count = int.from_bytes(self._take(4), "big")
        if count * 4 > len(self._data) - self._position:
            raise InvalidFieldError(f"compressed registration: {count} parts do not fit into the rest")
        return count

    def next(self) -> bytes:
        """The next part's bytes."""
        return self._take(int.from_bytes(self._take(4), "big"))

    def text(self) -> str:
        """The next part as text."""
        return self.next().decode("utf-8", "replace")

    def _take(self, size: int) -> bytes:
        end = self._position + size
        if end > len(self._data):
            raise InvalidFieldError("compressed registration is cut")
        data = self._data[self._position : end]
        self._position = end
        return data
