"""SQL92 filters: conditions on the properties of messages, as RocketMQ's subscriptions state them.

    compile_filter("amount > 100 AND region IN ('eu', 'us')").matches(properties)

A text is read once (`lexer`, `parser`, `nodes`) and made into nested functions (`evaluate`) that compare as Java does
(`javavalues`). Nothing of the text is ever run as a program, and its size is bounded. An expression knows three
answers; only a message for which it is true matches, neither one for which it is unknown nor one whose values cannot
be compared as it wants.

Source: SqlFilter and SelectorParser of rocketmq-filter; MessageEvaluationContext.
"""

from __future__ import annotations

from typing import Final

from rmq.server.filter.errors import EvaluationError, FilterSyntaxError
from rmq.server.filter.evaluate import compiled, dict_reader, stored_reader
from rmq.server.filter.nodes import Node, Property, walk
from rmq.server.filter.parser import parse
from rmq.server.filter.record import properties_of

__all__ = ["Filter", "FilterSyntaxError", "compile_filter"]

_MOST_READS: Final = 8
"""Up to so many looks into a message's properties, each searches; beyond, they are cut up first."""


class Filter:
    """A compiled expression.

    Attributes:
        text: the expression.
        size: about how many bytes it takes in memory.
    """

    __slots__ = ("_cut", "_evaluate", "size", "text")

    def __init__(self, text: str, node: Node) -> None:
        self.text = text
        reads = parts = 0
        for part, _ in walk(node):
            parts += 1
            reads += isinstance(part, Property)
        self._cut = reads > _MOST_READS
        self._evaluate = compiled(node, dict_reader if self._cut else stored_reader)
        self.size = 4 * len(text) + 512 * parts

    def matches(self, properties: bytes) -> bool:
        """Whether a message with these properties, as they are stored, is wanted."""
        try:
            if self._cut:
                return self._evaluate(_cut(properties)) is True
            return self._evaluate(b"\x02" + properties) is True
        except EvaluationError:
            return False

    def matches_record(self, record: bytes | memoryview) -> bool:
        """Whether a stored message, given as its whole sound record, is wanted."""
        return self.matches(properties_of(record))


def compile_filter(text: str) -> Filter:
    """The filter that an expression states.

    Raises:
        FilterSyntaxError: it states none, or is too large.
    """
    return Filter(text, parse(text))


def _cut(properties: bytes) -> dict[bytes, bytes]:
    """Stored properties by name."""
    found = {}
    for segment in properties.split(b"\x02"):
        name, _, value = segment.partition(b"\x01")
        if value:
            found[name] = value
    return found

