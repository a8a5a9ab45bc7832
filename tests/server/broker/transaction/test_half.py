"""The forms of a transactional message."""

import pytest

from rmq.server.broker.putting import MessageInner
from rmq.server.broker.transaction.half import (
    again,
    committed,
    given_up,
    immunity,
    is_half,
    make_half,
    number,
    resumed,
)
from rmq.wire.errors import MessageIllegalError
from rmq.wire.message import StoredMessage, format_properties
from rmq.wire.sysflag import COMPRESSED, TRANSACTION_COMMIT, TRANSACTION_PREPARED

HOST = b"\x7f\x00\x00\x01\x00\x00\x12\x34"


def inner(sys_flag: int = 0, times: int = 0, **properties: str) -> MessageInner:
    return MessageInner("T", 3, b"body", properties, 7, sys_flag, 1000, HOST, times)


def stored(topic: str = "RMQ_SYS_TRANS_HALF_TOPIC", sys_flag: int = 0, **properties: str) -> StoredMessage:
    message = StoredMessage()
    message.topic, message.queue_id, message.body, message.flag, message.sys_flag = topic, 0, b"body", 7, sys_flag
    message.queue_offset, message.physical_offset, message.reconsume_times = 5, 400, 2
    message.born_timestamp, message.born_host, message.store_host = 1000, HOST, HOST
    message.properties_text, message._properties = format_properties(properties), None
    return message


HALF = {"UNIQ_KEY": "U", "PGROUP": "G", "TRAN_MSG": "true", "REAL_TOPIC": "T", "REAL_QID": "3", "TAGS": "a"}


@pytest.mark.parametrize(
    ("message", "half"),
    [
        (inner(TRAN_MSG="true"), True),
        (inner(TRAN_MSG="TRUE"), True),
        (inner(TRAN_MSG="false"), False),
        (inner(), False),
        (inner(TRAN_MSG="true", DELAY="3"), True),
        (inner(TRAN_MSG="true", times=1), True),
        (inner(TRAN_MSG="true", DELAY="3", times=1), False),
    ],
)
def test_what_begins_a_transaction(message: MessageInner, half: bool) -> None:
    assert is_half(message) is half


def test_a_half_message_knows_where_it_goes() -> None:
    message = inner(COMPRESSED | TRANSACTION_PREPARED, UNIQ_KEY="U", TAGS="a")
    make_half(message)
    assert (message.topic, message.queue_id, message.sys_flag) == ("RMQ_SYS_TRANS_HALF_TOPIC", 0, COMPRESSED)
    assert message.properties == {
        "UNIQ_KEY": "U", "TAGS": "a", "__transactionId__": "U", "REAL_TOPIC": "T", "REAL_QID": "3",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["DELAY", "TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"])
def test_a_half_message_cannot_be_delayed(name: str) -> None:
    with pytest.raises(MessageIllegalError):
        make_half(inner(**{name: "5"}))
    make_half(inner(**{name: "0"}))


def test_the_committed_message() -> None:
    message = committed(stored(sys_flag=COMPRESSED, **HALF))
    assert message == MessageInner(
        "T", 3, b"body", {"UNIQ_KEY": "U", "PGROUP": "G", "TRAN_MSG": "true", "TAGS": "a"}, 7,
        COMPRESSED | TRANSACTION_COMMIT, 1000, HOST, 2, 400,
    )  # fmt: skip


@pytest.mark.parametrize("lost", ["REAL_TOPIC", "REAL_QID"])
def test_without_a_destination_nothing_is_committed(lost: str) -> None:
    with pytest.raises(MessageIllegalError, match="the half message at 400 names no topic and queue"):
        committed(stored(**{name: value for name, value in HALF.items() if name != lost}))


def test_once_more_and_given_up_and_resumed() -> None:
    once_more = again(stored(**HALF), TRAN_PREPARED_QUEUE_OFFSET="5")
    assert once_more == MessageInner(
        "RMQ_SYS_TRANS_HALF_TOPIC", 0, b"body", {**HALF, "TRAN_PREPARED_QUEUE_OFFSET": "5"}, 7, 0, 1000, HOST, 2
    )
    lost = given_up(stored(**HALF))
    assert lost == MessageInner("TRANS_CHECK_MAX_TIME_TOPIC", 0, b"body", HALF, 7, 0, 1000, HOST, 2)
    back = resumed(stored("TRANS_CHECK_MAX_TIME_TOPIC", **HALF, TRANSACTION_CHECK_TIMES="15"))
    assert back == MessageInner(
        "RMQ_SYS_TRANS_HALF_TOPIC", 0, b"body", {**HALF, "TRANSACTION_CHECK_TIMES": "0"}, 7, 0, 1000, HOST, 2
    )


@pytest.mark.parametrize("lost", ["REAL_TOPIC", "REAL_QID", "PGROUP"])
def test_what_was_no_half_message_is_not_resumed(lost: str) -> None:
    with pytest.raises(MessageIllegalError, match="the message at 400 was no half message"):
        resumed(stored("TRANS_CHECK_MAX_TIME_TOPIC", **{name: HALF[name] for name in HALF.keys() - {lost}}))


@pytest.mark.parametrize("topic", ["T", "RMQ_SYS_TRANS_HALF_TOPIC"])
def test_what_was_not_given_up_is_not_resumed(topic: str) -> None:
    with pytest.raises(MessageIllegalError, match="the message at 400 was no half message"):
        resumed(stored(topic, **HALF))


@pytest.mark.parametrize(
    "changed", [{"REAL_TOPIC": "../T"}, {"REAL_TOPIC": "SCHEDULE_TOPIC_XXXX"}, {"REAL_QID": str(2**31)}]
)
def test_a_destination_that_no_client_could_have_named(changed: dict[str, str]) -> None:
    with pytest.raises(MessageIllegalError, match="the half message at 400 names no topic and queue"):
        committed(stored(**{**HALF, **changed}))


@pytest.mark.parametrize(("text", "millis"), [("5", 5000), ("0", 0), ("-1", 6000), ("soon", 6000)])
def test_immunity(text: str, millis: int) -> None:
    assert immunity(stored(CHECK_IMMUNITY_TIME_IN_SECONDS=text), 6000) == millis
    assert immunity(stored(), 6000) is None


@pytest.mark.parametrize(
    ("text", "value"), [("12", 12), ("-3", -3), ("", 9), (None, 9), ("1_0", 9), ("--1", 9), ("1" * 20, 9)]
)
def test_numbers(text: str | None, value: int) -> None:
    assert number(text, 9) == value
