"""Puts a name server together."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.client import RemotingClient
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.pressure import Pressure
from rmq.remoting.reactor import Repeat
from rmq.remoting.server import RemotingServer
from rmq.server.files import DiskFiles, SmallFiles
from rmq.server.namesrv.kv import KvConfig
from rmq.server.namesrv.processors.broker import BrokerProcessor
from rmq.server.namesrv.processors.config import ConfigProcessor
from rmq.server.namesrv.processors.topic import TopicProcessor
from rmq.server.namesrv.registration import MinBrokerChange
from rmq.server.namesrv.routes import RouteTables
from rmq.settings.model import NamesrvSettings
from rmq.wire.address import join_address
from rmq.wire.requests.registration import NotifyMinBrokerIdChange

FIRST_SCAN_SECONDS: Final = 5.0

log = Logger()


class NameServer:
    """A name server.

    Args:
        reactor: a Twisted reactor.
        settings: all settings; dynamic ones are read at each use.
        files: where the key-value configuration and rewritten settings are kept.

    Attributes:
        tables: what is registered.
        dispatcher: from requests to answers.
    """

    def __init__(self, reactor: Any, settings: NamesrvSettings, files: SmallFiles | None = None) -> None:
        self._settings = settings
        files = files or DiskFiles()
        config, server = settings.namesrv, settings.server
        self._kv = KvConfig(config.kv_config_path, files)
        self._client = RemotingClient(reactor)
        self.tables = RouteTables(config, reactor.seconds, self._notify)
        self.dispatcher = Dispatcher(
            (
                BrokerProcessor(self.tables, self._kv, config),
                TopicProcessor(self.tables, self._kv, config, reactor.seconds),
                ConfigProcessor(self._kv, settings, files),
            )
        )
        self._server = RemotingServer(
            reactor,
            self.dispatcher,
            pressure=Pressure(reactor, idle_seconds=server.server_channel_max_idle_time_seconds),
            max_frame=server.frame_max_length,
        )
        self._scan = Repeat(reactor, self.tables.expire)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    @property
    def address(self) -> str:
        """Where it listens, `host:port`."""
        return join_address(self._settings.server.bind_address, self.port)

    def start(self) -> None:
        """Loads what is kept and begins to listen.

        Raises:
            ListenError: the port is taken or not allowed.
            KvFileError, OSError: the key-value configuration cannot be read.
        """
        self._kv.load()
        self._server.listen(self._settings.server.bind_address, self._settings.server.listen_port)
        interval = self._settings.namesrv.scan_not_active_broker_interval / 1000
        self._scan.start(interval, first=FIRST_SCAN_SECONDS)

    def stop(self) -> Deferred[object]:
        """Ends it; fires when the port and all connections are closed."""
        self._scan.stop()
        self._client.close()
        return self._server.stop()

    def _notify(self, change: MinBrokerChange) -> None:
        log.info(
            "lowest id of a broker group is now {id} at {address}, telling {tell}",
            id=change.broker_id, address=change.address, tell=", ".join(change.tell),
        )  # fmt: skip
        header = NotifyMinBrokerIdChange(
            change.broker_id, None, change.address, change.offline_address, change.ha_address
        )
        for address in change.tell:
            self._client.send_oneway(address, header).addErrback(_unreached, address)


def _unreached(failure: Failure, address: str) -> None:
    log.warn("{address} was not told: {error}", address=address, error=failure.value)
