"""The broker's topics and how they come into being.

A topic exists because an operator made it, because a client sent to it while auto-creation is on (its template, mostly
TBW102, must carry the inherit bit), or because a consumer group needs its retry topic. Every change raises the data
version, is on the disk before it is answered, and is told to the name servers.

Source: TopicConfigManager.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rmq.server.broker.meta.attributes import UNSERVED
from rmq.server.broker.meta.config_file import ConfigFile, MemberTexts, pretty_object, version_taken
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.mapping import TopicQueueMappingInfo
from rmq.wire.bodies.topic import (
    PERM_INHERIT,
    PERM_READ,
    PERM_WRITE,
    TopicConfig,
    TopicConfigAndMappingSerializeWrapper,
)
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import body, decode_body, to_plain
from rmq.wire.errors import ServiceNotAvailableError, SystemBusyError
from rmq.wire.names import (
    BENCHMARK_TOPIC,
    DEFAULT_TOPIC,
    OFFSET_MOVED_EVENT,
    RETRY_PREFIX,
    ROCKSDB_TRANS_HALF_TOPIC,
    ROCKSDB_TRANS_OP_HALF_TOPIC,
    SCHEDULE_TOPIC,
    SELF_TEST_TOPIC,
    SYNC_BROKER_MEMBER_PREFIX,
    TIMER_TOPIC,
    TRANS_HALF_TOPIC,
    TRANS_OP_HALF_TOPIC,
    is_system_topic,
    reply_topic,
    revive_topic,
)

MAX_TOPICS: Final = 65536
"""Most topics of a broker: clients make topics by themselves, and a registration must fit into a frame."""

_READ_WRITE: Final = PERM_READ | PERM_WRITE
_SCHEDULE_QUEUES: Final = 18
_BENCHMARK_QUEUES: Final = 1024
_TEMPLATE_QUEUES: Final = 16


log = Logger()


@body
class _TopicsFile:
    data_version: DataVersion | None = None
    topic_config_table: dict[str, TopicConfig] | None = None


class TopicTable:
    """All topics of a broker.

    Args:
        settings: which system topics exist, and whether topics may create themselves.
        file: `config/topics.json`.
        now: milliseconds since the epoch.

    Attributes:
        configs: topics by name; look-ups of the hot path read it directly.
        version: raised with every change.
        on_change: called with the changed topics, and with none after a removal.
        told: fires when the name servers know of all changes so far; None when they do already.
        mappings: what to register of static topics: of those named, or of all.
    """

    def __init__(self, settings: BrokerSettings, file: ConfigFile, now: Callable[[], int]) -> None:
        self._settings = settings
        self._file = file
        self._now = now
        self._texts = MemberTexts(2)
        self._permission = settings.broker.broker_permission
        self.configs: dict[str, TopicConfig] = {}
        self.version = DataVersion(state_version=0, timestamp=now(), counter=0)
        self.on_change: Callable[[list[TopicConfig]], None] = lambda changed: None
        self.told: Callable[[], Deferred[None] | None] = lambda: None
        self.mappings: Callable[[Collection[str] | None], dict[str, TopicQueueMappingInfo]] = lambda names: {}
        self._own_topics = frozenset(
            (
                settings.broker.broker_cluster_name,
                settings.broker.broker_name,
                reply_topic(settings.broker.broker_cluster_name),
                *([settings.broker.msg_trace_topic_name] if settings.broker.trace_topic_enable else []),
            )
        )
        for config in self._system_topics():
            self._enter(config)

    def load(self) -> None:
        """Reads what an earlier run kept, its system topics too: settings of this run only add what is missing.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(lambda content: decode_body(_TopicsFile, content))
        if stored is None:
            return
        for config in (stored.topic_config_table or {}).values():
            self._enter(config)
            for name, value in config.attributes.items():
                if (name, value) in UNSERVED:
                    log.warn(
                        "topic {topic} has {name}={value}, but {reason}",
                        topic=config.topic_name, name=name, value=value, reason=UNSERVED[name, value],
                    )  # fmt: skip
        if stored.data_version is not None:
            self.version = stored.data_version

    def save(self) -> None:
        """Writes the file.

        Raises:
            OSError: the disk refuses.
        """
        members = (("dataVersion", to_plain(self.version)), ("topicConfigTable", self._texts.object()))
        self._file.save(pretty_object(members))

    def is_system(self, name: str) -> bool:
        """Whether RocketMQ itself owns the topic."""
        return is_system_topic(name) or name in self._own_topics

    def is_order(self, name: str) -> bool:
        """Whether the topic was made for ordered messages."""
        config = self.configs.get(name)
        return config is not None and config.order

    def put(self, *configs: TopicConfig) -> None:
        """Creates or overwrites topics as they are given.

        Raises:
            SystemBusyError: there are too many topics.
            OSError: the disk refuses; the topics exist until the next start.
        """
        self.check_room(configs)
        for config in configs:
            self._enter(config)
        self._changed(list(configs))

    def check_room(self, configs: Iterable[TopicConfig]) -> None:
        """Refuses topics that would be too many.

        Raises:
            SystemBusyError: they would be.
        """
        new = sum(config.topic_name not in self.configs for config in configs)
        if new and len(self.configs) + new > MAX_TOPICS:
            raise SystemBusyError(f"this broker has {len(self.configs)} topics and takes no more than {MAX_TOPICS}")

    def _enter(self, config: TopicConfig) -> None:
        self.configs[config.topic_name] = config
        self._texts.put(config.topic_name, config)

    def remove(self, name: str) -> bool:
        """Forgets a topic; False when it was unknown."""
        if self.configs.pop(name, None) is None:
            return False
        self._texts.remove(name)
        self._changed([])
        return True

    def replace(self, configs: Mapping[str, TopicConfig], version: DataVersion) -> None:
        """Takes another broker's topics, all of them and no others, with their version.

        Raises:
            OSError: the disk refuses; the topics are as given, and the version tells that they must be taken again.
        """
        for name in self.configs.keys() - configs.keys():
            del self.configs[name]
            self._texts.remove(name)
        for name, config in configs.items():
            if self.configs.get(name) != config:
                self._enter(config)
        try:
            with version_taken(self, version):
                self.save()
        finally:
            self.on_change([])

    def discover(self, queues: Mapping[str, int]) -> None:
        """Makes queues readable that hold messages although nobody told of their topic.

        They may be written to, too, for the day when this broker is started as a master: to a slave nobody writes.

        A disk that is full does not matter: whoever owns the topics will tell of them.

        Args:
            queues: topics, with the number of queues that each has at least.
        """
        found = []
        for name, count in queues.items():
            config = self.configs.get(name)
            if config is None:
                config = TopicConfig(name, read_queue_nums=count, write_queue_nums=count, perm=PERM_READ | PERM_WRITE)
            elif config.read_queue_nums < count:
                config = replace(config, read_queue_nums=count)
            else:
                continue
            found.append(config)
        if found:
            try:
                self.put(*found)
            except (OSError, SystemBusyError) as error:
                log.warn("topics found in the log are not kept: {error}", error=error)

    def create_on_send(self, name: str, template: str, client_queues: int, sys_flag: int = 0) -> TopicConfig | None:
        """The topic that a client sent to, made after its template; None when that is not allowed.

        Args:
            name: the topic, already found legal and missing.
            template: the topic whose permission and filter type are inherited.
            client_queues: how many queues the client would like.
            sys_flag: unit bits.

        Raises:
            SystemBusyError: there are too many topics.
            ServiceNotAvailableError: the topic cannot be kept on the disk now, and so was not made.
        """
        model = self.configs.get(template)
        auto_create = self._settings.broker.auto_create_topic_enable
        if model is not None and model.perm & PERM_INHERIT and (auto_create or template != DEFAULT_TOPIC):
            queues = max(0, min(client_queues, model.write_queue_nums))
            config = TopicConfig(
                topic_name=name,
                read_queue_nums=queues,
                write_queue_nums=queues,
                perm=model.perm & ~PERM_INHERIT,
                topic_filter_type=model.topic_filter_type,
                topic_sys_flag=sys_flag,
            )
            try:
                self.put(config)
            except OSError as error:
                del self.configs[name]
                self._texts.remove(name)
                raise ServiceNotAvailableError(f"topic[{name}] cannot be kept on the disk now: {error}") from None
            return config
        if name.startswith(RETRY_PREFIX):
            return self.ensure(name, 1, sys_flag=sys_flag)
        return None

    def ensure(self, name: str, queues: int, *, order: bool = False, sys_flag: int = 0) -> TopicConfig:
        """A readable and writable topic that the broker itself needs, such as a group's retry topic.

        A disk that is full does not keep consumers away: the topic is then on the disk with the next change.

        Raises:
            SystemBusyError: there are too many topics.
        """
        config = self.configs.get(name)
        if config is None:
            config = TopicConfig(
                topic_name=name,
                read_queue_nums=queues,
                write_queue_nums=queues,
                perm=_READ_WRITE,
                topic_sys_flag=sys_flag,
                order=order,
            )
        elif config.order == order:
            return config
        config.order = order
        try:
            self.put(config)
        except OSError as error:
            log.warn("topic {name} is not on the disk yet: {error}", name=name, error=error)
            self.on_change([config])
        return config

    def mark_ordered(self, names: Iterable[str]) -> None:
        """Those of the topics that exist are for ordered messages from now on.

        A name server's word (its ORDER_TOPIC_CONFIG) takes no mark away, as at Apache's. A disk that is full does not
        matter: the name server will say it again.
        """
        known = (self.configs.get(name) for name in names)
        marked = [replace(config, order=True) for config in known if config is not None and not config.order]
        if marked:
            try:
                self.put(*marked)
            except OSError as error:
                log.warn("ordered topics are not on the disk yet: {error}", error=error)

    def told_since(self, version: DataVersion) -> Deferred[None] | None:
        """Fires when the name servers know of what has changed since a version; None when nothing has, or they do."""
        return None if self.version is version else self.told()

    def wrapper(self, names: Collection[str] | None = None) -> TopicConfigAndMappingSerializeWrapper:
        """Topics as they are registered, those named or all: permissions never exceed the broker's."""
        allowed = self._settings.broker.broker_permission
        table = self.configs
        if names is not None:
            table = {name: table[name] for name in names if name in table}
        if allowed & _READ_WRITE != _READ_WRITE:
            table = {name: replace(config, perm=config.perm & allowed) for name, config in table.items()}
        return TopicConfigAndMappingSerializeWrapper(
            topic_config_table=dict(table), data_version=self.version, topic_queue_mapping_info_map=self.mappings(names)
        )

    def settings_changed(self) -> None:
        """The broker's settings have changed: name servers are told, and take topics anew if its permission did."""
        if self._permission != self._settings.broker.broker_permission:
            self._permission = self._settings.broker.broker_permission
            self.version = self.version.next(self._now())
        self.on_change([])

    def _changed(self, changed: list[TopicConfig]) -> None:
        self.version = self.version.next(self._now())
        self.save()
        self.on_change(changed)

    def _system_topics(self) -> Iterator[TopicConfig]:
        broker = self._settings.broker
        cluster = broker.broker_cluster_name

        def topic(name: str, queues: int = 1, perm: int = _READ_WRITE) -> TopicConfig:
            return TopicConfig(topic_name=name, read_queue_nums=queues, write_queue_nums=queues, perm=perm)

        yield topic(SELF_TEST_TOPIC)
        if broker.auto_create_topic_enable:
            yield topic(DEFAULT_TOPIC, broker.default_topic_queue_nums, _READ_WRITE | PERM_INHERIT)
        yield topic(BENCHMARK_TOPIC, _BENCHMARK_QUEUES)
        cluster_perm = _READ_WRITE if broker.cluster_topic_enable else 0
        yield topic(cluster, _TEMPLATE_QUEUES, PERM_INHERIT | cluster_perm)
        broker_perm = _READ_WRITE if broker.broker_topic_enable else 0
        yield topic(broker.broker_name, 1, PERM_INHERIT | broker_perm)
        yield topic(OFFSET_MOVED_EVENT)
        yield topic(SCHEDULE_TOPIC, _SCHEDULE_QUEUES)
        if broker.trace_topic_enable:
            yield topic(broker.msg_trace_topic_name)
        yield topic(reply_topic(cluster))
        yield topic(revive_topic(cluster), broker.revive_queue_num)
        yield topic(SYNC_BROKER_MEMBER_PREFIX + broker.broker_name, 1, PERM_INHERIT)
        yield topic(TRANS_HALF_TOPIC)
        yield topic(TRANS_OP_HALF_TOPIC)
        # Every 5.4 broker has these two, whatever its store is made of.
        yield topic(ROCKSDB_TRANS_HALF_TOPIC)
        yield topic(ROCKSDB_TRANS_OP_HALF_TOPIC)
        yield topic(TIMER_TOPIC)
