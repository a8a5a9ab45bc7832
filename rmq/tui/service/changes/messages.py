"""Messages that are sent: new ones, and stored ones once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rmq.client.message import RESERVED_PROPERTIES
from rmq.tui.formats import plural
from rmq.tui.service.changes.change import Change, Risk


def is_reserved(name: str) -> bool:
    """Whether RocketMQ gives a property of this name a meaning, so that users cannot set it."""
    return name in RESERVED_PROPERTIES


@dataclass(frozen=True, slots=True)
class SendMessage(Change):
    """Sends one message.

    Attributes:
        topic: where it goes.
        body: its payload.
        keys: separated by blanks.
        properties: the user's own.
        broker: the broker whose queue takes it; empty for any.
        queue_id: that queue; counts when there is a broker.
        delay: it is delivered only after so many ms.
        origin: the id of the stored message that it repeats; empty for a new one.
    """

    risk: ClassVar[Risk] = Risk.MEDIUM

    topic: str
    body: bytes
    tags: str = ""
    keys: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    broker: str = ""
    queue_id: int = 0
    delay: int = 0
    origin: str = ""

    @property
    def title(self) -> str:
        """See `Change`."""
        again = f" again (was {self.origin})" if self.origin else ""
        return f"send to {self.topic}{again}, {plural(len(self.body), 'byte')}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.topic

    @property
    def command(self) -> tuple[str, ...]:
        """None where mqadmin cannot: it sends no properties, delays, or bytes that are not text."""
        try:
            text = self.body.decode("utf-8")
        except UnicodeDecodeError:
            return ()
        if self.properties or self.delay or not text or not text.isprintable():
            return ()
        words = ["sendMessage", "-t", self.topic, "-p", text]
        for option, value in (("-c", self.tags), ("-k", self.keys), ("-b", self.broker)):
            if value:
                words += [option, value]
        return (*words, "-i", str(self.queue_id)) if self.broker else tuple(words)
