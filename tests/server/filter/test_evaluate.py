"""Quick ways of evaluating, against the one that takes no short cuts."""

from hypothesis import given
from hypothesis import strategies as st

from rmq.server.filter.errors import EvaluationError
from rmq.server.filter.evaluate import Evaluate, compiled, dict_reader, stored_reader
from rmq.server.filter.javavalues import Long, Value, compare, to_double
from rmq.server.filter.nodes import Constant, Equal, Node, Order, Ordered, Property

NUMBERS = st.one_of(
    st.integers(-(1 << 31), (1 << 31) - 1),
    st.integers(-(1 << 63), (1 << 63) - 1).map(Long),
    st.floats(allow_nan=False, allow_infinity=False).filter(bool),
)
CONSTANTS = st.one_of(NUMBERS, st.text(max_size=4).map(str.encode), st.booleans())
TEXTS = st.one_of(
    st.text(st.sampled_from("0123456789+-.eENaxf ٥"), min_size=1, max_size=24),
    st.integers().map(str),
    st.floats().map(str),
    NUMBERS.map(str),
    st.sampled_from(("true", "FALSE", "NaN", "Infinity")),
).map(str.encode)  # fmt: skip


def answer(evaluate: Evaluate, properties: bytes | dict[bytes, bytes]) -> object:
    try:
        return evaluate(properties)
    except EvaluationError:
        return "failed"


def plainly(node: Node, text: bytes) -> object:
    """The same test of property `a`, straight from the rules."""
    assert isinstance(node, Equal | Ordered)
    assert isinstance(node.right, Constant)
    other: Value = node.right.value
    assert other is not None
    try:
        if isinstance(node, Equal):
            return compare(text, other) == 0
        if isinstance(other, bytes):
            return node.order.test(compare(to_double(text), to_double(other)), 0)
        return node.order.test(compare(text, other), 0)
    except EvaluationError:
        return "failed"


@given(TEXTS, CONSTANTS, st.sampled_from((None, *Order)))
def test_short_cuts_change_no_answer(text: bytes, constant: Value, order: Order | None) -> None:
    left, right = Property("a"), Constant(constant)
    node = Equal(left, right) if order is None else Ordered(order, left, right)
    stored = b"\x02b\x011\x02a\x01" + text + b"\x02"
    assert answer(compiled(node, stored_reader), stored) == plainly(node, text)
    assert answer(compiled(node, dict_reader), {b"a": text}) == plainly(node, text)
