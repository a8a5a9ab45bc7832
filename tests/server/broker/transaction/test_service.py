"""The parts of the feature together: what is counted, and what a stop leaves behind."""

from rmq.server.broker.transaction.metrics import Metric
from tests.kit.broker import Bench
from tests.kit.halves import ROLLBACK, begin, end, ops, producer


def count(bench: Bench) -> Metric:
    return bench.transactions._metrics.counts["T"]


def test_pending_half_messages_are_counted_and_the_counts_kept(bench: Bench) -> None:
    peer = producer(bench)
    answers = [begin(bench, peer) for _ in range(3)]
    assert count(bench).count == 3
    peer.ask(end(answers[0]))
    peer.ask(end(answers[1], ROLLBACK))
    assert count(bench) == Metric(1, bench.now())
    assert "transactionMetrics" not in bench.files.files
    bench.clock.advance(10)
    assert b'"transactionCount":{"T":{"count":1,' in bench.files.files["transactionMetrics"]


def test_what_is_given_up_is_no_longer_pending(bench: Bench) -> None:
    bench.settings.broker.transaction_check_max = 0
    begin(bench, bench.peer())
    bench.clock.advance(30)
    assert count(bench).count == 0


def test_a_stop_writes_what_was_gathered(bench: Bench) -> None:
    peer = producer(bench)
    answers = [begin(bench, peer) for _ in range(2)]
    peer.ask(end(answers[0]))
    bench.transactions.stop()
    assert ops(bench) == [b"0,"]
    assert b'"count":1,' in bench.files.files["transactionMetrics"]
    # A connection that still stands may end one more.
    peer.ask(end(answers[1]))
    assert ops(bench) == [b"0,", b"1,"]


def test_a_refused_half_message_is_not_counted(bench: Bench) -> None:
    begin(bench, bench.peer(), b"x" * (4 * 1024 * 1024 + 1))
    assert bench.transactions._metrics.counts == {}
