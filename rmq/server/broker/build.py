"""Puts a broker together, and takes it apart in the right order.

Starting: tables and store are loaded before the port opens, so that nobody is told half the truth. Stopping: the name
servers forget the broker, connections end, then offsets, log and queues go to the disk.

Source: BrokerController.
"""

from __future__ import annotations

import os
import shutil
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
from rmq.remoting.server import RemotingServer
from rmq.server.broker.clients import ConsumerTable, ProducerTable
from rmq.server.broker.delay.service import DelayService
from rmq.server.broker.filters import FilterTable
from rmq.server.broker.locks import QueueLocks
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.options import store_options
from rmq.server.broker.pop.service import PopService
from rmq.server.broker.processors.admin import AdminProcessor
from rmq.server.broker.processors.client import ClientProcessor
from rmq.server.broker.processors.consumer import ConsumerProcessor
from rmq.server.broker.processors.delay import DelayProcessor
from rmq.server.broker.processors.group import GroupProcessor
from rmq.server.broker.processors.lock import LockProcessor
from rmq.server.broker.processors.message import MessageProcessor
from rmq.server.broker.processors.offset import OffsetProcessor
from rmq.server.broker.processors.pull import PullProcessor
from rmq.server.broker.processors.reply import ReplyProcessor
from rmq.server.broker.processors.reset import ResetProcessor
from rmq.server.broker.processors.send import SendProcessor
from rmq.server.broker.processors.send_back import SendBackProcessor
from rmq.server.broker.processors.topic import TopicProcessor
from rmq.server.broker.processors.transaction import TransactionProcessor
from rmq.server.broker.putting import MessagePutter
from rmq.server.broker.register import Registrar
from rmq.server.broker.retention import retention_of
from rmq.server.broker.retry import RetryRules
from rmq.server.broker.runtime import RuntimeInfo
from rmq.server.broker.stats import BrokerStats
from rmq.server.broker.transaction.service import Transactions
from rmq.server.delivery.hold import PullHold
from rmq.server.files import DiskFiles
from rmq.server.store import fast
from rmq.server.store.api import RecoveryReport
from rmq.server.store.env import Env
from rmq.server.store.store import MessageStore
from rmq.settings.environment import split_addresses
from rmq.settings.model import BrokerSettings
from rmq.settings.store import BrokerRole
from rmq.wire.address import join_address
from rmq.wire.message import UniqueIds, pack_host

CLIENT_SCAN_SECONDS: Final = 10.0
FILTER_SAVE_SECONDS: Final = 10.0
_FLUSH_THREADS: Final = 2

log = Logger()


class UnsupportedRoleError(Exception):
    """This broker cannot play the role that its configuration gives it."""


class AlreadyStartedError(Exception):
    """A broker is started once; to run again, another is made."""


