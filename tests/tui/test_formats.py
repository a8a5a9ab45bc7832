"""Numbers, spans and series as tables show them."""

from datetime import UTC

import pytest

from rmq.tui import formats

NOW = 1_795_269_720_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (7, "7"), (999, "999"), (999.6, "1.0k"), (12_400, "12.4k"), (99_960, "100k"), (3_100_000, "3.1M"),
        (5e9, "5.0G"), (2e15, "2000T"),
    ],
)  # fmt: skip
def test_short_numbers(value: float, text: str) -> None:
    assert formats.short(value) == text


def test_small_rates_have_a_digit_more_and_unknown_ones_a_dot() -> None:
    assert [formats.rate(value) for value in (None, 0, 0.25, 9.9, 10.2)] == ["·", "0", "0.2", "9.9", "10"]


@pytest.mark.parametrize(
    ("millis", "text"),
    [
        (None, "·"), (0, "<1s"), (999, "<1s"), (1000, "1s"), (200_000, "3m 20s"), (3_600_000, "1h"),
        (3_605_000, "1h"), (90_000_000, "1d 1h"),
    ],
)  # fmt: skip
def test_spans_have_two_units(millis: int | None, text: str) -> None:
    assert formats.span(millis) == text


def test_moments_are_as_exact_as_they_are_near() -> None:
    day = 86_400_000
    shown = [formats.moment(at, NOW, UTC) for at in (0, NOW, NOW - 2 * day, NOW - 400 * day)]
    assert shown == ["·", "14:02:00", "Nov 19", "2025-10"]


def test_sparklines_grow_from_the_right() -> None:
    assert formats.sparkline([], 4) == "    "
    assert formats.sparkline([0, 0], 4) == "  ▁▁"
    assert formats.sparkline([1, 2, 4, 0, 4], 4) == "▄▇▁▇"


def test_things_in_the_plural() -> None:
    assert [formats.plural(number, "group") for number in (0, 1, 3000)] == ["0 groups", "1 group", "3,000 groups"]


def test_a_trend_compares_with_a_moment_ago() -> None:
    assert [formats.trend(values) for values in ([], [1], [1, 2], [2, 1], [3, 3])] == [" ", " ", "▲", "▼", "="]


def test_text_from_servers_cannot_move_the_cursor() -> None:
    assert formats.one_line("a\x1b[2J\nb") == "a [2J b"
    assert formats.cut("abcdef", 4) == "abc…"


def test_wide_letters_take_two_columns() -> None:
    assert [formats.cells(text) for text in ("abc", "订单", "é", "订a")] == [3, 4, 1, 3]
    assert [formats.cut("订单创建", width) for width in (8, 7, 6, 3)] == ["订单创建", "订单创…", "订单…", "订…"]
    assert [formats.cut_front("订单/17", width) for width in (7, 6, 4)] == ["订单/17", "…单/17", "…/17"]
    assert formats.cut_front("broker-demo/3", 8) == "…-demo/3"
    assert (formats.pad("订单", 6), formats.pad("订单", 6, right=True)) == ("订单  ", "  订单")


@pytest.mark.parametrize(
    ("millis", "text"),
    [(None, "·"), (0, "0ms"), (999, "999ms"), (1000, "1s"), (1310, "1.31s"), (59_990, "59.99s"), (60_000, "1m"),
     (125_000, "2m 5s"), (3_600_000, "1h"), (7_500_000, "2h 5m")],
)  # fmt: skip
def test_how_long_something_took(millis: int | None, text: str) -> None:
    assert formats.took(millis) == text
