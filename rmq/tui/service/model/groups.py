"""Consumer groups: rows and details."""

from __future__ import annotations

from dataclasses import dataclass

from rmq.tui.service.model.cluster import Setting
from rmq.tui.service.model.problem import Problem


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group.

    Attributes:
        state: `online`, `offline`, or empty when unknown.
        model: `clustering` or `broadcasting`; empty when nobody is connected.
        kind: `push`, `pull` or `pop`.
        clients: how many are connected.
        topics: how many topics it has offsets in.
        lag: messages behind; None when unknown.
        produced: ends of its queues, added up.
        consumed: its offsets, added up.
        oldest: store time of the last consumed message of the queue that is furthest back; 0 when nothing is behind.
        problem: why parts are missing.
    """

    name: str
    state: str = ""
    model: str = ""
    kind: str = ""
    clients: int = 0
    topics: int = 0
    lag: int | None = None
    produced: int = 0
    consumed: int = 0
    oldest: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class GroupQueue:
    """One queue that a group consumes; `owner` is a client's id, empty when nobody is known to have it."""

    topic: str
    broker: str
    queue_id: int
    broker_offset: int
    consumer_offset: int
    last: int
    owner: str = ""

    @property
    def lag(self) -> int:
        """Messages behind."""
        return max(self.broker_offset - self.consumer_offset, 0)


@dataclass(frozen=True, slots=True)
class Client:
    """A connected client of a group; `queues` and `cached` are None when it did not answer."""

    client_id: str
    address: str
    language: str
    version: str
    queues: int | None = None
    cached: int | None = None
    started: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is subscribed to, and by how many of the clients that answered."""

    topic: str
    kind: str
    expression: str
    clients: int
    of_clients: int

    @property
    def agreed(self) -> bool:
        """Whether all clients want the same of this topic."""
        return self.clients == self.of_clients


@dataclass(frozen=True, slots=True)
class GroupDetail:
    """Everything about one group. `problems` tells which parts are missing."""

    group: Group
    queues: tuple[GroupQueue, ...] = ()
    clients: tuple[Client, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    config: tuple[Setting, ...] = ()
    problems: tuple[Problem, ...] = ()
