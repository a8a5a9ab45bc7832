"""The life of a producer or consumer: created, running, stopped; started and stopped once."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from twisted.internet.defer import Deferred

from rmq.client.config import ClientConfig
from rmq.client.errors import NotRunningError
from rmq.client.instance import ClientInstance
from rmq.client.waiting import deferred
from rmq.wire.names import check_group


class Member:
    """A part of a client instance. `async with` starts it and shuts it down.

    Args:
        group: the group's name.
        instance: where it lives.

    Raises:
        InvalidParameterError: the group's name is not allowed.
    """

    def __init__(self, group: str, instance: ClientInstance) -> None:
        self.group = check_group(group)
        self.instance = instance
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
        except BaseException:
            self._state = "stopped"
            raise

    @deferred
    async def shutdown(self) -> None:
        """Stops it; does nothing if it does not run."""
        if self._state == "running":
            self._state = "stopped"
            await self._shutdown()

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


def own_instance(
    reactor: Any, namesrv_addr: str | None, client_config: ClientConfig | None, instance_name: str | None = None
) -> ClientInstance:
    """An instance for one member alone.

    Args:
        reactor: a Twisted reactor.
        namesrv_addr: name servers; those of the configuration when None.
        client_config: the rest.
        instance_name: the instance's name when the configuration says none.
    """
    config = client_config or ClientConfig()
    config = replace(
        config,
        namesrv_addr=namesrv_addr or config.namesrv_addr,
        instance_name=config.instance_name or instance_name,
    )
    return ClientInstance(reactor, config)
