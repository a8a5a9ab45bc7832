"""The remoting command and its fast codec.

`Command` is what a frame means, whichever of the two header encodings carried it. Everything here is exercised
millions of times a minute: plain slots, no validation beyond what a hostile peer can break, one copy of the body.
`rmq.wire.frame` is the readable declaration of the same bytes.

Incoming extension values are turned into strings, because some clients send JSON numbers and booleans; outgoing
ones must be strings already, because some clients read nothing else. Headers that strict JSON refuses get a second
look by the lenient reader that fastjson's habits require.

Source: RemotingCommand, RocketMQSerializable, NettyDecoder.
"""

from __future__ import annotations

import struct

import orjson

from rmq.wire import fastjson
from rmq.wire.codes import (
    FLAG_ONEWAY,
    FLAG_RESPONSE,
    LANGUAGE,
    LANGUAGES,
    MAX_HEADER,
    OTHER_LANGUAGE,
    SERIALIZE_BINARY,
    SERIALIZE_JSON,
    VERSION,
)
from rmq.wire.errors import HeaderError
from rmq.wire.extfields import Ext, decode_ext, encode_ext
from rmq.wire.layouts import BINARY_FRAME_HEAD, BINARY_HEADER_HEAD, FRAME_HEAD

__all__ = ["Command", "Ext", "decode", "encode"]

_new = object.__new__
_LANGUAGE_CODE = LANGUAGES.index(LANGUAGE)
_LANGUAGE_CODES = {name: code for code, name in enumerate(LANGUAGES)}
_BINARY_FIXED_SIZE = BINARY_HEADER_HEAD.size + 4
_MAX_LENIENT_HEADER = 64 * 1024
_INT32 = 1 << 31


class Command:
    """One request or response.

    Attributes:
        code: request code, or response code of a response.
        language: the sender's language name.
        version: the sender's MQVersion ordinal.
        opaque: number that pairs a response with its request.
        flag: bit 0 response, bit 1 one-way.
        remark: free text, mostly an error's sentence.
        ext: header fields by wire name.
        body: the payload.
        serialize_type: how the header was, or is to be, encoded (0 JSON, 1 binary).
    """

    __slots__ = ("body", "code", "ext", "flag", "language", "opaque", "remark", "serialize_type", "version")

    def __init__(
        self,
        code: int,
        ext: Ext | None = None,
        body: bytes = b"",
        *,
        opaque: int = 0,
        flag: int = 0,
        remark: str | None = None,
        language: str = LANGUAGE,
        version: int = VERSION,
        serialize_type: int = SERIALIZE_JSON,
    ) -> None:
        self.code = code
        self.ext = {} if ext is None else ext
        self.body = body
        self.opaque = opaque
        self.flag = flag
        self.remark = remark
        self.language = language
        self.version = version
        self.serialize_type = serialize_type

    @property
    def is_response(self) -> bool:
        """Whether this answers a request of ours."""
        return self.flag & FLAG_RESPONSE != 0

    @property
    def is_oneway(self) -> bool:
        """Whether the sender wants no answer, not even an error."""
        return self.flag & FLAG_ONEWAY != 0

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in ("code", "opaque", "flag", "remark", "ext"))
        return f"Command({', '.join(fields)}, body={len(self.body)} bytes)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Command):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in Command.__slots__)

    __hash__ = None  # type: ignore[assignment]


def decode(data: bytes, start: int, end: int) -> Command:
    """Reads the frame whose bytes after the length field are `data[start:end]`.

    Raises:
        HeaderError: the header does not fit into the frame, is of an unknown type, or cannot be read.
    """
    if end - start < 4:
        raise HeaderError(f"a frame of {end - start} bytes has no room for a header")
    serialize_type = data[start]
    header_end = start + 4 + int.from_bytes(data[start + 1 : start + 4], "big")
    if header_end > end:
        raise HeaderError(f"header of {header_end - start - 4} bytes is longer than its frame of {end - start}")
    if serialize_type == SERIALIZE_JSON:
        command = _decode_json(data[start + 4 : header_end])
    elif serialize_type == SERIALIZE_BINARY:
        command = _decode_binary(data, start + 4, header_end)
    else:
        raise HeaderError(f"unknown header encoding {serialize_type}")
    command.body = data[header_end:end]
    return command


def encode(command: Command) -> bytes:
    """The whole frame of a command, in the header encoding that the command names.

    Raises:
        ValueError: a number does not fit into its field (the binary header holds 16-bit codes only), or a text holds
            a lone surrogate.
    """
    if command.serialize_type == SERIALIZE_BINARY:
        return _encode_binary(command)
    header = _encode_json(command)
    body = command.body
    size = len(header)
    if size > MAX_HEADER:
        raise ValueError(f"header of {size} bytes is over the limit of {MAX_HEADER}")
    head = FRAME_HEAD.pack(4 + size + len(body), SERIALIZE_JSON << 24 | size)
    return b"".join((head, header, body)) if body else head + header


