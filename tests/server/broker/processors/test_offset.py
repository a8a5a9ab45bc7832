"""Offsets of groups, and the ends of queues."""

import json

import pytest

from rmq.wire import fastjson
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.command import Command
from rmq.wire.declare import encode_header
from rmq.wire.requests.offset import (
    GetAllConsumerOffset,
    GetEarliestMsgStoretime,
    GetMaxOffset,
    GetMinOffset,
    QueryConsumerOffset,
    QueryCorrectionOffset,
    SearchOffsetByTimestamp,
    UpdateConsumerOffset,
)
from tests.kit.broker import EPOCH, Bench, send_header

BOOT_FIRST = "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first"


def send(bench: Bench, count: int = 1, queue_id: int = 0) -> None:
    peer = bench.peer()
    for _ in range(count):
        assert peer.ask(send_header("T", queue_id), b"x").code == 0
        bench.clock.advance(1)


@pytest.mark.parametrize("zero", [None, True])
def test_a_group_without_an_offset_begins_at_zero_while_the_whole_queue_is_in_memory(
    bench: Bench, zero: bool | None
) -> None:
    bench.topic("T")
    peer = bench.peer()
    query = QueryConsumerOffset("G", "T", 0, zero)
    answer = peer.ask(query)
    assert (answer.code, answer.remark) == (22, BOOT_FIRST)
    send(bench)
    answer = peer.ask(query)
    assert (answer.code, answer.ext) == (0, {"offset": "0"})


def test_not_if_it_wants_to_know(bench: Bench) -> None:
    bench.topic("T")
    send(bench)
    answer = bench.peer().ask(QueryConsumerOffset("G", "T", 0, False))
    assert (answer.code, answer.remark) == (22, "Not found, do not set to zero, maybe this group boot first")


def test_not_if_the_queue_is_cold_or_has_lost_its_head(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.topic("T")
    send(bench)
    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "in_memory_at", lambda *args: False)
        assert bench.peer().ask(QueryConsumerOffset("G", "T", 0)).code == 22
    monkeypatch.setattr(bench.store, "min_offset", lambda *args: 1)
    assert bench.peer().ask(QueryConsumerOffset("G", "T", 0)).remark == BOOT_FIRST


def test_what_is_committed_is_answered_even_zero_and_smaller(bench: Bench) -> None:
    bench.topic("T")
    bench.groups.find("G")
    peer = bench.peer()
    for offset in (7, 3, 0):
        answer = peer.ask(UpdateConsumerOffset("G", "T", 1, offset))
        assert (answer.code, answer.remark, answer.body) == (0, None, b"")
        assert peer.ask(QueryConsumerOffset("G", "T", 1, False)).ext == {"offset": str(offset)}


def test_commits_are_refused_for_what_does_not_exist(bench: Bench) -> None:
    peer = bench.peer()
    answer = peer.ask(UpdateConsumerOffset("G", "T", 0, 1))
    assert (answer.code, answer.remark) == (26, "Group G not exist!")
    bench.groups.find("G")
    answer = peer.ask(UpdateConsumerOffset("G", "T", 0, 1))
    assert (answer.code, answer.remark) == (17, "Topic T not exist!")
    bench.topic("T")
    for queue_id, offset in ((-1, 1), (4, 1), ((1 << 31) - 1, 1), (0, -1)):
        answer = peer.ask(UpdateConsumerOffset("G", "T", queue_id, offset))
        assert (answer.code, answer.remark) == (
            29, f"topic[T] has no queue {queue_id}, or offset {offset} is negative",
        )  # fmt: skip
    assert bench.offsets.groups() == set()


def test_a_queue_that_was_taken_away_can_be_committed_while_it_holds_messages(bench: Bench) -> None:
    bench.topic("T", 16)
    bench.groups.find("G")
    send(bench, queue_id=12)
    bench.topics.put(TopicConfig("T", 8, 8))
    peer = bench.peer()
    assert peer.ask(UpdateConsumerOffset("G", "T", 12, 1)).code == 0
    assert peer.ask(UpdateConsumerOffset("G", "T", 13, 1)).code == 29


