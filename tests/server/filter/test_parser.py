"""What an expression is read as."""

import pytest

from rmq.server.filter.errors import FilterSyntaxError
from rmq.server.filter.javavalues import Long
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
    Order,
    Ordered,
    Part,
    Property,
)
from rmq.server.filter.parser import parse

A, B, C = map(Property, "abc")
ONE, TWO = Constant(1), Constant(2)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a", Cast(A)),
        ("a OR b AND NOT c", AnyOf((Cast(A), All((Cast(B), Not(Cast(C))))))),
        ("(a OR b) AND c", All((AnyOf((Cast(A), Cast(B))), Cast(C)))),
        ("a OR b OR c", AnyOf((Cast(A), Cast(B), Cast(C)))),
        ("a = 1 <> b", Not(Equal(Equal(A, ONE), B))),
        ("a < 1 = TRUE", Equal(Ordered(Order.BELOW, A, ONE), Constant(True))),
        ("a >= -1", Ordered(Order.AT_LEAST, A, Negated(ONE))),
        ("+a <= - + - 1", Ordered(Order.AT_MOST, A, Negated(Negated(ONE)))),
        ("NOT a > 1", None),
        ("(NOT a) IS NOT NULL", Not(Equal(Not(Cast(A)), Constant(None)))),
        ("a IS NULL", Equal(A, Constant(None))),
        ("a BETWEEN 1 AND 2 AND b", All((
            All((Ordered(Order.AT_LEAST, A, ONE), Ordered(Order.AT_MOST, A, TWO))), Cast(B)
        ))),
        ("a NOT BETWEEN 2 AND 1", AnyOf((Ordered(Order.BELOW, A, TWO), Ordered(Order.ABOVE, A, ONE)))),
        ("a in ('x', 'it''s', 'x')", OneOf(A, frozenset((b"x", b"it's")), False)),
        ("a NOT IN ('ü')", OneOf(A, frozenset(("ü".encode(),)), True)),
        ("'x' CONTAINS ''", Holds(Part.CONTAINS, Constant(b"x"), b"", False)),
        ("a NOT STARTSWITH 'x'", Holds(Part.STARTSWITH, A, b"x", True)),
        ("a ENDSWITH 'x'", Holds(Part.ENDSWITH, A, b"x", False)),
        ("NULL", Constant(None)),
        ("a = 2147483648", Equal(A, Constant(Long(2147483648)))),
        ("a = 1 b garbage ?", Equal(A, ONE)),
    ],
)  # fmt: skip
def test_nodes(text: str, node: Node | None) -> None:
    if node is None:
        # NOT binds closer than the comparison, which takes no condition.
        with pytest.raises(FilterSyntaxError, match=r"^a condition cannot be compared by >$"):
            parse(text)
    else:
        assert parse(text) == node


def test_widths_of_literals() -> None:
    kinds = [type(parse(f"a = {literal}").right.value) for literal in ("5L", "2147483647", "2147483648", "1e3")]  # type: ignore[union-attr]
    assert kinds == [int, int, Long, float]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("5", "5 is no condition"),
        ("a = 1 AND 'x'", "'x' is no condition"),
        ("a = 1 OR -b", "a signed operand is no condition"),
        ("NOT 5", "5 is no condition"),
        ("a = NULL", "NULL cannot be compared; IS NULL tells whether a property is absent"),
        ("TRUE = 'x'", "TRUE cannot be compared with 'x'"),
        ("a > 'x'", "'x' cannot be compared by >"),
        ("TRUE <= a", "TRUE cannot be compared by <="),
        ("a BETWEEN 2 AND 1", "BETWEEN's lower limit 2 is above its upper one 1"),
        ("a BETWEEN NULL AND 1", "the limits of BETWEEN cannot be NULL"),
        ("a BETWEEN 1 AND 'x'", "the limits of BETWEEN do not fit: 'x' is no integer"),
        ("5 IN ('x')", "IN wants a property before it, not 5"),
        ("a = 9223372036854775808", "9223372036854775808 at line 1, column 5 is above 9223372036854775807"),
        ("a = 1e999", "1e999 at line 1, column 5 is too large"),
        ("a = 0.0", "0.0 at line 1, column 5 is 0 or too small for a number with a point; write 0"),
        ("a NOT = 1", "Encountered 'NOT' at line 1, column 3: AND, OR, an operator or the end was expected"),
        ("a IN (1)", "Encountered '1' at line 1, column 7: a text in single quotes was expected"),
        ("a IS b", "Encountered 'b' at line 1, column 6: NULL was expected"),
        ("a BETWEEN 1 OR 2", "Encountered 'OR' at line 1, column 13: AND was expected"),
        ("(a", "Encountered the end at line 1, column 2: ) was expected"),
    ],
)
def test_errors(text: str, error: str) -> None:
    with pytest.raises(FilterSyntaxError) as caught:
        parse(text)
    assert str(caught.value) == error
