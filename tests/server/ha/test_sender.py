"""One slave's connection at the master: where it begins, what it is sent, what it may acknowledge, when it ends."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from rmq.server.ha.acks import AckTable
from rmq.server.ha.sender import PASS, SlaveSender
from rmq.settings.model import BrokerSettings
from rmq.wire.hastream import encode_report, encode_transfer
from tests.kit.ha import BytesLog, pattern, transfers
from tests.kit.logs import logged
from tests.kit.peer import MemoryTransport
from tests.kit.stores import FaultyEnv, SmallStore


class Slave:
    def __init__(self, log: BytesLog, **settings: Any) -> None:
        self.clock = Clock()
        self.log = log
        self.settings = BrokerSettings()
        for name, value in settings.items():
            setattr(self.settings.store, name, value)
        self.acks = AckTable(self.clock, lambda: 2, lambda: 3.0)
        self.gone: list[SlaveSender] = []
        self.transport = MemoryTransport()
        self.sender = SlaveSender(self.clock, log, self.settings, self.acks, self.gone.append)
        connection: Any = self.sender
        self.transport.connection = connection
        self.sender.makeConnection(self.transport)

    def report(self, *offsets: int) -> None:
        self.sender.dataReceived(b"".join(map(encode_report, offsets)))

    def got(self) -> list[tuple[int, bytes]]:
        """What it was sent since the last look."""
        sent = self.transport.value()
        self.transport.clear()
        return transfers(sent)

    def turns(self, number: int = 20) -> None:
        for _ in range(number):
            self.clock.advance(0)

    @property
    def refused(self) -> bool:
        return bool(self.transport.aborting and self.gone == [self.sender])


def slave(log: BytesLog | int, **settings: Any) -> Slave:
    return Slave(BytesLog(pattern(log)) if isinstance(log, int) else log, **settings)


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What senders log."""
    with logged(lambda event: event["log_namespace"] == "rmq.server.ha.sender") as found:
        yield found


CLOSING = "closing the connection of slave 10.0.0.1:40000: "


# --- beginning


def test_nothing_is_said_before_the_first_report() -> None:
    one = slave(500)
    one.sender.pump()
    one.clock.advance(19.0)
    assert one.transport.value() == b""
    assert not one.sender.begun
    assert one.transport.no_delay


def test_a_slave_that_has_nothing_gets_the_log_from_its_first_file() -> None:
    one = slave(BytesLog(pattern(2500), first=1000))
    one.report(0)
    assert one.got() == [(1000, pattern(2500)[1000:2000]), (2000, pattern(2500)[2000:])]
    assert (one.sender.ack, one.sender.sent) == (0, 2500)


def test_any_other_slave_gets_it_from_where_it_is() -> None:
    one = slave(500)
    one.report(123)
    assert one.got() == [(123, pattern(500)[123:])]
    assert (one.sender.ack, one.sender.sent) == (123, 500)


def test_a_slave_that_has_all_gets_nothing_until_there_is_more() -> None:
    one = slave(500)
    one.report(500)
    assert one.got() == []
    one.log.data = pattern(600)
    one.sender.pump()
    assert one.got() == [(500, pattern(600)[500:])]


def test_an_empty_log_has_a_slave_too() -> None:
    one = slave(0)
    one.report(0)
    assert one.got() == []
    one.clock.advance(5.0)
    assert one.transport.value() == encode_transfer(0, 0)


def test_a_report_in_pieces_is_one() -> None:
    one = slave(500)
    one.sender.dataReceived(encode_report(123)[:5])
    assert not one.sender.begun
    one.sender.dataReceived(encode_report(123)[5:])
    assert one.sender.ack == 123


# --- what is refused


@pytest.mark.parametrize("report", [501, 1 << 62, -1, 99])
def test_a_first_report_outside_the_log_is_the_end(report: int) -> None:
    one = slave(BytesLog(pattern(500), first=100, file_size=100))
    one.report(report)
    assert one.refused
    assert one.transport.value() == b""
    assert one.acks.safe_end == 0


