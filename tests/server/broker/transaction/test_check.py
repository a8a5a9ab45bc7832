"""Rounds of checks: who is asked, when, how often, what is stored, and what a round costs at a time."""

from pathlib import Path

import pytest

from rmq.server.broker.transaction import check as check_module
from rmq.server.broker.transaction import ended as ended_module
from rmq.server.store.api import AppendResult, PutStatus
from rmq.wire.declare import decode_header
from rmq.wire.message import decode_message
from rmq.wire.names import TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC, TRANSACTION_GROUP
from rmq.wire.requests.transaction import CheckTransactionState, EndTransaction
from tests.kit.broker import Bench
from tests.kit.halves import COMMIT, ROLLBACK, begin, end, given_up, halves, ops, producer, progress, queue
from tests.kit.peer import MemoryPeer

INTERVAL = 30


def checks(peer: MemoryPeer) -> list[tuple[int, bytes, str]]:
    """Half-queue offset, body and number of each question that has come."""
    found = []
    for command in peer.answers():
        assert command.code == 39
        message = decode_message(command.body)
        header = decode_header(CheckTransactionState, command.ext)
        times = message.properties["TRANSACTION_CHECK_TIMES"]
        found.append((header.tran_state_table_offset, message.body, times))
    return found


def test_nothing_is_asked_before_its_time(bench: Bench) -> None:
    peer = producer(bench)
    bench.clock.advance(INTERVAL - 6)
    begin(bench, peer, b"young")
    bench.clock.advance(6)
    assert checks(peer) == []
    assert progress(bench) == (-1, -1)
    bench.clock.advance(INTERVAL)
    assert checks(peer) == [(1, b"young", "1")]


def test_it_is_asked_about_the_copy_at_the_queues_end(bench: Bench) -> None:
    peer = producer(bench)
    begin(bench, peer, b"one")
    begin(bench, peer, b"two")
    bench.clock.advance(INTERVAL)
    assert checks(peer) == [(2, b"one", "1"), (3, b"two", "1")]
    assert progress(bench) == (2, -1)
    bench.clock.advance(INTERVAL)
    assert checks(peer) == [(4, b"one", "2"), (5, b"two", "2")]
    first, *_, last = halves(bench)
    assert first.properties.keys() ^ last.properties.keys() == {"TRANSACTION_CHECK_TIMES"}
    counters = [each.properties.get("TRANSACTION_CHECK_TIMES") for each in halves(bench)]
    assert counters == [None, None, "1", "1", "2", "2"]
    assert {each.born_timestamp for each in halves(bench)} == {first.born_timestamp}


def test_the_answer_ends_it(bench: Bench) -> None:
    peer = producer(bench)
    begin(bench, peer)
    bench.clock.advance(INTERVAL)
    (question,) = peer.answers()
    header = decode_header(CheckTransactionState, question.ext)
    answer = peer.ask(end_of(header, COMMIT))
    assert answer.code == 0
    (message,) = queue(bench, "T", 2)
    assert (message.body, message.prepared_transaction_offset) == (b"body", header.commit_log_offset)
    bench.clock.advance(INTERVAL)
    assert peer.answers() == []
    assert progress(bench) == (2, 1)
    assert ops(bench) == [b"1,"]


def end_of(header: CheckTransactionState, outcome: int) -> EndTransaction:
    return EndTransaction(
        "PG", header.tran_state_table_offset, header.commit_log_offset, outcome, header.msg_id or "",
        from_transaction_check=True,
    )  # fmt: skip


def test_what_has_ended_is_not_asked(bench: Bench) -> None:
    peer = producer(bench)
    answers = [begin(bench, peer, b"%d" % number) for number in range(6)]
    for number, outcome in ((1, COMMIT), (2, ROLLBACK), (5, COMMIT)):
        assert peer.ask(end(answers[number], outcome)).code == 0
    bench.clock.advance(INTERVAL)
    assert [body for _, body, _ in checks(peer)] == [b"0", b"3", b"4"]
    assert progress(bench) == (6, 1)
    bench.clock.advance(INTERVAL)
    assert [body for _, body, _ in checks(peer)] == [b"0", b"3", b"4"]


def test_an_end_that_is_not_written_yet_counts(bench: Bench) -> None:
    peer = producer(bench)
    answer = begin(bench, peer)
    bench.clock.advance(INTERVAL - 1)
    peer.ask(end(answer))
    assert ops(bench) == []
    bench.clock.advance(1)
    assert checks(peer) == []
    assert ops(bench) == [b"0,"]
    assert progress(bench) == (1, 1)


