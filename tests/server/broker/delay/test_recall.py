"""Handles of timed messages."""

import base64

import pytest

from rmq.server.broker.delay.recall import IllegalOperationError, RecallHandle, handle_of, parse_handle
from rmq.server.broker.putting import MessageInner

# As Apache's broker gave it out.
TEXT = "djEgVCBicm9rZXItYSAxNzk1MjcyMjE3MDAxIDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA4"
HANDLE = RecallHandle("T", "broker-a", 1_795_272_217_001, "0" * 31 + "8")


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def test_a_handle_is_apaches() -> None:
    assert parse_handle(TEXT) == HANDLE
    assert str(HANDLE) == TEXT


def test_more_parts_are_left_and_a_time_that_is_none_is_minus_one() -> None:
    assert parse_handle(encoded("v1 T b x id more")) == RecallHandle("T", "b", -1, "id")
    assert parse_handle(encoded("v1 T b -5 id")).timestamp == -1
    assert parse_handle(encoded("v1 T b " + "9" * 30 + " id")).timestamp == -1


@pytest.mark.parametrize(
    "text", ["", "abc", "äöü", encoded("v2 T b 5 id"), encoded("v1 T b 5"), encoded(""), "////", "a" * 10_000]
)
def test_what_is_no_handle(text: str) -> None:
    with pytest.raises(IllegalOperationError) as caught:
        parse_handle(text)
    assert (caught.value.code, caught.value.remark) == (604, "recall handle is invalid")


def message(topic: str, **properties: str) -> MessageInner:
    return MessageInner(topic, 0, b"", properties, 0, 0, 0, b"")


def test_who_gets_one() -> None:
    timed = {"REAL_TOPIC": "T", "TIMER_OUT_MS": "1795272217000", "UNIQ_KEY": "0" * 31 + "8"}
    assert handle_of(message("rmq_sys_wheel_timer", **timed), "broker-a") == TEXT
    assert handle_of(message("T", **timed), "broker-a") is None
    assert handle_of(message("SCHEDULE_TOPIC_XXXX", **timed), "broker-a") is None
    assert handle_of(message("rmq_sys_wheel_timer", **{**timed, "REAL_TOPIC": "%RETRY%G"}), "broker-a") is None
    assert handle_of(message("rmq_sys_wheel_timer", **{**timed, "TIMER_OUT_MS": "x"}), "broker-a") is None
    assert handle_of(message("rmq_sys_wheel_timer"), "broker-a") is None
