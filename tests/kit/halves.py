"""Half messages on a bench: begun by a producer, ended by it, and what the queues of the feature hold."""

from typing import Any

from rmq.wire.command import Command
from rmq.wire.message import StoredMessage, decode_message
from rmq.wire.names import TRANS_CHECK_MAX_TIME_TOPIC, TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC, TRANSACTION_GROUP
from rmq.wire.requests.transaction import EndTransaction
from tests.kit.broker import Bench, beat, heartbeat, send_header, text_of
from tests.kit.peer import MemoryPeer

COMMIT, ROLLBACK, UNKNOWN = 8, 12, 0
GROUP = "PG"


def producer(bench: Bench, group: str = GROUP, client_id: str = "client@1") -> MemoryPeer:
    """A connected producer of the group."""
    peer = bench.peer()
    beat(peer, heartbeat(client_id, producers=(group,)))
    return peer


def begin(bench: Bench, peer: MemoryPeer, body: bytes = b"body", **properties: str) -> Command:
    """The answer to a half message sent to queue 2 of topic T, born now."""
    if "T" not in bench.topics.configs:
        bench.topic("T")
    text = text_of(TRAN_MSG="true", PGROUP=GROUP, TAGS="a", **properties)
    return peer.ask(send_header("T", 2, properties=text, born_timestamp=bench.now()), body)


def end(answer: Command, outcome: int = COMMIT, **changed: Any) -> EndTransaction:
    """What the producer of that half message then says."""
    values = {
        "producer_group": GROUP,
        "tran_state_table_offset": int(answer.ext["queueOffset"]),
        "commit_log_offset": int(answer.ext["msgId"][16:], 16),
        "commit_or_rollback": outcome,
        "msg_id": answer.ext["transactionId"],
    }
    return EndTransaction(**{**values, **changed})


def queue(bench: Bench, topic: str, queue_id: int = 0) -> list[StoredMessage]:
    """All messages of a queue."""
    found = []
    for offset in range(bench.store.min_offset(topic, queue_id), bench.store.max_offset(topic, queue_id)):
        record = bench.store.queue_message(topic, queue_id, offset)
        assert record is not None
        found.append(decode_message(record))
    return found


def halves(bench: Bench) -> list[StoredMessage]:
    return queue(bench, TRANS_HALF_TOPIC)


def ops(bench: Bench) -> list[bytes]:
    return [each.body for each in queue(bench, TRANS_OP_HALF_TOPIC)]


def given_up(bench: Bench) -> list[StoredMessage]:
    return queue(bench, TRANS_CHECK_MAX_TIME_TOPIC)


def progress(bench: Bench) -> tuple[int, int]:
    """How far the checks have come in half and op queue."""
    half, op = (bench.offsets.query(TRANSACTION_GROUP, each, 0) for each in (TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC))
    return half, op
