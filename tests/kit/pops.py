"""Pops against a `Bench`: requests, handles, and what stands in the revive log."""

from typing import Any

from rmq.server.broker.putting import MessageInner
from rmq.server.store.api import PutStatus
from rmq.wire.command import Command
from rmq.wire.declare import decode_header, encode_header
from rmq.wire.message import PROPERTY_TAGS, StoredMessage, decode_messages
from rmq.wire.names import TIMER_TOPIC, revive_topic
from rmq.wire.popinfo import PopHandle
from rmq.wire.requests.pop import AckMessage, PopMessage, PopMessageReply
from tests.kit.broker import HOST, Bench, messages
from tests.kit.peer import MemoryPeer

REVIVE_TOPIC = revive_topic("DefaultCluster")
REVIVE_GROUP = "CID_RMQ_SYS_REVIVE_GROUP"


def fill(bench: Bench, count: int, topic: str = "T", queue_id: int = 0, tags: str = "a") -> None:
    """Messages with bodies 0, 1, 2 ... and tags in turn."""
    for number in range(count):
        properties = {PROPERTY_TAGS: tags[number % len(tags)]}
        message = MessageInner(topic, queue_id, b"%d" % number, properties, 7, 0, 1_600_000_000_000, HOST)
        assert bench.putter.put(message).status is PutStatus.PUT_OK


def pop_header(**fields: Any) -> PopMessage:
    """A pop of group G from all queues of topic T, that does not wait."""
    values: dict[str, Any] = {
        "consumer_group": "G", "topic": "T", "queue_id": -1, "max_msg_nums": 32, "invisible_time": 60_000,
        "poll_time": 0, "born_time": 0, "init_mode": 0,
    }  # fmt: skip
    return PopMessage(**{**values, **fields})


def pop(bench: Bench, **fields: Any) -> Command:
    """The answer to a pop."""
    return bench.peer().ask(pop_header(**fields))


def start_pop(peer: MemoryPeer, opaque: int = 7, **fields: Any) -> list[Command]:
    """What is answered at once to a pop that may wait five seconds."""
    peer.send(Command(200050, encode_header(pop_header(**{"poll_time": 5000, **fields})), opaque=opaque))
    return peer.answers()


def bodies(answer: Command) -> list[bytes]:
    return [message.body for message in messages(answer)]


def reply_of(answer: Command) -> PopMessageReply:
    return decode_header(PopMessageReply, answer.ext)


def handle_of(answer: Command, message: StoredMessage) -> PopHandle:
    """The handle that a client makes of a reply, unless the message brings one."""
    brought = message.properties.get("POP_CK")
    if brought is not None:
        return PopHandle.parse(brought)
    reply = reply_of(answer)
    entries = [entry.split(" ") for entry in (reply.start_offset_info or "").split(";")]
    starts = {int(queue_id): int(start) for _, queue_id, start in entries}
    return PopHandle(
        starts[message.queue_id], reply.pop_time, reply.invisible_time, reply.revive_qid, "0", "broker-a",
        message.queue_id, message.queue_offset,
    )  # fmt: skip


def ack(bench: Bench, answer: Command, message: StoredMessage) -> Command:
    """The answer to an acknowledgement."""
    handle = handle_of(answer, message)
    topic = "T" if handle.kind == "0" else "%RETRY%G_T"
    return bench.peer().ask(AckMessage("G", topic, handle.queue_id, handle.text(), message.queue_offset))


def revive_log(bench: Bench) -> list[tuple[int, str, bytes]]:
    """Queue, tag and body of everything that was put into the revive log, delivered or on its way, in order."""
    waiting = _read(bench, TIMER_TOPIC, 1)
    direct = [message for message in _read(bench, REVIVE_TOPIC, 8) if "TIMER_OUT_MS" not in message.properties]
    found = sorted(waiting + direct, key=lambda message: message.physical_offset)
    return [
        (int(m.properties.get("REAL_QID", m.queue_id)), m.properties[PROPERTY_TAGS], m.body)
        for m in found
        if m.properties.get("REAL_TOPIC", REVIVE_TOPIC) == REVIVE_TOPIC
    ]


def _read(bench: Bench, topic: str, queues: int) -> list[StoredMessage]:
    return [
        message
        for queue_id in range(queues)
        for offset in range(bench.store.max_offset(topic, queue_id))
        for message in decode_messages(bench.store.queue_message(topic, queue_id, offset) or b"")
    ]


def committed(bench: Bench, topic: str = "T", group: str = "G") -> dict[int, int]:
    return bench.offsets.queues(group, topic)


def pass_time(bench: Bench, seconds: float) -> None:
    """Lets time pass in steps, so that what is due in between happens in its order."""
    for _ in range(round(seconds * 10)):
        bench.clock.advance(0.1)
