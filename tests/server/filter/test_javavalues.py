"""Conversions and comparisons as Java's."""

import math

import pytest

from rmq.server.filter.errors import EvaluationError
from rmq.server.filter.javavalues import Long, compare, to_boolean, to_double, to_int, to_long

NAN = math.nan


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0), ("-0", 0), ("+5", 5), ("007", 7), ("2147483647", 2147483647), ("-2147483648", -2147483648),
        ("0" * 5000 + "5", 5), ("٥٦", 56), ("５", 5), ("-٥", -5),
    ],
)  # fmt: skip
def test_integers(text: str, value: int) -> None:
    assert to_int(text.encode()) == value
    assert to_long(text.encode()) == value


@pytest.mark.parametrize(
    "text", ["", "+", "-", " 5", "5 ", "1_0", "5L", "1.0", "0x10", "²", "𝟓", "--5", "x", "٫", "9" * 5000, "\x005"]
)
def test_no_integers(text: str) -> None:
    for convert in (to_int, to_long):
        with pytest.raises(EvaluationError):
            convert(text.encode())


def test_width() -> None:
    for text in ("2147483648", "-2147483649"):
        assert to_long(text.encode()) == int(text)
        with pytest.raises(EvaluationError, match="out of range"):
            to_int(text.encode())
    for text in ("9223372036854775808", "-9223372036854775809"):
        with pytest.raises(EvaluationError, match="out of range"):
            to_long(text.encode())
    assert to_long(b"-9223372036854775808") == -(1 << 63)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0), ("-1.5", -1.5), ("5.", 5.0), (".5", 0.5), ("1e3", 1000.0), ("1E-3f", 0.001), ("5d", 5.0),
        (" \t\0 7 \n", 7.0), ("1e999", math.inf), ("-1e999", -math.inf), ("1e-999", 0.0), ("Infinity", math.inf),
        ("-Infinity", -math.inf), ("0x1p4", 16.0), ("0X1.8P1d", 3.0), ("-0x.8p0", -0.5), ("0x1.p0", 1.0),
        ("0x1p99999", math.inf), ("-0x1p99999", -math.inf), ("0x1p-99999", 0.0), ("0x0p99999999999999999999", 0.0),
    ],
)  # fmt: skip
def test_doubles(text: str, value: float) -> None:
    assert to_double(text.encode()) == value


def test_doubles_that_are_special() -> None:
    assert math.isnan(to_double(b"NaN"))
    assert math.isnan(to_double(b"-NaN"))
    assert math.copysign(1, to_double(b"-0.0")) == -1


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "e5", "1e", "0x10", "0xp1", "nan", "inf", "infinity", "1_0", "٥", "5L", "5ff", "\u00a05", "1 2"],
)
def test_no_doubles(text: str) -> None:
    with pytest.raises(EvaluationError, match="is no number"):
        to_double(text.encode())


def test_booleans() -> None:
    assert [to_boolean(text) for text in (b"true", b"TrUe", b"false", b"1", b" true", b"")] == [
        True, True, False, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    [
        (1, 2, -1), (Long(1), 1, 0), (1, Long(2), -1), (2, 1.5, 1), (1.5, 2, -1), (Long(5), 5.0, 0),
        (Long(9007199254740993), 9007199254740992.0, 0), (b"5", 5, 0), (5, b"6", -1), (b"6", Long(5), 1),
        (b"2.5", 2.5, 0), (2.5, b"1", 1), (b"TRUE", True, 0), (b"x", True, -1), (b"x", False, 0), (True, True, 0),
        (True, False, 1), (False, True, -1), (True, 1, -1), (1, True, -1), (1.0, False, -1), (b"a", b"b", -1),
        (b"b", b"a", 1), (b"a", b"a", 0), (NAN, NAN, 0), (NAN, math.inf, 1), (1.0, NAN, -1), (0.0, -0.0, 1),
        (-0.0, 0.0, -1), (0.0, 0.0, 0), (b"-0.0", 1e-9, -1), (b"NaN", 1.0, 1),
    ],
)  # fmt: skip
def test_comparisons(left: bool | int | float | bytes, right: bool | int | float | bytes, answer: int) -> None:
    assert compare(left, right) == answer


@pytest.mark.parametrize(("left", "right"), [(True, b"true"), (b"x", 1), (1.0, b"x"), (b"2147483648", 1), (b"-0.0", 0)])
def test_what_does_not_compare(left: bool | float | bytes, right: int | bytes) -> None:
    with pytest.raises(EvaluationError):
        compare(left, right)
