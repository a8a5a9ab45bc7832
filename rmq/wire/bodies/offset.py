"""Consumer offsets in bulk.

Source: ResetOffsetBody, ResetOffsetBodyForC, MessageQueueForC, GetConsumerStatusBody, ConsumerOffsetSerializeWrapper,
DelayOffsetSerializeWrapper.
"""

from __future__ import annotations

from dataclasses import field

from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import Int32, Int64, body


@body
class ResetOffsetBody:
    """New offsets by queue."""

    offset_table: dict[MessageQueue, Int64] = field(default_factory=dict)


@body
class MessageQueueOffset:
    """A queue and its new offset in one object."""

    topic: str
    broker_name: str
    queue_id: Int32
    offset: Int64


@body
class ResetOffsetList:
    """New offsets as a list, which is the form that C++ clients read."""

    offset_table: list[MessageQueueOffset] = field(default_factory=list)


@body
class ConsumerStatus:
    """Offsets that clients hold: one client's own, or those of every client by its id."""

    message_queue_table: dict[MessageQueue, Int64] = field(default_factory=dict)
    consumer_table: dict[str, dict[MessageQueue, Int64]] = field(default_factory=dict)


@body
class ConsumerOffsetWrapper:
    """All committed offsets of a broker: `topic@group` to queue id to offset, as consumerOffset.json holds them."""

    offset_table: dict[str, dict[Int32, Int64]] = field(default_factory=dict)
    data_version: DataVersion | None = None


@body
class DelayOffsets:
    """Progress of each delay level, as delayOffset.json holds it."""

    data_version: DataVersion | None = None
    offset_table: dict[Int32, Int64] = field(default_factory=dict)
