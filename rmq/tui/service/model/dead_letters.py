"""Messages that a group has given up on."""

from __future__ import annotations

from dataclasses import dataclass

from rmq.tui.service.model.problem import Problem


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """A group with a dead-letter topic.

    Attributes:
        count: messages there now; None when unknown.
        newest: when the newest one was stored, in ms; 0 when there is none.
        oldest: when the oldest one was stored, in ms; 0 when there is none, or that is not known.
        problem: why parts are missing.
    """

    name: str
    count: int | None = None
    newest: int = 0
    oldest: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, order=True)
class LetterPlace:
    """Where a dead letter lies in its group's dead-letter topic."""

    broker: str
    queue_id: int
    offset: int

    def __str__(self) -> str:
        return f"{self.broker}/{self.queue_id}@{self.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a group has given up on.

    Attributes:
        place: where it lies now.
        topic: the one it was sent to.
        message_id: its sender's id where it has one, else the broker's id of the original.
        original: the broker's id of the original; empty when that is not told.
        reconsumed: how often its consumption was tried again.
        stored: when it became a dead letter, in ms.
        born: when it was sent, in ms.
        size: bytes of its body.
        preview: the beginning of its body as text, in one line.
    """

    place: LetterPlace
    topic: str
    message_id: str
    original: str
    tags: str
    keys: str
    reconsumed: int
    stored: int
    born: int
    size: int
    preview: str


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The newest dead letters of a group, newest first; `group` tells how many there are."""

    group: DeadGroup
    letters: tuple[DeadLetter, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterBody:
    """A dead letter with its whole body and all its properties, or why it cannot be read."""

    place: LetterPlace
    body: bytes = b""
    properties: tuple[tuple[str, str], ...] = ()
    problem: Problem | None = None
