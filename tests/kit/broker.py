"""A broker's processors over a real store in a temporary directory, without sockets, threads or real time."""

from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from rmq.remoting.dispatch import Dispatcher
from rmq.server.broker.clients import ConsumerTable, ProducerTable
from rmq.server.broker.delay.service import DelayService
from rmq.server.broker.filters import FilterTable
from rmq.server.broker.locks import QueueLocks
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
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
from rmq.server.broker.retry import RetryRules
from rmq.server.broker.runtime import RuntimeInfo
from rmq.server.broker.stats import BrokerStats
from rmq.server.broker.transaction.service import Transactions
from rmq.server.delivery.hold import PullHold
from rmq.server.store.api import StoreOptions
from rmq.server.store.env import Env
from rmq.server.store.store import MessageStore
from rmq.settings.load import load_broker
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.heartbeat import ConsumerData, ConsumeType, HeartbeatData, MessageModel, ProducerData
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.command import Command
from rmq.wire.declare import encode_body
from rmq.wire.message import StoredMessage, UniqueIds, decode_messages, format_properties, pack_host
from rmq.wire.requests.pull import PullMessage
from rmq.wire.requests.send import SendMessageV2
from rmq.wire.subscription import build_subscription
from tests.kit.cluster import MemoryCluster
from tests.kit.memory_files import MemoryFiles
from tests.kit.peer import MemoryPeer

EPOCH = 1_700_000_000
HOST = pack_host("127.0.0.1", 10911)
ADDRESS = "127.0.0.1:10911"


def settings_of(**overrides: Any) -> BrokerSettings:
    """A broker's settings; keys as in its configuration file."""
    return load_broker("", overrides={"brokerName": "broker-a", "brokerIP1": "127.0.0.1", **overrides}).settings


def in_this_thread(call: Any) -> Deferred[Any]:
    """A blocking call, made at once."""
    return maybeDeferred(call)


class Bench:
    """The parts of a broker. `store` is real and lives under `path`; configuration files are in memory."""

    def __init__(self, path: Path, *, sync_flush: bool = False, limit: int = 32768, **overrides: Any) -> None:
        self.clock = Clock()
        self.clock.advance(EPOCH)
        self.settings = settings_of(storePathRootDir=str(path), **overrides)
        self.settings.file = "broker.conf"
        self.files = MemoryFiles()
        self.topics = TopicTable(self.settings, ConfigFile("topics.json", self.files), self.now)
        self.groups = GroupTable(self.settings, ConfigFile("groups.json", self.files), self.now)
        self.offsets = OffsetTable(self.settings, ConfigFile("offsets.json", self.files))
        self.hold = PullHold(self.clock, limit=limit)
        options = StoreOptions(
            str(path),
            store_host=HOST,
            mapped_file_size_commit_log=1 << 20,
            mapped_file_size_consume_queue=20 * 1000,
            max_hash_slot_num=100,
            max_index_num=1000,
            sync_flush=sync_flush,
            log_reserve_bytes=1 << 20,
            index_reserve_bytes=4096,
        )
        self.store = MessageStore(options, Env(), self.clock, in_this_thread)
        self.store.on_arrival = self.hold.arrived
        self.store.open()
        self.putter = MessagePutter(self.store)
        self.locks = QueueLocks(self.clock)
        self.retry_rules = RetryRules(self.groups, self.topics, self.locks)
        self.stats = BrokerStats(self.clock, "DefaultCluster", self.now)
        self.consumers = ConsumerTable(self.clock.seconds, lambda name: True)
        self.filters = FilterTable(self.settings, ConfigFile("consumerFilter.json", self.files), self.now)
        self.consumers.on_gone = self.filters.unregister
        self.producers = ProducerTable(self.clock.seconds)
        self.transactions = Transactions(
            self.clock, self.settings, self.store, self.topics, self.offsets, self.putter, self.stats, self.producers,
            ConfigFile("transactionMetrics", self.files), HOST, self.now,
        )  # fmt: skip
        self.pops = PopService(
            self.clock, self.settings, lambda name: ConfigFile(name, self.files), self.topics, self.groups,
            self.consumers, self.filters, self.offsets, self.store, self.putter, self.stats, MemoryCluster(0), list,
            HOST, self.now,
            Random(1), lambda: self.delays.delivered_until,
        )  # fmt: skip
        self.registrations = 0
        self.delays = DelayService(
            self.clock, self.settings, self.store, self.stats, lambda name: ConfigFile(name, self.files), Env(),
            in_this_thread, self.hold.wake,
        )  # fmt: skip
        self.delays.load()
        self.putter.hooks.append(self.delays.hook)
        self.runtime = RuntimeInfo(
            self.settings, self.store, self.stats, self.now, lambda path: (3 << 30, 1 << 30), self.delays.figures
        )
        ids = UniqueIds(HOST[:4], 1, 2)
        self.dispatcher = Dispatcher(
            (
                *self.pops.processors,
                SendProcessor(
                    self.settings, self.topics, self.store, self.putter, self.retry_rules, self.transactions,
                    self.stats, ids, HOST, self.now,
                ),
                TransactionProcessor(self.transactions, self.store),
                DelayProcessor(self.settings, self.topics, self.putter, self.stats, self.delays, self.now),
                SendBackProcessor(self.settings, self.retry_rules, self.store, self.putter, self.stats),
                LockProcessor(self.locks),
                PullProcessor(
                    self.settings, self.topics, self.groups, self.consumers, self.filters, self.offsets, self.store,
                    self.stats, self.hold, self.clock.seconds,
                ),
                ClientProcessor(
                    self.settings, self.topics, self.groups, self.producers, self.consumers, self.filters,
                    self.clock.seconds,
                ),
                OffsetProcessor(self.topics, self.groups, self.offsets, self.store),
                MessageProcessor(self.settings, self.consumers, self.store),
                ReplyProcessor(
                    self.settings, self.topics, self.putter, self.producers, self.stats, HOST, self.now
                ),
                ResetProcessor(
                    self.settings, self.topics, self.groups, self.offsets, self.consumers, self.store
                ),
                TopicProcessor(
                    self.settings, self.topics, self.offsets, self.store, self.stats, self.hold, ADDRESS
                ),
                GroupProcessor(self.groups, self.offsets, self.stats),
                ConsumerProcessor(
                    self.settings, self.topics, self.groups, self.offsets, self.producers, self.consumers, self.store,
                    self.stats, ADDRESS, self.now,
                ),
                AdminProcessor(self.settings, self.store, self.stats, self.runtime, self.files, self._registered),
            )
        )  # fmt: skip
        self.hold.start()
        self.delays.start()
        self.pops.start()

    def _registered(self) -> None:
        self.registrations += 1

    def now(self) -> int:
        return int(self.clock.seconds() * 1000)

    def peer(self) -> MemoryPeer:
        """A client's connection."""
        return MemoryPeer(self.dispatcher, self.clock, after_read=self.hold.wake)

    def topic(self, name: str, queues: int = 4, **fields: Any) -> TopicConfig:
        """A topic, made by hand."""
        config = TopicConfig(name, read_queue_nums=queues, write_queue_nums=queues, **fields)
        self.topics.put(config)
        return config

    def close(self) -> None:
        self.pops.stop()
        self.hold.stop()
        self.store.close()


