"""A broker's processors over a real store in a temporary directory, without sockets, threads or real time."""

from collections.abc import Collection
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from rmq.remoting.calls import request_command
from rmq.remoting.dispatch import Dispatcher
from rmq.server.broker.parts import Parts
from rmq.server.delivery.hold import PullHold
from rmq.server.store.api import StoreOptions
from rmq.server.store.env import Env
from rmq.server.store.store import MessageStore
from rmq.settings.load import load_broker
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.heartbeat import ConsumerData, ConsumeType, HeartbeatData, MessageModel, ProducerData
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.command import Command
from rmq.wire.declare import Declared, encode_body
from rmq.wire.message import StoredMessage, decode_messages, format_properties, pack_host
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


class Bench(Parts):
    """The parts of a broker. `store` is real and lives under `path`; configuration files are in memory."""

    def __init__(self, path: Path, *, sync_flush: bool = False, limit: int = 32768, **overrides: Any) -> None:
        self.clock = Clock()
        self.clock.advance(EPOCH)
        settings = settings_of(storePathRootDir=str(path), **overrides)
        settings.file = "broker.conf"
        self.files = MemoryFiles()
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
        store = MessageStore(options, Env(), self.clock, in_this_thread)
        store.open()
        self.registrations = 0
        super().__init__(
            self.clock,
            settings,
            store,
            PullHold(self.clock, limit=limit),
            files=self.files,
            config_path=str,
            env=Env(),
            in_thread=in_this_thread,
            client=MemoryCluster(0),
            log_client=MemoryCluster(0),
            name_servers=list,
            changed=self._registered,
            hurry=lambda seconds: None,
            host=HOST,
            address=ADDRESS,
            process_id=1,
            random=Random(1),
            disk_space=lambda path: (3 << 30, 1 << 30),
        )
        self.dispatcher = Dispatcher(self.processors)
        self.hold.start()
        self.delays.start()
        self.pops.start()

    def _registered(self, topics: Collection[str]) -> None:
        self.registrations += 1

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


def ask_untold(bench: Bench, header: Declared, body: bytes | Declared = b"") -> Command:
    """The answer to a request that must wait for name servers that are slow to hear what it has changed."""
    told: Deferred[None] = Deferred()
    bench.topics.told = lambda: told
    peer = bench.peer()
    peer.send(request_command(header, body))
    bench.clock.advance(0)
    assert [found for found in peer.answers() if found.flag & 1] == []
    told.callback(None)
    (answer,) = peer.answers()
    return answer


def beat(peer: MemoryPeer, data: HeartbeatData) -> Command:
    """The answer to a heartbeat; what the broker sent on the same connection meanwhile is passed over."""
    command = Command(34, body=encode_body(data), opaque=999)
    peer.send(command)
    (answer,) = [found for found in peer.answers() if found.flag & 1]
    assert answer.code == 0, answer.remark
    return answer
