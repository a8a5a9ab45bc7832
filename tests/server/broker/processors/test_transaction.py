"""Sending in transactions and ending them, over the wire."""

from pathlib import Path
from typing import Any

import pytest

from rmq.server.store.api import AppendResult, PutStatus
from rmq.wire.command import Command
from rmq.wire.declare import encode_header
from rmq.wire.message import BatchMessage, encode_batch, offset_message_id
from rmq.wire.requests.message import ResumeCheckHalfMessage
from rmq.wire.requests.send import SendBatchMessage
from tests.kit.broker import HOST, Bench, messages, pull_header, send_header, text_of
from tests.kit.halves import COMMIT, ROLLBACK, UNKNOWN, begin, end, given_up, halves, ops, producer, queue

STAMPS = {"MSG_REGION": "DefaultRegion", "TRACE_ON": "true", "CLUSTER": "DefaultCluster"}
SENT = {"TRAN_MSG": "true", "PGROUP": "PG", "TAGS": "a", "UNIQ_KEY": "U"}


def consumable(bench: Bench) -> list[Any]:
    answer = bench.peer().ask(pull_header("T", queue_id=2))
    return messages(answer) if answer.code == 0 else []


def test_a_half_message_is_stored_apart_and_answered_with_its_place(bench: Bench) -> None:
    peer = producer(bench)
    begin(bench, peer, b"first")
    answer = begin(bench, peer, b"body", UNIQ_KEY="U")
    first, half = halves(bench)
    assert (answer.code, answer.ext["queueId"], answer.ext["queueOffset"]) == (0, "2", "1")
    assert (answer.ext["transactionId"], answer.ext["msgId"]) == ("U", offset_message_id(HOST, first.total_size))
    assert half.properties == {**SENT, **STAMPS, "__transactionId__": "U", "REAL_TOPIC": "T", "REAL_QID": "2"}
    assert (half.body, half.flag, half.sys_flag, half.born_timestamp) == (b"body", 7, 0, bench.now())
    assert consumable(bench) == []
    assert bench.stats.put_total == 2


@pytest.mark.parametrize("by_check", [True, False])
def test_commit(bench: Bench, by_check: bool) -> None:
    peer = producer(bench)
    begin(bench, peer)
    answer = peer.ask(end(begin(bench, peer, b"body", UNIQ_KEY="U"), COMMIT, from_transaction_check=by_check))
    assert (answer.code, answer.remark, answer.ext, answer.body) == (0, None, {}, b"")
    (message,) = consumable(bench)
    assert message.properties == {**SENT, **STAMPS, "__transactionId__": "U"}
    assert (message.body, message.flag, message.sys_flag, message.queue_id) == (b"body", 7, 8, 2)
    assert message.prepared_transaction_offset == halves(bench)[1].physical_offset
    assert message.born_host == halves(bench)[1].born_host
    bench.clock.advance(3)
    assert ops(bench) == [b"1,"]


def test_the_tags_of_a_committed_message_are_filtered(bench: Bench) -> None:
    peer = producer(bench)
    peer.ask(end(begin(bench, peer)))
    assert bench.peer().ask(pull_header("T", queue_id=2, subscription="b")).code != 0
    assert len(messages(bench.peer().ask(pull_header("T", queue_id=2, subscription="a")))) == 1


def test_roll_back(bench: Bench) -> None:
    peer = producer(bench)
    assert peer.ask(end(begin(bench, peer), ROLLBACK)).code == 0
    bench.clock.advance(3)
    assert (consumable(bench), ops(bench)) == ([], [b"0,"])


@pytest.mark.parametrize("outcome", [UNKNOWN, 4, 99])
def test_unknown_changes_nothing_and_is_never_answered(bench: Bench, outcome: int) -> None:
    peer = producer(bench)
    header = end(begin(bench, peer), outcome)
    peer.send(Command(37, encode_header(header), opaque=5))
    bench.clock.advance(3)
    assert (peer.answers(), consumable(bench), ops(bench)) == ([], [], [])


def test_one_way_is_done_and_not_answered(bench: Bench) -> None:
    peer = producer(bench)
    header = end(begin(bench, peer))
    wrong = end(begin(bench, peer), producer_group="other")
    peer.send(*(Command(37, encode_header(each), flag=2) for each in (header, wrong)))
    assert peer.answers() == []
    assert len(consumable(bench)) == 1


