"""What a pop takes, where it begins, and what it commits."""

from pathlib import Path

import pytest

from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.message import PROPERTY_TAGS
from tests.kit.broker import EPOCH, Bench, messages
from tests.kit.pops import ack, bodies, committed, fill, handle_of, pass_time, pop, reply_of, start_pop

NOW = EPOCH * 1000


def test_one_queue(bench: Bench) -> None:
    bench.topic("T", 2)
    fill(bench, 5, queue_id=1)
    answer = pop(bench, queue_id=1, max_msg_nums=3, invisible_time=30_000)
    assert (answer.code, answer.remark, bodies(answer)) == (0, "FOUND", [b"0", b"1", b"2"])
    assert answer.ext == {
        "popTime": str(NOW), "invisibleTime": "30000", "reviveQid": "0", "restNum": "2", "startOffsetInfo": "0 1 0",
        "msgOffsetInfo": "0 1 0,1,2",
    }  # fmt: skip
    assert committed(bench) == {1: 3}
    answer = pop(bench, queue_id=1)
    assert (bodies(answer), reply_of(answer).revive_qid, reply_of(answer).start_offset_info) == (
        [b"3", b"4"], 1, "0 1 3",
    )  # fmt: skip
    assert pop(bench, queue_id=1).code == 210


def test_all_queues_until_there_is_enough(bench: Bench) -> None:
    bench.topic("T", 3)
    for queue_id in range(3):
        fill(bench, 4, queue_id=queue_id)
    first = pop(bench, max_msg_nums=6)
    assert (len(bodies(first)), reply_of(first).rest_num) == (6, 6)
    entries = [entry.split(" ")[1:] for entry in (reply_of(first).msg_offset_info or "").split(";")]
    assert [offsets for _, offsets in entries] == ["0,1,2,3", "0,1"]
    second = pop(bench)
    assert (len(bodies(second)), reply_of(second).rest_num) == (6, 0)
    found = [(m.queue_id, m.queue_offset) for answer in (first, second) for m in messages(answer)]
    assert sorted(found) == [(queue, offset) for queue in range(3) for offset in range(4)]
    assert sorted(committed(bench).items()) == [(0, 4), (1, 4), (2, 4)]


def test_tags_leave_gaps(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 9, tags="abc")
    answer = pop(bench, exp="b || c", max_msg_nums=4)
    assert bodies(answer) == [b"1", b"2", b"4", b"5"]
    assert answer.ext["msgOffsetInfo"] == "0 0 1,2,4,5"
    assert committed(bench) == {0: 7}
    assert [m.properties[PROPERTY_TAGS] for m in messages(answer)] == ["b", "c", "b", "c"]
    answer = pop(bench, exp="x")
    assert (answer.code, bodies(answer)) == (210, [])
    assert committed(bench) == {0: 9}


@pytest.mark.parametrize(
    ("init_mode", "in_memory", "first"), [(0, True, b"0"), (1, True, b"0"), (1, False, b"4"), (0, False, b"0")]
)
def test_where_a_new_group_begins(bench: Bench, init_mode: int, in_memory: bool, first: bytes) -> None:
    bench.topic("T", 1)
    bench.settings.broker.init_pop_offset_by_check_msg_in_mem = in_memory
    fill(bench, 5)
    assert bodies(pop(bench, init_mode=init_mode))[0] == first


def test_a_pulling_groups_offset_counts(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 5)
    bench.offsets.commit("G", "T", 0, 3)
    assert bodies(pop(bench)) == [b"3", b"4"]


@pytest.mark.parametrize("offset", [9, -5])
def test_offsets_outside_of_the_queue(bench: Bench, offset: int) -> None:
    bench.topic("T", 1)
    fill(bench, 5)
    bench.offsets.commit("G", "T", 0, offset)
    expected = [] if offset > 0 else [b"0", b"1", b"2", b"3", b"4"]
    assert bodies(pop(bench)) == expected
    assert committed(bench) == {0: 5}


