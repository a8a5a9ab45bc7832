"""Values as Java compares them.

An operand's value is None, a bool, an int (Java's Integer), a `Long`, a float (Double), or bytes: the UTF-8 of a
string. Operands of two types are compared in the type of one of them: a string becomes what the other one is; what
cannot become that fails.

Source: ComparisonExpression.__compare; Integer, Long, Double and Boolean.valueOf; Double.compareTo.
"""

from __future__ import annotations

import math
import re
from typing import Final

from rmq.server.filter.errors import EvaluationError

Value = None | bool | int | float | bytes

_INT_LIMIT: Final = 1 << 31
_LONG_LIMIT: Final = 1 << 63
_MOST_DIGITS: Final = 19
# Java looks at UTF-16 units one by one, so that digits beyond the BMP are none to it.
_INTEGER: Final = re.compile(r"[+-]?(?:(?![\U00010000-\U0010ffff])\d)+")
_DECIMAL: Final = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?")
_HEXADECIMAL: Final = re.compile(
    r"([+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+)[fFdD]?"
)
_NAMED: Final = {
    sign + name: float(sign + name) for sign in ("", "+", "-") for name in ("NaN", "Infinity")
}  # fmt: skip
_BLANKS: Final = "".join(map(chr, range(33)))


class Long(int):
    """An integer that Java holds as a Long; a plain int is an Integer."""

    __slots__ = ()


def to_int(text: bytes) -> int:
    """What Integer.valueOf makes of a string.

    Raises:
        EvaluationError: it is no integer of 32 bits.
    """
    return _integer(text, _INT_LIMIT)


def to_long(text: bytes) -> int:
    """What Long.valueOf makes of a string.

    Raises:
        EvaluationError: it is no integer of 64 bits.
    """
    return _integer(text, _LONG_LIMIT)


def _integer(text: bytes, limit: int) -> int:
    if text.isdigit() and len(text) <= _MOST_DIGITS:
        value = int(text)
    else:
        string = text.decode("utf-8", "replace")
        if _INTEGER.fullmatch(string) is None:
            raise EvaluationError(f"{string[:40]!r} is no integer")
        digits = "".join(str(int(char)) for char in string.lstrip("+-")).lstrip("0")
        if len(digits) > _MOST_DIGITS:
            raise EvaluationError(f"{string[:40]!r} is out of range")
        value = int(digits or "0")
        if string[0] == "-":
            value = -value
    if not -limit <= value < limit:
        raise EvaluationError(f"{value} is out of range")
    return value


def to_double(text: bytes) -> float:
    """What Double.valueOf makes of a string.

    Raises:
        EvaluationError: it is no number.
    """
    string = text.decode("utf-8", "replace").strip(_BLANKS)
    found = _DECIMAL.fullmatch(string)
    if found is not None:
        return float(found[1])
    if string in _NAMED:
        return _NAMED[string]
    found = _HEXADECIMAL.fullmatch(string)
    if found is None:
        raise EvaluationError(f"{string[:40]!r} is no number")
    try:
        return float.fromhex(found[1])
    except OverflowError:
        return -math.inf if string[0] == "-" else math.inf


def to_boolean(text: bytes) -> bool:
    """What Boolean.valueOf makes of a string."""
    return text.lower() == b"true"


def compare(left: bool | int | float | bytes, right: bool | int | float | bytes) -> int:
    """Below 0, 0 or above 0 as Java's compareTo says after both became of one type; -1 for types that do not mix.

    Raises:
        EvaluationError: a string does not become what the other operand is.
    """
    if type(left) is not type(right):
        if isinstance(left, bool):
            if isinstance(right, bytes):
                raise EvaluationError("a boolean on the left is not compared with a string")
            return -1
        if isinstance(right, bool):
            if not isinstance(left, bytes):
                return -1
            left = to_boolean(left)
        elif isinstance(left, bytes):
            left = _become(left, right)
        elif isinstance(right, bytes):
            right = _become(right, left)
        elif isinstance(left, float) or isinstance(right, float):
            left, right = float(left), float(right)
    if isinstance(left, float) and isinstance(right, float):
        return _compare_doubles(left, right)
    return (left > right) - (left < right)  # type: ignore[operator]


def _become(text: bytes, other: bool | int | float | bytes) -> int | float:
    if isinstance(other, float):
        return to_double(text)
    return to_long(text) if isinstance(other, Long) else to_int(text)


def _compare_doubles(left: float, right: float) -> int:
    """Double.compareTo: NaN is above everything and its own equal, -0.0 below 0.0."""
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) - math.isnan(right)
    if left == right == 0.0:
        left, right = math.copysign(1.0, left), math.copysign(1.0, right)
    return (left > right) - (left < right)
