"""The text of traces, as Apache's decoder reads it."""

from rmq.client.trace import (
    Consumed,
    ConsumeReturn,
    MessageKind,
    consumed,
    consuming,
    kind_of,
    published,
    transaction_ended,
)


def test_a_message_was_sent() -> None:
    trace = published(
        {"TAGS": "A", "KEYS": "k1 k2"},
        time=5, region="R", group="PG", topic="T", message_id="U1", broker="10.0.0.1:10911", length=9, cost=3,
        offset_id="O1", success=True,
    )  # fmt: skip
    assert trace.text == "\x01".join(
        ["Pub", "5", "R", "PG", "T", "U1", "A", "k1 k2", "10.0.0.1:10911", "9", "3", "0", "O1", "true\x02"]
    )
    assert (trace.topic, trace.keys) == ("T", {"U1", "k1", "k2"})


def test_what_is_absent_is_null() -> None:
    trace = published(
        {}, time=5, region="R", group="PG", topic="T", message_id="U1,U2", broker="b", length=9, cost=3, offset_id="O1",
        success=False,
    )  # fmt: skip
    assert trace.text.split("\x01")[6:8] == ["null", "null"]
    assert (trace.text[-6:], trace.keys) == ("false\x02", {"U1,U2"})


def test_kinds() -> None:
    assert kind_of({}) is MessageKind.NORMAL
    assert kind_of({"TRAN_MSG": "true"}) is MessageKind.HALF
    assert kind_of({"TRAN_MSG": "true", "DELAY": "3"}) is MessageKind.DELAY


def test_messages_were_consumed() -> None:
    items = [Consumed("T", "U1", "k", 0), Consumed("T", "U2", None, 2)]
    before = consuming(items, time=5, region=None, group="G", call="C1")
    assert before.text == (
        "SubBefore\x015\x01null\x01G\x01C1\x01U1\x010\x01k\x02SubBefore\x015\x01null\x01G\x01C1\x01U2\x012\x01null\x02"
    )
    after = consumed(items[:1], time=8, group="G", call="C1", cost=3, success=False, outcome=ConsumeReturn.FAILED)
    assert after.text == "SubAfter\x01C1\x01U1\x013\x01false\x01k\x014\x018\x01G\x02"
    assert (before.keys, after.keys) == ({"U1", "U2", "k"}, {"U1", "k"})


def test_a_transaction_ended() -> None:
    trace = transaction_ended(
        {"KEYS": "k"}, time=5, region="R", group="PG", topic="T", message_id="U1", broker="b", transaction_id="X1",
        state="COMMIT_MESSAGE", checked=True,
    )  # fmt: skip
    assert trace.text == "\x01".join(
        ["EndTransaction", "5", "R", "PG", "T", "U1", "null", "k", "b", "2", "X1", "COMMIT_MESSAGE", "true\x02"]
    )
