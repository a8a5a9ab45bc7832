"""Expressions that a user types: what they find, and what they may not cost."""

import time

import pytest

from rmq.tui.expressions import Expression, ExpressionError, TooSlowError


def test_what_is_found() -> None:
    assert Expression("b[ou]+k").found_in("a book", 1.0)
    assert not Expression("B[ou]+k").found_in("a book", 1.0)
    assert Expression("B[ou]+k", ignore_case=True).found_in("a book", 1.0)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("(", "missing"),
        ("a{99999999999}", "repeats things more than 10,000 times"),
        ("((a{999}){999}){999}", "repeats things more than 10,000 times"),
        ("(?x)(a{9 9 9}){ 99 }", "repeats things more than 10,000 times"),
        ("(a{2,9999}){2,}", "repeats things more than 10,000 times"),
        ("a" * 501, "more than 500 characters"),
    ],
)
def test_what_may_cost_too_much(source: str, why: str) -> None:
    with pytest.raises(ExpressionError, match=why):
        Expression(source)


def test_numbers_that_people_write() -> None:
    source = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    assert Expression(source).found_in("id 123e4567-e89b-12d3-a456-426614174000", 1.0)


@pytest.mark.parametrize("source", ["(a+)+$", "(a|aa)+$", "(?R)"])
def test_one_that_never_ends_is_given_up(source: str) -> None:
    begun = time.thread_time()
    with pytest.raises(TooSlowError):
        Expression(source).found_in("a" * 5000 + "!", 0.05)
    assert time.thread_time() - begun < 0.5
    with pytest.raises(TooSlowError):
        Expression(source).found_in("a", 0.0)
