"""Which names are allowed, and which are the system's. The sentences are Apache's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.wire import names
from rmq.wire.errors import InvalidParameterError

LEGAL = ["a", "TopicTest", "a-b_c", "%RETRY%g", "%DLQ%g", "a|b", "0", "ns%topic", "x" * 120]
ILLEGAL = [
    "../x",
    "a/b",
    "a\\b",
    ".",
    "..",
    "a b",
    " a",
    "a\n",
    "\n",
    "a\0",
    "\x7f",
    "é",
    "中",
    "a.b",
    "a:b",
    "a@b",
    "a+b",
    "a#b",
    "٣",
]


@pytest.mark.parametrize("name", LEGAL)
def test_legal_names(name: str) -> None:
    assert names.is_legal_topic(name)
    assert names.is_legal_group(name)
    assert names.check_topic(name) == names.check_group(name) == name


@pytest.mark.parametrize("name", ILLEGAL)
def test_illegal_names(name: str) -> None:
    assert not names.is_legal_topic(name)
    assert not names.is_legal_group(name)
    for check in (names.check_topic, names.check_group):
        with pytest.raises(InvalidParameterError) as caught:
            check(name)
        assert caught.value.code == 29
        assert caught.value.remark.isprintable()


@pytest.mark.parametrize(
    ("topic", "sentence"),
    [
        ("", "The specified topic is blank."),
        ("   ", "The specified topic is blank."),
        ("../x", "The specified topic: ../x, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"),
        ("a\nb", r"The specified topic: a\nb, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"),
        ("é", "The specified topic: é, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"),
        ("x" * 128, f"The specified topic: {'x' * 128}, is longer than topic max length: 127"),
        (
            "%RETRY%" + "x" * 249,
            f"The specified topic is DLQ or Retry topic: {'%RETRY%' + 'x' * 248}..., "
            "and it's longer than topic max length: 255",
        ),
        ("x" * 300, f"The specified topic: {'x' * 255}..., is longer than topic max length: 127"),
    ],
)
def test_the_sentence_about_a_topic(topic: str, sentence: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        names.check_topic(topic)
    assert caught.value.remark == sentence


@pytest.mark.parametrize(
    ("group", "sentence"),
    [
        ("", "The specified group is blank."),
        ("../x", "The specified group: ../x, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"),
        ("x" * 121, f"The specified group: {'x' * 121}, is longer than group max length: 120"),
    ],
)
def test_the_sentence_about_a_group(group: str, sentence: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        names.check_group(group)
    assert caught.value.remark == sentence


@pytest.mark.parametrize(
    ("topic", "legal"),
    [
        ("x" * 127, True),
        ("x" * 128, False),
        ("%RETRY%" + "x" * 248, True),
        ("%RETRY%" + "x" * 249, False),
        ("%DLQ%" + "x" * 250, True),
        ("%DLQ%" + "x" * 251, False),
        ("%LMQ%" + "x" * 123, False),
    ],
)
def test_the_length_of_a_topic(topic: str, legal: bool) -> None:
    assert names.is_legal_topic(topic) is legal


def test_the_length_of_a_group() -> None:
    assert names.is_legal_group("x" * 120)
    assert not names.is_legal_group("x" * 121)
    assert not names.is_legal_group("")


@given(st.text())
def test_a_legal_name_is_a_plain_file_name(name: str) -> None:
    if names.is_legal_topic(name):
        assert set(name) <= set("%|-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        assert name


@pytest.mark.parametrize(
    "topic",
    [
        "TBW102",
        "SCHEDULE_TOPIC_XXXX",
        "BenchmarkTest",
        "RMQ_SYS_TRANS_HALF_TOPIC",
        "RMQ_SYS_TRACE_TOPIC",
        "RMQ_SYS_TRANS_OP_HALF_TOPIC",
        "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
        "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
        "TRANS_CHECK_MAX_TIME_TOPIC",
        "SELF_TEST_TOPIC",
        "OFFSET_MOVED_EVENT",
        "CHECKPOINT_TOPIC",
        "rmq_sys_wheel_timer",
        "rmq_sys_anything",
    ],
)
def test_system_topics(topic: str) -> None:
    assert names.is_system_topic(topic)


def test_other_topics_are_not_the_systems() -> None:
    assert not names.is_system_topic("TopicTest")
    assert not names.is_system_topic("%RETRY%g")
    assert len(names.SYSTEM_TOPICS) == 12


def test_topics_that_clients_may_not_send_to() -> None:
    forbidden = {topic for topic in names.SYSTEM_TOPICS if names.is_not_allowed_send_topic(topic)}
    assert forbidden == {
        "SCHEDULE_TOPIC_XXXX",
        "RMQ_SYS_TRANS_HALF_TOPIC",
        "RMQ_SYS_TRANS_OP_HALF_TOPIC",
        "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
        "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
        "TRANS_CHECK_MAX_TIME_TOPIC",
        "SELF_TEST_TOPIC",
        "OFFSET_MOVED_EVENT",
    }
    assert names.is_not_allowed_send_topic("rmq_sys_wheel_timer")
    assert not names.is_not_allowed_send_topic("TopicTest")


def test_system_groups() -> None:
    assert names.is_system_group("CID_RMQ_SYS_TRANS")
    assert not names.is_system_group("TOOLS_CONSUMER")
    assert names.is_predefined_group("TOOLS_CONSUMER")
    assert not names.is_predefined_group("mine")
    assert len(names.PREDEFINED_GROUPS) == 14
    assert set(names.PLAIN_SYSTEM_GROUPS + names.BROADCAST_SYSTEM_GROUPS) <= names.PREDEFINED_GROUPS
    assert all(names.is_legal_group(group) for group in names.PREDEFINED_GROUPS)
    assert all(names.is_legal_topic(topic) for topic in names.SYSTEM_TOPICS)


def test_derived_topics() -> None:
    assert names.retry_topic("g") == "%RETRY%g"
    assert names.dlq_topic("g") == "%DLQ%g"
    assert names.reply_topic("DefaultCluster") == "DefaultCluster_REPLY_TOPIC"
    assert names.revive_topic("DefaultCluster") == "rmq_sys_REVIVE_LOG_DefaultCluster"


@pytest.mark.parametrize(
    ("namespace", "name", "inside"),
    [
        ("ns", "t", "ns%t"),
        ("ns", "%RETRY%g", "%RETRY%ns%g"),
        ("ns", "%DLQ%g", "%DLQ%ns%g"),
        ("ns", "nst", "ns%nst"),
        ("ns", "%RETRY%ns", "%RETRY%ns%ns"),
        ("ns", "TBW102", "TBW102"),
        ("ns", "rmq_sys_x", "rmq_sys_x"),
        ("ns", "CID_RMQ_SYS_TRANS", "CID_RMQ_SYS_TRANS"),
        ("ns", "", ""),
        ("", "t", "t"),
        ("", "ns%t", "ns%t"),
        ("", "%RETRY%ns%g", "%RETRY%ns%g"),
    ],
)
def test_namespaces_in_both_directions(namespace: str, name: str, inside: str) -> None:
    assert names.with_namespace(namespace, name) == inside
    assert names.with_namespace(namespace, inside) == inside
    assert names.without_namespace(namespace, inside) == name
