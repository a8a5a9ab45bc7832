"""Gives a broker's parts a port, a store and a life, and takes them apart in the right order.

Starting: tables and store are loaded before the port opens, so that nobody is told half the truth. Stopping: the name
servers forget the broker, connections end, then offsets, log and queues go to the disk.

Source: BrokerController.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from random import Random
from typing import Any, Final

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from rmq.remoting.client import RemotingClient
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.pressure import Pressure
from rmq.remoting.reactor import Repeat
from rmq.remoting.server import ListenError, RemotingServer
from rmq.server.broker.options import store_options
from rmq.server.broker.parts import Parts, Service
from rmq.server.broker.register import Registrar
from rmq.server.broker.retention import retention_of
from rmq.server.delivery.hold import PullHold
from rmq.server.files import DiskFiles
from rmq.server.ha.master import HaMaster
from rmq.server.store import fast
from rmq.server.store.api import RecoveryReport
from rmq.server.store.env import Env
from rmq.server.store.store import MessageStore
from rmq.settings.environment import split_addresses
from rmq.settings.model import BrokerSettings
from rmq.settings.store import BrokerRole
from rmq.wire.address import join_address
from rmq.wire.message import pack_host

CLIENT_SCAN_SECONDS: Final = 10.0
VIP_DISTANCE: Final = 2
"""How far below a broker's port its other one is (MixAll.brokerVIPChannel)."""
FILTER_SAVE_SECONDS: Final = 10.0
_FLUSH_THREADS: Final = 2

log = Logger()


class AlreadyStartedError(Exception):
    """A broker is started once; to run again, another is made."""