def test_what_is_refused_is_one_line_that_says_what_to_do(lines: list[str]) -> None:
    slave(500).report(501)
    slave(BytesLog(pattern(500), first=100, file_size=100)).report(99)
    one = slave(500)
    one.report(100)
    one.report(501)
    assert [line for line in lines if "slave 10.0.0.1:40000 has" not in line] == [
        CLOSING + "its log goes up to offset 501, 1 bytes beyond the end of this one, so it is not a copy of this one; "
        "empty its store to make it one",
        CLOSING + "its log goes up to offset 99, but this one has nothing before 100 any more; empty its store to let "
        "it begin there",
        CLOSING + "it acknowledges offset 501, but was sent nothing beyond 500",
    ]


def test_who_comes_begins_and_goes_is_noted(lines: list[str]) -> None:
    one = slave(500)
    one.report(100)
    one.transport.lose()
    assert lines == [
        "slave 10.0.0.1:40000 has connected",
        "slave 10.0.0.1:40000 has the log up to 100 and gets it from 100 on",
        "slave 10.0.0.1:40000 is gone: Connection was closed cleanly.",
    ]


def test_an_acknowledgement_of_what_was_never_sent_is_the_end_and_does_not_count() -> None:
    one = slave(500)
    answers: list[Any] = []
    assert one.acks.wait(450, answers.append) is None
    one.report(100)
    one.report(501)
    assert one.refused
    assert answers == []
    assert one.acks.safe_end == 0


def test_nothing_counts_after_the_end() -> None:
    one = slave(500)
    one.report(501)
    one.report(400)
    assert one.acks.safe_end == 0
    assert not one.sender.begun


def test_a_log_that_was_cut_behind_what_was_sent_is_the_end() -> None:
    one = slave(500)
    one.report(100)
    one.log.data = pattern(400)
    one.sender.pump()
    assert one.refused


def test_what_was_deleted_before_it_was_sent_is_the_end() -> None:
    one = slave(BytesLog(pattern(PASS * 3), file_size=PASS))
    one.report(100)
    one.log.log_min_offset = PASS * 2
    one.turns()
    assert one.refused


# --- acknowledging


def test_reports_acknowledge_and_the_last_of_several_counts() -> None:
    one = slave(500)
    one.report(0)
    one.report(100, 250)
    assert one.sender.ack == 250
    assert one.acks.safe_end == 250
    one.transport.lose()
    assert one.gone == [one.sender]
    assert one.acks.safe_end == 0


# --- frames and passes


def test_a_transfer_is_as_large_as_the_setting_says_and_of_one_file() -> None:
    one = slave(2300, ha_transfer_batch_size=400)
    one.report(300)
    assert [(offset, len(data)) for offset, data in one.got()] == [
        (300, 400), (700, 300), (1000, 400), (1400, 400), (1800, 200), (2000, 300)
    ]  # fmt: skip


def test_a_long_log_goes_in_passes_with_turns_for_others_between() -> None:
    data = pattern(PASS * 2 + 100)
    one = slave(BytesLog(data, file_size=1 << 30))
    one.report(0)
    first = one.got()
    assert sum(len(piece) for _, piece in first) == PASS
    assert {len(piece) for _, piece in first} == {32768}
    one.sender.pump()
    assert one.got() == []
    one.turns()
    rest = one.got()
    assert b"".join(piece for _, piece in first + rest) == data
    assert not [call for call in one.clock.getDelayedCalls() if call.getTime() == one.clock.seconds()]


def test_a_slave_that_does_not_read_keeps_no_more_than_its_share_of_memory() -> None:
    data = pattern(1_000_000)
    one = slave(BytesLog(data, file_size=1 << 30))
    one.transport.stuck = True
    one.report(0)
    for _ in range(50):
        one.turns()
        one.sender.pump()
        one.clock.advance(0.1)
    assert 64 * 1024 < len(one.transport.value()) <= 256 * 1024
    received = b""
    while received != data:
        pieces = one.got()
        assert pieces
        received += b"".join(piece for _, piece in pieces)
        one.sender.resumeProducing()
        assert len(one.transport.value()) <= 256 * 1024
    assert one.sender.sent == len(data)