def test_checks_go_on_without_a_producer(bench: Bench) -> None:
    begin(bench, bench.peer())
    bench.clock.advance(INTERVAL)
    late = producer(bench)
    bench.clock.advance(INTERVAL)
    assert checks(late) == [(2, b"body", "2")]


def test_it_is_given_up_after_so_many_checks(bench: Bench) -> None:
    bench.settings.broker.transaction_check_max = 2
    peer = producer(bench)
    begin(bench, peer, b"lost")
    for times in ("1", "2"):
        bench.clock.advance(INTERVAL)
        assert [number for *_, number in checks(peer)] == [times]
    assert given_up(bench) == []
    bench.clock.advance(INTERVAL)
    (message,) = given_up(bench)
    assert (message.body, message.properties["TRANSACTION_CHECK_TIMES"]) == (b"lost", "2")
    assert (message.properties["REAL_TOPIC"], message.properties["REAL_QID"], message.flag) == ("T", "2", 7)
    assert progress(bench) == (3, -1)
    bench.clock.advance(INTERVAL)
    assert checks(peer) == []
    assert len(given_up(bench)) == 1
    assert bench.topics.configs["TRANS_CHECK_MAX_TIME_TOPIC"].write_queue_nums == 1


def test_it_is_given_up_when_it_is_older_than_what_is_kept(bench: Bench) -> None:
    peer = producer(bench)
    begin(bench, peer)
    bench.clock.advance(72 * 3600 + 1)
    assert checks(peer) == []
    assert len(given_up(bench)) == 1


def test_a_message_from_the_future_is_asked_about(bench: Bench) -> None:
    """Its producer's clock is wrong: waiting for its time could take for ever."""
    peer = producer(bench)
    bench.clock.advance(INTERVAL - 1)
    now, bench.clock.rightNow = bench.clock.rightNow, bench.clock.rightNow + 1000
    begin(bench, peer)
    bench.clock.rightNow = now
    bench.clock.advance(1)
    # The store's time stays 1000 s ahead of the clock; rounds do not wait for that.
    assert halves(bench)[0].store_timestamp > bench.now()
    assert len(checks(peer)) == 1
    bench.clock.advance(INTERVAL)
    assert len(checks(peer)) == 1


class TestImmunity:
    """CHECK_IMMUNITY_TIME_IN_SECONDS."""

    def test_it_is_put_off_and_then_asked_about(self, bench: Bench) -> None:
        peer = producer(bench)
        begin(bench, peer, CHECK_IMMUNITY_TIME_IN_SECONDS="70")
        bench.clock.advance(INTERVAL)
        bench.clock.advance(INTERVAL)
        assert checks(peer) == []
        marks = [each.properties.get("TRAN_PREPARED_QUEUE_OFFSET") for each in halves(bench)]
        assert marks == [None, "0", "0"]
        assert "TRANSACTION_CHECK_TIMES" not in halves(bench)[-1].properties
        bench.clock.advance(INTERVAL)
        assert checks(peer) == [(3, b"body", "1")]

    @pytest.mark.parametrize("rounds", [0, 1, 2])
    def test_its_producer_ends_the_first_copy(self, bench: Bench, rounds: int) -> None:
        peer = producer(bench)
        answer = begin(bench, peer, CHECK_IMMUNITY_TIME_IN_SECONDS="70")
        for _ in range(rounds):
            bench.clock.advance(INTERVAL)
        assert peer.ask(end(answer)).code == 0
        for _ in range(5):
            bench.clock.advance(INTERVAL)
        assert checks(peer) == []
        assert len(queue(bench, "T", 2)) == 1
        assert progress(bench) == (1 + rounds, 1)
        assert ops(bench) == [b"0," if not rounds else b"0,%d," % rounds]

    def test_a_short_one_brings_the_check_forward(self, bench: Bench) -> None:
        peer = producer(bench)
        bench.clock.advance(INTERVAL - 2)
        begin(bench, peer, CHECK_IMMUNITY_TIME_IN_SECONDS="1")
        bench.clock.advance(2)
        assert checks(peer) == [(1, b"body", "1")]

    def test_it_does_not_keep_others_waiting(self, bench: Bench) -> None:
        peer = producer(bench)
        begin(bench, peer, b"patient", CHECK_IMMUNITY_TIME_IN_SECONDS="3600")
        begin(bench, peer, b"plain")
        bench.clock.advance(INTERVAL)
        assert [body for _, body, _ in checks(peer)] == [b"plain"]


