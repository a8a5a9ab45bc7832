"""What the screens show: values as a service gives them, at one moment.

Counters are totals since some beginning; `history` makes rates of them, so that a rate is as fresh as the refresh is.
Times are ms since the epoch; 0 means unknown.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something could not be told.

    Attributes:
        cause: one line.
        where: who refused or is silent, `host:port`; empty when that is not known.
        code: the response code, None when there was no response.
        remedy: what to do about it, one line; may be empty.
    """

    cause: str
    where: str = ""
    code: int | None = None
    remedy: str = ""

    def __str__(self) -> str:
        named = self.where and self.where not in self.cause
        text = f"{self.where}: {self.cause}" if named else self.cause
        return f"{text} (code {self.code})" if self.code is not None else text


# --- cluster -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker process.

    Attributes:
        put_total: messages stored since its start.
        get_total: messages handed out since its start.
        page_cache_wait: ms that the longest write waits for the page cache.
        disk: used part of the commit log's disk, 0 to 1.
        earliest: time of its oldest message.
        timer_backlog: messages that wait for their time.
        started: when it was started.
        figures: everything that it says of itself, by name.
        problem: why there are no figures.
    """

    cluster: str
    name: str
    broker_id: int
    address: str
    version: str = ""
    put_total: int = 0
    get_total: int = 0
    page_cache_wait: int = 0
    disk: float = 0.0
    earliest: int = 0
    timer_backlog: int = 0
    started: int = 0
    figures: tuple[tuple[str, str], ...] = ()
    problem: Problem | None = None

    @property
    def role(self) -> str:
        """`master` or `slave`."""
        return "slave" if self.broker_id else "master"


@dataclass(frozen=True, slots=True)
class NameServer:
    """One name server, and how its view differs from what all of them know together.

    Attributes:
        brokers: broker processes that it knows.
        missing: addresses that others know and it does not.
        problem: why it could not be asked.
    """

    address: str
    brokers: int = 0
    missing: tuple[str, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """All brokers and name servers."""

    brokers: tuple[Broker, ...]
    nameservers: tuple[NameServer, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The clusters' names."""
        return tuple(dict.fromkeys(broker.cluster for broker in self.brokers))


@dataclass(frozen=True, slots=True)
class Setting:
    """A key and its value on one server."""

    server: str
    key: str
    value: str


# --- topics --------------------------------------------------------------------------------------------------------


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


# --- groups --------------------------------------------------------------------------------------------------------


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
