"""When a message is safe, and who is answered only then."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rmq.server.broker.safety import Safety
from rmq.server.ha.acks import AckTable
from rmq.server.store.api import AppendResult, PutStatus
from rmq.wire.command import Command
from rmq.wire.declare import Declared, encode_header
from rmq.wire.message import BatchMessage, encode_batch
from rmq.wire.recall import RecallHandle
from rmq.wire.requests.send import RecallMessage, SendBatchMessage
from tests.kit.broker import Bench, beat, heartbeat, send_header, text_of
from tests.kit.halves import ROLLBACK, end
from tests.kit.peer import MemoryPeer

OK, DISK, SLAVE = PutStatus.PUT_OK, PutStatus.FLUSH_DISK_TIMEOUT, PutStatus.FLUSH_SLAVE_TIMEOUT
STORED = AppendResult(OK, 100, 0, 0, 50, ())


class Store:
    """A store whose disk answers when told."""

    def __init__(self, *, sync_flush: bool) -> None:
        self.sync_flush = sync_flush
        self.waiting: list[Deferred[PutStatus]] = []

    def when_durable(self, result: AppendResult) -> Deferred[PutStatus] | None:
        if not self.sync_flush or result.physical_offset < 0:
            return None
        self.waiting.append(Deferred())
        return self.waiting[-1]


def seen(safety: Safety) -> list[PutStatus]:
    """What who waits for the stored message is told, at its time."""
    found: list[PutStatus] = []
    assert safety.wait(STORED, found.append) is None
    return found


def never(status: PutStatus) -> None:
    raise AssertionError(f"told {status}, though the answer was there at once")


def table(clock: Clock, needed: int = 2) -> AckTable:
    return AckTable(clock, lambda: needed, lambda: 3.0)


def test_by_default_nobody_waits() -> None:
    safety = Safety(Store(sync_flush=False), None)
    assert safety.waits is False
    assert safety.wait(STORED, never) is OK


def test_the_disk() -> None:
    store = Store(sync_flush=True)
    safety = Safety(store, None)
    assert safety.waits
    found = seen(safety)
    assert found == []
    store.waiting[0].callback(DISK)
    assert found == [DISK]


def test_slaves_up_to_the_end_of_the_message() -> None:
    acks = table(Clock())
    safety = Safety(Store(sync_flush=False), acks)
    assert safety.waits
    found = seen(safety)
    acks.acked("s", 149)
    assert found == []
    acks.acked("s", 150)
    assert found == [OK]
    assert safety.wait(STORED, never) is OK, "the slave has it already"


def test_slaves_that_are_not_needed() -> None:
    assert Safety(Store(sync_flush=False), table(Clock(), needed=1)).wait(STORED, never) is OK


def test_what_is_not_stored_is_not_waited_for() -> None:
    safety = Safety(Store(sync_flush=True), table(Clock()))
    refused = AppendResult(PutStatus.SERVICE_NOT_AVAILABLE, -1, -1, 0, 0, ())
    assert safety.wait(refused, never) is OK


@pytest.mark.parametrize("disk_first", [True, False])
@pytest.mark.parametrize("disk", [OK, DISK])
@pytest.mark.parametrize("slaves", [OK, SLAVE])
def test_disk_and_slaves_side_by_side(disk_first: bool, disk: PutStatus, slaves: PutStatus) -> None:
    """Whatever comes first; a failure of the slaves is told before one of the disk."""
    clock, store = Clock(), Store(sync_flush=True)
    acks = table(clock)
    found = seen(Safety(store, acks))

    def slaves_answer() -> None:
        acks.acked("s", 150) if slaves is OK else clock.advance(3)

    steps: list[Callable[[], None]] = [lambda: store.waiting[0].callback(disk), slaves_answer]
    for step in steps if disk_first else reversed(steps):
        assert found == []
        step()
    assert found == [slaves if slaves is not OK else disk]


def test_slaves_that_are_not_waited_for_because_the_broker_stops() -> None:
    store, acks = Store(sync_flush=True), table(Clock())
    acks.stop()
    found = seen(Safety(store, acks))
    store.waiting[0].callback(OK)
    assert found == [SLAVE]
    assert Safety(Store(sync_flush=False), acks).wait(STORED, never) is SLAVE


def test_the_same_as_a_deferred() -> None:
    acks = table(Clock())
    safety = Safety(Store(sync_flush=False), acks)
    found: list[PutStatus] = []
    later = safety.when_safe(STORED)
    assert later is not None
    later.addCallback(found.append)
    assert found == []
    acks.acked("s", 150)
    assert found == [OK]
    assert safety.when_safe(STORED) is None, "the slave has it already"
    acks.gone("s")
    acks.stop()
    at_once = safety.when_safe(STORED)
    assert at_once is not None
    at_once.addCallback(found.append)
    assert found == [OK, SLAVE]


# --- who waits ------------------------------------------------------------------------------------------------------


class Master:
    """A broker that needs one slave."""

    def __init__(self, path: Path) -> None:
        self.bench = Bench(path, recallMessageEnable="true")
        self.bench.topic("T")
        self.acks = table(self.bench.clock)
        safety = Safety(self.bench.store, self.acks)
        for processor in self.bench.processors:
            if hasattr(processor, "_safety"):
                processor._safety = safety
        self.peer = self.bench.peer()

    def ask(self, code: int, header: Declared, body: bytes = b"") -> MemoryPeer:
        """A client whose answer may come late."""
        peer = self.bench.peer()
        peer.send(Command(code, encode_header(header), body, opaque=1))
        return peer

    def catch_up(self) -> None:
        """The slave has everything."""
        self.acks.acked("s", self.bench.store.log_max_offset)


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    made = Master(tmp_path)
    yield made
    made.bench.close()


def batch_header(**fields: Any) -> SendBatchMessage:
    return SendBatchMessage(
        producer_group="PG", topic="T", default_topic="TBW102", default_topic_queue_nums=4, queue_id=0, sys_flag=0,
        born_timestamp=0, flag=0, batch=True, **fields,
    )  # fmt: skip


BATCH = encode_batch([BatchMessage(0, b"x", b""), BatchMessage(0, b"y", b"")])
SENDS: list[tuple[int, Declared, bytes]] = [
    (310, send_header("T"), b"x"),
    (320, batch_header(), BATCH),
    (310, send_header("T", properties=text_of(TRAN_MSG="true", PGROUP="PG")), b"half"),
    (310, send_header("T", properties=text_of(DELAY="3")), b"delayed"),
]


@pytest.mark.parametrize(("code", "header", "body"), SENDS)
def test_every_kind_of_send_waits(master: Master, code: int, header: Declared, body: bytes) -> None:
    peer = master.ask(code, header, body)
    assert peer.answers() == []
    master.acks.acked("s", master.bench.store.log_max_offset - 1)
    assert peer.answers() == []
    master.catch_up()
    (answer,) = peer.answers()
    assert (answer.code, answer.ext["queueOffset"]) == (0, "0")


@pytest.mark.parametrize(("code", "header", "body"), SENDS)
def test_a_send_that_waited_too_long_is_told_its_place(
    master: Master, code: int, header: Declared, body: bytes
) -> None:
    peer = master.ask(code, header, body)
    master.bench.clock.advance(2.9)
    assert peer.answers() == []
    master.bench.clock.advance(0.1)
    (answer,) = peer.answers()
    assert (answer.code, answer.remark, answer.ext["queueOffset"]) == (12, None, "0")
    assert len(answer.ext["msgId"].split(",")[0]) == 32


def test_who_does_not_want_to_wait_does_not(master: Master) -> None:
    (single,) = master.ask(310, send_header("T", properties=text_of(WAIT="false")), b"x").answers()
    (batch,) = master.ask(320, batch_header(properties=text_of(WAIT="false")), BATCH).answers()
    assert (single.code, batch.code) == (0, 0)


@pytest.mark.parametrize("waits", [True, False])
def test_the_end_of_a_transaction(master: Master, waits: bool) -> None:
    bench = master.bench
    producer = bench.peer()
    beat(producer, heartbeat("client@1", producers=("PG",)))
    wait = {} if waits else {"WAIT": "false"}
    header = send_header("T", 2, properties=text_of(TRAN_MSG="true", PGROUP="PG", **wait), born_timestamp=bench.now())
    sent = master.ask(310, header, b"x")
    master.catch_up()
    (half,) = sent.answers()
    peer = master.ask(37, end(half))
    assert len(peer.answers()) == (0 if waits else 1)
    if waits:
        bench.clock.advance(3)
        (answer,) = peer.answers()
        assert answer.code == 0, "it is stored"
    assert bench.store.max_offset("T", 2) == 1
    (answer,) = master.ask(37, end(half, ROLLBACK)).answers()
    assert answer.code == 0, "nothing that anybody waits for is stored"


def test_a_recall(master: Master) -> None:
    handle = str(RecallHandle("T", "broker-a", master.bench.now() + 5000, "U"))
    peer = master.ask(370, RecallMessage("T", handle))
    assert peer.answers() == []
    master.catch_up()
    (answer,) = peer.answers()
    assert (answer.code, answer.ext["msgId"]) == (0, "U")
