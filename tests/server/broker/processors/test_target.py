"""Where a client may send."""

import pytest

from rmq.server.broker.processors.target import checked_queue, checked_topic
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.errors import InvalidParameterError, NoPermissionError, TopicNotExistError
from tests.kit.broker import Bench, send_header


def test_a_topic_that_exists_is_left_as_it_is(bench: Bench) -> None:
    made = bench.topic("T", 1)
    assert checked_topic(bench.settings.broker, bench.topics, send_header("T", default_topic_queue_nums=4)) is made
    assert (made.read_queue_nums, made.write_queue_nums) == (1, 1)


def test_an_unknown_one_is_made_and_marked_in_units(bench: Bench) -> None:
    broker = bench.settings.broker
    made = checked_topic(broker, bench.topics, send_header("T", default_topic_queue_nums=3))
    assert (made.write_queue_nums, made.topic_sys_flag) == (3, 0)
    assert checked_topic(broker, bench.topics, send_header("U", unit_mode=True)).topic_sys_flag == 1
    assert checked_topic(broker, bench.topics, send_header("%RETRY%G", unit_mode=True)).topic_sys_flag == 2


def test_names_that_are_refused(bench: Bench) -> None:
    broker = bench.settings.broker
    for name, error in (
        ("a b", InvalidParameterError), ("SELF_TEST_TOPIC", NoPermissionError),
    ):  # fmt: skip
        with pytest.raises(error):
            checked_topic(broker, bench.topics, send_header(name))
    with pytest.raises(TopicNotExistError, match=r"topic\[T\] not exist"):
        checked_topic(broker, bench.topics, send_header("T", default_topic="none"))
    bench.topic("O", order=True)
    bench.settings.set("brokerPermission", 4)
    with pytest.raises(NoPermissionError, match="sending message is forbidden"):
        checked_topic(broker, bench.topics, send_header("O"))


def test_queues() -> None:
    topic = TopicConfig("T", read_queue_nums=4, write_queue_nums=2)
    assert [checked_queue(topic, queue_id, "p") for queue_id in (0, 1, 3)] == [0, 1, 3]
    assert {checked_queue(topic, -1, "p") for _ in range(100)} == {0, 1}
    with pytest.raises(InvalidParameterError, match=r"queueId\[4\] is illegal.*Producer: p"):
        checked_queue(topic, 4, "p")
    with pytest.raises(InvalidParameterError):
        checked_queue(TopicConfig("T", read_queue_nums=0, write_queue_nums=0), -1, "p")
