"""Declares what requests, replies and JSON bodies consist of; everything else is derived.

A header or body is a class with annotated fields, in snake_case; the wire name is the same in camelCase unless
`wire(name)` says otherwise. `@request` enters a header class into the registry under its code. Wrong declarations
fail at import: a code taken twice, a field type without a wire form, a required field after an optional one.

    @request(105, "GET_ROUTEINFO_BY_TOPIC", reply_body=TopicRouteData)
    class GetRouteInfoByTopic:
        topic: str
        accept_standard_json_only: bool | None = None

Field types of headers: `str`, `bool`, `Int32`, `Int64`, `float`, each optionally `| None`. Headers travel as decimal
or `true`/`false` text, absent when None. Bodies nest dataclasses, lists, sets and maps; members missing on the wire
take their defaults, unknown ones are ignored, null means the default.

Source: CommandCustomHeader, RemotingCommand.decodeCommandCustomHeader, RemotingSerializable.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass
from enum import Enum
from typing import Annotated, Any, Protocol, TypeVar, dataclass_transform, get_args, get_origin

from rmq.wire import fastjson
from rmq.wire.command import Ext
from rmq.wire.errors import InvalidFieldError, MissingFieldError, RemotingError

T = TypeVar("T")

Int32 = Annotated[int, 32]
"""A signed 32-bit integer."""
Int64 = Annotated[int, 64]
"""A signed 64-bit integer."""

_MAX_DIGITS = 20


class Declared(Protocol):
    """What the decorators of this module make: a dataclass."""

    __dataclass_fields__: typing.ClassVar[dict[str, Field[Any]]]


def wire(name: str, *, default: Any = MISSING, default_factory: Any = MISSING) -> Any:
    """A field whose wire name is not the camelCase of its own."""
    if default_factory is not MISSING:
        return dataclasses.field(default_factory=default_factory, metadata={"wire": name})
    return dataclasses.field(default=default, metadata={"wire": name})


def wire_name(field: Field[Any]) -> str:
    """The name of a field on the wire."""
    explicit = field.metadata.get("wire")
    return explicit if isinstance(explicit, str) else camel_case(field.name)


def camel_case(name: str) -> str:
    """`max_msg_nums` as `maxMsgNums`."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


# --- headers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """One row of the registry.

    Attributes:
        code: the request code.
        name: Apache's name of it.
        header: the request header class.
        reply: the reply header class, or None when the reply has no fields.
        body: the class of a JSON request body, or None.
        reply_body: the class of a JSON reply body, or None.
        changes: whether the server keeps something that it did not have, or drops something, when it is asked; the
            presence of clients and brokers does not count.
    """

    code: int
    name: str
    header: type[Any]
    reply: type[Any] | None
    body: type[Any] | None
    reply_body: type[Any] | None
    changes: bool = False


REQUESTS: dict[int, RequestSpec] = {}
"""Every declared request, by code."""

_SPECS: dict[type[Any], RequestSpec] = {}
_ENCODERS: dict[type[Any], list[tuple[str, str]]] = {}
_DECODERS: dict[type[Any], list[tuple[str, str, bool, Callable[[str], Any]]]] = {}


@dataclass_transform(field_specifiers=(wire, dataclasses.field))
def header(cls: type[T]) -> type[T]:
    """Makes a class a reply header."""
    made = dataclass(slots=True)(cls)
    _declare_header(made)
    return made


@dataclass_transform(field_specifiers=(wire, dataclasses.field))
def request(
    code: int,
    name: str,
    *,
    reply: type[Any] | None = None,
    body: type[Any] | None = None,
    reply_body: type[Any] | None = None,
    changes: bool = False,
) -> Callable[[type[T]], type[T]]:
    """Makes a class the request header of a code and registers it."""

    def declare(cls: type[T]) -> type[T]:
        # The slotted class is a new object, so it is built before it is registered.
        made = header(cls)
        if code in REQUESTS:
            raise TypeError(f"request code {code} is declared twice: {REQUESTS[code].name} and {name}")
        spec = RequestSpec(code, name, made, reply, body, reply_body, changes)
        REQUESTS[code] = _SPECS[made] = spec
        return made

    return declare


def spec_of(header_class: type[Any]) -> RequestSpec:
    """The registry's row of a request header class."""
    return _SPECS[header_class]


