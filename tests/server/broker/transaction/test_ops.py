"""Ends of transactions are gathered and written as records of the op queue."""

from typing import Any

import pytest

from rmq.server.broker.transaction import ops as ops_module
from rmq.server.broker.transaction.ops import OpWriter, offsets_of
from rmq.server.store.api import AppendResult, PutStatus
from rmq.wire.message import StoredMessage
from tests.kit.broker import HOST, Bench
from tests.kit.halves import ops, queue


@pytest.fixture
def writer(bench: Bench) -> OpWriter:
    return OpWriter(bench.clock, bench.settings.broker, bench.putter, HOST, bench.now)


def refuse(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def put(message: Any) -> AppendResult:
        return AppendResult(PutStatus.SERVICE_NOT_AVAILABLE, -1, -1, 0, 0, ())

    monkeypatch.setattr(bench.putter, "put", put)


def test_a_record_is_apaches(bench: Bench, writer: OpWriter) -> None:
    writer.add(0, 5)
    writer.add(0, 17)
    assert ops(bench) == []
    bench.clock.advance(2.9)
    assert ops(bench) == []
    bench.clock.advance(0.1)
    (record,) = queue(bench, "RMQ_SYS_TRANS_OP_HALF_TOPIC")
    assert (record.body, record.properties) == (b"5,17,", {"WAIT": "true", "TAGS": "d"})
    assert (record.flag, record.sys_flag, record.born_timestamp, record.born_host) == (0, 0, bench.now(), HOST)
    assert offsets_of(record) == [5, 17]


def test_the_next_record_has_its_own_time(bench: Bench, writer: OpWriter) -> None:
    writer.add(0, 1)
    bench.clock.advance(3)
    bench.clock.advance(10)
    writer.add(0, 2)
    bench.clock.advance(2.9)
    assert ops(bench) == [b"1,"]
    bench.clock.advance(0.1)
    assert ops(bench) == [b"1,", b"2,"]


def test_a_full_record_is_written_at_once(bench: Bench, writer: OpWriter) -> None:
    bench.settings.broker.transaction_op_msg_max_size = 10
    for offset in range(100, 104):
        writer.add(0, offset)
    assert ops(bench) == [b"100,101,102,"]
    writer.flush()
    assert ops(bench) == [b"100,101,102,", b"103,"]


def test_each_half_queue_has_its_op_queue(bench: Bench, writer: OpWriter) -> None:
    writer.add(0, 1)
    writer.add(3, 2)
    writer.flush()
    assert [each.body for each in queue(bench, "RMQ_SYS_TRANS_OP_HALF_TOPIC", 3)] == [b"2,"]
    assert ops(bench) == [b"1,"]


def test_what_the_store_refuses_is_written_later(
    bench: Bench, writer: OpWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse(bench, patch)
        writer.add(0, 1)
        bench.clock.advance(3)
        bench.clock.advance(3)
    bench.clock.advance(3)
    assert ops(bench) == [b"1,"]


def test_only_so_many_wait_for_a_store_that_refuses(
    bench: Bench, writer: OpWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops_module, "MOST_WAITING", 2)
    with monkeypatch.context() as patch:
        refuse(bench, patch)
        for offset in range(4):
            writer.add(0, offset)
    writer.flush()
    assert ops(bench) == [b"0,1,"]


def test_stopping_writes_and_leaves_nothing_waiting(bench: Bench, writer: OpWriter) -> None:
    writer.add(0, 1)
    waiting = len(bench.clock.getDelayedCalls())
    writer.stop()
    assert ops(bench) == [b"1,"]
    assert len(bench.clock.getDelayedCalls()) == waiting - 1
    writer.add(0, 2)
    assert ops(bench) == [b"1,", b"2,"]
    assert len(bench.clock.getDelayedCalls()) == waiting - 1


@pytest.mark.parametrize(
    ("body", "tags", "offsets"),
    [
        (b"12", "d", [12]),
        (b"1,2,", "d", [1, 2]),
        (b"", "d", []),
        (b"x,-4,3,\xff,\xd9\xa3", "d", [3]),
        (b"1,2,", "e", []),
    ],
)
def test_reading_records(body: bytes, tags: str, offsets: list[int]) -> None:
    record = StoredMessage()
    record.body, record._properties = body, {"TAGS": tags}
    assert offsets_of(record) == offsets
