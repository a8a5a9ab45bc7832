"""Sends (codes 310 and 320), read with as little work as their repetition allows.

The messages of one producer differ in time of birth and properties; all else repeats, per queue. So what a header says
is two things: `SendFields`, which repeats, is checked once and remembered by the bytes it was read from; time and
properties are taken from the header as they are. The official clients write the letters in their order, hence

    a b c d e f | g: 13 digits | h | i: properties | j k l m n
    --before---   ---born-----  between               --after--

and a header whose parts *before*, *between* and *after* are known needs no walk over its entries. A part is only
remembered when the plain reader (`rmq.wire.extfields`) made whole entries of it, without another `g` or `i`; so cuts
lie between entries, whatever bytes a peer puts into its values. A header of any other shape, or one at fault, goes
the plain way and is answered there. Property tests hold both ways equal.

Source: SendMessageRequestHeaderV2.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Final, NamedTuple

from rmq.wire.codes import LANGUAGES, OTHER_LANGUAGE, SERIALIZE_BINARY
from rmq.wire.command import Command, Ext, decode
from rmq.wire.declare import header_fault, spec_of
from rmq.wire.errors import HeaderError
from rmq.wire.extfields import decode_ext
from rmq.wire.layouts import BINARY_PLAIN_HEAD, LETTER_ENTRY_HEAD
from rmq.wire.names import RETRY_PREFIX, is_not_allowed_send_topic
from rmq.wire.requests.send import SendBatchMessage, SendMessageV2

_CODES: Final = (spec_of(SendMessageV2).code, spec_of(SendBatchMessage).code)
_BINARY_CODES: Final = frozenset(code.to_bytes(2, "big") for code in _CODES)
_CODE_AT: Final = 4
_LENGTH_SIZE: Final = 4
_HEAD_SIZE: Final = BINARY_PLAIN_HEAD.size
_LANGUAGE_NAMES: Final = LANGUAGES + (OTHER_LANGUAGE,) * (256 - len(LANGUAGES))

_BORN_DIGITS: Final = 13
_BORN: Final = LETTER_ENTRY_HEAD.pack(1, ord("g"), _BORN_DIGITS)
_BORN_SIZE: Final = len(_BORN)
_ENTRY_SIZE: Final = LETTER_ENTRY_HEAD.size
_PROPERTIES: Final = LETTER_ENTRY_HEAD.pack(1, ord("i"), 0)[:-_LENGTH_SIZE]
_LENGTH_AT: Final = len(_PROPERTIES)

_MOST_KNOWN: Final = 4096
_LONGEST_KNOWN: Final = 1024
"""What is remembered takes some megabytes at most, whatever peers send."""

_INT32: Final = 1 << 31
_INT64: Final = 1 << 63

_new = object.__new__


class SendFields(NamedTuple):
    """What repeats in the headers of a producer's sends to one queue.

    Attributes:
        topic: its name.
        closed: whether clients may not send to this topic.
        queue_id: the queue; negative leaves the choice to the broker.
        flag: the message's flag, not looked at by anybody.
        sys_flag: see `rmq.wire.sysflag`.
        reconsume_times: how often it was consumed in vain.
        batch: whether the body holds several messages.
        retry: whether the topic is a group's retry topic.
    """

    topic: str
    closed: bool
    queue_id: int
    flag: int
    sys_flag: int
    reconsume_times: int
    batch: bool
    retry: bool


class SendCommand(Command):
    """A send whose header was read in one pass; its extension fields become a map only when somebody asks for them.

    Attributes:
        fields: what repeats.
        born_timestamp: when the client made the message, milliseconds since the epoch.
        properties: the properties' text, in proper UTF-8.
    """

    __slots__ = ("_entries", "_ext", "born_timestamp", "fields", "properties")

    fields: SendFields
    born_timestamp: int
    properties: bytes
    _entries: bytes
    _ext: Ext | None

    @property
    def ext(self) -> Ext:
        """Header fields by wire name."""
        if self._ext is None:
            self._ext = decode_ext(self._entries)
        return self._ext

    @ext.setter
    def ext(self, ext: Ext) -> None:
        self._ext = ext


_known: dict[tuple[bytes, bytes, bytes], SendFields] = {}
_known_texts: dict[tuple[str | None, ...], SendFields] = {}
_required = itemgetter(*"abefh")


def decode_frame(data: bytes, start: int, end: int) -> Command:
    """As `rmq.wire.command.decode`; a send with the usual header comes as a `SendCommand`.

    Raises:
        HeaderError: the header does not fit into the frame, is of an unknown type, or cannot be read.
    """
    code_at = start + _CODE_AT
    if data[code_at : code_at + 2] in _BINARY_CODES and data[start] == SERIALIZE_BINARY:
        return _decode_send(data, start, end) or decode(data, start, end)
    return decode(data, start, end)


def _decode_send(data: bytes, start: int, end: int) -> SendCommand | None:
    """A send of the usual shape, or None: then the plain reader finds what it is."""
    entries = start + _HEAD_SIZE - _LENGTH_SIZE
    if entries > end:
        return None
    _, type_and_size, code, language, version, opaque, flag, remark_length, size = BINARY_PLAIN_HEAD.unpack_from(
        data, start - _LENGTH_SIZE
    )
    header_end = entries + size
    if remark_length or header_end > end or size != (type_and_size & 0xFFFFFF) - (_HEAD_SIZE - 2 * _LENGTH_SIZE):
        return None
    born_at = data.find(_BORN, entries, header_end)
    if born_at < 0:
        return None
    born_end = born_at + (_BORN_SIZE + _BORN_DIGITS)
    name_at = data.find(_PROPERTIES, born_end, header_end)
    if name_at < 0:
        return None
    text_at = name_at + _ENTRY_SIZE
    text_end = text_at + int.from_bytes(data[name_at + _LENGTH_AT : text_at], "big")
    if text_end > header_end:
        return None
    key = data[entries:born_at], data[born_end:name_at], data[text_end:header_end]
    fields = _known.get(key) or _learn(key)
    if fields is None:
        return None
    properties = data[text_at:text_end]
    if not properties.isascii():
        properties = properties.decode("utf-8", "replace").encode()
    command: SendCommand = _new(SendCommand)
    try:
        command.born_timestamp = int(data[born_at + _BORN_SIZE : born_end])
    except ValueError:
        return None
    command.code = code
    command.opaque = opaque
    command.flag = flag
    command.version = version
    command.language = _LANGUAGE_NAMES[language]
    command.serialize_type = SERIALIZE_BINARY
    command.remark = None
    command.body = data[header_end:end]
    command.fields = fields
    command.properties = properties
    command._entries = data[entries:header_end]
    command._ext = None
    return command


def _learn(parts: tuple[bytes, bytes, bytes]) -> SendFields | None:
    if sum(map(len, parts)) > _LONGEST_KNOWN:
        return None
    ext: Ext = {}
    try:
        for part in parts:
            ext |= decode_ext(part)
        fields = _fields(ext)
    except (HeaderError, KeyError, ValueError):
        return None
    if "g" in ext or "i" in ext:
        return None
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[parts] = fields
    return fields


def read_send(ext: Ext) -> tuple[SendFields, int, bytes]:
    """What the short-named header fields of a send say: what repeats, the time of birth, the properties' bytes.

    Raises:
        MissingFieldError: a required field is absent.
        InvalidFieldError: a number is none, or out of range.
    """
    try:
        texts = *_required(ext), ext.get("j"), ext.get("m")
        fields = _known_texts.get(texts)
        if fields is None:
            fields = _fields(ext)
            if sum(map(len, filter(None, texts))) <= _LONGEST_KNOWN:
                if len(_known_texts) >= _MOST_KNOWN:
                    _known_texts.clear()
                _known_texts[texts] = fields
        born = int(ext["g"])
        if not -_INT64 <= born < _INT64:
            raise ValueError
    except (KeyError, ValueError):
        raise header_fault(SendMessageV2, ext) from None
    return fields, born, ext.get("i", "").encode("utf-8", "replace")


def _fields(ext: Ext) -> SendFields:
    """Raises KeyError or ValueError for what is missing or no number of its size."""
    topic = ext["b"]
    flag = int(ext["h"])
    reconsume_times = int(ext.get("j") or 0)
    if "a" not in ext or not (-_INT32 <= flag < _INT32 and -_INT32 <= reconsume_times < _INT32):
        raise ValueError
    return SendFields(
        topic,
        is_not_allowed_send_topic(topic),
        int(ext["e"]),
        flag,
        int(ext["f"]),
        reconsume_times,
        ext.get("m", "").lower() == "true",
        topic.startswith(RETRY_PREFIX),
    )
