"""The SQL92 filters of consumer groups.

A filter comes with the heartbeats of its group and is compiled then, once. It outlives the group: while the group is
away it is dead, and after a day it is forgotten. A heartbeat with an older version than the one known is not heeded.
An expression that is none is not kept, so that the group's pulls are told that its filter does not exist.

`config/consumerFilter.json` keeps the filters as Apache's broker does, which can go on with the file and the other way
round. Clients name groups and topics by themselves, so the room for filters is bounded: when it is used up, dead ones
go first, then new ones are refused.

Source: ConsumerFilterManager, ConsumerFilterData.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from twisted.logger import Logger

from rmq.server.broker.bloom import bit_positions, bloom_shape
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.filter import Filter, FilterSyntaxError, compile_filter
from rmq.settings.model import BrokerSettings
from rmq.wire import fastjson
from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.declare import Int32, Int64, body, decode_body, to_plain
from rmq.wire.errors import SubscriptionParseError, SystemBusyError
from rmq.wire.subscription import SQL92, is_tag_type

ROOM: Final = 64 * 1024 * 1024
"""About how many bytes all filters may take together."""

_ENTRY_BYTES: Final = 1024
_COMPILED: Final = 64
_DEAD_WHEN_LOADED_MILLIS: Final = 30_000

log = Logger()


@body
class _BloomFilterData:
    bit_num: Int32
    bit_pos: list[Int32]


@body
class _ConsumerFilterData:
    consumer_group: str
    topic: str
    expression: str
    expression_type: str = SQL92
    born_time: Int64 = 0
    dead_time: Int64 = 0
    dead: bool = False
    client_version: Int64 = 0
    bloom_filter_data: _BloomFilterData | None = None


@body
class _FiltersOfTopic:
    topic: str | None = None
    group_filter_data: dict[str, _ConsumerFilterData] = field(default_factory=dict)


@body
class _FiltersFile:
    filter_data_by_topic: dict[str, _FiltersOfTopic] = field(default_factory=dict)


@dataclass(slots=True)
class FilterData:
    """What a group wants of a topic.

    Attributes:
        born_time: when this expression was first heard of, in ms.
        dead_time: when the group went, in ms; before `born_time` while it is there.
        client_version: time of the subscription in ms, by the client's clock.
    """

    topic: str
    group: str
    filter: Filter
    born_time: int
    dead_time: int
    client_version: int

    @property
    def is_dead(self) -> bool:
        """Whether the group went, or no longer wants the topic."""
        return self.dead_time >= self.born_time

    @property
    def weight(self) -> int:
        """About how many bytes it takes."""
        return _ENTRY_BYTES + self.filter.size


class FilterTable:
    """All filters of a broker.

    Args:
        settings: how long dead filters are kept.
        file: `config/consumerFilter.json`.
        now: milliseconds since the epoch.
        room: about how many bytes the filters may take together.
    """

    def __init__(
        self, settings: BrokerSettings, file: ConfigFile, now: Callable[[], int], *, room: int = ROOM
    ) -> None:
        self._broker = settings.broker
        self._file = file
        self._now = now
        self._room = room
        self._weight = 0
        self._dirty = False
        self._groups: dict[str, dict[str, FilterData]] = {}
        # The pulls of some clients bring their expression each time.
        self._compiled = lru_cache(maxsize=_COMPILED)(_compiled)

    # --- expressions ----------------------------------------------------------------------------------------------

    def compile(self, expression: str | None, expression_type: str = SQL92) -> Filter:
        """The filter that an expression states.

        Raises:
            SubscriptionParseError: it states none; the text says where it is wrong.
        """
        if expression_type != SQL92:
            raise SubscriptionParseError(f"expressions of type {expression_type:.40} are not known here")
        found = self._compiled(expression or "")
        if isinstance(found, FilterSyntaxError):
            raise SubscriptionParseError(str(found))
        return found

    def find(self, topic: str, group: str) -> FilterData | None:
        """What a group wants of a topic, if that is told by an expression."""
        return self._groups.get(group, {}).get(topic)

    def described(self, topic: str, group: str) -> str:
        """What a group wants of a topic, as the JSON text that Apache's broker shows; `null` without an expression."""
        data = self.find(topic, group)
        return "null" if data is None else fastjson.dumps(to_plain(self._kept(data)), pretty=True)

    # --- groups ---------------------------------------------------------------------------------------------------

    def register(self, group: str, subscriptions: Iterable[SubscriptionData]) -> None:
        """Takes the filters of a heartbeat, which tells all that the group subscribes.

        Raises:
            SystemBusyError: there is no room for a new one.
        """
        topics = set()
        for wanted in subscriptions:
            topics.add(wanted.topic)
            if not is_tag_type(wanted.expression_type) and wanted.sub_string:
                self._take(group, wanted, wanted.sub_string)
        for data in self._groups.get(group, {}).values():
            if data.topic not in topics:
                self._bury(data)

    def unregister(self, group: str) -> None:
        """The group's last client has gone."""
        for data in self._groups.get(group, {}).values():
            self._bury(data)

    def _take(self, group: str, wanted: SubscriptionData, expression: str) -> None:
        topic, version = wanted.topic, wanted.sub_version
        known = self.find(topic, group)
        if known is not None:
            if version < known.client_version or (version == known.client_version and not known.is_dead):
                return
            if version == known.client_version or known.filter.text == expression:
                known.client_version, known.dead_time = version, 0
                self._dirty = True
                return
        try:
            compiled = self.compile(expression, wanted.expression_type)
        except SubscriptionParseError as error:
            log.warn(
                "filter of {group} on {topic} is not kept: {error}", group=group, topic=topic, error=error.remark
            )
            self._remove(known)
            return
        self._enter(FilterData(topic, group, compiled, self._now(), 0, version))
        self._dirty = True

    def _bury(self, data: FilterData) -> None:
        if not data.is_dead:
            data.dead_time = max(self._now(), data.born_time)
            self._dirty = True

    def _enter(self, data: FilterData) -> None:
        self._make_room(data)
        self._remove(self.find(data.topic, data.group))
        self._groups.setdefault(data.group, {})[data.topic] = data
        self._weight += data.weight

    def _make_room(self, newcomer: FilterData) -> None:
        if self._weight + newcomer.weight <= self._room:
            return
        for data in sorted((data for data in self._all() if data.is_dead), key=lambda data: data.dead_time):
            self._remove(data)
            if self._weight + newcomer.weight <= self._room // 2:
                break
        if self._weight + newcomer.weight > self._room:
            raise SystemBusyError("the filters of all groups take too much memory, no more are accepted")

    def _remove(self, data: FilterData | None) -> None:
        if data is None or self.find(data.topic, data.group) is not data:
            return
        of_group = self._groups[data.group]
        del of_group[data.topic]
        if not of_group:
            del self._groups[data.group]
        self._weight -= data.weight
        self._dirty = True

    def _all(self) -> Iterator[FilterData]:
        for of_group in self._groups.values():
            yield from of_group.values()

    # --- file -----------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Reads what an earlier run kept. Nobody is connected yet, so all of it is dead.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(lambda content: decode_body(_FiltersFile, content))
        if stored is None:
            return
        dead = self._now() - _DEAD_WHEN_LOADED_MILLIS
        for topic, of_topic in stored.filter_data_by_topic.items():
            for group, kept in of_topic.group_filter_data.items():
                try:
                    compiled = self.compile(kept.expression, kept.expression_type)
                    dead_time = kept.dead_time or max(dead, kept.born_time)
                    self._enter(FilterData(topic, group, compiled, kept.born_time, dead_time, kept.client_version))
                except (SubscriptionParseError, SystemBusyError) as error:
                    log.warn(
                        "filter of {group} on {topic} is not taken over: {error}",
                        group=group, topic=topic, error=error.remark,
                    )  # fmt: skip

    def save(self) -> None:
        """Forgets filters that are dead for long, and writes the file when something has changed.

        Raises:
            OSError: the disk refuses.
        """
        expired = self._now() - self._broker.filter_data_clean_time_span
        for data in [data for data in self._all() if data.is_dead and data.dead_time <= expired]:
            self._remove(data)
        if self._dirty:
            self._file.save(fastjson.dumps(to_plain(self._content()), pretty=True))
            self._dirty = False

    def _content(self) -> _FiltersFile:
        content = _FiltersFile()
        for data in self._all():
            of_topic = content.filter_data_by_topic.setdefault(data.topic, _FiltersOfTopic(data.topic))
            of_topic.group_filter_data[data.group] = self._kept(data)
        return content

    def _kept(self, data: FilterData) -> _ConsumerFilterData:
        each, bits = bloom_shape(
            self._broker.max_error_rate_of_bloom_filter, self._broker.expect_consumer_num_use_filter
        )
        return _ConsumerFilterData(
            data.group,
            data.topic,
            data.filter.text,
            born_time=data.born_time,
            dead_time=data.dead_time,
            dead=data.is_dead,
            client_version=data.client_version,
            bloom_filter_data=_BloomFilterData(bits, bit_positions(f"{data.group}#{data.topic}", each, bits)),
        )


def _compiled(expression: str) -> Filter | FilterSyntaxError:
    """An error is kept like a filter: who repeats a wrong expression costs nothing."""
    try:
        return compile_filter(expression)
    except FilterSyntaxError as error:
        return FilterSyntaxError(str(error))
