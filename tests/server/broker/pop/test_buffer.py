"""Check points on their way into the revive log, and what is committed when."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmq.server.broker.pop.buffer import CheckPointBuffer
from rmq.wire.bodies.pop import AckRecord, PopCheckPoint
from rmq.wire.requests.topic import DeleteTopicInBroker
from tests.kit.broker import EPOCH, Bench
from tests.kit.pops import bodies, committed, fill, pop, revive_log

NOW = EPOCH * 1000


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Check points wait in memory."""
    made = Bench(tmp_path, enablePopBufferMerge="true")
    made.topic("T")
    made.groups.find("G")
    yield made
    made.close()


@pytest.fixture
def buffer(bench: Bench) -> CheckPointBuffer:
    return bench.pops.buffer


def point(start: int, num: int = 2, *, invisible: int = 60_000, topic: str = "T", time: int = NOW) -> PopCheckPoint:
    return PopCheckPoint(
        start, time, invisible, num=num, topic=topic, group="G", queue_offset_diff=list(range(num)),
        broker_name="broker-a",
    )  # fmt: skip


def ack_of(of: PopCheckPoint, *offsets: int) -> AckRecord:
    return AckRecord(-1, of.start_offset, "G", of.topic, 0, of.pop_time, "broker-a", list(offsets))


def logged(bench: Bench) -> list[tuple[int, str, int, object]]:
    """Queue, tag, start offset and acknowledged offsets."""
    found = []
    for queue_id, tag, text in revive_log(bench):
        record = json.loads(text)
        found.append((queue_id, tag, record["so"], record.get("aol", record.get("ao"))))
    return found


def test_without_merging_nothing_waits(bench: Bench, buffer: CheckPointBuffer) -> None:
    bench.settings.broker.enable_pop_buffer_merge = False
    assert buffer.add(point(0), 3, 2)
    assert (len(buffer), buffer.latest("T", "G", 0), committed(bench)) == (0, -1, {0: 2})
    assert logged(bench) == [(3, "ck", 0, None)]
    assert not buffer.acknowledge(ack_of(point(0), 0))


def test_what_is_acknowledged_in_time_is_never_stored(bench: Bench, buffer: CheckPointBuffer) -> None:
    first = point(0)
    assert buffer.add(first, 3, 2)
    assert (len(buffer), buffer.latest("T", "G", 0), committed(bench)) == (1, 2, {})
    assert buffer.acknowledge(ack_of(first, 0))
    assert (len(buffer), committed(bench)) == (1, {})
    assert buffer.acknowledge(ack_of(first, 1, 77))
    assert (len(buffer), buffer.latest("T", "G", 0), committed(bench)) == (0, -1, {0: 2})
    bench.clock.advance(100)
    assert logged(bench) == []


def test_offsets_are_committed_in_order(bench: Bench, buffer: CheckPointBuffer) -> None:
    first, second, third = point(0), point(2), point(4)
    for each in (first, second, third):
        assert buffer.add(each, 0, each.start_offset + 2)
    buffer.advance("T", "G", 0, 9)
    assert buffer.latest("T", "G", 0) == 9
    buffer.acknowledge(ack_of(second, 2, 3))
    assert committed(bench) == {}
    buffer.acknowledge(ack_of(first, 0, 1))
    assert committed(bench) == {0: 4}
    buffer.acknowledge(ack_of(third, 4, 5))
    assert (committed(bench), buffer.latest("T", "G", 0)) == ({0: 9}, -1)


@pytest.mark.parametrize(("batches", "acks"), [(True, [("bAck", [0, 2])]), (False, [("ack", 0), ("ack", 2)])])
def test_what_is_not_acknowledged_in_time_is_stored(
    bench: Bench, buffer: CheckPointBuffer, batches: bool, acks: list[tuple[str, object]]
) -> None:
    bench.settings.broker.enable_pop_batch_ack = batches
    first = point(0, 3)
    buffer.add(first, 5, 3)
    buffer.acknowledge(ack_of(first, 0, 2))
    bench.clock.advance(9.8)
    assert (logged(bench), committed(bench)) == ([], {})
    bench.clock.advance(0.4)
    assert logged(bench) == [(5, "ck", 0, None), *((5, tag, 0, what) for tag, what in acks)]
    assert (len(buffer), committed(bench)) == (0, {0: 3})
    assert not buffer.acknowledge(ack_of(first, 1))