def _decode_json(header: bytes) -> Command:
    try:
        fields = orjson.loads(header)
        plain = True
    except orjson.JSONDecodeError as error:
        # The lenient reader is a hundred times slower, and no client needs it for more than a few fields.
        if len(header) > _MAX_LENIENT_HEADER:
            raise HeaderError(f"header is no JSON: {error}") from None
        plain = False
        try:
            fields = fastjson.loads(header)
        except fastjson.JSONError as reason:
            raise HeaderError(f"header is no JSON: {reason}") from None
    if type(fields) is not dict:
        raise HeaderError("header is no JSON object")
    ext = fields.get("extFields")
    if ext is None:
        ext = {}
    elif type(ext) is not dict:
        raise HeaderError("extFields is no JSON object")
    else:
        for value in ext.values():
            if type(value) is not str:
                plain = False
                break
        if not plain:
            ext = _strings(ext)
    language = fields.get("language")
    remark = fields.get("remark")
    # As in `_decode_binary`.
    command: Command = _new(Command)
    get = fields.get
    command.code = code = get("code", 0)
    command.opaque = opaque = get("opaque", 0)
    command.flag = flag = get("flag", 0)
    command.version = version = get("version", 0)
    for value in (code, opaque, flag, version):
        if type(value) is not int or not -_INT32 <= value < _INT32:
            name = next(name for name in ("code", "opaque", "flag", "version") if get(name, 0) is value)
            raise HeaderError(f"header member {name} is no 32-bit integer")
    command.ext = ext
    command.remark = None if remark is None else _string(remark)
    command.language = language if type(language) is str and language in _LANGUAGE_CODES else OTHER_LANGUAGE
    command.serialize_type = SERIALIZE_JSON
    return command


def _strings(ext: dict[object, object]) -> Ext:
    """Extension fields as Java reads them: every value as text, nulls absent."""
    strings: Ext = {}
    for key, value in ext.items():
        name, text = _string(key), _string(value)
        if name is not None and text is not None:
            strings[name] = text
    return strings


def _string(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise HeaderError(f"text expected in the header, got {type(value).__name__}")


def _encode_json(command: Command) -> bytes:
    fields: dict[str, object] = {
        "code": command.code,
        "extFields": command.ext,
        "flag": command.flag,
        "language": command.language,
        "opaque": command.opaque,
        "serializeTypeCurrentRPC": "JSON",
        "version": command.version,
    }
    if command.remark is not None:
        fields["remark"] = command.remark
    try:
        return orjson.dumps(fields)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"command does not fit into a JSON header: {error}") from None


def _decode_binary(data: bytes, start: int, end: int) -> Command:
    position = start + BINARY_HEADER_HEAD.size
    if position > end:
        raise HeaderError(f"binary header of {end - start} bytes is shorter than its fixed part")
    code, language, version, opaque, flag, remark_length = BINARY_HEADER_HEAD.unpack_from(data, start)
    entries = position + remark_length + 4
    if remark_length < 0 or entries > end:
        raise HeaderError(f"remark of {remark_length} bytes does not fit into the header")
    if int.from_bytes(data[entries - 4 : entries], "big", signed=True) != end - entries:
        raise HeaderError("length of the extension fields does not match the header")
    # Without the constructor's keyword arguments, which take as long as the rest.
    command: Command = _new(Command)
    command.code = code
    command.ext = decode_ext(data[entries:end])
    command.opaque = opaque
    command.flag = flag
    command.version = version
    command.language = LANGUAGES[language] if language < len(LANGUAGES) else OTHER_LANGUAGE
    command.serialize_type = SERIALIZE_BINARY
    command.remark = data[position : entries - 4].decode("utf-8", "replace") if remark_length else None
    return command


def _encode_binary(command: Command) -> bytes:
    entries = encode_ext(command.ext)
    remark = command.remark.encode() if command.remark else b""
    body = command.body
    size = _BINARY_FIXED_SIZE + len(remark) + len(entries)
    if size > MAX_HEADER:
        raise ValueError(f"header of {size} bytes is over the limit of {MAX_HEADER}")
    try:
        head = BINARY_FRAME_HEAD.pack(
            4 + size + len(body),
            SERIALIZE_BINARY << 24 | size,
            command.code,
            _LANGUAGE_CODES.get(command.language, _LANGUAGE_CODE),
            command.version,
            command.opaque,
            command.flag,
            len(remark),
        )
    except struct.error as error:
        raise ValueError(f"command does not fit into a binary header: {error}") from None
    return b"".join((head, remark, len(entries).to_bytes(4, "big"), entries, body))
