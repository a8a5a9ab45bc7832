"""Times as they are typed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rmq.tui.times import TimeError, millis_of, span_millis

NOW = 1_795_269_720_000
"""2026-11-21 14:02:00 UTC."""


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("now", NOW),
        ("-30m", NOW - 1_800_000),
        ("-1.5h", NOW - 5_400_000),
        ("-250ms", NOW - 250),
        ("-99999d", 0),
        ("1795269720000", NOW),
        ("9:05", at(2026, 11, 21, 9, 5)),
        ("09:05:07", at(2026, 11, 21, 9, 5, 7)),
        ("2026-10-01", at(2026, 10, 1)),
        ("2026-10-01 12:00", at(2026, 10, 1, 12)),
        ("2026-10-01T12:00:30", at(2026, 10, 1, 12, 0, 30)),
        ("2026-10-01T12:00+02:00", at(2026, 10, 1, 10)),
    ],
)
def test_times(text: str, millis: int) -> None:
    assert millis_of(text, NOW, UTC) == millis


def test_days_begin_where_the_user_is() -> None:
    assert millis_of("9:05", NOW, timezone(timedelta(hours=2))) == at(2026, 11, 21, 7, 5)


@pytest.mark.parametrize("text", ["", "soon", "-", "30m", "-3w", "25:00", "12", "2026-13-01", "1" * 30])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(TimeError, match="is no time; -30m, 14:05, 2026-11-21, 2026-11-21T14:05, now and ms are known"):
        millis_of(text, NOW, UTC)


def test_spans() -> None:
    assert [span_millis(text) for text in ("500ms", "1.5s", "5m", "2h", "1d")] == [500, 1500, 300_000, 7.2e6, 8.64e7]
    assert [span_millis(text) for text in ("", "5", "s", "-5m", "5 m", "5w", "9" * 16 + "s")] == [None] * 7
