r"""JSON as fastjson writes and reads it.

Apache's bodies are not always strict JSON: integer map keys stand unquoted (`{0:"a:1"}`), a map keyed by a message
queue has objects as keys (`{{"queueId":0,...}:{...}}`), repeated objects may be written as `{"$ref":"$.path"}`, and
single quotes, bare names and trailing commas are accepted. `loads` takes the strict road first, then the same road with
numbers and objects that are keys as marked strings, and this grammar only when both fail; `dumps` writes keys as they
are typed: a `str` quoted, an `int` bare (or quoted when `strict`), an `ObjectKey` as an object, and a float as Java
prints it. Nesting is bounded, so hostile input cannot exhaust the stack.

Source: fastjson 1.2.83 and fastjson2 2.0.43 (since 5.4) as used by RemotingSerializable.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import orjson

MAX_DEPTH = 64
MAX_REFERRED = 1_000_000
"""Most values that references may stand for in one text: a short one could stand for more than memory holds."""

_PLAIN_FROM = 1e-3
_PLAIN_TO = 1e7


class JSONError(ValueError):
    """Text that neither strict JSON nor fastjson would read."""


class ObjectKey(tuple[tuple[str, Any], ...]):
    """A JSON object standing as a map's key: its members in order, hashable."""

    __slots__ = ()

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> ObjectKey:
        """The key made of these members, which must be scalars."""
        return cls(members.items())


def loads(data: bytes | str, *, lenient_limit: int | None = None) -> Any:
    """Parses strict or fastjson's JSON. Bare integer keys become `int`, object keys `ObjectKey`.

    Args:
        data: the text.
        lenient_limit: the longest text that is worth the lenient reader, which is a hundred times slower than the
            strict one; None for no limit.

    Raises:
        JSONError: the text is malformed, nested deeper than 64, not strict and over the limit, or its references stand
            for too much.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if lenient_limit is not None and len(data) > lenient_limit:
            raise JSONError(f"{len(data)} bytes of text that is not strict JSON: {error}") from None
        try:
            value = _loads_marked(data)
        except orjson.JSONDecodeError:
            text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
            value = _Reader(text).document()
    if (b'"$ref"' in data) if isinstance(data, bytes) else ('"$ref"' in data):
        value = _References(value).resolve(value, 0)
    return value


def dumps(value: Any, *, pretty: bool = False, strict: bool = False) -> str:
    """Writes plain values (dict, list, str, int, float, bool, None) as fastjson does.

    Args:
        value: the value; dict keys may be `str`, `int` or `ObjectKey`, and keep their order.
        pretty: tabs and line feeds as in fastjson's PrettyFormat.
        strict: quote integer keys, for clients that read nothing but strict JSON.
    """
    out: list[str] = []
    _write(value, out.append, "\n" if pretty else "", strict)
    return "".join(out)


def _write(value: Any, emit: Callable[[str], None], line: str, strict: bool) -> None:
    if isinstance(value, dict):
        _write_object(value, emit, line, strict)
    elif isinstance(value, list | tuple | set | frozenset):
        _write_array(value, emit, line, strict)
    else:
        emit(_scalar(value))


def _write_object(value: dict[Any, Any], emit: Callable[[str], None], line: str, strict: bool) -> None:
    inner = line + "\t" if line else ""
    emit("{")
    for index, (key, member) in enumerate(value.items()):
        emit("," + inner if index else inner)
        if isinstance(key, ObjectKey):
            _write_object(dict(key), emit, inner, strict)
        elif isinstance(key, str) or strict:
            emit(_scalar(str(key)))
        else:
            emit(_scalar(key))
        emit(":")
        _write(member, emit, inner, strict)
    # Between the braces of an empty object stands a line of its own when pretty.
    emit((line if value else inner + line) + "}")


def _write_array(value: Any, emit: Callable[[str], None], line: str, strict: bool) -> None:
    inner = line + "\t" if line else ""
    emit("[")
    for index, item in enumerate(value):
        emit("," + inner if index else inner)
        _write(item, emit, inner, strict)
    emit((line if value else inner + line) + "]")


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        # orjson refuses lone surrogates; a question mark is what Java's encoder makes of them.
        return orjson.dumps(value.encode("utf-8", "replace").decode()).decode()
    if isinstance(value, float):
        return java_double(value)
    if value is None:
        return "null"
    return ("true" if value else "false") if isinstance(value, bool) else str(int(value))


def java_double(value: float) -> str:
    """A float as Java's `Double.toString` writes it, `null` when it is not finite."""
    if not math.isfinite(value):
        return "null"
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_TO:
        return repr(value)
    digits, _, exponent = f"{Decimal(repr(value)).normalize():E}".partition("E")
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"


_PLAIN = rb'(?:"[^"\\]*"|-?\d+|true|false|null)'
_BARE_KEY = re.compile(rb'(?<=[{,])(?:\{("\w+":%(plain)s(?:,"\w+":%(plain)s)*)\}|(-?\d{1,18})):' % {b"plain": _PLAIN})
"""A key that is no string, as fastjson writes it. What looks like one within a string makes no strict JSON when marked:
the first quote in it would end that string."""
_OBJECT_MARK, _NUMBER_MARK = "\0", "\1"
_MARKS = rb"\u000"


def _loads_marked(data: bytes | str) -> Any:
    """Text that is strict but for its keys.

    Raises:
        orjson.JSONDecodeError: it is not, or has the marks itself.
    """
    strict = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if _MARKS in strict:
        raise orjson.JSONDecodeError("marked already", "", 0)
    return _unmark(orjson.loads(_BARE_KEY.sub(_mark, strict)), 0)


