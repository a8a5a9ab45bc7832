"""The servers as parts of a process: what can keep them from starting, and their boot lines.

Source: NamesrvStartup, BrokerStartup.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred

from rmq.remoting.server import ListenError
from rmq.server.processes import BROKER, NAMESRV
from rmq.server.runner import EXIT_FAILED, EXIT_NOT_INITIALISED, StartError
from rmq.settings.model import BrokerSettings, NamesrvSettings

if TYPE_CHECKING:
    from rmq.server.broker.build import Broker

_SERIALIZE: Final = "serializeType=JSON"


class NamesrvPart:
    """A name server in a process."""

    role = NAMESRV

    def __init__(self, reactor: Any, settings: NamesrvSettings) -> None:
        from rmq.server.namesrv.build import NameServer

        self.server = NameServer(reactor, settings)

    @property
    def address(self) -> str:
        """See `rmq.server.runner.Part`."""
        return self.server.address

    def start(self) -> None:
        """See `rmq.server.runner.Part`."""
        from rmq.server.namesrv.kv import KvFileError

        try:
            self.server.start()
        except ListenError as error:
            raise StartError(str(error)) from error
        except (KvFileError, OSError) as error:
            raise StartError(str(error), EXIT_NOT_INITIALISED) from error

    def stop(self) -> Deferred[Any]:
        """See `rmq.server.runner.Part`."""
        return self.server.stop()

    def boot_line(self) -> str:
        """Apache's ready line."""
        return f"The Name Server boot success. {_SERIALIZE}, address {self.server.address}"


class BrokerPart:
    """A broker in a process.

    Args:
        make: makes it; called when it is to start, because a name server of the same process may choose its port.
    """

    role = BROKER

    def __init__(self, make: Callable[[], Broker]) -> None:
        self._make = make
        self._broker: Broker | None = None

    @property
    def address(self) -> str:
        """What clients are told."""
        return self._broker.address if self._broker is not None else ""

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """See `rmq.server.runner.Part`."""
        from rmq.server.broker.meta.config_file import ConfigFileError
        from rmq.server.store.api import StoreError, StoreLockedError

        broker = self._broker = self._make()
        try:
            yield maybeDeferred(broker.start)
        except (ListenError, StoreLockedError) as error:
            raise StartError(str(error), EXIT_FAILED) from error
        except (StoreError, ConfigFileError, OSError) as error:
            raise StartError(str(error), EXIT_NOT_INITIALISED) from error

    def stop(self) -> Deferred[Any]:
        """See `rmq.server.runner.Part`."""
        return maybeDeferred(self._broker.stop) if self._broker is not None else maybeDeferred(lambda: None)

    def boot_line(self) -> str:
        """Apache's ready line."""
        if self._broker is None:
            return ""
        servers = ";".join(self._broker.name_servers)
        named = f" and name server is {servers}" if servers else ""
        return f"The broker[{self._broker.name}, {self._broker.address}] boot success. {_SERIALIZE}{named}"


def broker_part(reactor: Any, settings: BrokerSettings, *, needs_all_ports: bool) -> BrokerPart:
    """A broker whose settings are known; see `rmq.server.broker.build.Broker`."""

    def make() -> Broker:
        from rmq.server.broker.build import Broker

        return Broker(reactor, settings, needs_all_ports=needs_all_ports)

    return BrokerPart(make)
