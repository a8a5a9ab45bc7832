"""Asking a producer of the group what became of a half message."""

from rmq.server.broker.transaction.asking import MOST_UNREAD, ProducerAsker
from rmq.wire.declare import decode_header
from rmq.wire.message import StoredMessage, decode_message
from rmq.wire.requests.transaction import CheckTransactionState
from tests.kit.broker import HOST, Bench
from tests.kit.halves import begin, halves, producer
from tests.kit.peer import MemoryPeer


def half(bench: Bench, group: str = "PG") -> StoredMessage:
    begin(bench, bench.peer(), UNIQ_KEY="U", DELAY="0")
    found = halves(bench)[-1]
    found.properties["PGROUP"] = group
    return found


def asker(bench: Bench) -> ProducerAsker:
    return ProducerAsker(bench.producers, "broker-a")


def test_the_question_and_the_message(bench: Bench) -> None:
    peer = producer(bench)
    message = half(bench)
    message.queue_offset, message.physical_offset = 9, 700
    message.properties["TRANSACTION_CHECK_TIMES"] = "1"
    assert asker(bench).ask(message)
    (question,) = peer.answers()
    assert (question.code, question.flag) == (39, 2)
    assert decode_header(CheckTransactionState, question.ext) == CheckTransactionState(
        topic="RMQ_SYS_TRANS_HALF_TOPIC", tran_state_table_offset=9, commit_log_offset=700, msg_id="U",
        transaction_id="U", offset_msg_id=HOST.hex().upper() + f"{700:016X}", broker_name="broker-a",
    )  # fmt: skip
    asked = decode_message(question.body)
    assert (asked.topic, asked.queue_id, asked.queue_offset, asked.physical_offset) == ("T", 2, 9, 700)
    assert (asked.body, asked.body_is_sound, asked.flag, asked.sys_flag) == (b"body", True, 7, 0)
    stamps = {"MSG_REGION": "DefaultRegion", "TRACE_ON": "true", "CLUSTER": "DefaultCluster"}
    assert asked.properties == {
        **stamps, "TRAN_MSG": "true", "PGROUP": "PG", "TAGS": "a", "UNIQ_KEY": "U", "__transactionId__": "U",
        "DELAY": "0", "REAL_TOPIC": "T", "REAL_QID": "2", "TRANSACTION_CHECK_TIMES": "1",
    }  # fmt: skip


def asked(asker: ProducerAsker, bench: Bench, peers: list[MemoryPeer], times: int) -> list[int]:
    """Which peer gets each question."""
    order = []
    for _ in range(times):
        assert asker.ask(half(bench))
        order += [index for index, peer in enumerate(peers) if peer.answers()]
    return order


def test_the_groups_producers_take_turns(bench: Bench) -> None:
    peers = [producer(bench, client_id=f"c{number}") for number in range(3)]
    other = producer(bench, "PH")
    order = asked(asker(bench), bench, peers, 6)
    assert sorted(order[:3]) == [0, 1, 2]
    assert order[3:] == order[:3]
    assert other.answers() == []


def test_who_does_not_read_or_is_gone_is_left_out(bench: Bench) -> None:
    peers = [producer(bench, client_id=f"c{number}") for number in range(3)]
    asks = asker(bench)
    peers[1].connection.unread = MOST_UNREAD + 1
    peers[2].leave()
    assert asked(asks, bench, peers, 3) == [0, 0, 0]
    peers[0].connection.unread = MOST_UNREAD + 1
    assert not asks.ask(half(bench))


def test_nobody_is_there(bench: Bench) -> None:
    producer(bench)
    assert not asker(bench).ask(half(bench, "PH"))
    assert not asker(bench).ask(half(bench, ""))
