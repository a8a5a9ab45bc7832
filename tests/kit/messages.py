"""Messages whose every part is known beforehand, and the comparison of what arrived with what was sent."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from tests.kit.driver import Outgoing, Received, Sent

TAGS = ("TagA", "TagB", "TagC")

# Stamped by clients (the first line) and by the broker (the second).
SYSTEM_PROPERTIES = frozenset(
    {
        "UNIQ_KEY",
        "WAIT",
        "MIN_OFFSET",
        "MAX_OFFSET",
        "CONSUME_START_TIME",
        "TAGS",
        "KEYS",
        "1ST_POP_TIME",
        "MSG_REGION",
        "TRACE_ON",
        "CLUSTER",
        "INNER_NUM",
    }
)


def make_messages(prefix: str, count: int) -> list[Outgoing]:
    """Bodies of 10 to 210 bytes of every value, three tags in turn, unique keys, properties beyond ASCII."""
    every_byte = bytes(range(256)) * 2
    return [
        Outgoing(
            body=f"{prefix} {i} ".encode() + every_byte[i % 256 : i % 256 + i % 200],
            tags=TAGS[i % len(TAGS)],
            keys=f"{prefix}-{i}",
            properties={"number": str(i), "city": "Zürich 杭州", "marks": 'a=b; c:d, {e} "f"'},
        )
        for i in range(count)
    ]


def by_number(received: Iterable[Received]) -> dict[int, list[Received]]:
    """The deliveries of each message, in order."""
    found: dict[int, list[Received]] = defaultdict(list)
    for message in received:
        found[int(message.properties["number"])].append(message)
    return found


def assert_same(message: Received, outgoing: Outgoing, topic: str) -> None:
    """Body, tags, keys and properties are those that were sent, to the byte."""
    own = {name: value for name, value in message.properties.items() if name not in SYSTEM_PROPERTIES}
    got = (message.topic, message.body, message.tags, message.keys, own, message.reconsume_times)
    assert got == (topic, outgoing.body, outgoing.tags, outgoing.keys, outgoing.properties, 0)


def assert_all_received(
    received: Sequence[Received], outgoing: Sequence[Outgoing], topic: str
) -> dict[int, list[Received]]:
    """Every message arrived, nothing else did, and each delivery is exact. Duplicates are the caller's to judge."""
    found = by_number(received)
    missing = sorted(set(range(len(outgoing))) - set(found))
    assert not missing, f"{len(missing)} of {len(outgoing)} messages missing, first {missing[:5]}"
    assert len(found) == len(outgoing)
    for number, deliveries in found.items():
        for message in deliveries:
            assert_same(message, outgoing[number], topic)
    return found


def assert_received_once(received: Sequence[Received], outgoing: Sequence[Outgoing], topic: str) -> list[Received]:
    """As `assert_all_received`, and each message once; the messages in the order of `outgoing`."""
    found = assert_all_received(received, outgoing, topic)
    repeated = {number: len(deliveries) for number, deliveries in found.items() if len(deliveries) > 1}
    assert not repeated, f"delivered more than once: {dict(list(repeated.items())[:5])} ({len(repeated)} messages)"
    return [found[number][0] for number in range(len(outgoing))]


def assert_contiguous(received: Iterable[Received]) -> dict[int, int]:
    """In each queue the offsets are 0, 1, 2 ... without a gap; the number of messages in each queue."""
    offsets: dict[int, set[int]] = defaultdict(set)
    for message in received:
        offsets[message.queue_id].add(message.queue_offset)
    for queue_id, found in offsets.items():
        assert found == set(range(len(found))), f"queue {queue_id}: offsets are not 0..{len(found) - 1}"
    return {queue_id: len(found) for queue_id, found in sorted(offsets.items())}


def assert_reported(sent: Sequence[Sent], received: Sequence[Received], *, batch: int = 1) -> None:
    """The send reports name the place and the identifiers under which the messages then arrived.

    `received` is in sending order. A report of a batch names its messages' identifiers joined by commas and the
    first one's queue offset; the rest follow it.
    """
    assert {report.status for report in sent} == {"SEND_OK"}
    groups = [received[i : i + batch] for i in range(0, len(received), batch)]
    assert len(sent) == len(groups)
    for report, group in zip(sent, groups, strict=True):
        first = report.queue_offset
        assert [(m.queue_id, m.queue_offset) for m in group] == [
            (report.queue_id, first + i) for i in range(len(group))
        ]
        if report.msg_id is not None:
            assert report.msg_id.split(",") == [m.msg_id for m in group]
        if report.offset_msg_id is not None:
            assert report.offset_msg_id.split(",") == [m.offset_msg_id for m in group]


def deliveries_per_client(received: Iterable[Received], key: Callable[[Received], object]) -> Counter[object]:
    """How often each key came."""
    return Counter(key(message) for message in received)
