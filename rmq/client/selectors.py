"""Ways to choose the queue of a message.

Source: MessageQueueSelector, SelectMessageQueueByHash, SelectMessageQueueByRandom.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from rmq.client.message import Message
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.javahash import java_hash

QueueSelector = Callable[[Sequence[MessageQueue], Message, Any], MessageQueue]
"""Gets the topic's queues, the message and the argument of the send; returns one of the queues."""


def select_by_hash(queues: Sequence[MessageQueue], message: Message, arg: Any) -> MessageQueue:
    """The same queue for the same argument: by its number, or by the Java hash of its text as Java's selector does."""
    value = arg if isinstance(arg, int) else java_hash(str(arg))
    return queues[abs(value) % len(queues)]


def select_by_random(queues: Sequence[MessageQueue], message: Message, arg: Any) -> MessageQueue:
    """Any queue."""
    return queues[random.randrange(len(queues))]
