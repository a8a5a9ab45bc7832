"""Topics: rows and details."""

from __future__ import annotations

from dataclasses import dataclass

from rmq.tui.service.model.cluster import Setting
from rmq.tui.service.model.problem import Problem


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic.

    Attributes:
        kind: the type of its messages, `NORMAL`, `FIFO` and so on; empty when unknown.
        perm: such as `RW-`.
        total: messages that ever came, over all queues.
        stored: messages that are still there.
        last: time of the last one.
        groups: how many groups consume it.
        lag: messages that those groups are behind; None when one of them could not be asked.
        problem: why parts are missing.
    """

    name: str
    kind: str = ""
    perm: str = ""
    read_queues: int = 0
    write_queues: int = 0
    brokers: int = 0
    total: int = 0
    stored: int = 0
    last: int = 0
    groups: int = 0
    lag: int | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A topic's queues on one broker; the permission is that of the route."""

    broker: str
    cluster: str
    address: str
    read_queues: int
    write_queues: int
    perm: str


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue of a topic."""

    broker: str
    queue_id: int
    min_offset: int
    max_offset: int
    last: int


@dataclass(frozen=True, slots=True)
class Reader:
    """A group that consumes a topic; its lag is None when it could not be told."""

    group: str
    lag: int | None
    consumed: int
    produced: int
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class TopicDetail:
    """Everything about one topic. `problems` tells which parts are missing."""

    topic: Topic
    route: tuple[RouteEntry, ...] = ()
    queues: tuple[Queue, ...] = ()
    readers: tuple[Reader, ...] = ()
    config: tuple[Setting, ...] = ()
    problems: tuple[Problem, ...] = ()
