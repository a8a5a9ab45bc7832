"""Which transactions of a window have ended."""

import pytest

from rmq.server.broker.transaction import ended as ended_module
from rmq.server.broker.transaction.ended import EndedMarks


def test_marks_within_the_window() -> None:
    marks = EndedMarks()
    marks.open(100, 10)
    for offset in (100, 101, 103, 109, 110):
        marks.mark(offset)
    assert [offset for offset in range(98, 112) if marks.has(offset)] == [100, 101, 103, 109]
    assert [marks.first_open(offset, 110) for offset in (100, 102, 103, 109, 110)] == [102, 102, 104, 110, 110]
    assert marks.first_open(100, 102) == 102


def test_a_new_window_knows_nothing_of_the_one_before() -> None:
    marks = EndedMarks()
    marks.open(100, 10)
    marks.mark(7)
    marks.mark(105)
    marks.open(104, 5)
    assert not any(marks.has(offset) for offset in range(120))
    marks.mark(105)
    marks.close()
    assert not marks.has(105)


def test_records_are_done_when_everything_they_tell_is_passed() -> None:
    marks = EndedMarks()
    marks.open(10, 10)
    for offsets in ([3, 11], [], [12], [19, 14], [13]):
        marks.note_record(offsets, end=20)
    assert [marks.done_records(position) for position in (10, 11, 12, 13, 19, 20)] == [0, 0, 2, 3, 3, 5]


def test_an_offset_that_no_half_message_has_holds_nothing_up() -> None:
    marks = EndedMarks()
    marks.open(10, 10)
    marks.note_record([10, 10**15], end=20)
    assert marks.has(10)
    assert marks.done_records(11) == 1


def test_records_beyond_the_most_wait_for_the_next_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended_module, "MOST_RECORDS", 2)
    marks = EndedMarks()
    marks.open(0, 10)
    for offset in range(4):
        marks.note_record([offset], end=10)
    assert marks.done_records(10) == 2
    assert all(marks.has(offset) for offset in range(4))
