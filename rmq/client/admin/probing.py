"""Sends messages one after the other and takes the time of each.

Source: CheckMsgSendRTCommand, CLusterSendMsgRTCommand, SendMsgStatusCommand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple

from rmq.client.admin.sending import Sender, places
from rmq.client.admin.session import Admin
from rmq.client.errors import NoRouteError
from rmq.client.message import Message
from rmq.client.results import SendResult
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import RemotingError


class Probe(NamedTuple):
    """One send.

    Attributes:
        queue: where the message was to go.
        millis: how long it took.
        outcome: where it went, or why it did not.
    """

    queue: MessageQueue
    millis: int
    outcome: SendResult | RemotingError


async def probe(admin: Admin, group: str, topic: str, bodies: Iterable[bytes]) -> AsyncIterator[Probe]:
    """Sends these messages to the topic's queues in turn, one at a time.

    Raises:
        NoRouteError: the topic has no queue that takes messages.
    """
    found = sorted(await places(admin, topic), key=lambda place: place.queue)
    if not found:
        raise NoRouteError(topic)
    sender = Sender(admin, group)
    for number, body in enumerate(bodies):
        place = found[number % len(found)]
        begun = admin.now()
        outcome: SendResult | RemotingError
        try:
            outcome = await sender.send(Message(topic, body), place)
        except RemotingError as error:
            outcome = error
        yield Probe(place.queue, admin.now() - begun, outcome)


def average(probes: Sequence[Probe]) -> float:
    """Milliseconds that a send takes; the first is left out, which opens the connection."""
    counted = probes[1:] or probes
    return sum(each.millis for each in counted) / len(counted) if counted else 0.0