@pytest.mark.parametrize("outcome", [COMMIT, ROLLBACK])
@pytest.mark.parametrize(
    ("changed", "remark"),
    [
        ({"producer_group": "other"}, "The producer group wrong"),
        ({"tran_state_table_offset": 7}, "The transaction state table offset wrong"),
        ({"commit_log_offset": 3}, "Find prepared transaction message failed"),
        ({"commit_log_offset": -1}, "Find prepared transaction message failed"),
        ({"commit_log_offset": 1 << 40}, "Find prepared transaction message failed"),
    ],
)
def test_an_end_that_means_no_half_message(
    bench: Bench, outcome: int, changed: dict[str, Any], remark: str
) -> None:
    peer = producer(bench)
    answer = peer.ask(end(begin(bench, peer), outcome, **changed))
    assert (answer.code, answer.remark) == (1, remark)
    bench.clock.advance(3)
    assert (consumable(bench), ops(bench)) == ([], [])


def test_an_ordinary_message_cannot_be_committed(bench: Bench) -> None:
    bench.topic("T")
    peer = producer(bench)
    sent = peer.ask(send_header("T", 2, properties=text_of(PGROUP="PG", REAL_TOPIC="T", REAL_QID="2")), b"x")
    answer = peer.ask(end(sent))
    assert (answer.code, answer.remark) == (1, "Find prepared transaction message failed")
    assert len(consumable(bench)) == 1


def test_too_late_without_a_check(bench: Bench) -> None:
    """Who asked for time without checks must end in that time, or wait for the check."""
    peer = producer(bench)
    patient = begin(bench, peer, b"patient", CHECK_IMMUNITY_TIME_IN_SECONDS="20")
    short = begin(bench, peer, b"short", CHECK_IMMUNITY_TIME_IN_SECONDS="1")
    plain = begin(bench, peer, b"plain")
    bench.clock.advance(6)
    assert peer.ask(end(short)).code == 0
    bench.clock.advance(0.001)
    assert peer.ask(end(short)).code == 604
    bench.clock.advance(14)
    for outcome in (COMMIT, ROLLBACK):
        assert peer.ask(end(patient, outcome)).code == 604
    assert peer.ask(end(patient, from_transaction_check=True)).code == 0
    assert peer.ask(end(plain)).code == 0


def test_missing_fields_are_named(bench: Bench) -> None:
    peer = bench.peer()
    peer.send(Command(37, {"producerGroup": "PG"}, opaque=1))
    (answer,) = peer.answers()
    assert (answer.code, "tranStateTableOffset" in (answer.remark or "")) == (1, True)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (PutStatus.SERVICE_NOT_AVAILABLE, 14),
        (PutStatus.MESSAGE_ILLEGAL, 13),
        (PutStatus.CREATE_MAPPED_FILE_FAILED, 1),
        (PutStatus.UNKNOWN_ERROR, 1),
    ],
)
def test_what_cannot_be_stored_has_not_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, status: PutStatus, code: int
) -> None:
    peer = producer(bench)
    header = end(begin(bench, peer))
    with monkeypatch.context() as patch:
        patch.setattr(bench.putter, "put", lambda message: AppendResult(status, -1, -1, 0, 0, ()))
        assert peer.ask(header).code == code
    bench.clock.advance(3)
    assert ops(bench) == []
    assert peer.ask(header).code == 0


def test_with_synchronous_flush_the_answer_waits_for_the_disk(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sync_flush=True)
    peer = producer(bench)
    bench.topic("T")
    header = send_header("T", 2, properties=text_of(TRAN_MSG="true", PGROUP="PG"), born_timestamp=bench.now())
    peer.send(Command(310, encode_header(header), b"x", opaque=7))
    bench.clock.advance(0)
    (sent,) = peer.answers()
    before = bench.store.flushed_offset
    peer.send(Command(37, encode_header(end(sent)), opaque=8))
    bench.clock.advance(0)
    (answer,) = peer.answers()
    assert (answer.code, answer.opaque) == (0, 8)
    assert bench.store.flushed_offset > before
    bench.close()


def test_transactions_can_be_forbidden(bench: Bench) -> None:
    bench.settings.broker.reject_transaction_message = True
    answer = begin(bench, producer(bench))
    assert (answer.code, answer.remark) == (16, "the broker[127.0.0.1] sending transaction message is forbidden")
    assert halves(bench) == []


