"""A master in memory, as a slave sees it: real tables behind the processors that tell of them."""

from typing import Any

from rmq.remoting.calls import DEFAULT_TIMEOUT, Answer
from rmq.remoting.dispatch import Reply
from rmq.remoting.errors import CallTimeoutError
from rmq.server.broker.mapping.table import MappingTable
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop.modes import ModeTable
from rmq.server.broker.processors.group import GroupProcessor
from rmq.server.broker.processors.topic import TopicProcessor
from rmq.wire.bodies.broker import KVTable, TimerMetrics
from rmq.wire.bodies.offset import DelayOffsets
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.declare import Declared, encode_body, encode_header
from rmq.wire.errors import error_for
from rmq.wire.layouts import TIMER_CHECKPOINT
from rmq.wire.requests.assignment import GetAllMessageRequestMode
from rmq.wire.requests.broker import GetBrokerRuntimeInfo
from rmq.wire.requests.group import GetAllSubscriptionGroupConfig
from rmq.wire.requests.offset import GetAllConsumerOffset, GetAllDelayOffset, UpdateConsumerOffset
from rmq.wire.requests.replication import GetTimerCheckPoint, GetTimerMetrics
from rmq.wire.requests.topic import GetAllTopicConfig
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles

ADDRESS = "10.0.0.1:10911"


class Tables:
    """The tables that a slave copies, with their files in memory."""

    def __init__(self, clock: list[int] | None = None) -> None:
        self.files = MemoryFiles()
        self.settings = settings_of()
        ticks = clock or [1000]

        def now() -> int:
            ticks[0] += 1
            return ticks[0]

        self.topics = TopicTable(self.settings, ConfigFile("topics", self.files), now)
        self.groups = GroupTable(self.settings, ConfigFile("groups", self.files), now)
        self.offsets = OffsetTable(self.settings, ConfigFile("offsets", self.files))
        self.modes = ModeTable(self.settings, ConfigFile("modes", self.files))
        self.mappings = MappingTable("broker-a", ConfigFile("mappings", self.files), now)


class SlaveMaster(Tables):
    """Answers a slave's questions; `rmq.server.broker.slave.watch.Master`.

    Attributes:
        asked: the requests so far.
        failures: what a class of requests is answered with instead; `timeout` makes one of no answer.
        meanwhile: called before a class of requests is answered.
    """

    def __init__(self) -> None:
        super().__init__()
        nothing: Any = None
        self._topic_processor = TopicProcessor(
            self.settings, self.topics, self.offsets, nothing, nothing, nothing, ADDRESS, self.mappings
        )
        self._group_processor = GroupProcessor(self.groups, self.offsets, nothing)
        self.asked: list[Declared] = []
        self.failures: dict[type, Exception] = {}
        self.meanwhile: dict[type, Any] = {}
        self.levels = DelayOffsets()
        self.timer = (0, 0)
        self.metrics = TimerMetrics()
        self.log_end = "0"

    def kinds(self) -> list[str]:
        """What was asked since the last look."""
        kinds, self.asked = [type(header).__name__ for header in self.asked], []
        return kinds

    def timeout(self, kind: type) -> None:
        self.failures[kind] = CallTimeoutError(ADDRESS, 3)

    def refuse(self, kind: type) -> None:
        self.failures[kind] = error_for(ResponseCode.NO_PERMISSION, "no", ADDRESS)

    async def ask(self, header: Declared, *, timeout: float = DEFAULT_TIMEOUT) -> Answer:
        self.asked.append(header)
        if type(header) in self.meanwhile:
            self.meanwhile[type(header)]()
        if type(header) in self.failures:
            raise self.failures[type(header)]
        reply = self._reply(header)
        fields = encode_header(reply.header) if reply.header is not None else {}
        return Answer(type(header), Command(0, fields, reply.body), ADDRESS)

    def _reply(self, header: Any) -> Reply:
        call: Any = None
        match header:
            case GetAllTopicConfig():
                return self._topic_processor.all_configs(header, call)
            case GetAllSubscriptionGroupConfig():
                return self._group_processor.all_configs(header, call)
            case GetAllConsumerOffset():
                return Reply(body=self.offsets.to_json())
            case UpdateConsumerOffset():
                self.offsets.commit(header.consumer_group, header.topic, header.queue_id, header.commit_offset)
                return Reply()
            case GetAllMessageRequestMode():
                return Reply(body=encode_body(self.modes.all()))
            case GetAllDelayOffset():
                return Reply(body=encode_body(self.levels))
            case GetTimerCheckPoint():
                read_time, queue_offset = self.timer
                return Reply(body=TIMER_CHECKPOINT.pack(read_time, 0, 0, queue_offset, 0, 0, 0))
            case GetTimerMetrics():
                return Reply(body=encode_body(self.metrics))
            case GetBrokerRuntimeInfo():
                return Reply(body=encode_body(KVTable({"commitLogMaxOffset": self.log_end})))
        raise AssertionError(header)