def _mark(key: re.Match[bytes]) -> bytes:
    if key[1] is not None:
        return b'"\\u0000{%s}":' % key[1].replace(b'"', b'\\"')
    return b'"\\u0001%s":' % key[2]


def _unmark(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise JSONError(f"nesting deeper than {MAX_DEPTH}")
    if type(value) is dict:
        return {_unmarked(key): _unmark(member, depth + 1) for key, member in value.items()}
    if type(value) is list:
        return [_unmark(item, depth + 1) for item in value]
    return value


def _unmarked(key: str) -> Any:
    if key[:1] == _OBJECT_MARK:
        return ObjectKey.of(orjson.loads(key[1:]))
    return int(key[1:]) if key[:1] == _NUMBER_MARK else key


_TOKEN = re.compile(
    r"""\s*(?:(?P<punct>[{}\[\]:,])"""
    r"""|(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+"|'[^'\\]*+(?:\\.[^'\\]*+)*+')"""
    r"""|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[LBSFD]?(?![\w.]))"""
    r"""|(?P<word>[A-Za-z_$][\w$.]*)"""
    r"""|(?P<end>\Z))""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_WORDS = {"true": True, "false": False, "null": None, "NaN": None}
_MAX_DIGITS = 400


class _Reader:
    """Recursive descent over fastjson's grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._kind = ""
        self._token = ""
        self._advance()

    def document(self) -> Any:
        value = self._value(0)
        if self._kind != "end":
            raise self._error("trailing text")
        return value

    def _advance(self) -> None:
        match = _TOKEN.match(self._text, self._position)
        if match is None or match.lastgroup is None:
            raise self._error("unexpected text")
        self._kind = match.lastgroup
        self._token = match.group(self._kind)
        self._position = match.end()

    def _error(self, what: str) -> JSONError:
        near = self._text[max(0, self._position - 10) : self._position + 20]
        return JSONError(f"{what} at character {self._position} near {near!r}")

    def _take(self, token: str) -> bool:
        if self._kind == "punct" and self._token == token:
            self._advance()
            return True
        return False

    def _value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self._error(f"nesting deeper than {MAX_DEPTH}")
        if self._take("{"):
            return self._object(depth)
        if self._take("["):
            return self._array(depth)
        return self._scalar()

    def _scalar(self) -> Any:
        kind, token = self._kind, self._token
        if kind == "string":
            value: Any = _unquote(token)
        elif kind == "number":
            value = self._number(token)
        elif kind == "word":
            if token not in _WORDS:
                raise self._error(f"unknown word {token!r:.40}")
            value = _WORDS[token]
        else:
            raise self._error("value expected")
        self._advance()
        return value

    def _number(self, token: str) -> int | float:
        digits = token.rstrip("LBSFD")
        if len(digits) > _MAX_DIGITS:
            raise self._error("number too long")
        return float(digits) if set(digits) & set(".eE") or token[-1] in "FD" else int(digits)

    def _object(self, depth: int) -> dict[Any, Any]:
        members: dict[Any, Any] = {}
        while not self._take("}"):
            key = self._key(depth)
            if not self._take(":"):
                raise self._error("':' expected")
            members[key] = self._value(depth + 1)
            if not self._take(",") and self._token != "}":
                raise self._error("',' or '}' expected")
        return members

    def _key(self, depth: int) -> Any:
        if self._kind == "word":
            word = self._token
            self._advance()
            return word
        key = self._value(depth + 1)
        if isinstance(key, dict):
            if any(isinstance(member, dict | list) for member in key.values()):
                raise self._error("a map's key holds more than plain values")
            return ObjectKey.of(key)
        if isinstance(key, list):
            raise self._error("a list cannot be a map's key")
        return key

    def _array(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while not self._take("]"):
            items.append(self._value(depth + 1))
            if not self._take(",") and self._token != "]":
                raise self._error("',' or ']' expected")
        return items


def _unquote(token: str) -> str:
    text = token[1:-1]
    if "\\" not in text:
        return text
    text = _ESCAPE.sub(_unescape, text)
    # Escaped surrogate pairs join here; a lone one becomes a question mark.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("�", "?")


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _ESCAPES.get(match[3], match[3])


_INDEX_DIGITS = 10
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


class _References:
    """The references of one text.

    What several of them point at is one object here; yet whoever reads it takes it as many times, so that each counts.
    """

    def __init__(self, root: Any) -> None:
        self._root = root
        self._left = MAX_REFERRED

    def resolve(self, value: Any, depth: int) -> Any:
        """Replaces references by what they point at; one that points nowhere becomes None.

        Raises:
            JSONError: it is nested too deeply, or they stand for too much.
        """
        if depth > MAX_DEPTH:
            raise JSONError(f"nesting deeper than {MAX_DEPTH}")
        if isinstance(value, dict):
            target = value.get("$ref")
            if isinstance(target, str) and len(value) == 1:
                return self._counted(_follow(target, self._root))
            return {key: self.resolve(member, depth + 1) for key, member in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, depth + 1) for item in value]
        return value

    def _counted(self, found: Any) -> Any:
        waiting = [found]
        while waiting:
            self._left -= 1
            if self._left < 0:
                raise JSONError(f"references stand for more than {MAX_REFERRED} values")
            value = waiting.pop()
            if isinstance(value, dict):
                waiting.extend(value.values())
            elif isinstance(value, list):
                waiting.extend(value)
        return found


def _follow(path: str, root: Any) -> Any:
    value = root
    for name, index in _STEP.findall(path):
        if name and isinstance(value, dict):
            value = value.get(name)
        elif index and isinstance(value, list) and len(index) < _INDEX_DIGITS and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return value