@pytest.mark.parametrize("name", ["TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS", "DELAY"])
def test_not_delayed(bench: Bench, name: str) -> None:
    answer = begin(bench, producer(bench), **{name: "3"})
    assert answer.code == 13
    assert halves(bench) == []


def test_not_in_a_batch(bench: Bench) -> None:
    bench.topic("T")
    body = encode_batch([BatchMessage(0, b"x", b"")])
    header = SendBatchMessage(
        producer_group="PG", topic="T", default_topic="TBW102", default_topic_queue_nums=4, queue_id=0, sys_flag=0,
        born_timestamp=0, flag=0, batch=True, properties=text_of(TRAN_MSG="true"),
    )  # fmt: skip
    answer = bench.peer().ask(header, body)
    assert (answer.code, answer.remark) == (13, "a batch can be neither delayed nor transactional")


def test_the_queues_of_transactions_take_nothing_from_clients(bench: Bench) -> None:
    for topic in ("RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC"):
        assert bench.peer().ask(send_header(topic), b"x").code == 16


def test_a_consumed_transactional_message_that_comes_back_begins_none(bench: Bench) -> None:
    """Clients before 4.6.1 send what they could not consume with all its marks."""
    bench.topic("T")
    text = text_of(TRAN_MSG="true", PGROUP="PG")
    bench.peer().ask(send_header("T", 2, properties=text, reconsume_times=1), b"x")
    assert len(halves(bench)) == 1


class TestResume:
    """RESUME_CHECK_HALF_MESSAGE."""

    def test_what_was_given_up_is_checked_again(self, bench: Bench) -> None:
        bench.settings.broker.transaction_check_max = 0
        bench.transactions.start()
        peer = producer(bench)
        begin(bench, peer, UNIQ_KEY="U")
        bench.clock.advance(30)
        (lost,) = given_up(bench)
        answer = bench.peer().ask(ResumeCheckHalfMessage("TRANS_CHECK_MAX_TIME_TOPIC", lost.offset_id))
        assert (answer.code, answer.remark) == (0, None)
        again = halves(bench)[-1]
        assert again.properties == {**lost.properties, "TRANSACTION_CHECK_TIMES": "0"}
        assert (again.body, again.flag, again.queue_offset) == (b"body", 7, 1)
        bench.settings.broker.transaction_check_max = 15
        bench.clock.advance(30)
        assert [each.code for each in peer.answers()] == [39]

    @pytest.mark.parametrize(
        ("message_id", "code"),
        [(None, 29), ("", 29), ("xyz", 29), ("00" * 16, 13), (offset_message_id(HOST, 1 << 40), 1)],
    )
    def test_other_ids_are_refused(self, bench: Bench, message_id: str | None, code: int) -> None:
        bench.topic("T")
        bench.peer().ask(send_header("T"), b"no half message")
        answer = bench.peer().ask(ResumeCheckHalfMessage(None, message_id))
        assert answer.code == code
        assert answer.remark
        assert halves(bench) == []

    def test_a_store_that_refuses_is_told(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        bench.settings.broker.transaction_check_max = 0
        begin(bench, bench.peer())
        bench.transactions.start()
        bench.clock.advance(30)
        (lost,) = given_up(bench)
        refused = AppendResult(PutStatus.SERVICE_NOT_AVAILABLE, -1, -1, 0, 0, ())
        monkeypatch.setattr(bench.putter, "put", lambda message: refused)
        answer = bench.peer().ask(ResumeCheckHalfMessage(None, lost.offset_id))
        assert (answer.code, answer.remark) == (1, "Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed.")


def test_a_second_commit_of_one_transaction_is_taken(bench: Bench) -> None:
    """As by Apache: a producer that ends twice delivers twice."""
    peer = producer(bench)
    header = end(begin(bench, peer))
    assert [peer.ask(header).code for _ in range(2)] == [0, 0]
    assert len(queue(bench, "T", 2)) == 2


def test_what_a_client_only_calls_a_half_message_is_not_resumed(bench: Bench) -> None:
    """Its REAL_TOPIC would become a directory's name."""
    bench.topic("T")
    forged = text_of(PGROUP="PG", REAL_TOPIC="../../elsewhere", REAL_QID="0")
    peer = producer(bench)
    answer = peer.ask(send_header("T", 2, properties=forged), b"body")
    assert answer.code == 0
    refused = peer.ask(ResumeCheckHalfMessage("", answer.ext["msgId"]))
    assert (refused.code, refused.remark) == (13, "the message at 0 was no half message")
    assert halves(bench) == []
