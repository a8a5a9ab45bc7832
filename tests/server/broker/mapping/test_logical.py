"""Logical queues from end to end: sent to, pulled from, measured and committed, on this broker and beyond."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from rmq.remoting.calls import Answer
from rmq.server.broker.mapping.forward import Forwarder
from rmq.wire.bodies.consume import ConsumeStats
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.mapping import LogicQueueMappingItem as Item
from rmq.wire.bodies.mapping import TopicQueueMappingDetail
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.declare import decode_body, decode_header, encode_body, encode_header
from rmq.wire.errors import QueryNotFoundError
from rmq.wire.requests.consumer import GetConsumeStats
from rmq.wire.requests.group import UpdateAndCreateSubscriptionGroup
from rmq.wire.requests.offset import (
    EarliestStoreTimeReply,
    GetEarliestMsgStoretime,
    GetMaxOffset,
    GetMinOffset,
    OffsetReply,
    QueryConsumerOffset,
    SearchOffsetByTimestamp,
    UpdateConsumerOffset,
)
from rmq.wire.requests.pull import PullMessage, PullMessageReply
from rmq.wire.requests.send import SendMessageReply
from tests.kit.broker import EPOCH, Bench, messages, pull_header, send_header

HERE = "broker-a"
NOT_LEADER = int(ResponseCode.NOT_LEADER_FOR_QUEUE)


def static(bench: Bench, *items: Item, number: int = 5) -> None:
    """A topic with one logical queue of these stretches."""
    if "T" not in bench.topics.configs:
        bench.topic("T", 4)
    detail = TopicQueueMappingDetail("T", total_queues=6, bname=HERE, hosted_queues={number: list(items)})
    bench.mappings.details["T"] = detail


def send(bench: Bench, queue_id: int = 5, body: bytes = b"m", **fields: Any) -> SendMessageReply:
    answer = bench.peer().ask(send_header("T", queue_id, **fields), body)
    assert answer.code == 0, answer.remark
    return decode_header(SendMessageReply, answer.ext)


def pull(bench: Bench, offset: int, queue_id: int = 5, **fields: Any) -> tuple[Command, PullMessageReply]:
    answer = bench.peer().ask(pull_header("T", offset, queue_id=queue_id, **fields))
    return answer, decode_header(PullMessageReply, answer.ext)


def bounds(bench: Bench) -> tuple[int, int]:
    """Least and next offset of the logical queue."""
    low, high = (bench.peer().ask(header) for header in (GetMinOffset("T", 5), GetMaxOffset("T", 5)))
    return decode_header(OffsetReply, low.ext).offset, decode_header(OffsetReply, high.ext).offset


def group(bench: Bench) -> None:
    assert bench.peer().ask(UpdateAndCreateSubscriptionGroup(), encode_body(SubscriptionGroupConfig("G"))).code == 0


def test_messages_go_to_the_queue_behind(bench: Bench) -> None:
    static(bench, Item(0, 2, HERE, 0))
    told = [send(bench, queue_id) for queue_id in (5, 5, -1)]
    assert [(reply.queue_id, reply.queue_offset) for reply in told] == [(5, 0), (5, 1), (5, 2)]
    assert bench.store.max_offset("T", 2) == 3
    assert bench.store.max_offset("T", 0) == 0


def test_a_moved_queue_goes_on_at_a_block(bench: Bench) -> None:
    static(bench, Item(0, 2, HERE, 0))
    send(bench, body=b"old")
    static(bench, Item(0, 2, HERE, 0), Item(1, 3, HERE, -1))
    assert send(bench, body=b"between").queue_offset == -1
    assert bounds(bench) == (0, 1)
    static(bench, Item(0, 2, HERE, 0), Item(1, 3, HERE, 10000))
    assert send(bench, body=b"new").queue_offset == 10001
    assert bounds(bench) == (0, 10002)

    first, told = pull(bench, 0)
    assert [message.body for message in messages(first)] == [b"old"]
    assert (told.next_begin_offset, told.min_offset, told.max_offset, told.offset_delta) == (1, 0, 10000, 0)
    end, told = pull(bench, 1)
    assert (end.code, told.next_begin_offset) == (ResponseCode.PULL_RETRY_IMMEDIATELY, 10000)
    rest, told = pull(bench, 10000)
    assert [(message.body, message.queue_offset) for message in messages(rest)] == [(b"between", 0), (b"new", 1)]
    assert (told.next_begin_offset, told.min_offset, told.max_offset, told.offset_delta) == (10002, 10000, 10002, 10000)


def test_a_pull_waits_at_the_end_of_the_last_stretch(bench: Bench) -> None:
    static(bench, Item(0, 1, HERE, 0), Item(1, 3, HERE, 10000))
    peer = bench.peer()
    peer.send(Command(11, encode_header(pull_header("T", 10000, queue_id=5, sys_flag=6)), opaque=7))
    assert peer.answers() == []
    send(bench, body=b"new")
    (answer,) = peer.answers()
    assert (answer.opaque, [message.body for message in messages(answer)]) == (7, [b"new"])
    assert decode_header(PullMessageReply, answer.ext).next_begin_offset == 10001


def test_physical_queues_stay_reachable(bench: Bench) -> None:
    static(bench, Item(0, 1, HERE, 0), Item(1, 3, HERE, 10000))
    send(bench, body=b"new")
    header = pull_header("T", 0, queue_id=3)
    header.lo = False
    answer = bench.peer().ask(header)
    assert [message.body for message in messages(answer)] == [b"new"]
    assert decode_header(PullMessageReply, answer.ext).offset_delta is None
    physical = bench.peer().ask(GetMaxOffset("T", 3, lo=False))
    assert decode_header(OffsetReply, physical.ext).offset == 1


@pytest.mark.parametrize(
    "header",
    [
        send_header("T", 4),
        pull_header("T", 0, queue_id=4),
        GetMaxOffset("T", 4),
        GetMinOffset("T", 4),
        SearchOffsetByTimestamp("T", 4, 0),
        GetEarliestMsgStoretime("T", 4),
        QueryConsumerOffset("G", "T", 4),
        UpdateConsumerOffset("G", "T", 4, 0),
    ],
)
def test_queues_that_are_led_elsewhere(bench: Bench, header: Any) -> None:
    static(bench, Item(0, 1, HERE, 0))
    answer = bench.peer().ask(header, b"x")
    assert answer.code == NOT_LEADER
    assert answer.remark == "T-4 does not exit in request process of current broker broker-a"


def test_groups_offsets_are_kept_where_the_message_lies(bench: Bench) -> None:
    group(bench)
    static(bench, Item(0, 2, HERE, 0), Item(1, 3, HERE, 10000))
    assert bench.peer().ask(QueryConsumerOffset("G", "T", 5)).code == ResponseCode.QUERY_NOT_FOUND
    for offset, kept in ((7, {2: 7}), (10003, {2: 7, 3: 3})):
        assert bench.peer().ask(UpdateConsumerOffset("G", "T", 5, offset)).code == 0
        assert dict(bench.offsets.queues("G", "T")) == kept
        answer = bench.peer().ask(QueryConsumerOffset("G", "T", 5))
        assert decode_header(OffsetReply, answer.ext).offset == offset


def test_a_groups_progress_tells_where_it_never_was(bench: Bench) -> None:
    group(bench)
    static(bench, Item(0, 2, HERE, 0), Item(1, 3, HERE, 10000))
    bench.offsets.commit("G", "T", 2, 7)

    def progress() -> dict[int, int]:
        stats = decode_body(ConsumeStats, bench.peer().ask(GetConsumeStats("G", "T")).body)
        return {queue.queue_id: told.consumer_offset for queue, told in sorted(stats.offset_table.items())}

    assert progress() == {0: -1, 1: -1, 2: 7, 3: -1}
    bench.mappings.details.clear()
    assert progress() == {0: 0, 1: 0, 2: 7, 3: 0}


def test_a_pull_commits_only_in_its_own_stretch(bench: Bench) -> None:
    group(bench)
    static(bench, Item(0, 2, HERE, 0), Item(1, 3, HERE, 10000))
    send(bench)
    pull(bench, 10000, sys_flag=5, commit_offset=1)
    assert dict(bench.offsets.queues("G", "T")) == {}
    pull(bench, 10000, sys_flag=5, commit_offset=10000)
    assert dict(bench.offsets.queues("G", "T")) == {3: 0}


def test_a_new_group_begins_as_in_an_ordinary_queue(bench: Bench) -> None:
    group(bench)
    static(bench, Item(0, 2, HERE, 0))
    send(bench)
    answer = bench.peer().ask(QueryConsumerOffset("G", "T", 5))
    assert (answer.code, decode_header(OffsetReply, answer.ext).offset) == (0, 0)


def test_times(bench: Bench) -> None:
    static(bench, Item(0, 2, HERE, 0))
    send(bench)
    bench.clock.advance(10)
    send(bench)
    static(bench, Item(0, 2, HERE, 0), Item(1, 3, HERE, 10000))
    bench.clock.advance(10)
    send(bench)

    def at(seconds: int) -> int:
        answer = bench.peer().ask(SearchOffsetByTimestamp("T", 5, (EPOCH + seconds) * 1000))
        return decode_header(OffsetReply, answer.ext).offset

    assert [at(seconds) for seconds in (-5, 0, 10, 15, 20)] == [0, 0, 1, 10000, 10000]
    earliest = bench.peer().ask(GetEarliestMsgStoretime("T", 5))
    assert decode_header(EarliestStoreTimeReply, earliest.ext).timestamp == EPOCH * 1000


# --- stretches on another broker -----------------------------------------------------------------------------------


class Other:
    """Stands for the forwarder to broker-b, where queue 7 holds ten messages and the group has come to the fourth."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def call(self, topic: str, broker: str, header: Any, *, accept: frozenset[int] = frozenset({0})) -> Deferred[Any]:
        assert (topic, broker, header.queue_id, header.lo) == ("T", "broker-b", 7, False)
        self.asked.append(header)
        kind = type(header)
        if kind is QueryConsumerOffset and header.consumer_group == "new":
            return fail(QueryNotFoundError("Not found"))
        if kind is UpdateConsumerOffset:
            return succeed(Answer(kind, Command(0), "b:1"))
        reply: Any = PullMessageReply(0, 4, 2, 10) if kind is PullMessage else None
        if kind is GetEarliestMsgStoretime:
            reply = EarliestStoreTimeReply(123)
        offsets = {GetMinOffset: 2, GetMaxOffset: 10, QueryConsumerOffset: 4, SearchOffsetByTimestamp: 6}
        reply = reply or OffsetReply(offsets[kind])
        return succeed(Answer(kind, Command(0, encode_header(reply), b""), "b:1"))