class Broker:
    """A broker.

    Args:
        reactor: a Twisted reactor.
        settings: all settings; dynamic ones are read at each use.
        needs_all_ports: whether it cannot start when one of its other ports is taken; without it such a port is a
            warning, but for the one that the slaves of a SYNC_MASTER need.

    Attributes:
        report: what the store found when it was opened.
    """

    def __init__(self, reactor: Any, settings: BrokerSettings, *, needs_all_ports: bool = False) -> None:
        self._reactor = reactor
        self._settings = settings
        self._needs_all_ports = needs_all_ports
        self.report: RecoveryReport | None = None
        self._files = DiskFiles()
        connect_timeout = settings.client.connect_timeout_millis / 1000
        self._client = RemotingClient(reactor, connect_timeout=connect_timeout)
        self._log_client = RemotingClient(reactor, connect_timeout=connect_timeout)
        self._threads = ThreadPool(0, _FLUSH_THREADS, "rmq-flush")
        self._store: MessageStore | None = None
        self._server: RemotingServer | None = None
        self._registrar: Registrar | None = None
        self._parts: Parts | None = None
        self._services: list[Service] = []
        self._loops: list[Repeat] = []
        self._started = False

    # --- facts ----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The broker's name."""
        return self._settings.broker.broker_name

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port if self._server is not None else self._settings.server.listen_port

    @property
    def address(self) -> str:
        """What clients are told: brokerIP1 and port."""
        return join_address(self._settings.broker.broker_ip1 or "127.0.0.1", self.port)

    @property
    def name_servers(self) -> list[str]:
        """The name servers it registers with now."""
        configured = self._settings.broker.namesrv_addr
        return list(split_addresses(configured)) if configured else []

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self._reactor.seconds() * 1000)

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self) -> Deferred[None]:
        """Opens the store, listens, registers; fires when every name server has answered or failed.

        When it fails, everything is as before: no thread, no lock, no port.

        Raises:
            AlreadyStartedError: it was started before.
            StoreError: the store cannot be opened, or another broker holds it.
            ConfigFileError: a file under `config/` is damaged.
            ListenError: the port is taken or not allowed.
        """
        if self._started:
            raise AlreadyStartedError(f"broker {self.name} was started before")
        self._started = True
        self._threads.start()
        try:
            registrar = self._assemble()
        except BaseException:
            self._take_apart()
            raise
        return registrar.start()

    def _take_apart(self) -> None:
        """Undoes what a start that failed has done."""
        self._stop_loops()
        if self._parts is not None:
            if self._parts.slave is not None:
                self._parts.slave.replication.stop()
            self._parts.ha_master.stop()
        if self._server is not None:
            self._server.stop()
        if self._store is not None:
            self._store.close()
        self._server = self._store = self._parts = self._registrar = None
        self._threads.stop()

    def _assemble(self) -> Registrar:
        settings, reactor = self._settings, self._reactor
        # The port must be known before the store opens, because every record carries it. Nobody is answered before
        # this method is through.
        dispatcher = Dispatcher(())
        hold = PullHold(reactor)
        server = self._server = RemotingServer(
            reactor,
            dispatcher,
            pressure=Pressure(reactor, idle_seconds=settings.server.server_channel_max_idle_time_seconds),
            max_frame=settings.server.frame_max_length,
            after_read=self._after_read(hold),
        )
        server.listen(settings.server.bind_address, settings.server.listen_port)
        self._listen_for_vips(server)
        host = pack_host(settings.broker.broker_ip1 or "127.0.0.1", server.port)
        store = self._open_store(host)
        parts = self._parts = Parts(
            reactor,
            settings,
            store,
            hold,
            files=self._files,
            config_path=self._config_path,
            env=Env(),
            in_thread=self._in_thread,
            client=self._client,
            log_client=self._log_client,
            name_servers=lambda: self.name_servers,
            changed=self._on_topics_changed,
            hurry=self._hurry,
            host=host,
            address=self.address,
            process_id=os.getpid(),
            random=Random(),
            disk_space=_disk_space,
        )
        self._listen_for_slaves(parts.ha_master)
        registrar = self._registrar = self._make_registrar(parts)
        parts.topics.told = registrar.told
        self._tell_foreign_users()
        for processor in parts.processors:
            dispatcher.add(processor)
        store.start()
        if parts.slave is not None:
            parts.slave.replication.start()
        self._services = parts.services
        for service in self._services:
            service.start()
        self._repeat(CLIENT_SCAN_SECONDS, parts.consumers.expire)
        self._repeat(CLIENT_SCAN_SECONDS, parts.producers.expire)
        self._repeat(settings.broker.flush_consumer_offset_interval / 1000, self._save_offsets)
        self._repeat(FILTER_SAVE_SECONDS, self._save_filters)
        return registrar

    def _open_store(self, host: bytes) -> MessageStore:
        settings = self._settings
        store = self._store = MessageStore(
            store_options(settings, host), Env(), self._reactor, self._in_thread, lambda: retention_of(settings)
        )
        report = self.report = store.open()
        log.info(
            "store {path} opened after {end}: scanned {bytes} bytes, {records} records; its hottest loops are {way}",
            path=settings.store.store_path_root_dir,
            end="a clean stop" if report.clean else "an abnormal end",
            bytes=report.scanned_bytes,
            records=report.scanned_records,
            way=fast.way(),
        )
        return store

    def _tell_foreign_users(self) -> None:
        path = self._config_path("users")
        if os.path.isdir(path):
            log.warn(
                "{path} holds users of an Apache broker, which this one cannot read: to have them here, run both "
                "brokers side by side, each with a store of its own, and use mqadmin copyUser and copyAcl",
                path=path,
            )

    def _after_read(self, hold: PullHold) -> Callable[[], None]:
        """What follows everything that one read of a connection brought."""
        if self._settings.store.broker_role is not BrokerRole.SYNC_MASTER:
            return hold.wake

        def wake_and_pump() -> None:
            hold.wake()
            if self._parts is not None:
                self._parts.ha_master.pump()

        return wake_and_pump

    def _listen_for_vips(self, server: RemotingServer) -> None:
        """Apache's slaves ask for topics and timers at the port two below: the road that only few take there."""
        port = self._settings.server.listen_port - VIP_DISTANCE
        if port <= 0:
            return
        try:
            server.listen_also(self._settings.server.bind_address, port)
        except ListenError as error:
            if self._needs_all_ports:
                raise
            log.warn("slaves that are Apache's will not learn of topics here: {error}", error=error)

    def _listen_for_slaves(self, ha_master: HaMaster) -> None:
        settings = self._settings
        try:
            ha_master.listen(settings.server.bind_address, settings.store.ha_listen_port)
        except ListenError as error:
            if self._needs_all_ports or settings.store.broker_role is BrokerRole.SYNC_MASTER:
                raise
            log.warn("no slave can connect: {error}", error=error)

    def _make_registrar(self, parts: Parts) -> Registrar:
        broker, topics = self._settings.broker, parts.topics
        return Registrar(
            self._reactor,
            self._client,
            name_servers=lambda: self.name_servers,
            identity=(broker.broker_cluster_name, self.name, broker.broker_id, self.address, parts.ha_address()),
            topics=topics.wrapper,
            ordered=topics.mark_ordered,
            on_master=parts.slave.service.master_is if parts.slave else lambda address, ha_address: None,
            compressed=lambda: broker.compressed_register,
            period=broker.register_period_ms / 1000,
            timeout=broker.register_broker_timeout_mills / 1000,
        )

    def _hurry(self, seconds: float | None) -> None:
        if self._registrar is not None:
            self._registrar.hurry(seconds)

    def _on_topics_changed(self, topics: Collection[str]) -> None:
        if self._registrar is not None:
            self._registrar.changed(topics)

    def _config_path(self, name: str) -> str:
        return str(Path(self._settings.store.store_path_root_dir, "config", name))

    def _in_thread(self, work: Any) -> Deferred[Any]:
        return deferToThreadPool(self._reactor, self._threads, work)

    def _repeat(self, seconds: float, work: Any) -> None:
        loop = Repeat(self._reactor, work)
        loop.start(seconds)
        self._loops.append(loop)

    def _save_offsets(self) -> None:
        if self._parts is None:
            return
        try:
            self._parts.offsets.save(self.now())
        except OSError as error:
            log.warn("consumer offsets cannot be saved now: {error}", error=error)

    def _save_filters(self) -> None:
        if self._parts is None:
            return
        try:
            self._parts.filters.save()
        except OSError as error:
            log.warn("filters of consumers cannot be saved now: {error}", error=error)

    @inlineCallbacks
    def stop(self) -> Any:
        """Ends it; fires when everything is on the disk. Does nothing to a broker that does not run."""
        self._stop_loops()
        registrar, self._registrar = self._registrar, None
        if registrar is not None:
            yield registrar.stop()
        if self._parts is not None and self._parts.slave is not None:
            yield self._parts.slave.replication.stop()
        self._client.close()
        self._log_client.close()
        if self._server is not None:
            yield self._server.stop()
        if self._parts is not None:
            yield self._parts.ha_master.stop()
        self._save_offsets()
        self._save_filters()
        store, self._store = self._store, None
        if store is not None:
            yield store.close()
            self._threads.stop()

    def _stop_loops(self) -> None:
        loops, self._loops = self._loops, []
        for loop in loops:
            loop.stop()
        services, self._services = self._services, []
        for service in services:
            try:
                service.stop()
            except Exception:
                # The store must still come to its end.
                log.failure("a part of the broker could not stop as it should")


def _disk_space(path: str) -> tuple[int, int]:
    usage = shutil.disk_usage(path)
    return usage.total, usage.free
