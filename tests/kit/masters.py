"""A master in memory: answers what a slave asks about its log, from a store."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

from rmq.remoting.calls import SUCCESS, Answer, accepted
from rmq.server.broker.processors.message import MessageProcessor
from rmq.server.store.store import MessageStore
from rmq.settings.dump import body
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.broker import KVTable
from rmq.wire.bodies.consume import ConsumeQueueContent
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.topic import TopicConfig, TopicConfigAndMappingSerializeWrapper, TopicOffset, TopicStatsTable
from rmq.wire.bodies.version import DataVersion
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.declare import encode_body
from rmq.wire.errors import RemotingError
from rmq.wire.requests.broker import GetBrokerConfig, GetBrokerRuntimeInfo
from rmq.wire.requests.message import QueryConsumeQueue, ViewMessageById
from rmq.wire.requests.topic import GetAllTopicConfig, GetTopicStatsInfo
from tests.kit.stores import SmallStore

T = TypeVar("T")
MASTER = "10.0.0.1:10911"


def wait(result: Awaitable[T]) -> T:
    """What is awaited, where nothing really waits."""

    async def run() -> T:
        return await result

    return asyncio.run(run())


def small_settings(**values: Any) -> BrokerSettings:
    """Settings for the stores of `tests.kit.stores`, with more by key."""
    settings = BrokerSettings()
    for key, value in {"brokerName": "broker-a", "mappedFileSizeCommitLog": 64 * 1024, **values}.items():
        settings.set(key, value)
    settings.settle("10.0.0.1")
    return settings


class AnsweringMaster:
    """An `Invoker` that knows one master.

    Attributes:
        asked: offsets at which records were asked for.
        asked_of: topics whose bounds were asked for, none where it was for the topics.
        topics: those that it has besides the ones with messages.
        page: how many topics are told at a time.
        lies: answers by offset instead of the truth; an exception is raised.
        minimum: answered as the log's beginning.
        on_ask: called with each offset before it is answered.
    """

    def __init__(self, store: MessageStore, settings: BrokerSettings | None = None) -> None:
        self.store = store
        self.settings = settings or small_settings()
        self.asked: list[int] = []
        self.asked_of: list[str] = []
        self.topics: list[str] = []
        self.page = 2000
        self.lies: dict[int, bytes | Exception] = {}
        self.minimum: int | None = None
        self.on_ask: Any = None
        self.refuses: Exception | None = None

    async def call(
        self, address: str, header: Any, body: Any = b"", *, timeout: float = 3.0, accept: frozenset[int] = SUCCESS
    ) -> Answer:
        """See `rmq.remoting.calls.Invoker`."""
        if self.refuses is not None:
            raise self.refuses
        if isinstance(header, GetAllTopicConfig):
            return accepted(header, self._topics(header), address, accept)
        found = self._answer(header)
        code = ResponseCode.SUCCESS if found is not None else ResponseCode.SYSTEM_ERROR
        return accepted(header, Command(code, {}, found or b""), address, accept)

    async def send_oneway(self, address: str, header: Any, body: Any = b"") -> None:
        """See `rmq.remoting.calls.Invoker`."""
        raise NotImplementedError

    def _answer(self, header: Any) -> bytes | None:
        if isinstance(header, GetBrokerConfig):
            return body(self.settings)
        if isinstance(header, GetBrokerRuntimeInfo):
            minimum = self.store.log_min_offset if self.minimum is None else self.minimum
            maximum = self.store.log_max_offset
            return encode_body(KVTable({"commitLogMinOffset": str(minimum), "commitLogMaxOffset": str(maximum)}))
        if isinstance(header, QueryConsumeQueue):
            return self._units(header)
        if isinstance(header, GetTopicStatsInfo):
            return self._bounds(header.topic)
        assert isinstance(header, ViewMessageById), header
        self.asked.append(header.offset)
        if self.on_ask is not None:
            self.on_ask(header.offset)
        answer = self.lies.get(header.offset)
        if isinstance(answer, Exception):
            raise answer
        return answer if answer is not None else self.store.message_at(header.offset)

    def _topics(self, header: GetAllTopicConfig) -> Command:
        self.asked_of.append("")
        topics = sorted(set(self.topics) | {topic for topic, _ in self.store.queues()})
        version = DataVersion(0, len(topics), 0)
        begun = header.topic_seq or 0 if header.data_version == encode_body(version).decode() else 0
        table = {topic: TopicConfig(topic, 2, 2, 6) for topic in topics[begun : begun + self.page]}
        wrapper = TopicConfigAndMappingSerializeWrapper(table, version)
        return Command(0, {"totalTopicNum": str(len(topics))}, encode_body(wrapper))

    def _bounds(self, topic: str) -> bytes:
        self.asked_of.append(topic)
        bounds = {
            MessageQueue(topic, "broker-a", queue): TopicOffset(
                self.store.min_offset(topic, queue), self.store.max_offset(topic, queue), 0
            )
            for queue in range(2)
        }
        return encode_body(TopicStatsTable(bounds))

    def _units(self, header: QueryConsumeQueue) -> bytes | None:
        nothing: Any = None
        try:
            found = MessageProcessor(self.settings, nothing, nothing, self.store).entries(header, nothing)
        except RemotingError:
            return None
        return encode_body(found) if isinstance(found, ConsumeQueueContent) else b""


class StorePair:
    """A master's store and a slave's, equal as long as they are filled equally."""

    def __init__(self, root: Path) -> None:
        self.master = SmallStore(root / "master")
        self.slave = SmallStore(root / "slave")
        self.answers = AnsweringMaster(self.master.store)

    def both(self, count: int, topic: str = "T", *, size: int = 100, first: int = 0) -> int:
        """The same messages in both; where they end."""
        for store in (self.master, self.slave):
            store.fill(count, topic, size=size, first=first)
        assert self.master.store.log_max_offset == self.slave.store.log_max_offset
        return self.slave.store.log_max_offset

    def close(self) -> None:
        """Closes both."""
        self.master.close()
        self.slave.close()
