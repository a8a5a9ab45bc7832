"""Pulls from logical queues: from stretch to stretch, in logical offsets."""

import pytest
from twisted.internet.defer import Deferred, succeed

from rmq.remoting.calls import Answer
from rmq.server.broker.mapping.pulls import Bounds, LogicalPull, pull_elsewhere
from rmq.server.broker.mapping.queues import LogicalQueue
from rmq.wire.bodies.mapping import LogicQueueMappingItem as Item
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command, decode
from rmq.wire.declare import decode_header, encode_header
from rmq.wire.requests.pull import PullMessage, PullMessageReply
from tests.kit.broker import pull_header

FOUND, NOT_FOUND = int(ResponseCode.SUCCESS), int(ResponseCode.PULL_NOT_FOUND)
RETRY, MOVED = int(ResponseCode.PULL_RETRY_IMMEDIATELY), int(ResponseCode.PULL_OFFSET_MOVED)

OLD, MIDDLE, NEW = Item(0, 3, "b", 0), Item(1, 0, "c", 10000), Item(2, 1, "a", 20000)
QUEUE = LogicalQueue(0, [OLD, MIDDLE, NEW])
MOVING = LogicalQueue(0, [OLD, Item(1, 1, "a", -1)])


def test_a_pull_is_from_the_stretch_of_its_offset() -> None:
    pulls = [LogicalPull.of(QUEUE, offset) for offset in (7, 10007, 20007)]
    assert [(pull.item, pull.offset) for pull in pulls] == [(OLD, 7), (MIDDLE, 7), (NEW, 7)]
    assert [pulls[1].committed(offset) for offset in (-1, 9999, 10003, 20000)] == [-1, -1, 3, -1]


@pytest.mark.parametrize(
    ("asked", "code", "found", "told"),
    [
        # Found: everything is shifted, and the end is at least where the last stretch begins.
        (7, FOUND, (9, 2, 50), (FOUND, (9, 2, 20000), 0)),
        (20007, FOUND, (9, 2, 50), (FOUND, (20009, 20002, 20050), 20000)),
        # At the end of an old stretch the next one follows.
        (50, NOT_FOUND, (50, 0, 50), (RETRY, (10000, 10000, 20000), 10000)),
        (10050, NOT_FOUND, (50, 0, 50), (RETRY, (20000, 20000, 20000), 20000)),
        (90, MOVED, (50, 0, 50), (RETRY, (10000, 10000, 20000), 10000)),
        # The last one is like any queue.
        (20050, NOT_FOUND, (50, 0, 50), (NOT_FOUND, (20050, 20000, 20050), 20000)),
        (20099, MOVED, (50, 0, 50), (MOVED, (20050, 20000, 20050), 20000)),
        # Old messages are gone: at the very beginning the reader is told, elsewhere it goes on.
        (3, MOVED, (10, 10, 50), (MOVED, (10, 10, 20000), 0)),
        (10003, MOVED, (10, 10, 50), (RETRY, (10010, 10010, 20000), 10000)),
        # Nothing of what is there is wanted.
        (7, RETRY, (20, 0, 50), (RETRY, (20, 0, 20000), 0)),
    ],
)
def test_answers(asked: int, code: int, found: tuple[int, int, int], told: object) -> None:
    assert LogicalPull.of(QUEUE, asked).answered(code, Bounds(*found)) == told


def test_the_end_of_a_stretch_is_waited_for_while_the_next_one_is_undecided() -> None:
    pull = LogicalPull.of(MOVING, 50)
    assert pull.answered(NOT_FOUND, Bounds(50, 0, 50)) == (NOT_FOUND, (50, 0, 50), 0)


def test_an_operators_wish_stands() -> None:
    pull = LogicalPull.of(QUEUE, 20099)
    assert pull.answered(MOVED, Bounds(5, 0, 50), settled=True) == (MOVED, (20005, 20000, 20050), 20000)


def test_a_known_end_is_not_passed() -> None:
    queue = LogicalQueue(0, [Item(0, 0, "a", 0, end_offset=40), Item(1, 1, "a", 10000)])
    assert LogicalPull.of(queue, 7).answered(FOUND, Bounds(45, 0, 50))[1].next_begin == 40


class Other:
    """The broker that has the stretch."""

    def __init__(self, code: int, bounds: tuple[int, int, int]) -> None:
        self.asked: list[tuple[str, str, PullMessage]] = []
        next_begin, low, high = bounds
        ext = encode_header(PullMessageReply(0, next_begin, low, high))
        self._answer = Answer(PullMessage, Command(code, ext, b"records", remark="x"), "10.0.0.2:1")

    def call(self, topic: str, broker: str, header: PullMessage, *, accept: frozenset[int]) -> Deferred[Answer]:
        self.asked.append((topic, broker, header))
        assert self._answer.code in accept
        return succeed(self._answer)


@pytest.mark.parametrize(("code", "body"), [(FOUND, b"records"), (NOT_FOUND, b"")])
def test_a_stretch_on_another_broker(code: int, body: bytes) -> None:
    other = Other(code, (9, 0, 50))
    command = Command(11, encode_header(pull_header("T", 10007, queue_id=0, sys_flag=7)), opaque=77)
    frames: list[bytes] = []
    pull_elsewhere(other, command, "T", LogicalPull.of(QUEUE, 10007)).addCallback(frames.append)  # type: ignore[arg-type]
    reply = decode(frames[0], 4, len(frames[0]))
    ((topic, broker, header),) = other.asked
    assert (topic, broker) == ("T", "c")
    # Neither may it wait there, nor commit.
    assert (header.queue_id, header.queue_offset, header.sys_flag) == (0, 7, 4)
    assert (header.broker_name, header.lo) == ("c", False)
    assert (reply.code, reply.opaque, reply.flag & 1, reply.body, reply.remark) == (code, 77, 1, body, "x")
    told = decode_header(PullMessageReply, reply.ext)
    assert (told.next_begin_offset, told.min_offset, told.max_offset) == (10009, 10000, 20000)
    assert told.offset_delta == 10000