def _declare_header(cls: type[Any]) -> None:
    hints = typing.get_type_hints(cls, include_extras=True)
    encoder, decoder = [], []
    for field in dataclasses.fields(cls):
        hint, optional = _strip_optional(hints[field.name])
        required = field.default is MISSING
        if required and optional:
            raise TypeError(f"{cls.__name__}.{field.name} may be None and so needs the default None")
        parse = _TEXT_PARSERS.get(hint)
        if parse is None:
            raise TypeError(f"{cls.__name__}.{field.name}: no header form for {hint}")
        encoder.append((field.name, wire_name(field)))
        decoder.append((field.name, wire_name(field), required, parse))
    _ENCODERS[cls] = encoder
    _DECODERS[cls] = decoder


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One field of a header: its wire name, its type without `None`, and its default unless it is required."""

    name: str
    type: Any
    required: bool
    default: Any


def header_fields(cls: type[Any]) -> list[HeaderField]:
    """The declared fields of a header class, for documents and tests."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return [
        HeaderField(
            wire_name(field),
            _strip_optional(hints[field.name])[0],
            field.default is MISSING,
            None if field.default is MISSING else field.default,
        )
        for field in dataclasses.fields(cls)
    ]


def is_header(value: object) -> bool:
    """Whether this is an instance of a declared header class."""
    return type(value) in _ENCODERS


def encode_header(value: object) -> Ext:
    """The extension fields of a header; None fields are left out."""
    ext: Ext = {}
    for attribute, name in _ENCODERS[type(value)]:
        field = getattr(value, attribute)
        if field is not None:
            ext[name] = field if type(field) is str else _text(field)
    return ext


def decode_header(cls: type[T], ext: Mapping[str, str]) -> T:
    """Reads a header from extension fields; unknown fields are ignored.

    Raises:
        MissingFieldError: a required field is absent.
        InvalidFieldError: a field is not of its type.
    """
    values: dict[str, Any] = {}
    for attribute, name, required, parse in _DECODERS[cls]:
        text = ext.get(name)
        if text is not None:
            try:
                values[attribute] = parse(text)
            except ValueError as error:
                raise InvalidFieldError(f"header field {name}: {error}") from None
        elif required:
            raise MissingFieldError(f"the custom field <{name}> is null")
    return cls(**values)


def neutral_header(cls: type[T]) -> T:
    """A header that says nothing: required fields are empty, zero or false, the others have their defaults."""
    fields = [field for field in header_fields(cls) if field.required]
    return decode_header(cls, {field.name: _NEUTRAL.get(field.type, "0") for field in fields})


def header_fault(cls: type[Any], ext: Mapping[str, str]) -> RemotingError:
    """What is wrong with a header that a hot path, which reads fields directly, could not read."""
    try:
        decode_header(cls, ext)
    except (MissingFieldError, InvalidFieldError) as error:
        return error
    return InvalidFieldError("a number in the header is out of range")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def parse_int(text: str, bits: int = 64) -> int:
    """A signed decimal of at most so many bits.

    Raises:
        ValueError: anything else.
    """
    if len(text) > _MAX_DIGITS or not text.isascii() or not text.lstrip("+-").isdigit():
        raise ValueError(f"{text!r:.40} is no integer")
    value = int(text)
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise ValueError(f"{text} does not fit into {bits} bits")
    return value


def _parse_bool(text: str) -> bool:
    # Java's Boolean.parseBoolean: anything but "true" is false.
    return text.lower() == "true"


_TEXT_PARSERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    bool: _parse_bool,
    float: float,
    Int32: lambda text: parse_int(text, 32),
    Int64: parse_int,
}


_NEUTRAL: dict[Any, str] = {str: "", bool: "false"}