@pytest.mark.parametrize("named", [0, 1, 2])
def test_an_end_that_names_an_earlier_copy_ends_the_newest(bench: Bench, named: int) -> None:
    """A local transaction that takes longer than the broker waits."""
    peer = producer(bench)
    begin(bench, peer)
    for _ in range(2):
        bench.clock.advance(INTERVAL)
    assert [number for *_, number in checks(peer)] == ["1", "2"]
    copy = halves(bench)[named]
    bench.transactions.commit(copy)
    for _ in range(3):
        bench.clock.advance(INTERVAL)
    assert checks(peer) == []
    assert len(queue(bench, "T", 2)) == 1
    assert progress(bench) == (3, 1)


def test_a_store_that_refuses_makes_the_round_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.settings.broker.transaction_check_max = 1
    peer = producer(bench)
    begin(bench, peer)
    with monkeypatch.context() as patch:
        refused = AppendResult(PutStatus.SERVICE_NOT_AVAILABLE, -1, -1, 0, 0, ())
        patch.setattr(bench.putter, "put", lambda message: refused)
        bench.clock.advance(INTERVAL)
    assert (checks(peer), len(halves(bench)), progress(bench)) == ([], 1, (-1, -1))
    bench.clock.advance(INTERVAL)
    assert len(checks(peer)) == 1
    with monkeypatch.context() as patch:
        patch.setattr(bench.putter, "put", lambda message: refused)
        bench.clock.advance(INTERVAL)
    assert progress(bench) == (1, -1)
    bench.clock.advance(INTERVAL)
    assert len(given_up(bench)) == 1


def test_a_failure_is_not_the_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = producer(bench)
    begin(bench, peer)
    with monkeypatch.context() as patch:
        patch.setattr(check_module, "decode_message", lambda record: 1 / 0)
        bench.clock.advance(INTERVAL)
    assert checks(peer) == []
    bench.clock.advance(INTERVAL)
    assert len(checks(peer)) == 1


def test_a_record_that_cannot_be_read_is_passed_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = producer(bench)
    begin(bench, peer, b"bad")
    begin(bench, peer, b"good")
    read = bench.store.queue_message
    monkeypatch.setattr(
        bench.store, "queue_message",
        lambda topic, queue_id, offset: None if offset == 0 else read(topic, queue_id, offset),
    )  # fmt: skip
    bench.clock.advance(INTERVAL)
    assert [body for _, body, _ in checks(peer)] == [b"good"]


def test_offsets_beyond_the_queues_are_pulled_back(bench: Bench) -> None:
    """As after a kill that took the end of the queues, but not of the offsets."""
    peer = producer(bench)
    begin(bench, peer)
    bench.offsets.commit(TRANSACTION_GROUP, TRANS_HALF_TOPIC, 0, 1000)
    bench.offsets.commit(TRANSACTION_GROUP, TRANS_OP_HALF_TOPIC, 0, 1000)
    bench.clock.advance(INTERVAL)
    assert progress(bench) == (1, 0)
    begin(bench, peer, b"next")
    bench.clock.advance(INTERVAL)
    assert [body for _, body, _ in checks(peer)] == [b"next"]


def test_a_lost_end_of_the_queue_does_not_hide_what_comes_next(tmp_path: Path) -> None:
    """What is stored before the first round lands below the offset that was kept."""
    bench = Bench(tmp_path)
    peer = producer(bench)
    begin(bench, peer, b"known")
    bench.offsets.commit(TRANSACTION_GROUP, TRANS_HALF_TOPIC, 0, 3)
    bench.offsets.commit(TRANSACTION_GROUP, TRANS_OP_HALF_TOPIC, 0, 7)
    bench.transactions.start()
    assert progress(bench) == (1, 0)
    for body in (b"one", b"two"):
        begin(bench, peer, body)
    bench.clock.advance(INTERVAL)
    assert [body for _, body, _ in checks(peer)] == [b"one", b"two"]
    bench.close()


def test_windows_cover_all_that_is_pending(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "WINDOW", 4)
    monkeypatch.setattr(ended_module, "MOST_RECORDS", 2)
    peer = producer(bench)
    answers = [begin(bench, peer, b"%d" % number) for number in range(11)]
    for number in (0, 5, 9):
        peer.ask(end(answers[number]))
        bench.clock.advance(3)
    assert ops(bench) == [b"0,", b"5,", b"9,"]
    bench.clock.advance(INTERVAL - 9)
    assert [body for _, body, _ in checks(peer)] == [b"%d" % number for number in range(11) if number not in {0, 5, 9}]
    assert progress(bench) == (11, 3)


