"""Who is connected, and what a consumer says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rmq.tui.service.model.problem import Problem

PRODUCER: Final = "producer"
CONSUMER: Final = "consumer"
SILENT_MILLIS: Final = 45_000
"""A client reports to its brokers every thirty seconds; after this it is late."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A client in one group.

    Attributes:
        role: `producer` or `consumer`.
        address: `ip:port` as a broker sees it.
        broker: address of the broker that told.
        kind: `push`, `pull` or `pop`, of consumers.
        heard: when a producer last reported, in ms; 0 when that is not told.
    """

    role: str
    group: str
    client_id: str
    address: str
    language: str
    version: str
    broker: str
    kind: str = ""
    heard: int = 0

    @property
    def key(self) -> str:
        """What it is told apart by."""
        return f"{self.role} {self.group} {self.client_id}"


@dataclass(frozen=True, slots=True)
class Clients:
    """Clients as far as they are known.

    Attributes:
        connected: all producers, and the consumers of the groups that were asked.
        asked: how many consumer groups have been asked.
        groups: how many there are.
        problems: brokers that could not tell.
    """

    connected: tuple[Connected, ...]
    asked: int
    groups: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Running:
    """What a consumer does; a producer is not asked.

    Attributes:
        queues: queues that it has; None when unknown.
        held: messages that it holds and has not consumed yet.
        started: when it was started, in ms; 0 when unknown.
        stuck: queues on which it does not get on.
        problem: why it could not be asked.
    """

    queues: int | None = None
    held: int | None = None
    started: int = 0
    stuck: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class HeldQueue:
    """A queue that a consumer has; times in ms, `trouble` says why it does not get on."""

    topic: str
    broker: str
    queue_id: int
    held: int
    committed: int
    pulled: int
    consumed: int
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client subscribes to."""

    topic: str
    kind: str
    expression: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a consumer gets on with a topic: rates a second, ms of a mean consumption, failures of the last hour."""

    topic: str
    pull_rate: float
    ok_rate: float
    consume_millis: float
    failed: int


@dataclass(frozen=True, slots=True)
class ClientDetail:
    """Everything about one client; `running` has a problem when it did not answer."""

    running: Running
    queues: tuple[HeldQueue, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    paces: tuple[Pace, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