class Broker:
    """A broker.

    Args:
        reactor: a Twisted reactor.
        settings: all settings; dynamic ones are read at each use.

    Attributes:
        report: what the store found when it was opened.
    """

    def __init__(self, reactor: Any, settings: BrokerSettings) -> None:
        self._reactor = reactor
        self._settings = settings
        self.report: RecoveryReport | None = None
        self._files = DiskFiles()
        self._client = RemotingClient(reactor, connect_timeout=settings.client.connect_timeout_millis / 1000)
        self._threads = ThreadPool(0, _FLUSH_THREADS, "rmq-flush")
        self._store: MessageStore | None = None
        self._server: RemotingServer | None = None
        self._registrar: Registrar | None = None
        self._services: list[Any] = []
        self._offsets: OffsetTable | None = None
        self._filters: FilterTable | None = None
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
            UnsupportedRoleError: the configuration wants a slave or synchronous replication.
            StoreError: the store cannot be opened, or another broker holds it.
            ConfigFileError: a file under `config/` is damaged.
            ListenError: the port is taken or not allowed.
        """
        settings = self._settings
        if self._started:
            raise AlreadyStartedError(f"broker {self.name} was started before")
        if settings.store.broker_role is not BrokerRole.ASYNC_MASTER:
            raise UnsupportedRoleError(
                f"brokerRole={settings.store.broker_role.value}: this broker does not replicate yet; "
                "use brokerRole=ASYNC_MASTER, or an Apache broker for this role"
            )
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
        if self._server is not None:
            self._server.stop()
        if self._store is not None:
            self._store.close()
        self._server = self._store = self._offsets = self._filters = self._registrar = None
        self._threads.stop()

    def _assemble(self) -> Registrar:
        settings, reactor = self._settings, self._reactor
        seconds = reactor.seconds
        topics = TopicTable(settings, self._config_file("topics.json"), self.now)
        groups = GroupTable(settings, self._config_file("subscriptionGroup.json"), self.now)
        offsets = self._offsets = OffsetTable(settings, self._config_file("consumerOffset.json"))
        filters = self._filters = FilterTable(settings, self._config_file("consumerFilter.json"), self.now)
        # The port must be known before the store opens, because every record carries it. Nobody is answered before
        # this method is through.
        dispatcher = Dispatcher(())
        hold = PullHold(reactor)
        server = self._server = RemotingServer(
            reactor,
            dispatcher,
            pressure=Pressure(reactor, idle_seconds=settings.server.server_channel_max_idle_time_seconds),
            max_frame=settings.server.frame_max_length,
            after_read=hold.wake,
        )
        server.listen(settings.server.bind_address, settings.server.listen_port)
        host = pack_host(settings.broker.broker_ip1 or "127.0.0.1", server.port)
        store = self._store = MessageStore(
            store_options(settings, host), Env(), reactor, self._in_thread, lambda: retention_of(settings)
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
        for table in (topics, groups, offsets, filters):
            table.load()
        stats = BrokerStats(reactor, settings.broker.broker_cluster_name, self.now)
        expires = settings.broker.channel_expired_timeout / 1000
        consumers = ConsumerTable(seconds, groups.are_told, expires=expires)
        consumers.on_gone = filters.unregister
        producers = ProducerTable(seconds, expires=expires)
        store.on_arrival = hold.arrived
        registrar = self._registrar = self._make_registrar(topics)
        topics.on_change = lambda changed: registrar.changed()
        delays = DelayService(
            reactor, settings, store, stats, self._config_file, Env(), self._in_thread, hold.wake
        )
        delays.load()
        runtime = RuntimeInfo(settings, store, stats, self.now, _disk_space, delays.figures)
        unique_ids = UniqueIds(host[:-4], os.getpid(), self.now())
        putter = MessagePutter(store)
        putter.hooks.append(delays.hook)
        locks = QueueLocks(reactor)
        retry_rules = RetryRules(groups, topics, locks)
        counts = self._config_file("transactionMetrics")
        transactions = Transactions(
            reactor, settings, store, topics, offsets, putter, stats, producers, counts, host, self.now
        )
        pops = PopService(
            reactor, settings, self._config_file, topics, groups, consumers, filters, offsets, store, putter, stats,
            self._client, lambda: self.name_servers, host, self.now, Random(), lambda: delays.delivered_until,
        )  # fmt: skip
        pops.load()
        for processor in (
            *pops.processors,
            SendProcessor(
                settings, topics, store, putter, retry_rules, transactions, stats, unique_ids, host, self.now
            ),
            TransactionProcessor(transactions, store),
            DelayProcessor(settings, topics, putter, stats, delays, self.now),
            SendBackProcessor(settings, retry_rules, store, putter, stats),
            LockProcessor(locks),
            PullProcessor(settings, topics, groups, consumers, filters, offsets, store, stats, hold, seconds),
            ClientProcessor(settings, topics, groups, producers, consumers, filters, seconds),
            OffsetProcessor(topics, groups, offsets, store),
            MessageProcessor(settings, consumers, store),
            ReplyProcessor(settings, topics, putter, producers, stats, host, self.now),
            ResetProcessor(settings, topics, groups, offsets, consumers, store),
            TopicProcessor(settings, topics, offsets, store, stats, hold, self.address),
            GroupProcessor(groups, offsets, stats),
            ConsumerProcessor(
                settings, topics, groups, offsets, producers, consumers, store, stats, self.address, self.now
            ),
            AdminProcessor(settings, store, stats, runtime, self._files, registrar.changed),
        ):
            dispatcher.add(processor)
        self._services = [store, stats, hold, delays, pops, transactions, locks]
        for service in self._services:
            service.start()
        self._repeat(CLIENT_SCAN_SECONDS, consumers.expire)
        self._repeat(CLIENT_SCAN_SECONDS, producers.expire)
        self._repeat(settings.broker.flush_consumer_offset_interval / 1000, self._save_offsets)
        self._repeat(FILTER_SAVE_SECONDS, self._save_filters)
        return registrar

    def _make_registrar(self, topics: TopicTable) -> Registrar:
        broker = self._settings.broker
        ha_address = join_address(broker.broker_ip2 or "127.0.0.1", self._settings.store.ha_listen_port)
        return Registrar(
            self._reactor,
            self._client,
            name_servers=lambda: self.name_servers,
            identity=(broker.broker_cluster_name, self.name, broker.broker_id, self.address, ha_address),
            topics=topics.wrapper,
            ordered=topics.mark_ordered,
            compressed=lambda: broker.compressed_register,
            period=broker.register_period_ms / 1000,
            timeout=broker.register_broker_timeout_mills / 1000,
        )

    def _config_file(self, name: str) -> ConfigFile:
        return ConfigFile(str(Path(self._settings.store.store_path_root_dir, "config", name)), self._files)

    def _in_thread(self, work: Any) -> Deferred[Any]:
        return deferToThreadPool(self._reactor, self._threads, work)

    def _repeat(self, seconds: float, work: Any) -> None:
        loop = Repeat(self._reactor, work)
        loop.start(seconds)
        self._loops.append(loop)

    def _save_offsets(self) -> None:
        if self._offsets is None:
            return
        try:
            self._offsets.save(self.now())
        except OSError as error:
            log.warn("consumer offsets cannot be saved now: {error}", error=error)

    def _save_filters(self) -> None:
        if self._filters is None:
            return
        try:
            self._filters.save()
        except OSError as error:
            log.warn("filters of consumers cannot be saved now: {error}", error=error)

    @inlineCallbacks
    def stop(self) -> Any:
        """Ends it; fires when everything is on the disk. Does nothing to a broker that does not run."""
        self._stop_loops()
        registrar, self._registrar = self._registrar, None
        if registrar is not None:
            yield registrar.stop()
        self._client.close()
        if self._server is not None:
            yield self._server.stop()
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
        for service in services[1:]:
            service.stop()


def _disk_space(path: str) -> tuple[int, int]:
    usage = shutil.disk_usage(path)
    return usage.total, usage.free