class Ticking:
    """A clock whose time goes on by a tick at each look."""

    def __init__(self, bench: Bench, tick: float) -> None:
        self._clock, self._tick = bench.clock, tick
        self.looks = 0

    def seconds(self) -> float:
        self.looks += 1
        return self._clock.seconds() + self.looks * self._tick


class TestSlices:
    """A long round."""

    @pytest.fixture
    def slow(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> MemoryPeer:
        """Every message takes a quarter of a slice."""
        peer = producer(bench)
        for number in range(40):
            begin(bench, peer, b"%d" % number)
        checker = bench.transactions._checker
        ticking = Ticking(bench, check_module.SLICE_SECONDS / 4)
        monkeypatch.setattr(checker, "_clock", Proxy(bench, ticking))
        return peer

    def test_rests_are_short_while_nothing_else_happens(self, bench: Bench, slow: MemoryPeer) -> None:
        bench.clock.advance(INTERVAL)
        first = len(checks(slow))
        assert 0 < first <= 4
        bench.clock.advance(0.002)
        assert 0 < len(checks(slow)) <= 4

    def test_rests_are_long_while_clients_are_served(self, bench: Bench, slow: MemoryPeer) -> None:
        bench.clock.advance(INTERVAL)
        done = len(checks(slow))
        bench.stats.put("T", 1, 100)
        bench.clock.advance(0.002)
        done += len(checks(slow))
        bench.clock.advance(0.076)
        assert checks(slow) == []
        bench.clock.advance(0.003)
        assert len(checks(slow)) > 0

    def test_it_goes_on_to_the_end(self, bench: Bench, slow: MemoryPeer) -> None:
        bench.clock.advance(INTERVAL)
        for _ in range(20):
            bench.stats.put("T", 1, 100)
            bench.clock.advance(0.08)
        assert [body for _, body, _ in checks(slow)] == [b"%d" % number for number in range(40)]
        assert progress(bench)[0] == 40

    def test_an_end_that_comes_between_slices_counts(self, bench: Bench, slow: MemoryPeer) -> None:
        last = halves(bench)[-1]
        bench.clock.advance(INTERVAL)
        assert 0 < len(checks(slow)) < 39
        bench.transactions.roll_back(last)
        for _ in range(20):
            bench.clock.advance(0.002)
        assert b"39" not in [body for _, body, _ in checks(slow)]
        assert progress(bench)[0] == 40

    def test_stopping_between_slices(self, bench: Bench, slow: MemoryPeer) -> None:
        bench.clock.advance(INTERVAL)
        checks(slow)
        bench.transactions.stop()
        bench.clock.advance(INTERVAL * 3)
        assert checks(slow) == []


class Proxy:
    """The bench's clock, which tells another time."""

    def __init__(self, bench: Bench, ticking: Ticking) -> None:
        self.seconds = ticking.seconds
        self.callLater = bench.clock.callLater


@pytest.mark.parametrize("cleanly", [True, False])
def test_it_goes_on_after_a_restart(tmp_path: Path, cleanly: bool) -> None:
    """Everything is in the store; offsets that are lost only make it look again."""
    first = Bench(tmp_path)
    first.transactions.start()
    peer = producer(first)
    answers = [begin(first, peer, b"%d" % number) for number in range(4)]
    peer.ask(end(answers[1]))
    first.clock.advance(INTERVAL)
    assert [body for _, body, _ in checks(peer)] == [b"0", b"2", b"3"]
    peer.ask(end(answers[0], ROLLBACK, from_transaction_check=True))
    if cleanly:
        first.transactions.stop()
        first.offsets.save(first.now())
    first.close()

    second = Bench(tmp_path)
    second.clock.advance(INTERVAL * 2)
    second.files.files.update(first.files.files)
    second.offsets.load()
    second.transactions.start()
    heir = producer(second)
    second.clock.advance(INTERVAL)
    found = checks(heir)
    if cleanly:
        assert [(body, times) for _, body, times in found] == [(b"2", "2"), (b"3", "2")]
    else:
        # The first copies are looked at again, and so are the second ones.
        assert [(body, times) for _, body, times in found] == [
            (b"0", "1"), (b"2", "1"), (b"3", "1"), (b"0", "2"), (b"2", "2"), (b"3", "2")
        ]  # fmt: skip
    second.close()
