"""What POP consumption keeps in the revive log, and its batches of acknowledgements.

Member names are short because such a body is stored with every pop; writers of old used the long names of
acknowledgements, which are read too.

Source: PopCheckPoint, AckMsg, BatchAckMsg, BatchAckMessageRequestBody, BatchAck, BitSetSerializerDeserializer.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import field

from rmq.wire.declare import Int32, Int64, body, wire
from rmq.wire.errors import InvalidFieldError

MAX_ACKS = 128
"""Most messages that one batch of acknowledgements may name: a check point has no more than 127."""
MAX_ACK_BITS = 1 << 16
"""How far apart they may be: those between were passed over by a filter."""


@body
class PopCheckPoint:
    """Messages that were popped together from one queue; the first is at `start_offset`, or it was passed over.

    Attributes:
        num: how many they are.
        queue_offset_diff: where each is, counted from `start_offset`; absent from old brokers: one after the other.
        invisible_time: ms from `pop_time` on after which what is not acknowledged is handed out again.
        revive_offset: filled in by readers: where the check point itself stands in the revive log.
        revive_time: when what is not acknowledged is handed out again; always follows from the others.
        re_put_times: how often it was put off, because its message could not come again.
    """

    start_offset: Int64 = wire("so", default=0)
    pop_time: Int64 = wire("pt", default=0)
    invisible_time: Int64 = wire("it", default=0)
    bit_map: Int32 = wire("bm", default=0)
    num: Int32 = wire("n", default=0)
    queue_id: Int32 = wire("q", default=0)
    topic: str | None = wire("t", default=None)
    group: str | None = wire("c", default=None)
    revive_offset: Int64 = wire("ro", default=0)
    queue_offset_diff: list[Int32] | None = wire("d", default=None)
    broker_name: str | None = wire("bn", default=None)
    re_put_times: str | None = wire("rp", default=None)
    revive_time: Int64 = 0

    def __post_init__(self) -> None:
        self.revive_time = self.pop_time + self.invisible_time

    def index_of(self, offset: int) -> int:
        """Which of its messages stands at a queue offset, -1 for none."""
        distance = offset - self.start_offset
        if self.queue_offset_diff:
            return self.queue_offset_diff.index(distance) if distance in self.queue_offset_diff else -1
        return distance if 0 <= distance < self.num else -1

    def offset_at(self, index: int) -> int:
        """The queue offset of one of its messages."""
        return self.start_offset + (self.queue_offset_diff[index] if self.queue_offset_diff else index)


@body
class AckRecord:
    """An acknowledgement in the revive log: of the message at `ack_offset`, or of those in `ack_offset_list`."""

    ack_offset: Int64 = wire("ao", default=-1)
    start_offset: Int64 = wire("so", default=0)
    group: str | None = wire("c", default=None)
    topic: str | None = wire("t", default=None)
    queue_id: Int32 = wire("q", default=0)
    pop_time: Int64 = wire("pt", default=0)
    broker_name: str | None = wire("bn", default=None)
    ack_offset_list: list[Int64] | None = wire("aol", default=None)

    @property
    def offsets(self) -> list[int]:
        """Queue offsets of all that it acknowledges."""
        return [self.ack_offset] if self.ack_offset_list is None else self.ack_offset_list


@body
class BatchAck:
    """Acknowledgements of messages that were popped together.

    Attributes:
        retry: `0` the topic itself, `1` and `2` the group's POP retry topic, named with `_` or `+`.
        bits: Java's BitSet as base64; bit n stands for the message at `start_offset` + n.
    """

    group: str = wire("c")
    topic: str = wire("t")
    retry: str = wire("r", default="0")
    start_offset: Int64 = wire("so", default=0)
    queue_id: Int32 = wire("q", default=0)
    revive_queue_id: Int32 = wire("rq", default=0)
    pop_time: Int64 = wire("pt", default=0)
    invisible_time: Int64 = wire("it", default=0)
    bits: str = wire("b", default="")

    def offsets(self) -> Iterator[int]:
        """Queue offsets of all that it acknowledges.

        Raises:
            InvalidFieldError: the bits are no base64, or too many.
        """
        try:
            bits = int.from_bytes(b64decode(self.bits, validate=True), "little")
        except binascii.Error as error:
            raise InvalidFieldError(f"BatchAck.b: {error}") from None
        if bits.bit_length() > MAX_ACK_BITS or bits.bit_count() > MAX_ACKS:
            raise InvalidFieldError(
                f"BatchAck.b: {bits.bit_count()} of {bits.bit_length()} bits are more than "
                f"{MAX_ACKS} of {MAX_ACK_BITS}"
            )
        return self._each(bits)

    def _each(self, bits: int) -> Iterator[int]:
        while bits:
            lowest = bits & -bits
            yield self.start_offset + lowest.bit_length() - 1
            bits ^= lowest


def ack_bits(distances: Iterable[int]) -> str:
    """The bits that name the messages so far from the start."""
    bits = sum(1 << distance for distance in set(distances))
    return b64encode(bits.to_bytes((bits.bit_length() + 7) // 8, "little")).decode()


@body
class BatchAckBody:
    """Acknowledgements of one broker's messages."""

    broker_name: str | None = None
    acks: list[BatchAck] = field(default_factory=list)