def test_commits_wait_while_a_reset_does(bench: Bench) -> None:
    bench.topic("T")
    bench.groups.find("G")
    bench.offsets.reset("G", "T", 0, 2)
    peer = bench.peer()
    answer = peer.ask(UpdateConsumerOffset("G", "T", 0, 9))
    assert (answer.code, answer.remark) == (0, "Offset has been previously reset")
    assert peer.ask(QueryConsumerOffset("G", "T", 0)).ext == {"offset": "2"}


def test_resets_that_do_not_count_hold_nothing_up(bench: Bench) -> None:
    bench.settings.set("useServerSideResetOffset", False)
    bench.topic("T")
    bench.groups.find("G")
    bench.offsets.reset("G", "T", 0, 2)
    peer = bench.peer()
    answer = peer.ask(UpdateConsumerOffset("G", "T", 0, 9))
    assert (answer.code, answer.remark) == (0, None)
    assert peer.ask(QueryConsumerOffset("G", "T", 0)).ext == {"offset": "9"}


def test_one_way_commits_count_and_are_not_answered(bench: Bench) -> None:
    bench.topic("T")
    bench.groups.find("G")
    peer = bench.peer()
    for group in ("G", "unknown"):
        peer.send(Command(15, encode_header(UpdateConsumerOffset(group, "T", 0, 5)), flag=2))
    assert peer.answers() == []
    assert bench.offsets.query("G", "T", 0) == 5


def test_all_offsets(bench: Bench) -> None:
    bench.offsets.commit("G", "T", 0, 5)
    body = bench.peer().ask(GetAllConsumerOffset()).body
    assert json.loads(body.replace(b"{0:", b'{"0":'))["offsetTable"] == {"T@G": {"0": 5}}


def test_the_least_offset_of_all_groups(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for group, topic, queue_id, offset in (
        ("G", "T", 0, 5), ("H", "T", 0, 3), ("I", "T", 0, 1), ("G", "T", 1, 7), ("H", "U", 1, 2), ("H", "T", 2, 4),
    ):  # fmt: skip
        bench.offsets.commit(group, topic, queue_id, offset)
    monkeypatch.setattr(bench.store, "min_offset", lambda topic, queue_id: 2)

    def correction(group: str, without: str | None = None) -> dict[str, int]:
        body = bench.peer().ask(QueryCorrectionOffset(group, "T", without)).body
        return {str(queue_id): offset for queue_id, offset in fastjson.loads(body)["correctionOffsets"].items()}

    assert correction("G") == {"0": 3, "1": 7, "2": 4}
    assert correction("G", "X,H") == {"0": 5, "1": 7}
    assert correction("I", "") == {"0": (1 << 63) - 1, "1": 7, "2": 4}
    assert correction("H", "H") == {"0": (1 << 63) - 1, "1": 7}
    assert bench.offsets.queues("H", "T") == {0: 3, 2: 4}


def test_ends_of_queues(bench: Bench) -> None:
    bench.topic("T")
    send(bench, 3)
    peer = bench.peer()
    assert peer.ask(GetMaxOffset("T", 0)).ext == {"offset": "3"}
    assert peer.ask(GetMinOffset("T", 0)).ext == {"offset": "0"}
    assert peer.ask(GetEarliestMsgStoretime("T", 0)).ext == {"timestamp": str(EPOCH * 1000)}
    assert peer.ask(GetMaxOffset("T", 1)).ext == {"offset": "0"}
    assert peer.ask(GetEarliestMsgStoretime("none", 1)).ext == {"timestamp": "-1"}


@pytest.mark.parametrize(
    ("seconds", "boundary", "offset"),
    [(-1, None, 0), (0, None, 0), (0.5, "lower", 1), (2, "LOWER", 2), (9, None, 3), (1, "upper", 1), (1.5, "UPPER", 1)],
)
def test_offsets_by_time(bench: Bench, seconds: float, boundary: str | None, offset: int) -> None:
    bench.topic("T")
    send(bench, 3)
    time = int((EPOCH + seconds) * 1000)
    answer = bench.peer().ask(SearchOffsetByTimestamp("T", 0, time, boundary))
    assert answer.ext == {"offset": str(offset)}
