"""A slave's tables are made equal to its master's, each as soon as a whole copy of it is here.

Unlike Apache's slave this one keeps the master's versions as they are, so a table is taken when it has changed and not
every time, and a table is replaced in one turn, so nobody sees it empty.

How far deliveries of delayed messages have come is true only for a log that holds what was delivered. So the master is
asked for the end of its log after that, and its progress counts here when this log has come to there: otherwise what a
slave that fell behind lacks would be lost if it became the master.

Source: SlaveSynchronize.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

from twisted.logger import Logger

from rmq.remoting.calls import Answer
from rmq.remoting.errors import CallTimeoutError, TransportError
from rmq.remoting.pages import GROUPS, TOPICS, read_pages
from rmq.server.broker.delay.service import DelayService
from rmq.server.broker.mapping.table import MappingTable
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop.modes import ModeTable
from rmq.server.broker.slave.offsets import SYNC_TIMEOUT, SlaveOffsets, sync_offsets
from rmq.server.broker.slave.watch import Master
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.assignment import MessageRequestModes
from rmq.wire.bodies.broker import KVTable, TimerMetrics
from rmq.wire.bodies.group import SubscriptionGroupWrapper
from rmq.wire.bodies.offset import DelayOffsets
from rmq.wire.bodies.topic import TopicConfigAndMappingSerializeWrapper
from rmq.wire.declare import Declared
from rmq.wire.errors import InvalidFieldError, RemotingError
from rmq.wire.requests.assignment import GetAllMessageRequestMode
from rmq.wire.requests.broker import GetBrokerRuntimeInfo
from rmq.wire.requests.offset import GetAllDelayOffset
from rmq.wire.requests.replication import GetTimerCheckPoint, GetTimerMetrics

_LOG_END: Final = "commitLogMaxOffset"

log = Logger()


class _Deliveries(NamedTuple):
    """How far the master's deliveries had come when its log ended at `log_end`."""

    log_end: int
    levels: DelayOffsets
    checkpoint: bytes


class MetadataSync:
    """Copies the tables.

    Args:
        settings: whether there is a timer.
        master: answers for the master.
        store: this broker's.
        topics: and the other tables: are replaced.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        master: Master,
        store: MessageStore,
        *,
        topics: TopicTable,
        mappings: MappingTable,
        groups: GroupTable,
        offsets: SlaveOffsets,
        modes: ModeTable,
        delays: DelayService,
    ) -> None:
        self._with_timer = settings.store.timer_wheel_enable
        self._master = master
        self._store = store
        self._topics = topics
        self._mappings = mappings
        self._groups = groups
        self._offsets = offsets
        self._modes = modes
        self._delays = delays
        self._deliveries: _Deliveries | None = None
        self._stopped = False
        self._failing: set[str] = set()

    async def everything(self) -> bool:
        """Brings all tables up to date; whether topics are. What fails is told once, and left as it was."""
        try:
            known = await self._step("topics", self._sync_topics)
            await self._step("offsets", lambda: sync_offsets(self._master, self._offsets, self._store.max_offset))
            await self._step("groups", self._sync_groups)
            await self._step("request modes", self._sync_modes)
            if self._with_timer:
                await self._step("timer metrics", self._sync_timer_metrics)
        except TransportError:
            return False
        return known

    async def follow(self) -> None:
        """Learns how far deliveries have come. Cheap, and a sign of life."""
        with suppress(TransportError):
            await self._step("progress of deliveries", self._follow)

    def restart(self) -> None:
        """The log may be another one than before: what was to count when it has come far enough is forgotten."""
        self._deliveries = None

    def stop(self) -> None:
        """Delayed messages are not to be touched any more."""
        self._stopped = True

    async def _step(self, name: str, step: Callable[[], Awaitable[None]]) -> bool:
        """Does a step; whether that went well. Raises TransportError when the next one would not go better."""
        try:
            await step()
        except (RemotingError, OSError) as error:
            if name not in self._failing:
                self._failing.add(name)
                log.warn("the master's {name} cannot be taken now: {error}", name=name, error=error)
            if isinstance(error, TransportError) and not isinstance(error, CallTimeoutError):
                raise
            return False
        if name in self._failing:
            self._failing.discard(name)
            log.info("the master's {name} are taken again", name=name)
        return True

    # --- topics and groups

    async def _ask_for_page(self, header: Declared) -> Answer:
        return await self._master.ask(header, timeout=SYNC_TIMEOUT)

    async def _sync_topics(self) -> None:
        found = await read_pages(TOPICS, self._ask_for_page, self._has_topics)
        if not self._has_topics(found):
            self._take_topics(found)

    def _has_topics(self, page: TopicConfigAndMappingSerializeWrapper) -> bool:
        return page.data_version == self._topics.version and page.mapping_data_version == self._mappings.version

    def _take_topics(self, found: TopicConfigAndMappingSerializeWrapper) -> None:
        """Takes the table; queues of topics that are gone stay, as at Apache's.

        The log has their messages, and a master that lost its table must not cost the only copy of them. When a topic
        is made anew, its first message begins its queues anew.
        """
        topics = self._topics
        gone = {name for name in topics.configs.keys() - found.topic_config_table.keys() if not topics.is_system(name)}
        self._mappings.replace(found.topic_queue_mapping_detail_map, found.mapping_data_version)
        try:
            topics.replace(found.topic_config_table, found.data_version)
        finally:
            for name in gone:
                self._offsets.forget_topic(name)

    async def _sync_groups(self) -> None:
        found = await read_pages(GROUPS, self._ask_for_page, self._has_groups)
        if not self._has_groups(found):
            self._groups.replace(found.subscription_group_table, found.forbidden_table, found.data_version)

    def _has_groups(self, page: SubscriptionGroupWrapper) -> bool:
        return page.data_version == self._groups.version

    async def _sync_modes(self) -> None:
        answer = await self._master.ask(GetAllMessageRequestMode(), timeout=SYNC_TIMEOUT)
        self._modes.assign(answer.json(MessageRequestModes))

    # --- delayed messages

    async def _sync_timer_metrics(self) -> None:
        answer = await self._master.ask(GetTimerMetrics())
        self._delays.assign_timer_metrics(answer.json(TimerMetrics))

    async def _follow(self) -> None:
        if self._deliveries is None:
            levels = (await self._master.ask(GetAllDelayOffset())).json(DelayOffsets)
            checkpoint = (await self._master.ask(GetTimerCheckPoint())).body if self._with_timer else b""
            self._deliveries = _Deliveries(await self._log_end(), levels, checkpoint)
        else:
            await self._log_end()
        noted = self._deliveries
        if noted is not None and self._store.log_max_offset >= noted.log_end and not self._stopped:
            self._deliveries = None
            self._delays.follow(noted.levels, noted.checkpoint)

    async def _log_end(self) -> int:
        text = (await self._master.ask(GetBrokerRuntimeInfo())).json(KVTable).table.get(_LOG_END, "")
        if not text.isdecimal():
            raise InvalidFieldError(f"{_LOG_END} {text!r:.40} is no offset")
        return int(text)
