"""Answers that are late, and problems that leave what is known."""

from rmq.tui.service.model import Problem, Topic
from rmq.tui.state.feed import Feed
from rmq.tui.state.seen import Seen


def test_a_late_answer_is_dropped() -> None:
    feed: Feed[str] = Feed()
    first, second = feed.begin(), feed.begin()
    assert feed.take(second, "new", 20)
    assert not feed.take(first, "old", 30)
    assert (feed.value, feed.at) == ("new", 20)


def test_a_problem_leaves_the_value_and_its_age() -> None:
    feed: Feed[str] = Feed()
    feed.take(feed.begin(), "value", 10)
    feed.take(feed.begin(), Problem("refused"), 20)
    feed.take(feed.begin(), Problem("still refused"), 30)
    assert (feed.value, feed.at, feed.since) == ("value", 10, 20)
    assert str(feed.problem) == "still refused"
    feed.take(feed.begin(), "again", 40)
    assert (feed.value, feed.at, feed.problem, feed.since) == ("again", 40, None, 0)


def test_a_row_keeps_its_last_whole_figures() -> None:
    whole, partial = Topic("T", total=9), Topic("T", problem=Problem("refused"))
    row = Seen("T").told(whole, 10)
    assert (row.figures, row.at, row.stale) == (whole, 10, False)
    failed = row.told(partial, 20).told(partial, 30)
    assert (failed.figures, failed.at, failed.since, failed.stale) == (whole, 10, 20, True)
    assert failed.told(whole, 40) == Seen("T", whole, 40)


def test_partial_figures_are_better_than_none() -> None:
    partial = Topic("T", total=3, problem=Problem("refused"))
    row = Seen("T").told(partial, 20)
    assert (row.figures, row.at, row.stale) == (partial, 0, True)


def test_a_feed_for_another_subject_takes_no_answer_to_what_was_asked_before() -> None:
    feed: Feed[str] = Feed()
    before = feed.begin()
    feed.take(before, "old", 1)
    late = feed.begin()
    anew = feed.anew()
    assert (anew.value, anew.problem) == (None, None)
    assert not anew.take(late, "late", 2)
    assert anew.take(anew.begin(), "new", 3)
    assert anew.value == "new"
