"""The life of a producer or consumer: created, running, stopped; started and stopped once."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypedDict

from twisted.internet.defer import Deferred

from rmq.client.config import ClientConfig
from rmq.client.errors import NotRunningError
from rmq.client.instance import ClientInstance
from rmq.client.tracer import Tracer
from rmq.client.waiting import deferred
from rmq.wire.names import check_group


class Place(TypedDict, total=False):
    """Where a producer or consumer finds its servers.

    Attributes:
        namesrv_addr: name servers; None means NAMESRV_ADDR, then 127.0.0.1:9876.
        client_config: name, namespace, tracing and intervals of the client.
    """

    namesrv_addr: str | None
    client_config: ClientConfig | None


class Home(Place, total=False):
    """Where a producer or consumer lives.

    Attributes:
        instance: a client instance that it shares with others, instead of one of its own.
    """

    instance: ClientInstance | None


class Member:
    """A part of a client instance. `async with` starts it and shuts it down.

    Args:
        group: the group's name.
        instance: where it lives.
        role: what traces call it, `PRODUCE` or `CONSUME`; None traces nothing.

    Attributes:
        group: the group as brokers know it.
        tracer: told of what is done, when the client's configuration wants traces.

    Raises:
        InvalidParameterError: the group's name is not allowed.
    """

    def __init__(self, group: str, instance: ClientInstance, role: str | None = None) -> None:
        self.group = check_group(instance.namespace.wrap(group))
        self.instance = instance
        self.tracer = Tracer(instance, group, role) if role is not None and instance.config.enable_trace else None
        self._state = "created"

    @property
    def running(self) -> bool:
        """Whether it was started and is not shut down."""
        return self._state == "running"

    @deferred
    async def start(self) -> None:
        """Starts it.

        Raises:
            ClientError: it was started before, or its group lives in this instance already.
        """
        if self._state != "created":
            raise NotRunningError(f"{self._name} cannot be started: it is {self._state} already")
        self._state = "running"
        try:
            await self._start()
            if self.tracer is not None:
                self.tracer.start()
        except BaseException:
            self._state = "stopped"
            raise

    @deferred
    async def shutdown(self) -> None:
        """Stops it; does nothing if it does not run."""
        if self._state == "running":
            self._state = "stopped"
            await self._shutdown()

    async def _stop_tracing(self) -> None:
        """Sends what is left of the traces; the instance must still work."""
        if self.tracer is not None:
            await self.tracer.stop()

    async def _start(self) -> None:
        raise NotImplementedError

    async def _shutdown(self) -> None:
        raise NotImplementedError

    @property
    def _name(self) -> str:
        return f"{type(self).__name__} {self.group}"

    def _check_running(self) -> None:
        if self._state != "running":
            reason = "was not started" if self._state == "created" else "is shut down"
            raise NotRunningError(f"{self._name} {reason}")

    def __aenter__(self) -> Deferred[Self]:
        return self.start().addCallback(lambda _: self)

    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Deferred[None]:
        return self.shutdown()


def instance_for(reactor: Any, home: Home, instance_name: str | None = None) -> ClientInstance:
    """The instance that `home` names, or one for a member alone.

    Args:
        reactor: a Twisted reactor.
        home: where the member is to live.
        instance_name: the instance's name when the configuration says none.
    """
    shared = home.get("instance")
    if shared is not None:
        return shared
    config = home.get("client_config") or ClientConfig()
    config = replace(
        config,
        namesrv_addr=home.get("namesrv_addr") or config.namesrv_addr,
        instance_name=config.instance_name or instance_name,
    )
    return ClientInstance(reactor, config)
