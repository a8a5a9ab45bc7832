"""Topics are made, changed, asked for and removed.

Source: AdminBrokerProcessor, TopicConfigManager.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.mapping.table import MappingTable
from rmq.server.broker.meta.attributes import (
    MESSAGE_TYPE,
    MIXED,
    TOPIC_ATTRIBUTES,
    altered,
    check_served,
    parse_changes,
)
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.processors.paging import page_of
from rmq.server.broker.stats import TOPIC_PUT_NUMS, BrokerStats
from rmq.server.delivery.hold import PullHold
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.topic import (
    CreateTopicListRequestBody,
    TopicConfig,
    TopicConfigAndMappingSerializeWrapper,
    TopicConfigAndQueueMapping,
    TopicFilterType,
    TopicList,
    TopicOffset,
    TopicStatsTable,
)
from rmq.wire.declare import encode_body
from rmq.wire.errors import InvalidParameterError, TopicNotExistError
from rmq.wire.names import check_topic
from rmq.wire.requests.broker import CleanUnusedTopic, GetSystemTopicListFromBroker
from rmq.wire.requests.topic import (
    DeleteTopicInBroker,
    GetAllTopicConfig,
    GetAllTopicConfigReply,
    GetTopicConfig,
    GetTopicStatsInfo,
    UpdateAndCreateTopic,
    UpdateAndCreateTopicList,
)

MAX_QUEUES: Final = 65536
"""Most queues of one topic that this broker accepts; Apache has no limit but its memory."""
_PERMS: Final = range(16)


class TopicProcessor:
    """Handles a broker's topics."""

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        offsets: OffsetTable,
        store: MessageStore,
        stats: BrokerStats,
        hold: PullHold,
        address: str,
        mappings: MappingTable,
    ) -> None:
        self._settings = settings
        self._mappings = mappings
        self._topics = topics
        self._offsets = offsets
        self._store = store
        self._stats = stats
        self._hold = hold
        self._address = address

    @handles(UpdateAndCreateTopic)
    def update(self, header: UpdateAndCreateTopic, call: Call) -> Deferred[None] | None:
        """Creates a topic or overwrites its configuration; nothing happens when it is like that already."""
        config = self.wanted(header)
        if config == self._topics.configs.get(header.topic):
            return None
        self._topics.put(config)
        self._hold.notify_all(config.topic_name)
        return self._topics.told()

    def wanted(self, header: UpdateAndCreateTopic) -> TopicConfig:
        """The configuration that a topic would have.

        Raises:
            InvalidParameterError: a topic cannot be like that.
            RemotingError: it cannot have these attributes.
        """
        try:
            filter_type = TopicFilterType(header.topic_filter_type)
        except ValueError:
            raise InvalidParameterError(
                f"topicFilterType {header.topic_filter_type!r:.40} is neither SINGLE_TAG nor MULTI_TAG"
            ) from None
        config = TopicConfig(
            topic_name=header.topic,
            read_queue_nums=header.read_queue_nums,
            write_queue_nums=header.write_queue_nums,
            perm=header.perm,
            topic_filter_type=filter_type,
            topic_sys_flag=header.topic_sys_flag or 0,
            order=header.order,
            attributes=self._attributes(self._topics.configs.get(header.topic), parse_changes(header.attributes or "")),
        )
        self._check(config)
        return config

    @handles(UpdateAndCreateTopicList)
    def update_list(self, header: UpdateAndCreateTopicList, call: Call) -> Deferred[None] | None:
        """The same for many topics, all or none: nothing changes unless every one of them can be like that."""
        wanted: dict[str, TopicConfig] = {}
        for config in call.json(CreateTopicListRequestBody).topic_config_list:
            name = config.topic_name
            # A topic may come twice: the later one changes what the earlier one made.
            known = wanted.get(name) or self._topics.configs.get(name)
            self._check(config)
            config.attributes = self._attributes(known, config.attributes)
            wanted[name] = config
        changed = [config for name, config in wanted.items() if config != self._topics.configs.get(name)]
        if not changed:
            return None
        self._topics.put(*changed)
        for config in changed:
            self._hold.notify_all(config.topic_name)
        return self._topics.told()

    def _attributes(self, known: TopicConfig | None, changes: dict[str, str]) -> dict[str, str]:
        if changes.get(f"+{MESSAGE_TYPE}") == MIXED and not self._settings.broker.enable_mixed_message_type:
            raise InvalidParameterError("MIXED message type is not supported.")
        check_served(changes)
        return altered(known.attributes if known else {}, changes, TOPIC_ATTRIBUTES, new=known is None)

    def _check(self, config: TopicConfig) -> None:
        check_topic(config.topic_name)
        if self._settings.broker.validate_system_topic_when_update_topic and self._topics.is_system(config.topic_name):
            raise InvalidParameterError(f"The topic[{config.topic_name}] is conflict with system topic.")
        for label, queues in (("readQueueNums", config.read_queue_nums), ("writeQueueNums", config.write_queue_nums)):
            if not 0 <= queues <= MAX_QUEUES:
                raise InvalidParameterError(f"{label} {queues} is not between 0 and {MAX_QUEUES}")
        if config.perm not in _PERMS:
            raise InvalidParameterError(f"perm {config.perm} is no sum of 8, 4 (read), 2 (write) and 1 (inherit)")

    @handles(DeleteTopicInBroker)
    def delete(self, header: DeleteTopicInBroker, call: Call) -> None:
        """Removes a topic with its queues and all groups' offsets; unknown topics are no error, as at Apache's."""
        name = header.topic
        if not name.strip():
            raise InvalidParameterError("The specified topic is blank.")
        if self._settings.broker.validate_system_topic_when_update_topic and self._topics.is_system(name):
            raise InvalidParameterError(f"The topic[{name}] is conflict with system topic.")
        retries = self._pop_retry_topics(name) if self._settings.broker.clear_retry_topic_when_delete_topic else []
        for topic in (name, *retries):
            # The mapping first: one that outlives its topic would rule over a new topic of that name.
            self._mappings.remove(topic)
            self._topics.remove(topic)
            self._offsets.forget_topic(topic)
            self._store.destroy_topic(topic)
            self._stats.forget(topic)
            self._hold.notify_all(topic)

    def _pop_retry_topics(self, name: str) -> list[str]:
        """Topics that POP consumption made for this one; the separator differs between versions."""
        return [
            retry
            for group in self._offsets.groups_of(name)
            for retry in (f"%RETRY%{group}+{name}", f"%RETRY%{group}_{name}")
            if retry in self._topics.configs
        ]

    @handles(GetTopicConfig)
    def config(self, header: GetTopicConfig, call: Call) -> TopicConfigAndQueueMapping:
        """One topic's configuration, and the mapping of a static one if that is wanted."""
        known = self._topics.configs.get(header.topic)
        if known is None:
            raise TopicNotExistError(f"No topic in this broker. topic: {header.topic}")
        return TopicConfigAndQueueMapping(
            topic_name=known.topic_name,
            read_queue_nums=known.read_queue_nums,
            write_queue_nums=known.write_queue_nums,
            perm=known.perm,
            topic_filter_type=known.topic_filter_type,
            topic_sys_flag=known.topic_sys_flag,
            order=known.order,
            attributes=known.attributes,
            mapping_detail=self._mappings.details.get(known.topic_name) if header.lo else None,
        )

    @handles(GetAllTopicConfig)
    def all_configs(self, header: GetAllTopicConfig, call: Call) -> Reply:
        """All topics, or a page of them when the request gives a start and a number."""
        names = sorted(self._topics.configs)
        page = page_of(names, self._topics.version, header.data_version, header.topic_seq, header.max_topic_num)
        wrapper = TopicConfigAndMappingSerializeWrapper(
            topic_config_table={name: self._topics.configs[name] for name in page},
            data_version=self._topics.version,
            topic_queue_mapping_detail_map={
                name: self._mappings.details[name] for name in page if name in self._mappings.details
            },
            mapping_data_version=self._mappings.version,
        )
        return Reply(GetAllTopicConfigReply(total_topic_num=len(names)), encode_body(wrapper))

    @handles(GetTopicStatsInfo)
    def stats(self, header: GetTopicStatsInfo, call: Call) -> TopicStatsTable:
        """Ends and last store time of a topic's queues."""
        topic = self._existing(header.topic)
        table = TopicStatsTable()
        for queue_id in range(max(topic.read_queue_nums, topic.write_queue_nums)):
            low = max(self._store.min_offset(topic.topic_name, queue_id), 0)
            high = max(self._store.max_offset(topic.topic_name, queue_id), 0)
            last = self._store.store_time(topic.topic_name, queue_id, high - 1) if high > 0 else 0
            queue = MessageQueue(topic.topic_name, self._settings.broker.broker_name, queue_id)
            table.offset_table[queue] = TopicOffset(min_offset=low, max_offset=high, last_update_timestamp=max(last, 0))
        counted = self._stats.view(TOPIC_PUT_NUMS, topic.topic_name)
        if counted is not None and counted.stats_minute is not None:
            table.topic_put_tps = counted.stats_minute.tps
        return table

    @handles(GetSystemTopicListFromBroker)
    def system_topics(self, header: GetSystemTopicListFromBroker, call: Call) -> TopicList:
        """Topics that RocketMQ itself owns."""
        names = [name for name in self._topics.configs if self._topics.is_system(name)]
        return TopicList(topic_list=names, broker_addr=self._address)

    @handles(CleanUnusedTopic)
    def clean_unused(self, header: CleanUnusedTopic, call: Call) -> None:
        """Drops queues whose topic is gone."""
        self._store.clean_unused_topics(lambda topic: topic in self._topics.configs)

    def _existing(self, name: str) -> TopicConfig:
        config = self._topics.configs.get(name)
        if config is None:
            raise TopicNotExistError(f"topic[{name}] not exist")
        return config
