"""Texts with which POP names what it has handed out.

A *handle* goes with every popped message and comes back with its acknowledgement: start offset of the pop, pop time,
invisible time, revive queue, kind of topic, broker, queue, and the message's own offset, joined by blanks. A reply
tells the same in fewer words: `startOffsetInfo` holds for each queue its kind of topic, id and start offset,
`msgOffsetInfo` the offsets of its messages, joined by commas, and `orderCountInfo` how often messages of an ordered
pop, or at least all of a queue's, came before. Entries are joined by semicolons.

The kind of topic is 0 for the topic itself, 1 for the group's retry topic named with `_`, 2 for that named with `+`.

Source: ExtraInfoUtil, KeyBuilder.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from rmq.wire.errors import InvalidParameterError
from rmq.wire.names import RETRY_PREFIX

ORDER_REVIVE_QUEUE: Final = 999
"""Stands for a revive queue in handles of ordered pops, which keep no check points."""

NORMAL: Final = "0"
RETRY: Final = "1"
RETRY_V2: Final = "2"

_LONGEST_PART: Final = 128
_SEPARATOR_V1: Final = "_"
_SEPARATOR_V2: Final = "+"


def pop_retry_topic(topic: str, group: str, *, v2: bool) -> str:
    """The topic of messages that a group must pop again."""
    return f"{RETRY_PREFIX}{group}{_SEPARATOR_V2 if v2 else _SEPARATOR_V1}{topic}"


def normal_topic(topic: str, group: str) -> str:
    """The topic whose messages a POP retry topic holds; any other topic is returned as it is."""
    for separator in (_SEPARATOR_V2, _SEPARATOR_V1):
        prefix = f"{RETRY_PREFIX}{group}{separator}"
        if topic.startswith(prefix):
            return topic[len(prefix) :]
    return topic


def topic_kind(topic: str) -> str:
    """What handles say of a topic."""
    if not topic.startswith(RETRY_PREFIX):
        return NORMAL
    return RETRY_V2 if _SEPARATOR_V2 in topic else RETRY


def topic_of_kind(topic: str, group: str, kind: str) -> str:
    """The topic that is meant by a kind.

    Raises:
        InvalidParameterError: there is no such kind.
    """
    if kind == NORMAL:
        return topic
    if kind not in {RETRY, RETRY_V2}:
        raise InvalidParameterError(f"the kind of topic of a popped message is 0, 1 or 2, not {kind[:20]!r}")
    return pop_retry_topic(topic, group, v2=kind == RETRY_V2)


def check_broker_name(name: str) -> str:
    """A broker's name that a peer gives, if it may stand in a handle.

    Raises:
        InvalidParameterError: it may not: it would not stay one word, or one property of a stored message.
    """
    if len(name) > _LONGEST_PART or not name.isprintable() or " " in name:
        raise InvalidParameterError(f"{name[:_LONGEST_PART]!r} is no name of a broker")
    return name


class PopHandle(NamedTuple):
    """A popped message's handle; `offset` is absent from handles of old."""

    start_offset: int
    pop_time: int
    invisible_time: int
    revive_queue: int
    kind: str
    broker_name: str
    queue_id: int
    offset: int | None = None

    @classmethod
    def parse(cls, text: str) -> PopHandle:
        """Reads a handle.

        Raises:
            InvalidParameterError: it is none.
        """
        parts = text.split(" ")
        try:
            if not 7 <= len(parts) <= 8 or any(len(part) > _LONGEST_PART for part in parts):
                raise ValueError
            start, popped, invisible, revive_queue = map(int, parts[:4])
            offset = int(parts[7]) if len(parts) == 8 else None
            name = check_broker_name(parts[5])
            handle = cls(start, popped, invisible, revive_queue, parts[4], name, int(parts[6]), offset)
        except ValueError:
            raise InvalidParameterError(f"extraInfo {text[:200]!r} is no handle of a popped message") from None
        if not all(-(1 << 63) <= number < 1 << 62 for number in handle[:4]):
            raise InvalidParameterError(f"extraInfo {text[:200]!r} is no handle of a popped message")
        return handle

    @property
    def ordered(self) -> bool:
        """Whether it comes from an ordered pop."""
        return self.revive_queue == ORDER_REVIVE_QUEUE

    def text(self) -> str:
        """The handle as it travels."""
        return " ".join(str(part) for part in self if part is not None)


def start_offset_entry(topic: str, queue_id: int, offset: int) -> str:
    """What `startOffsetInfo` says of one queue."""
    return f"{topic_kind(topic)} {queue_id} {offset}"


def message_offsets_entry(topic: str, queue_id: int, offsets: Iterable[int]) -> str:
    """What `msgOffsetInfo` says of one queue."""
    return f"{topic_kind(topic)} {queue_id} {','.join(map(str, offsets))}"


def queue_count_entry(topic: str, queue_id: int, count: int) -> str:
    """What `orderCountInfo` says of one queue: how often each message came before, at the least."""
    return f"{topic_kind(topic)} {queue_id} {count}"


def message_count_entry(topic: str, queue_id: int, offset: int, count: int) -> str:
    """What `orderCountInfo` says of one message."""
    return f"{topic_kind(topic)} qo{queue_id}%{offset} {count}"
