"""The texts of POP, as Apache's ExtraInfoUtil writes them."""

import pytest

from rmq.wire.errors import InvalidParameterError
from rmq.wire.popinfo import (
    PopHandle,
    message_count_entry,
    message_offsets_entry,
    normal_topic,
    pop_retry_topic,
    queue_count_entry,
    start_offset_entry,
    topic_kind,
    topic_of_kind,
)


def test_retry_topics() -> None:
    assert pop_retry_topic("T", "G", v2=False) == "%RETRY%G_T"
    assert pop_retry_topic("T", "G", v2=True) == "%RETRY%G+T"
    assert normal_topic("%RETRY%G_T", "G") == normal_topic("%RETRY%G+T", "G") == normal_topic("T", "G") == "T"
    assert normal_topic("%RETRY%a_b_c", "a_b") == "c"
    assert normal_topic("%RETRY%G", "G") == "%RETRY%G"


@pytest.mark.parametrize(
    ("topic", "kind"), [("T", "0"), ("%RETRY%G_T", "1"), ("%RETRY%G+T", "2"), ("%DLQ%G", "0"), ("a+b", "0")]
)
def test_kinds_of_topics(topic: str, kind: str) -> None:
    assert topic_kind(topic) == kind


def test_topics_of_kinds() -> None:
    assert [topic_of_kind("T", "G", kind) for kind in "012"] == ["T", "%RETRY%G_T", "%RETRY%G+T"]
    with pytest.raises(InvalidParameterError, match="is 0, 1 or 2, not '3'"):
        topic_of_kind("T", "G", "3")


def test_entries() -> None:
    assert start_offset_entry("%RETRY%G_T", 0, 7) == "1 0 7"
    assert message_offsets_entry("T", 3, [7, 9, 12]) == "0 3 7,9,12"
    assert queue_count_entry("T", 3, 2) == "0 3 2"
    assert message_count_entry("T", 3, 12, 2) == "0 qo3%12 2"


def test_handles() -> None:
    text = "7 1700000000000 60000 3 1 broker-a 2 9"
    handle = PopHandle.parse(text)
    assert handle == (7, 1_700_000_000_000, 60_000, 3, "1", "broker-a", 2, 9)
    assert handle.text() == text
    assert not handle.ordered
    old = PopHandle.parse("7 8 9 999 0 b 2")
    assert (old.offset, old.ordered, old.text()) == (None, True, "7 8 9 999 0 b 2")


@pytest.mark.parametrize(
    "text", ["", "1 2 3", "a 2 3 4 0 b 1", "1 2 3 4 0 b 1 2 3", "1 2 3 4 0 b x", f"{1 << 64} 2 3 4 0 b 1", "9" * 5000]
)
def test_what_is_no_handle(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="is no handle of a popped message"):
        PopHandle.parse(text)