def _strip_optional(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in (typing.Union, types.UnionType):
        kinds = [arg for arg in get_args(hint) if arg is not type(None)]
        if len(kinds) == 1:
            return kinds[0], True
    return hint, False


# --- JSON bodies --------------------------------------------------------------------------------------------------

_Decode = Callable[[Any, str], Any]
_Encode = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Member:
    attribute: str
    name: str
    decode: _Decode
    encode: _Encode


_MEMBERS: dict[type[Any], list[_Member]] = {}


@dataclass_transform(field_specifiers=(wire, dataclasses.field), kw_only_default=False)
def body(cls: type[T]) -> type[T]:
    """Makes a class a JSON body or a part of one. Every field needs a default, or the member is required."""
    made = dataclass(slots=True)(cls)
    _declare_body(made)
    return made


@dataclass_transform(field_specifiers=(wire, dataclasses.field), frozen_default=True, order_default=True)
def key_body(cls: type[T]) -> type[T]:
    """As `body`, frozen, hashable and ordered by its fields, so that it can be a map's key and be sorted."""
    made = dataclass(slots=True, frozen=True, order=True)(cls)
    _declare_body(made)
    return made


def _declare_body(cls: type[Any]) -> None:
    hints = typing.get_type_hints(cls, include_extras=True)
    members = [
        _Member(field.name, wire_name(field), *_body_codec(hints[field.name], f"{cls.__name__}.{field.name}"))
        for field in dataclasses.fields(cls)
    ]
    # fastjson writes a bean's members in the order of their names.
    _MEMBERS[cls] = sorted(members, key=lambda member: member.name)


def to_plain(value: Any) -> dict[str, Any]:
    """The JSON object of a body; None members are left out, names are in fastjson's order."""
    plain: dict[str, Any] = {}
    for member in _MEMBERS[type(value)]:
        field = getattr(value, member.attribute)
        if field is not None:
            plain[member.name] = member.encode(field)
    return plain


def from_plain(cls: type[T], plain: Any, path: str = "") -> T:
    """Reads a body from parsed JSON.

    Raises:
        InvalidFieldError: a member has the wrong type, or a required one is missing; the text names its path.
    """
    where = path or cls.__name__
    if not isinstance(plain, Mapping):
        raise InvalidFieldError(f"{where}: object expected, got {_kind(plain)}")
    values: dict[str, Any] = {}
    for member in _MEMBERS[cls]:
        raw = plain.get(member.name)
        value = None if raw is None else member.decode(raw, f"{where}.{member.name}")
        if value is not None:
            values[member.attribute] = value
    try:
        return cls(**values)
    except TypeError:
        missing = [f.name for f in dataclasses.fields(typing.cast(Any, cls)) if _required(f) and f.name not in values]
        raise InvalidFieldError(f"{where}: {', '.join(map(camel_case, missing))} missing") from None


def encode_body(value: Any, *, strict: bool = False) -> bytes:
    """The JSON bytes of a body; `strict` quotes integer map keys."""
    return fastjson.dumps(to_plain(value), strict=strict).encode()


def neutral_body(cls: type[Any]) -> bytes:
    """The JSON bytes of a body that says nothing: required members are empty, zero or false, the others are absent."""
    hints = typing.get_type_hints(cls)
    required = [field for field in dataclasses.fields(cls) if _required(field)]
    return fastjson.dumps({wire_name(field): "" if hints[field.name] is str else 0 for field in required}).encode()


def decode_body(cls: type[T], data: bytes, *, lenient_limit: int | None = None) -> T:
    """Reads a body from JSON bytes.

    Args:
        cls: the declared body.
        data: the bytes.
        lenient_limit: most bytes that may be read leniently; None for no limit.

    Raises:
        InvalidFieldError: the bytes are no JSON, or a member has the wrong type.
    """
    try:
        plain = fastjson.loads(data, lenient_limit=lenient_limit)
    except fastjson.JSONError as error:
        raise InvalidFieldError(f"{cls.__name__}: {error}") from None
    return from_plain(cls, plain)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _kind(value: Any) -> str:
    return type(value).__name__ if value is not None else "null"


def _body_codec(hint: Any, where: str) -> tuple[_Decode, _Encode]:
    hint, _ = _strip_optional(hint)
    scalar = _SCALARS.get(hint)
    if scalar is not None:
        return scalar, _same
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and hint in _MEMBERS:
        return (lambda raw, path: from_plain(hint, raw, path)), to_plain
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum_decoder(hint), lambda value: value.value
    if origin in (list, set, frozenset):
        return _sequence_codec(origin, *_body_codec(args[0], where))
    if origin is dict:
        return _map_codec(args[0], *_body_codec(args[1], where))
    raise TypeError(f"{where}: no JSON form for {hint}")


def _same(value: Any) -> Any:
    return value


def _decode_scalar(kinds: tuple[type, ...], expected: str, convert: Callable[[Any], Any]) -> _Decode:
    def decode(raw: Any, path: str) -> Any:
        if type(raw) in kinds:
            try:
                return convert(raw)
            except (ValueError, OverflowError) as error:
                raise InvalidFieldError(f"{path}: {error}") from None
        raise InvalidFieldError(f"{path}: {expected} expected, got {_kind(raw)}")

    return decode


def _integer(bits: int) -> Callable[[Any], int]:
    return lambda raw: parse_int(str(raw), bits)


_SCALARS: dict[Any, _Decode] = {
    str: _decode_scalar((str, int, float, bool), "string", lambda raw: raw if isinstance(raw, str) else _text(raw)),
    bool: _decode_scalar((bool, int, str), "boolean", lambda raw: raw == 1 or str(raw).lower() == "true"),
    Int32: _decode_scalar((int, str), "integer", _integer(32)),
    Int64: _decode_scalar((int, str), "integer", _integer(64)),
    float: _decode_scalar((int, float, str), "number", float),
}


def _enum_decoder(kind: type[Enum]) -> _Decode:
    members = list(kind)
    names = {member.value: member for member in members}

    def decode(raw: Any, path: str) -> Enum | None:
        # As fastjson: an ordinal, which the C++ client writes, stands for its name; an unknown name for null.
        if type(raw) is int and 0 <= raw < len(members):
            return members[raw]
        if isinstance(raw, str):
            return names.get(raw)
        raise InvalidFieldError(f"{path}: one of {', '.join(names)} expected, got {_kind(raw)}")

    return decode


def _sequence_codec(kind: Callable[[Any], Any], decode: _Decode, encode: _Encode) -> tuple[_Decode, _Encode]:
    def decode_all(raw: Any, path: str) -> Any:
        if not isinstance(raw, list):
            raise InvalidFieldError(f"{path}: array expected, got {_kind(raw)}")
        return kind(decode(item, f"{path}[{index}]") for index, item in enumerate(raw))

    if kind in (set, frozenset) and encode is _same:
        return decode_all, sorted
    return decode_all, lambda items: [encode(item) for item in items]


def _map_codec(key_hint: Any, decode: _Decode, encode: _Encode) -> tuple[_Decode, _Encode]:
    decode_key: _Decode
    encode_key: _Encode
    if key_hint in _MEMBERS:
        decode_key = lambda raw, path: from_plain(key_hint, dict(raw), path)
        encode_key = lambda key: fastjson.ObjectKey.of(to_plain(key))
    else:
        decode_key, encode_key = _SCALARS[key_hint], _same

    def decode_all(raw: Any, path: str) -> Any:
        if not isinstance(raw, Mapping):
            raise InvalidFieldError(f"{path}: object expected, got {_kind(raw)}")
        if key_hint in _MEMBERS and not all(isinstance(key, fastjson.ObjectKey) for key in raw):
            raise InvalidFieldError(f"{path}: keys must be objects")
        return {decode_key(key, f"{path} key"): decode(value, f"{path}[{key!r:.60}]") for key, value in raw.items()}

    return decode_all, lambda items: {encode_key(key): encode(value) for key, value in items.items()}
