"""The parts of a broker over its open store: tables, services, and the processors that answer requests.

Made in the order in which they need each other; `rmq.server.broker.build` gives them a port, a life and an end.

Source: BrokerController.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from random import Random
from typing import Any, Protocol

from rmq.remoting.calls import Invoker
from rmq.remoting.client import RemotingClient
from rmq.server.broker.auth.acls import AclTable
from rmq.server.broker.auth.users import UserTable
from rmq.server.broker.clients import ConsumerTable, ProducerTable
from rmq.server.broker.delay.service import DelayService
from rmq.server.broker.filters import FilterTable
from rmq.server.broker.locks import QueueLocks
from rmq.server.broker.mapping.forward import Forwarder
from rmq.server.broker.mapping.offsets import LogicalOffsets
from rmq.server.broker.mapping.table import MappingTable
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop.service import PopService
from rmq.server.broker.processors.admin import AdminProcessor
from rmq.server.broker.processors.auth import AuthProcessor
from rmq.server.broker.processors.client import ClientProcessor
from rmq.server.broker.processors.cold_data import ColdDataProcessor
from rmq.server.broker.processors.consumer import ConsumerProcessor
from rmq.server.broker.processors.convert import ConvertProcessor
from rmq.server.broker.processors.delay import DelayProcessor
from rmq.server.broker.processors.group import GroupProcessor
from rmq.server.broker.processors.lock import LockProcessor
from rmq.server.broker.processors.message import MessageProcessor
from rmq.server.broker.processors.offset import OffsetProcessor
from rmq.server.broker.processors.pull import PullProcessor
from rmq.server.broker.processors.recall import RecallProcessor
from rmq.server.broker.processors.replication import ReplicationProcessor
from rmq.server.broker.processors.reply import ReplyProcessor
from rmq.server.broker.processors.reset import ResetProcessor
from rmq.server.broker.processors.roles import RolesProcessor
from rmq.server.broker.processors.send import SendProcessor
from rmq.server.broker.processors.send_back import SendBackProcessor
from rmq.server.broker.processors.slave import SlaveRefusals
from rmq.server.broker.processors.static_topic import StaticTopicProcessor
from rmq.server.broker.processors.topic import TopicProcessor
from rmq.server.broker.processors.transaction import TransactionProcessor
from rmq.server.broker.putting import MessagePutter
from rmq.server.broker.retry import RetryRules
from rmq.server.broker.runtime import RuntimeInfo
from rmq.server.broker.safety import Safety
from rmq.server.broker.slave.marks import OffsetMarks
from rmq.server.broker.slave.offsets import SlaveOffsets
from rmq.server.broker.slave.parts import Slave
from rmq.server.broker.stats import BrokerStats
from rmq.server.broker.transaction.service import Transactions
from rmq.server.delivery.hold import PullHold
from rmq.server.files import SmallFiles
from rmq.server.ha.acks import AckTable
from rmq.server.ha.master import HaMaster
from rmq.server.store.api import DeferToThread
from rmq.server.store.env import Env
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.settings.store import BrokerRole
from rmq.wire.address import join_address
from rmq.wire.message import UniqueIds


class Service(Protocol):
    """Something that works by itself between its start and its stop."""

    def start(self) -> None:
        """Begins the work."""
        ...

    def stop(self) -> None:
        """Ends it."""
        ...


class Parts:
    """All parts.

    Args:
        reactor: tells the time and calls later.
        settings: all settings; dynamic ones are read at each use.
        store: the open store.
        hold: where pulls wait.
        files: the file system for what is kept under `config/`.
        config_path: where a file of that directory is, by its name.
        env: the file system for the timer's files.
        in_thread: runs a blocking call in a thread.
        client: calls other servers.
        log_client: a slave compares its log with its master's over it, see `rmq.server.ha.common`.
        name_servers: the name servers to register with now.
        changed: called with the topics that changed, none for any, so that name servers are told.
        hurry: called with the seconds that may lie between two registrations, None for as many as ever.
        host: packed address and port that clients are told.
        address: the same as text.
        process_id: part of the ids that the broker gives messages.
        random: decides where chance has a say.
        disk_space: total and free bytes of the disk that holds a path.
    """

    def __init__(
        self,
        reactor: Any,
        settings: BrokerSettings,
        store: MessageStore,
        hold: PullHold,
        *,
        files: SmallFiles,
        config_path: Callable[[str], str],
        env: Env,
        in_thread: DeferToThread,
        client: RemotingClient,
        log_client: Invoker,
        name_servers: Callable[[], list[str]],
        changed: Callable[[Collection[str]], None],
        hurry: Callable[[float | None], None],
        host: bytes,
        address: str,
        process_id: int,
        random: Random,
        disk_space: Callable[[str], tuple[int, int]],
    ) -> None:
        self._reactor = reactor
        self.settings = settings
        self.store = store
        self.hold = hold
        seconds, now = reactor.seconds, self.now

        def config_file(name: str) -> ConfigFile:
            return ConfigFile(config_path(name), files)

        # Tables.
        topics = self.topics = TopicTable(settings, config_file("topics.json"), now)
        groups = self.groups = GroupTable(settings, config_file("subscriptionGroup.json"), now)
        role = settings.store.broker_role
        offset_file, marks = config_file("consumerOffset.json"), OffsetMarks(config_file("slaveConsumerOffset.json"))
        slave_offsets = SlaveOffsets(settings, offset_file, marks) if role is BrokerRole.SLAVE else None
        if slave_offsets is None:
            marks.drop()
        offsets = self.offsets = OffsetTable(settings, offset_file) if slave_offsets is None else slave_offsets
        filters = self.filters = FilterTable(settings, config_file("consumerFilter.json"), now)
        mappings = self.mappings = MappingTable(
            settings.broker.broker_name, config_file("topicQueueMapping.json"), now
        )
        for table in (topics, groups, offsets, filters, mappings):
            table.load()
        topics.mappings = mappings.registered
        forwarder = Forwarder(client, name_servers)
        users = self.users = UserTable(ConfigFile(config_path("users.json"), files, private=True))
        acls = self.acls = AclTable(ConfigFile(config_path("acls.json"), files, private=True))
        users.load()
        acls.load()
        users.seed(settings.broker)
        expires = settings.broker.channel_expired_timeout / 1000
        consumers = self.consumers = ConsumerTable(seconds, groups.are_told, expires=expires)
        consumers.on_gone = filters.unregister
        producers = self.producers = ProducerTable(seconds, expires=expires)
        topics.on_change = lambda configs: changed([config.topic_name for config in configs])

        # Services.
        store.on_arrival = hold.arrived
        stats = self.stats = BrokerStats(reactor, settings.broker.broker_cluster_name, now)
        putter = self.putter = MessagePutter(store)
        acks = AckTable(
            reactor, lambda: settings.store.in_sync_replicas, lambda: settings.store.slave_timeout / 1000
        )
        self.ha_master = HaMaster(reactor, store, settings, acks)
        if role is BrokerRole.SYNC_MASTER:
            store.on_stored = acks.stored
        safety = Safety(store, acks if role is BrokerRole.SYNC_MASTER else None)
        delays = self.delays = DelayService(reactor, settings, store, stats, config_file, env, in_thread, hold.wake)
        delays.load()
        putter.hooks.append(delays.hook)
        locks = self.locks = QueueLocks(reactor)
        retry_rules = self.retry_rules = RetryRules(groups, topics, locks)
        transactions = self.transactions = Transactions(
            reactor, settings, store, topics, offsets, putter, stats, producers, config_file("transactionMetrics"),
            host, now,
        )  # fmt: skip
        pops = self.pops = PopService(
            reactor, settings, config_file, topics, groups, consumers, filters, offsets, store, putter, stats, client,
            name_servers, host, now, random, lambda: delays.delivered_until,
        )  # fmt: skip
        pops.load()
        slave = self.slave = None if slave_offsets is None else Slave(
            reactor, settings, store, hold, client, log_client, topics, mappings, groups, slave_offsets, pops.modes,
            delays, hurry,
        )  # fmt: skip
        self.services: list[Service] = [
            stats, hold, delays, *((slave.service,) if slave else (pops, transactions)), locks
        ]  # fmt: skip

        # Processors.
        self.runtime = RuntimeInfo(settings, store, stats, now, disk_space, delays.figures)
        unique_ids = UniqueIds(host[:-4], process_id, now())
        topic_processor = TopicProcessor(settings, topics, offsets, store, stats, hold, address, mappings)
        storing = (
            *pops.processors,
            SendProcessor(
                settings, topics, store, safety, putter, retry_rules, transactions, stats, unique_ids, host, now,
                mappings,
            ),
            TransactionProcessor(transactions, safety),
            RecallProcessor(settings, topics, putter, safety, stats, now),
            SendBackProcessor(settings, topics, retry_rules, store, putter, stats),
        )  # fmt: skip
        self.processors = (
            *((SlaveRefusals(settings),) if slave else storing),
            pops.assignments,
            DelayProcessor(delays),
            ReplicationProcessor(
                store, address, self.ha_address, self.ha_master.slaves, slave.replication.figures if slave else None
            ),
            LockProcessor(locks),
            PullProcessor(
                settings, topics, groups, consumers, filters, offsets, store, stats, hold, seconds, mappings, forwarder,
                slave.reads if slave else None,
            ),
            ClientProcessor(settings, topics, groups, producers, consumers, filters, seconds),
            OffsetProcessor(topics, groups, offsets, store, LogicalOffsets(mappings, forwarder)),
            MessageProcessor(settings, consumers, filters, store),
            ReplyProcessor(settings, topics, putter, producers, stats, host, now),
            ResetProcessor(settings, topics, groups, offsets, consumers, store),
            topic_processor,
            StaticTopicProcessor(topics, mappings, topic_processor, hold),
            ConvertProcessor(),
            GroupProcessor(groups, offsets, stats),
            AuthProcessor(users, acls),
            ConsumerProcessor(
                settings, topics, groups, offsets, producers, consumers, store, stats, address, now, mappings.details
            ),
            AdminProcessor(settings, store, stats, self.runtime, files, topics.settings_changed),
            ColdDataProcessor(settings, store),
            RolesProcessor(settings, files),
        )

    def ha_address(self) -> str:
        """What slaves are told: brokerIP2 and the port for them."""
        return join_address(self.settings.broker.broker_ip2 or "127.0.0.1", self.ha_master.port)

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self._reactor.seconds() * 1000)