def test_short_invisible_times(bench: Bench, buffer: CheckPointBuffer) -> None:
    """Stored three seconds before the end; at once when that is near."""
    buffer.add(point(0, invisible=6000), 0, 2)
    buffer.add(point(2, invisible=4400), 0, 4)
    assert logged(bench) == [(0, "ck", 2, None)]
    assert committed(bench) == {}
    bench.clock.advance(3.2)
    assert (logged(bench), committed(bench)) == ([(0, "ck", 2, None), (0, "ck", 0, None)], {0: 4})


def test_limits(bench: Bench, buffer: CheckPointBuffer) -> None:
    bench.settings.broker.pop_ck_max_buffer_size = 2
    for start in (0, 2, 4):
        assert buffer.add(point(start), 0, start + 2)
    assert (len(buffer), logged(bench)) == (2, [(0, "ck", 4, None)])
    bench.settings.broker.pop_ck_max_buffer_size = 200
    bench.settings.broker.pop_ck_offset_max_queue_size = 3
    assert buffer.add(point(6), 0, 8)
    assert (len(buffer), logged(bench)[1:]) == (2, [(0, "ck", 6, None)])


def test_the_same_pop_twice(buffer: CheckPointBuffer) -> None:
    assert buffer.add(point(0), 0, 2)
    assert not buffer.add(point(0), 1, 2)


def test_a_reset_forgets_the_line(bench: Bench, buffer: CheckPointBuffer) -> None:
    first = point(0)
    buffer.add(first, 0, 2)
    buffer.forget("T", "G", 0)
    assert buffer.latest("T", "G", 0) == -1
    buffer.acknowledge(ack_of(first, 0, 1))
    assert (len(buffer), committed(bench)) == (0, {})


def test_a_topic_that_is_gone_gets_no_offsets(bench: Bench, buffer: CheckPointBuffer) -> None:
    first = point(0, topic="U")
    buffer.add(first, 0, 2)
    buffer.acknowledge(ack_of(first, 0, 1))
    assert (len(buffer), committed(bench, "U")) == (0, {})


def test_the_end_stores_everything(bench: Bench, buffer: CheckPointBuffer) -> None:
    first = point(0)
    buffer.add(first, 0, 2)
    buffer.acknowledge(ack_of(first, 1))
    bench.pops.stop()
    assert (logged(bench), committed(bench)) == ([(0, "ck", 0, None), (0, "ack", 0, 1)], {0: 2})


def test_a_store_that_is_full(bench: Bench, buffer: CheckPointBuffer) -> None:
    """The check point waits, acknowledgements too, and the offset stays behind; all of it is stored when it can be."""
    bench.settings.broker.enable_pop_buffer_merge = False
    bench.store._set_disk_full(True)
    first = point(0)
    assert buffer.add(first, 4, 2)
    assert (len(buffer), committed(bench)) == (1, {})
    assert buffer.acknowledge(ack_of(first, 1))
    bench.clock.advance(5)
    assert (len(buffer), committed(bench)) == (1, {})
    bench.store._set_disk_full(False)
    bench.clock.advance(1.1)
    assert logged(bench) == [(4, "ck", 0, None), (4, "ack", 0, 1)]
    assert (len(buffer), committed(bench)) == (0, {0: 2})


def test_a_topic_that_is_deleted_leaves_nothing_to_the_next(bench: Bench, buffer: CheckPointBuffer) -> None:
    """Another topic of that name begins at its own start."""
    fill(bench, 4)
    first = pop(bench, max_msg_nums=2)
    assert bench.peer().ask(DeleteTopicInBroker("T")).code == 0
    bench.topic("T")
    fill(bench, 4)
    bench.clock.advance(11)
    assert committed(bench) == {}
    assert bodies(pop(bench)) == [b"0", b"1", b"2", b"3"]
    assert bodies(first) == [b"0", b"1"]


def test_a_failure_while_storing_keeps_the_check_point(
    bench: Bench, buffer: CheckPointBuffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer.add(point(0), 0, 2)
    with monkeypatch.context() as broken:
        broken.setattr(bench.store, "append", _fail)
        bench.clock.advance(11)
        assert len(buffer) == 1
        bench.pops.stop()
    assert len(buffer) == 1
    bench.clock.advance(1)
    buffer.scan()
    assert (logged(bench), committed(bench)) == ([(0, "ck", 0, None)], {0: 2})


def _fail(*args: object) -> None:
    raise OSError(5, "Input/output error")