@pytest.fixture
def other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Other:
    """The logical queue began on broker-b and goes on here."""
    static(bench, Item(0, 7, "broker-b", 0), Item(1, 3, HERE, 10000))
    made = Other()
    monkeypatch.setattr(Forwarder, "call", lambda self, *words, **more: made.call(*words, **more))
    return made


def test_bounds_and_times_over_brokers(bench: Bench, other: Other) -> None:
    send(bench)
    assert bounds(bench) == (2, 10001)
    answer = bench.peer().ask(SearchOffsetByTimestamp("T", 5, 0))
    assert decode_header(OffsetReply, answer.ext).offset == 6
    answer = bench.peer().ask(GetEarliestMsgStoretime("T", 5))
    assert decode_header(EarliestStoreTimeReply, answer.ext).timestamp == 123


def test_offsets_over_brokers(bench: Bench, other: Other) -> None:
    group(bench)
    assert bench.peer().ask(UpdateConsumerOffset("G", "T", 5, 9)).code == 0
    assert (other.asked[-1].commit_offset, dict(bench.offsets.queues("G", "T"))) == (9, {})
    answer = bench.peer().ask(QueryConsumerOffset("G", "T", 5))
    assert decode_header(OffsetReply, answer.ext).offset == 4
    assert bench.peer().ask(QueryConsumerOffset("new", "T", 5)).code == ResponseCode.QUERY_NOT_FOUND


def test_pulls_over_brokers(bench: Bench, other: Other) -> None:
    answer, told = pull(bench, 3)
    assert (answer.code, told.next_begin_offset, told.min_offset, told.max_offset) == (0, 4, 2, 10000)
    assert other.asked[-1].queue_offset == 3


def test_a_pull_that_waited_may_have_to_go_elsewhere(bench: Bench, other: Other) -> None:
    static(bench, Item(0, 3, HERE, 0))
    peer = bench.peer()
    peer.send(Command(11, encode_header(pull_header("T", 0, queue_id=5, sys_flag=6)), opaque=7))
    static(bench, Item(0, 7, "broker-b", 0), Item(1, 3, HERE, 10000))
    bench.hold.notify_all("T")
    (answer,) = peer.answers()
    assert (answer.opaque, answer.code) == (7, 0)
