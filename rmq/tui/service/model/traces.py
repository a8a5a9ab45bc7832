"""What happened to a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rmq.tui.service.model.problem import Problem


class StepKind(StrEnum):
    """What happened."""

    SEND = "send"
    STORE = "store"
    DECIDE = "decide"
    CONSUME = "consume"
    RECALL = "recall"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """Something that happened to a message.

    Attributes:
        kind: what.
        group: the producer or consumer group, or the broker that stored it.
        client: address of the client that tells.
        start: when it began, in ms.
        millis: how long it took; None when that is not told, or it has not ended.
        ok: whether it went well; None when that is not told.
        outcome: what came of it, in a word or two.
        attempt: which try of the group it was, from 1; 0 where there are no tries.
        facts: what else is told, by name.
    """

    kind: StepKind
    group: str
    client: str
    start: int
    millis: int | None = None
    ok: bool | None = None
    outcome: str = ""
    attempt: int = 0
    facts: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Traced:
    """The way of a message.

    Attributes:
        message_id: its sender's id.
        topic: its topic; empty when nothing tells.
        steps: what happened, in order.
        why: why there is no trace of it, a sentence; empty when there is one.
        remedy: what to do about that.
        problems: brokers that could not look.
    """

    message_id: str
    topic: str = ""
    steps: tuple[TraceStep, ...] = ()
    why: str = ""
    remedy: str = ""
    problems: tuple[Problem, ...] = ()
