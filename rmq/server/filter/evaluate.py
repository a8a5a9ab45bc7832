"""Makes a function of an expression.

The function takes the properties of a message and gives True, False or None for unknown. Properties are given as the
bytes in which they are stored, and of these only what the expression names is looked at. An expression that names many
takes them as a dict instead: cutting up all of them once is cheaper then, and bounds what a message can cost.

Comparisons of a property with a number or a text, which is what filters mostly consist of, have functions of their
own; all else goes through `javavalues.compare`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import isnan
from typing import Any, Final

from rmq.server.filter.javavalues import Long, Value, compare, to_double, to_int, to_long
from rmq.server.filter.nodes import (
    All,
    AnyOf,
    Cast,
    Constant,
    Equal,
    Holds,
    Negated,
    Node,
    Not,
    OneOf,
    Ordered,
    Part,
    Property,
)

Evaluate = Callable[[Any], Any]
"""From properties to a value. The properties are bytes or a dict, whatever the reader wants."""

Reader = Callable[[str], Callable[[Any], bytes | None]]
"""Makes the function that finds the property of a name."""

_SAFE_DIGITS: Final = {int: 9, Long: 18, float: 15}


def stored_reader(name: str) -> Callable[[bytes], bytes | None]:
    """Finds a property in stored bytes with a separator before them; of several equal names the last one counts."""
    needle = b"\x02" + name.encode() + b"\x01"
    length = len(needle)

    def find(properties: bytes) -> bytes | None:
        at = properties.rfind(needle)
        while at >= 0:
            start = at + length
            end = properties.find(b"\x02", start)
            value = properties[start:end] if end >= 0 else properties[start:]
            if value:
                return value
            # An empty value is none, so that one further left counts.
            at = properties.rfind(needle, 0, at)
        return None

    return find


def dict_reader(name: str) -> Callable[[dict[bytes, bytes]], bytes | None]:
    """Finds a property in a dict."""
    key = name.encode()
    return lambda properties: properties.get(key)


def compiled(node: Node, read: Reader) -> Evaluate:
    """The function that a node stands for; it raises EvaluationError for values that do not compare."""
    match node:
        case Constant(value):
            return lambda properties: value
        case Property(name):
            return read(name)
        case Negated():
            return _negated(node, read)
        case Cast(operand):
            find = read(operand.name)
            return lambda properties: None if find(properties) is None else False
        case Not(operand):
            return _not(compiled(operand, read))
        case All(parts):
            return _all([compiled(part, read) for part in parts])
        case AnyOf(parts):
            return _any_of([compiled(part, read) for part in parts])
        case Equal(left, right):
            return _equal(left, right, read)
        case Ordered():
            return _ordered(node, read)
        case OneOf(operand, texts, negated):
            return _one_of(read(operand.name), texts, negated)
        case Holds():
            return _holds(node, compiled(node.operand, read))


def _number(node: Node) -> int | float | None:
    """The number that a node always is, if it is one."""
    if isinstance(node, Constant):
        value = node.value
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(node, Negated):
        value = _number(node.operand)
        return None if value is None else _opposite(value)
    return None


def _opposite(value: Value) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Long(-value) if isinstance(value, Long) else -value


def _negated(node: Negated, read: Reader) -> Evaluate:
    number = _number(node)
    if number is not None:
        return lambda properties: number
    operand = compiled(node.operand, read)
    return lambda properties: _opposite(operand(properties))


def _not(operand: Evaluate) -> Evaluate:
    def opposite(properties: Any) -> bool | None:
        value = operand(properties)
        return None if value is None else not value

    return opposite


def _all(parts: list[Evaluate]) -> Evaluate:
    def both(properties: Any) -> bool | None:
        known = first(properties)
        if known is False:
            return False
        value = second(properties)
        if value is False:
            return False
        return None if known is None or value is None else True

    def every(properties: Any) -> bool | None:
        answer: bool | None = True
        for part in parts:
            value = part(properties)
            if value is False:
                return False
            if value is None:
                answer = None
        return answer

    if len(parts) != 2:
        return every
    first, second = parts
    return both


def _any_of(parts: list[Evaluate]) -> Evaluate:
    def either(properties: Any) -> bool | None:
        answer: bool | None = False
        for part in parts:
            value = part(properties)
            if value:
                return True
            if value is None:
                answer = None
        return answer

    return either


def _against_number(find: Evaluate, number: int | float, test: Callable[[Any, Any], bool]) -> Evaluate:
    """A property compared with a number; short plain digits need no closer look."""
    kind = type(number)
    most = _SAFE_DIGITS[kind]
    convert: Callable[[bytes], int | float] = {int: to_int, Long: to_long, float: to_double}[kind]

    def against(properties: Any) -> bool | None:
        text = find(properties)
        if text is None:
            return None
        if len(text) <= most and text.isdigit():
            return test(int(text), number)
        value = convert(text)
        # NaN is above every number.
        return test(1, 0) if isnan(value) else test(value, number)

    return against


def _equal(left: Node, right: Node, read: Reader) -> Evaluate:
    if isinstance(left, Property):
        number = _number(right)
        if number is not None:
            return _against_number(read(left.name), number, operator.eq)
        if isinstance(right, Constant) and isinstance(right.value, bytes):
            return _equal_text(read(left.name), right.value)
    one, other = compiled(left, read), compiled(right, read)

    def equal(properties: Any) -> bool | None:
        value, wanted = one(properties), other(properties)
        if value is None:
            return True if wanted is None else None
        return wanted is not None and compare(value, wanted) == 0

    return equal


def _equal_text(find: Evaluate, wanted: bytes) -> Evaluate:
    def equal(properties: Any) -> bool | None:
        text = find(properties)
        return None if text is None else text == wanted

    return equal


def _ordered(node: Ordered, read: Reader) -> Evaluate:
    test = node.order.test
    if isinstance(node.left, Property):
        number = _number(node.right)
        if number is not None:
            return _against_number(read(node.left.name), number, test)
    left, right = compiled(node.left, read), compiled(node.right, read)

    def ordered(properties: Any) -> bool | None:
        low = left(properties)
        if low is None:
            return None
        high = right(properties)
        if high is None:
            return None
        if isinstance(low, bytes) and isinstance(high, bytes):
            low, high = to_double(low), to_double(high)
        return test(compare(low, high), 0)

    return ordered


def _one_of(find: Evaluate, texts: frozenset[bytes], negated: bool) -> Evaluate:
    def one_of(properties: Any) -> bool | None:
        text = find(properties)
        return None if text is None else (text in texts) is not negated

    return one_of


def _holds(node: Holds, operand: Evaluate) -> Evaluate:
    search, negated = node.search, node.negated
    if not search:
        return lambda properties: False
    tests: dict[Part, Callable[[bytes, bytes], bool]] = {
        Part.CONTAINS: operator.contains,
        Part.STARTSWITH: bytes.startswith,
        Part.ENDSWITH: bytes.endswith,
    }
    test = tests[node.part]

    def holds(properties: Any) -> bool:
        text = operand(properties)
        return isinstance(text, bytes) and test(text, search) is not negated

    return holds