def test_what_cannot_be_read_now_is_sent_when_it_can(tmp_path: Path) -> None:
    env = FaultyEnv()
    kit = SmallStore(tmp_path, env=env, mapped_file_size_commit_log=4096)
    kit.fill(100)
    end = kit.store.log_max_offset
    assert end > 4096 * 3
    for segment in kit.store._log.segments.files[:3]:
        segment.unmap()
    log: Any = kit.store
    one = Slave(log)
    env.only_below = "commitlog"
    env.fail["map_file"] = (1, errno.ENOMEM)
    one.report(0)
    assert [(offset, len(data)) for offset, data in one.got()] == [(0, 4096)]
    for _ in range(3):
        one.clock.advance(0)
    assert one.got() == []
    assert one.sender.sent == 4096
    env.fail.clear()
    one.sender.pump()
    assert one.got()[0][0] == 4096
    assert one.sender.sent == end
    kit.close()


def test_flow_control_counts_the_log_s_bytes() -> None:
    one = slave(
        BytesLog(pattern(100_000), file_size=1 << 30), ha_flow_control_enable=True,
        max_ha_transfer_byte_in_second=30_000,
    )  # fmt: skip
    sent = []
    one.report(0)
    for _ in range(4):
        for _ in range(10):
            one.turns()
            one.clock.advance(0.1)
            one.sender.pump()
        sent.append(sum(len(piece) for _, piece in one.got()))
    assert sent[0] >= 30_000
    assert sum(sent) == 100_000
    assert max(sent) <= 60_000
    assert one.sender.sent == 100_000


def test_its_rate_is_that_of_the_last_second() -> None:
    one = slave(500)
    one.report(0)
    assert one.sender.per_second == 0
    one.clock.advance(1.0)
    assert one.sender.per_second == 500


def test_a_store_s_log_goes_out_as_its_files_are(tmp_path: Path) -> None:
    world = SmallStore(tmp_path / "store", mapped_file_size_commit_log=4096)
    world.fill(40)
    log: Any = world.store
    one = slave(log, ha_transfer_batch_size=1000)
    one.report(0)
    pieces = one.got()
    end = world.store.log_max_offset
    position = 0
    for offset, data in pieces:
        assert offset == position
        assert offset // 4096 == (offset + len(data) - 1) // 4096
        position += len(data)
    files = sorted((tmp_path / "store" / "commitlog").iterdir())
    assert end > 4096 * 2
    assert b"".join(data for _, data in pieces) == b"".join(file.read_bytes() for file in files)[:end]


# --- signs of life


def test_a_heartbeat_comes_after_silence() -> None:
    one = slave(500)
    one.report(0)
    one.got()
    one.clock.advance(4.0)
    one.log.data = pattern(600)
    one.sender.pump()
    assert one.got() == [(500, pattern(600)[500:])]
    one.clock.advance(4.9)
    assert one.transport.value() == b""
    one.clock.advance(0.1)
    assert one.got() == [(600, b"")]
    one.report(600)
    one.clock.advance(5.0)
    assert one.got() == [(600, b"")]


def test_a_slave_that_does_not_read_gets_no_heartbeats() -> None:
    one = slave(500)
    one.report(0)
    one.got()
    one.sender.pauseProducing()
    one.clock.advance(6.0)
    assert one.got() == []


@pytest.mark.parametrize("reports", [[], [100]])
def test_a_silent_slave_is_given_up(reports: list[int]) -> None:
    one = slave(500)
    one.clock.advance(10.0)
    if reports:
        one.report(*reports)
    one.clock.advance(10.0 if reports else 0.0)
    one.clock.advance(9.9)
    assert not one.gone
    one.clock.advance(0.1)
    assert one.refused
    assert not one.clock.getDelayedCalls()


# --- ending


def test_closing_sends_what_is_missing_first() -> None:
    one = slave(500)
    one.report(500)
    one.log.data = pattern(600)
    one.sender.close()
    assert one.got() == [(500, pattern(600)[500:])]
    assert one.transport.disconnecting
    assert not one.transport.aborting
    assert one.gone == [one.sender]
    assert not one.clock.getDelayedCalls()


def test_closing_does_not_wait_for_a_slave_that_is_far_behind() -> None:
    one = slave(BytesLog(pattern(PASS * 5), file_size=1 << 30))
    one.report(0)
    one.sender.close()
    assert one.gone == [one.sender]
    assert not one.clock.getDelayedCalls()


def test_closing_twice_or_after_the_end_is_harmless() -> None:
    one = slave(500)
    one.sender.close()
    one.sender.close()
    one.sender.pump()
    assert one.gone == [one.sender]
