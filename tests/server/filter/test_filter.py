"""Expressions as Apache's own filter answers them, and the limits that are ours."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rmq.server.filter import Filter, FilterSyntaxError, compile_filter
from rmq.server.filter.errors import EvaluationError
from rmq.server.filter.evaluate import compiled, stored_reader
from rmq.server.filter.parser import parse
from rmq.wire.message import format_properties
from tests.golden.filter_cases import MESSAGES

APACHE: dict[str, str | list[str]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "filter.json").read_text(encoding="utf-8")
)
STORED = [format_properties(message).encode() for message in MESSAGES]
PLACE = re.compile(r"line \d+, column \d+")


def refusal(expression: str) -> str:
    with pytest.raises(FilterSyntaxError) as caught:
        compile_filter(expression)
    return str(caught.value)


@pytest.mark.parametrize("expression", [text for text, said in APACHE.items() if isinstance(said, str)])
def test_every_answer_is_apaches(expression: str) -> None:
    answers = APACHE[expression]
    matches = compile_filter(expression).matches
    assert [matches(properties) for properties in STORED] == [answer == "t" for answer in answers]
    assert "".join(map(full_answer(expression), STORED)) == answers


def full_answer(expression: str) -> Callable[[bytes], str]:
    """Tells unknown, false and failed apart."""
    evaluate = compiled(parse(expression), stored_reader)

    def answer(properties: bytes) -> str:
        try:
            return {True: "t", False: "f", None: "n"}[evaluate(b"\x02" + properties)]
        except EvaluationError:
            return "e"

    return answer


@pytest.mark.parametrize("expression", [text for text, said in APACHE.items() if not isinstance(said, str)])
def test_what_apache_refuses_is_refused_at_the_same_place(expression: str) -> None:
    own, apaches = refusal(expression), APACHE[expression][0]
    where = PLACE.search(apaches)
    if where is None or '" "+" "' in apaches:
        # Apache names no place for what is wrong in sense, and the sign for everything wrong behind a plus.
        return
    if "TokenMgrError" in apaches and "<EOF>" in apaches and "the end" not in own:
        # Apache takes the last character of the text for its end.
        line, column = map(int, re.findall(r"\d+", where[0]))
        assert f"line {line}, column {column - 1}" in own
        return
    assert where[0] in own


def test_there_are_cases_of_every_kind() -> None:
    letters = "".join(said for said in APACHE.values() if isinstance(said, str))
    assert {letter: letters.count(letter) > 500 for letter in "tfne"} == dict.fromkeys("tfne", True)
    assert sum(isinstance(said, list) for said in APACHE.values()) > 300


# --- properties as they are stored ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        (b"a\x011", "a = 1"),
        (b"a\x011\x02", "a = 1"),
        (b"b\x012\x02a\x011", "a = 1"),
        (b"aa\x012\x02a\x011\x02", "a = 1"),
        (b"ba\x012\x02", "a IS NULL"),
        (b"a\x011\x02a\x012\x02", "a = 2"),
        (b"a\x011\x02a\x01\x02", "a = 1"),
        (b"a\x01\x02", "a IS NULL"),
        (b"a\x01x\x01y\x02", "a ENDSWITH 'y'"),
        (b"b\x01a\x011\x02", "a IS NULL"),
        (b"\x02\x02a\x011\x02\x02", "a = 1"),
        (b"a", "a IS NULL"),
        (b"", "a IS NULL"),
    ],
)
@pytest.mark.parametrize("cut", [False, True])
def test_finding_a_property(stored: bytes, wanted: str, cut: bool) -> None:
    """Whether an expression names few properties or so many that they are cut up first."""
    expression = " OR ".join([wanted] * 9) if cut else wanted
    assert compile_filter(expression).matches(stored) is True
    assert compile_filter(f"NOT ({expression})").matches(stored) is False


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("(" * 101 + "a" + ")" * 101, "parentheses go deeper than 100"),
        ("(" * 60000, "parentheses go deeper than 100"),
        ("NOT " * 501 + "a", "the expression has more than 500 tests and signs"),
        ("- " * 501 + "a = 1", "the expression has more than 500 tests and signs"),
        ("a" + " IS NULL" * 501, "the expression has more than 500 tests and signs"),
        (" OR ".join(["a = 1"] * 501), "the expression has more than 500 tests and signs"),
        ("NOT " * 199 + "a = 1", "the expression goes deeper than 200"),
        ("a" + " IS NULL" * 200, "the expression goes deeper than 200"),
        ("-" * 200 + "a = 1", "the expression goes deeper than 200"),
        (" OR ".join(["a BETWEEN 1 AND 2"] * 251), "the expression has more than 500 tests and signs"),
        ("a = '" + "x" * 65531 + "'", "the expression has 65537 characters, 65536 are allowed"),
    ],
)
def test_too_large(expression: str, why: str) -> None:
    assert refusal(expression) == why


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("(" * 100 + "a = 1" + ")" * 100, True),
        ("NOT " * 197 + "a = 1", False),
        ("a" + " IS NULL" * 199, False),
        (" AND ".join(["a = 1"] * 500), True),
        ("a = 1 OR b = '" + "x" * 65000 + "'", True),
        ("a IN (" + ",".join(f"'{number}'" for number in range(9000)) + ")", True),
        ("(" * 100 + "a <> 2" + " AND a = 1)" * 100, True),
    ],
)
def test_as_large_as_is_allowed(expression: str, matches: bool) -> None:
    assert compile_filter(expression).matches(b"a\x011\x02") is matches


def test_the_largest_is_quick_on_the_largest_message() -> None:
    """500 tests on 32 KB of properties: what 800 such messages of one pull cost stays far below a second."""
    matches = compile_filter(" OR ".join(f"p{number} = 'no'" for number in range(500))).matches
    properties = b"".join(b"q%d\x01%s\x02" % (number, b"v" * 20) for number in range(1200))
    rounds = 20
    started = time.process_time()
    for _ in range(rounds):
        assert matches(properties) is False
    assert (time.process_time() - started) / rounds < 0.005


def test_size_grows_with_the_expression() -> None:
    small, large = compile_filter("a = 1"), compile_filter(" OR ".join(["a = 1"] * 100))
    assert isinstance(small, Filter)
    assert small.size < 4096
    assert large.size > 50 * small.size
