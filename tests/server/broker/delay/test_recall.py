"""Which messages get a handle."""

from rmq.server.broker.delay.recall import handle_of
from rmq.server.broker.putting import MessageInner
from rmq.wire.recall import RecallHandle, parse_recall_handle


def message(topic: str, **properties: str) -> MessageInner:
    return MessageInner(topic, 0, b"", properties, 0, 0, 0, b"")


def test_who_gets_one() -> None:
    timed = {"REAL_TOPIC": "T", "TIMER_OUT_MS": "1795272217000", "UNIQ_KEY": "U"}
    handle = handle_of(message("rmq_sys_wheel_timer", **timed), "broker-a")
    assert handle is not None
    assert parse_recall_handle(handle) == RecallHandle("T", "broker-a", 1_795_272_217_001, "U")
    assert handle_of(message("T", **timed), "broker-a") is None
    assert handle_of(message("SCHEDULE_TOPIC_XXXX", **timed), "broker-a") is None
    assert handle_of(message("rmq_sys_wheel_timer", **{**timed, "REAL_TOPIC": "%RETRY%G"}), "broker-a") is None
