"""Handles of timed messages."""

import base64

import pytest

from rmq.wire.recall import RecallHandle, RecallHandleError, parse_recall_handle

# As Apache's broker gave it out.
TEXT = "djEgVCBicm9rZXItYSAxNzk1MjcyMjE3MDAxIDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA4"
HANDLE = RecallHandle("T", "broker-a", 1_795_272_217_001, "0" * 31 + "8")


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def test_a_handle_is_apaches() -> None:
    assert parse_recall_handle(TEXT) == HANDLE
    assert str(HANDLE) == TEXT


def test_more_parts_are_left_and_a_time_that_is_none_is_minus_one() -> None:
    assert parse_recall_handle(encoded("v1 T b x id more")) == RecallHandle("T", "b", -1, "id")
    assert parse_recall_handle(encoded("v1 T b -5 id")).timestamp == -1
    assert parse_recall_handle(encoded("v1 T b " + "9" * 30 + " id")).timestamp == -1


@pytest.mark.parametrize(
    "text",
    [
        "", "abc", "nonsense", "äöü", encoded("v2 T b 5 id"), encoded("v1 T b 5"), encoded(""), "////", "a" * 10_000,
        base64.urlsafe_b64encode(b"v1 T \xff 5 id").decode(),
    ],
)  # fmt: skip
def test_what_is_no_handle(text: str) -> None:
    with pytest.raises(RecallHandleError, match="recall handle is invalid"):
        parse_recall_handle(text)
