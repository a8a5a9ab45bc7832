"""Attributes: what `+key=value,-key` does. The remarks are those of Apache 5.4.0's own AttributeUtil."""

import pytest

from rmq.server.broker.meta.attributes import GROUP_ATTRIBUTES, TOPIC_ATTRIBUTES, altered, parse_changes
from rmq.wire.errors import RemotingError


def refusal(known: dict[str, str], changes: dict[str, str], *, new: bool) -> tuple[int, str]:
    with pytest.raises(RemotingError) as caught:
        altered(known, changes, TOPIC_ATTRIBUTES, new=new)
    return caught.value.code, caught.value.remark


def test_changes_are_set_and_taken_away() -> None:
    changes = parse_changes("+message.type=FIFO,-reserve.time")
    assert changes == {"+message.type": "FIFO", "-reserve.time": ""}
    known = {"message.type": "DELAY", "reserve.time": "5", "queue.type": "BatchCQ"}
    expected = {"message.type": "FIFO", "queue.type": "BatchCQ"}
    assert altered(known, changes, TOPIC_ATTRIBUTES, new=False) == expected


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", {}),
        (",", {}),
        ("+a=1,,", {"+a": "1"}),
        ("+a=x=y", {"+a": "x"}),
        ("+a==x", {"+a": ""}),
        (" +a=1", {" +a": "1"}),
        ("-b,+a=1", {"-b": "", "+a": "1"}),
    ],
)
def test_texts_are_split_as_java_does(text: str, changes: dict[str, str]) -> None:
    assert parse_changes(text) == changes


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("+a", "delete attribute format is wrong: +a"),
        ("a", "delete attribute format is wrong: a"),
        ("+a=1,,-b", "delete attribute format is wrong: "),
        ("-a=1", "add/alter attribute format is wrong: -a"),
        ("=x", "add/alter attribute format is wrong: "),
        ("+a=", "add/alter attribute format is wrong: +a"),
        ("+a==", "add/alter attribute format is wrong: +a"),
        ("+a=1,+a=2", "key duplication: +a"),
    ],
)
def test_texts_of_another_form_are_refused(text: str, remark: str) -> None:
    with pytest.raises(RemotingError) as caught:
        parse_changes(text)
    assert (caught.value.code, caught.value.remark) == (1, remark)


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"a": "1"}, "kv string format wrong."),
        ({"": ""}, "kv string format wrong."),
        ({"++a": "1"}, "kv string format wrong."),
        ({"+a-b": "1"}, "kv string format wrong."),
        ({"-a": ""}, "only add attribute is supported while creating topic. key: a"),
        ({"xa": "1"}, "only add attribute is supported while creating topic. key: a"),
        ({"+nosuch": "1"}, "unsupported key: nosuch"),
        ({"+queue.type": "x"}, "value is not in set: [SimpleCQ, BatchCQ]"),
        ({"+cleanup.policy": "delete"}, "value is not in set: [DELETE, COMPACTION]"),
        (
            {"+message.type": "WRONG"},
            "value is not in set: [UNSPECIFIED, MIXED, TRANSACTION, PRIORITY, FIFO, DELAY, NORMAL]",
        ),
        ({"+reserve.time": "-2"}, "value is not in range(-1, 9223372036854775807)"),
        ({"+reserve.time": "abc"}, 'For input string: "abc"'),
        ({"+reserve.time": ""}, 'For input string: ""'),
        ({"+reserve.time": "9223372036854775808"}, 'For input string: "9223372036854775808"'),
    ],
)
def test_what_something_new_cannot_have(changes: dict[str, str], remark: str) -> None:
    assert refusal({}, changes, new=True) == (1, remark)


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"xa": "1"}, "wrong format key: a"),
        ({"-message.type": ""}, "attempt to delete a nonexistent key: message.type"),
        ({"+x": "1", "-x": ""}, "alter duplication key. key: x"),
        ({"+x": "1", "-y": ""}, "attempt to delete a nonexistent key: y"),
        ({"+queue.type": "BatchCQ"}, "attempt to update an unchangeable attribute. key: queue.type"),
        ({"+cleanup.policy": "DELETE"}, "attempt to update an unchangeable attribute. key: cleanup.policy"),
        ({"-cleanup.policy": ""}, "attempt to update an unchangeable attribute. key: cleanup.policy"),
        ({"-old": ""}, "unsupported key: old"),
        ({"+reserve.time": "-2"}, "value is not in range(-1, 9223372036854775807)"),
    ],
)
def test_what_cannot_be_changed(changes: dict[str, str], remark: str) -> None:
    known = {"cleanup.policy": "COMPACTION", "old": "1"}
    assert refusal(known, changes, new=False) == (1, remark)


def test_what_can_only_be_set_at_the_beginning() -> None:
    changes = {"+queue.type": "BatchCQ", "+cleanup.policy": "DELETE", "+reserve.time": "-1"}
    attributes = {"queue.type": "BatchCQ", "cleanup.policy": "DELETE", "reserve.time": "-1"}
    assert altered({}, changes, TOPIC_ATTRIBUTES, new=True) == attributes


@pytest.mark.parametrize(("value", "legal"), [("-1", False), ("0", True), ("100", True), ("101", False)])
def test_groups_have_a_priority(value: str, legal: bool) -> None:
    changes = {"+priority.factor": value}
    if legal:
        assert altered({}, changes, GROUP_ATTRIBUTES, new=False) == {"priority.factor": value}
    else:
        with pytest.raises(RemotingError) as caught:
            altered({}, changes, GROUP_ATTRIBUTES, new=False)
        assert caught.value.remark == "value is not in range(0, 100)"
