"""The language of SQL92 filters, held against Apache's own filter on expressions and messages made up at random."""

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmq.server.filter import FilterSyntaxError, compile_filter
from rmq.wire.message import format_properties
from tests.kit import toolchains
from tests.kit.apachefilter import ApacheFilter

pytestmark = pytest.mark.interop

_NAMES = st.sampled_from(("a", "b", "c", "zz"))
_STRINGS = st.sampled_from(("''", "'x'", "'1'", "'it''s'", "'true'", "'ü'", "'5.0'", "'a b'"))
_NUMBERS = st.one_of(
    st.integers(0, 20).map(str),
    st.sampled_from(("2147483647", "2147483648", "9223372036854775807", "9223372036854775808")),
    st.sampled_from(("5L", "0l", "00", "1e3")),
    st.floats(0, 50).map(str),
    st.sampled_from((".5", "5.", "1E-2", "0.0", "1e400")),
)
_LITERALS = st.one_of(_NUMBERS, _STRINGS, st.sampled_from(("TRUE", "false", "Null")))
_OPERANDS = st.one_of(_NAMES, _NAMES, _LITERALS, st.builds("{}{}".format, st.sampled_from("+-"), _NUMBERS | _NAMES))
_TESTS = st.one_of(
    st.builds("{} {} {}".format, _OPERANDS, st.sampled_from(("=", "<>", ">", ">=", "<", "<=")), _OPERANDS),
    st.builds(
        "{} {}BETWEEN {} AND {}".format, _OPERANDS, st.sampled_from(("", "NOT ")), _OPERANDS, _OPERANDS
    ),
    st.builds(
        "{} {}IN ({})".format, _NAMES, st.sampled_from(("", "not ")),
        st.lists(_STRINGS, min_size=1, max_size=6).map(", ".join),
    ),
    st.builds(
        "{} {}{} {}".format, _OPERANDS, st.sampled_from(("", "NOT ")),
        st.sampled_from(("CONTAINS", "StartsWith", "ENDSWITH")), _STRINGS,
    ),
    st.builds("{} IS {}NULL".format, _OPERANDS, st.sampled_from(("", "NOT "))),
    _OPERANDS,
)  # fmt: skip
_CONDITIONS = st.recursive(
    _TESTS,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(("AND", "OR", "and", "=", "<>", "IS NULL AND")), inner),
        inner.map("({})".format),
        inner.map("NOT {}".format),
        inner.map("NOT ({})".format),
        inner.map("-({})".format),
    ),
    max_leaves=6,
)
_NOISE = st.lists(
    st.sampled_from((*"ab1'=<>()+-,./*\n\t eEL0", " AND ", " OR ", " NOT ", " IN ", " IS ",
                     " NULL ", "--", "''", "/*")),
    max_size=16,
).map("".join)
_VALUES = st.one_of(
    st.sampled_from(("true", "FALSE", "NaN", "Infinity", "-0.0", "x", "it's", "ü", "5L", "0x1p3", " 5", "a b")),
    st.integers(-30, 30).map(str),
    st.floats(-50, 50).map(str),
    st.integers().map(str),
    st.text(st.characters(exclude_characters="\x01\x02", exclude_categories=("Cs",)), min_size=1, max_size=5),
)
_MESSAGES = st.lists(st.dictionaries(st.sampled_from("abc"), _VALUES), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def apache_filter() -> Iterator[ApacheFilter]:
    toolchains.require("java")
    started = ApacheFilter()
    yield started
    started.close()


def _compare(apache: ApacheFilter, expression: str, messages: list[dict[str, str]]) -> None:
    answer = apache.ask(expression, messages)
    if "refused" in answer:
        with pytest.raises(FilterSyntaxError):
            compile_filter(expression)
        return
    matches = compile_filter(expression).matches
    own = [matches(format_properties(message).encode()) for message in messages]
    assert own == [value is True for value in answer["answers"]]


@given(_CONDITIONS, _MESSAGES)
@settings(max_examples=1500, deadline=None)
def test_conditions_answer_as_apaches(
    apache_filter: ApacheFilter, expression: str, messages: list[dict[str, str]]
) -> None:
    _compare(apache_filter, expression, messages)


@given(_CONDITIONS, _NOISE, _MESSAGES)
@settings(max_examples=700, deadline=None)
def test_spoilt_conditions_are_refused_as_apaches(
    apache_filter: ApacheFilter, expression: str, noise: str, messages: list[dict[str, str]]
) -> None:
    middle = len(expression) // 2
    _compare(apache_filter, expression[:middle] + noise + expression[middle:], messages)


@given(_VALUES, st.sampled_from(("= 1", "> 1.5", "< 2147483648", "= TRUE", ">= a", "<> b", "= 'x'")))
@settings(max_examples=500, deadline=None)
def test_values_convert_as_javas(apache_filter: ApacheFilter, value: str, test: str) -> None:
    _compare(apache_filter, f"a {test}", [{"a": value}, {"a": value, "b": "5"}])
    _compare(apache_filter, f"NOT (a {test})", [{"a": value}])


def test_golden_answers_are_still_apaches(apache_filter: ApacheFilter) -> None:
    """The recording is that of this release."""
    recorded = json.loads((toolchains.ROOT / "tests" / "golden" / "filter.json").read_text(encoding="utf-8"))
    refusals = [text for text, said in recorded.items() if isinstance(said, list)][::40]
    for expression in refusals:
        said = apache_filter.ask(expression, [])["refused"]
        assert re.sub(r"\s+$", "", said.partition("\n")[0]) == recorded[expression][0].rstrip()
