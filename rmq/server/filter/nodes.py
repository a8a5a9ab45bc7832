"""What an expression consists of, and which parts fit together.

The functions build one construct each and refuse what Apache refuses: a filter that one broker takes must not fail on
another. So some rules are stricter than need be (`a > 'x'` is refused, `a > b` is not) and some more lenient
(`1 = TRUE` is allowed, `TRUE = 1` is not).

Source: the classes of org.apache.rocketmq.filter.expression.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rmq.server.filter.errors import EvaluationError, FilterSyntaxError
from rmq.server.filter.javavalues import Value, compare


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: Value


@dataclass(frozen=True, slots=True)
class Property:
    """The message's property of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Negated:
    """A sign before an operand; only numbers have a value then."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Cast:
    """A property that stands alone as a condition: unknown without it, else false, because properties are texts."""

    operand: Property


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    operand: Node


@dataclass(frozen=True, slots=True)
class All:
    """True when all parts are, false when one is."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when one part is, false when all are."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Equal:
    """Equality; the only test that has an answer for what is absent."""

    left: Node
    right: Node


class Order(enum.Enum):
    """The comparisons by order."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="

    @property
    def test(self) -> Callable[[Any, Any], bool]:
        """The comparison of two values of one kind."""
        return _TESTS[self]


_TESTS = {
    Order.ABOVE: operator.gt,
    Order.AT_LEAST: operator.ge,
    Order.BELOW: operator.lt,
    Order.AT_MOST: operator.le,
}


@dataclass(frozen=True, slots=True)
class Ordered:
    """A comparison by order."""

    order: Order
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether a property is one of these texts."""

    operand: Property
    texts: frozenset[bytes]
    negated: bool


class Part(enum.Enum):
    """Where a text is looked for in another."""

    CONTAINS = "CONTAINS"
    STARTSWITH = "STARTSWITH"
    ENDSWITH = "ENDSWITH"


@dataclass(frozen=True, slots=True)
class Holds:
    """Whether a text holds another; never true, negated or not, for what is no text or for an empty search."""

    part: Part
    operand: Node
    search: bytes
    negated: bool


Node = Constant | Property | Negated | Cast | Not | All | AnyOf | Equal | Ordered | OneOf | Holds

_CONDITIONS = (Cast, Not, All, AnyOf, Equal, Ordered, OneOf, Holds)


def condition(node: Node) -> Node:
    """The node as a condition.

    Raises:
        FilterSyntaxError: it is a number, a text or a sign's operand.
    """
    if isinstance(node, Property):
        return Cast(node)
    if not _is_condition(node):
        raise FilterSyntaxError(f"{described(node)} is no condition")
    return node


def equal(left: Node, right: Node) -> Node:
    """`left = right`.

    Raises:
        FilterSyntaxError: an operand is NULL, or a boolean literal stands before another literal.
    """
    for operand in (left, right):
        if isinstance(operand, Constant) and operand.value is None:
            raise FilterSyntaxError("NULL cannot be compared; IS NULL tells whether a property is absent")
    if isinstance(left, Constant) and isinstance(right, Constant) and _is_condition(left) and not _is_condition(right):
        raise FilterSyntaxError(f"{described(left)} cannot be compared with {described(right)}")
    return Equal(left, right)


def ordered(order: Order, left: Node, right: Node) -> Node:
    """A comparison by order.

    Raises:
        FilterSyntaxError: an operand is a condition or a literal that is no number.
    """
    for operand in (left, right):
        if isinstance(operand, Constant):
            fits = isinstance(operand.value, int | float) and not isinstance(operand.value, bool)
        else:
            fits = not _is_condition(operand)
        if not fits:
            raise FilterSyntaxError(f"{described(operand)} cannot be compared by {order.value}")
    return Ordered(order, left, right)


def between(value: Node, low: Node, high: Node) -> Node:
    """`value BETWEEN low AND high`.

    Raises:
        FilterSyntaxError: the limits are literals in the wrong order, or nothing to compare by order.
    """
    if isinstance(low, Constant) and isinstance(high, Constant):
        if low.value is None or high.value is None:
            raise FilterSyntaxError("the limits of BETWEEN cannot be NULL")
        try:
            wrong = compare(high.value, low.value) < 0
        except EvaluationError as error:
            raise FilterSyntaxError(f"the limits of BETWEEN do not fit: {error}") from None
        if wrong:
            raise FilterSyntaxError(f"BETWEEN's lower limit {described(low)} is above its upper one {described(high)}")
    return All((ordered(Order.AT_LEAST, value, low), ordered(Order.AT_MOST, value, high)))


def not_between(value: Node, low: Node, high: Node) -> Node:
    """`value NOT BETWEEN low AND high`; here the limits may be in any order.

    Raises:
        FilterSyntaxError: an operand cannot be compared by order.
    """
    return AnyOf((ordered(Order.BELOW, value, low), ordered(Order.ABOVE, value, high)))


def one_of(operand: Node, texts: list[bytes], *, negated: bool) -> Node:
    """`operand [NOT] IN (...)`.

    Raises:
        FilterSyntaxError: the operand is no property.
    """
    if not isinstance(operand, Property):
        raise FilterSyntaxError(f"IN wants a property before it, not {described(operand)}")
    return OneOf(operand, frozenset(texts), negated)


def is_null(operand: Node) -> Node:
    """`operand IS NULL`."""
    return Equal(operand, Constant(None))


def walk(node: Node) -> Iterator[tuple[Node, int]]:
    """A node and all below it, each with how deep it is; the first is 1 deep."""
    waiting = [(node, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        below: tuple[Node, ...] = ()
        match node:
            case All(parts) | AnyOf(parts):
                below = parts
            case Equal(left, right) | Ordered(_, left, right):
                below = (left, right)
            case Not() | Negated() | Cast() | OneOf() | Holds():
                below = (node.operand,)
        waiting += [(part, depth + 1) for part in below]


def described(node: Node) -> str:
    """A node as errors name it."""
    if isinstance(node, Property):
        return node.name
    if isinstance(node, Constant):
        value = node.value
        if isinstance(value, bytes):
            return repr(value.decode("utf-8", "replace")[:40])
        return "NULL" if value is None else str(value).upper()
    return "a signed operand" if isinstance(node, Negated) else "a condition"


def _is_condition(node: Node) -> bool:
    if isinstance(node, Constant):
        return node.value is None or isinstance(node.value, bool)
    return isinstance(node, _CONDITIONS)