def send_header(topic: str, queue_id: int = 0, **fields: Any) -> SendMessageV2:
    """The header of a send, with everything that clients fill in."""
    values: dict[str, Any] = {
        "producer_group": "PG", "default_topic": "TBW102", "default_topic_queue_nums": 4, "sys_flag": 0,
        "born_timestamp": 1_600_000_000_000, "flag": 7, "properties": None,
    }  # fmt: skip
    return SendMessageV2(topic=topic, queue_id=queue_id, **{**values, **fields})


def text_of(**properties: str) -> str:
    return format_properties(properties)


def pull_header(topic: str, offset: int = 0, *, group: str = "G", queue_id: int = 0, **fields: Any) -> PullMessage:
    """The header of a pull that brings its subscription and does not wait."""
    values: dict[str, Any] = {
        "max_msg_nums": 32, "sys_flag": 4, "commit_offset": 0, "suspend_timeout_millis": 15000, "sub_version": 0,
        "subscription": "*", "expression_type": "TAG",
    }  # fmt: skip
    return PullMessage(group, topic, queue_id, offset, **{**values, **fields})


def messages(answer: Command) -> list[StoredMessage]:
    """The stored messages of an answer."""
    return list(decode_messages(answer.body))


def heartbeat(
    client_id: str = "client@1",
    group: str | None = None,
    subscriptions: dict[str, str] | None = None,
    *,
    producers: tuple[str, ...] = (),
    version: int = 1,
    model: MessageModel = MessageModel.CLUSTERING,
    fingerprint: int = 0,
    without_sub: bool = False,
) -> HeartbeatData:
    """What a client says of itself; `subscriptions` maps topics to tag expressions."""
    consumers = [
        ConsumerData(
            group,
            ConsumeType.CONSUME_PASSIVELY,
            model,
            subscription_data_set=[
                build_subscription(topic, expression, version=version)
                for topic, expression in (subscriptions or {}).items()
            ],
        )
    ] if group is not None else []  # fmt: skip
    return HeartbeatData(client_id, [ProducerData(name) for name in producers], consumers, fingerprint, without_sub)


def beat(peer: MemoryPeer, data: HeartbeatData) -> Command:
    """The answer to a heartbeat; what the broker sent on the same connection meanwhile is passed over."""
    command = Command(34, body=encode_body(data), opaque=999)
    peer.send(command)
    (answer,) = [found for found in peer.answers() if found.flag & 1]
    assert answer.code == 0, answer.remark
    return answer