def test_an_operators_reset(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 5)
    pop(bench)
    bench.offsets.reset("G", "T", 0, 2)
    assert bodies(pop(bench)) == [b"2", b"3", b"4"]
    assert committed(bench) == {0: 5}


def test_messages_to_try_again_look_like_the_topics_own(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 2)
    pop(bench, invisible_time=5000)
    pass_time(bench, 9)
    answer = pop(bench)
    assert [(m.topic, m.queue_id, m.queue_offset, m.reconsume_times) for m in messages(answer)] == [
        ("T", 0, 0, 1), ("T", 0, 1, 1),
    ]  # fmt: skip
    assert (answer.ext["startOffsetInfo"], answer.ext["msgOffsetInfo"]) == ("1 0 0", "1 0 0,1")
    handle = handle_of(answer, messages(answer)[1])
    assert handle == (0, bench.now(), 60_000, int(answer.ext["reviveQid"]), "1", "broker-a", 0, 1)
    assert ack(bench, answer, messages(answer)[1]).code == 0
    pass_time(bench, 70)
    answer = pop(bench)
    assert [(m.body, m.reconsume_times) for m in messages(answer)] == [(b"0", 2)]


def test_messages_to_try_again_as_they_are(bench: Bench) -> None:
    bench.topic("T", 1)
    bench.settings.broker.pop_response_return_actual_retry_topic = True
    fill(bench, 1)
    pop(bench, invisible_time=5000)
    pass_time(bench, 9)
    (message,) = messages(pop(bench))
    assert (message.topic, message.properties.get("POP_CK")) == ("%RETRY%G_T", None)


@pytest.mark.parametrize(("probability", "first"), [(0, "0 0 0;1 0 0"), (100, "1 0 0;0 0 0")])
def test_which_comes_first(bench: Bench, probability: int, first: str) -> None:
    bench.settings.broker.pop_from_retry_probability = probability
    for topic in ("T", "%RETRY%G_T"):
        bench.topics.put(TopicConfig(topic, read_queue_nums=1, write_queue_nums=1))
        fill(bench, 1, topic)
    assert pop(bench).ext["startOffsetInfo"] == first


def test_the_new_name_of_retry_topics(bench: Bench) -> None:
    """Both are read, but never in one pop: a handle could not tell them apart."""
    bench.settings.broker.enable_retry_topic_v2 = True
    for topic in ("T", "%RETRY%G_T", "%RETRY%G+T"):
        bench.topics.put(TopicConfig(topic, read_queue_nums=1, write_queue_nums=1))
        fill(bench, 40, topic)
    kinds = [{entry[0] for entry in pop(bench, max_msg_nums=1).ext["startOffsetInfo"].split(";")} for _ in range(60)]
    assert {kind for each in kinds for kind in each} == {"0", "1", "2"}
    assert not any({"1", "2"} <= each for each in kinds)


def test_a_group_that_acknowledges_nothing_is_held_back(bench: Bench) -> None:
    bench.topic("T", 1)
    bench.settings.broker.enable_pop_message_threshold = True
    bench.settings.broker.pop_inflight_message_threshold = 2
    fill(bench, 10)
    answer = pop(bench, max_msg_nums=3)
    held = pop(bench)
    assert (held.code, held.ext["restNum"]) == (210, "7")
    waiting = bench.peer()
    assert start_pop(waiting) == []
    ack(bench, answer, messages(answer)[0])
    bench.clock.advance(0)
    assert [len(bodies(answer)) for answer in waiting.answers()] == [7]


def test_a_store_that_is_full_hands_out_nothing_it_would_forget(tmp_path: Path) -> None:
    bench = Bench(tmp_path, popCkMaxBufferSize="0")
    bench.topic("T", 1)
    fill(bench, 3)
    bench.store._set_disk_full(True)
    answer = pop(bench)
    assert (answer.code, answer.ext["restNum"], bodies(answer)) == (210, "3", [])
    bench.store._set_disk_full(False)
    assert len(bodies(pop(bench))) == 3
    bench.close()
