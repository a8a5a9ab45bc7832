"""Brokers, name servers, and settings."""

from __future__ import annotations

from dataclasses import dataclass

from rmq.tui.service.model.problem import Problem


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
        lag: of a slave, bytes of its master's log that it has not; None when that is unknown.
        lag_millis: how old the first of them is; None when the master does not tell.
        in_sync: of a slave, whether its master counts it as in step; None when the master is away or does not tell.
        slaves: of a master, slaves that are registered.
        slaves_in_sync: how many of them are in step; None when it does not tell.
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
    lag: int | None = None
    lag_millis: int | None = None
    in_sync: bool | None = None
    slaves: int = 0
    slaves_in_sync: int | None = None
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
