"""The mappings of a broker's static topics, kept in `config/topicQueueMapping.json`.

A mapping is replaced as a whole by one of a newer epoch, and the past of a queue cannot be rewritten; an operator who
forces a mapping in is believed, and keeps at least the queues that the new one does not name.

Source: TopicQueueMappingManager.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

from rmq.server.broker.meta.config_file import ConfigFile, version_taken
from rmq.wire import fastjson
from rmq.wire.bodies.mapping import (
    LogicQueueMappingItem,
    TopicQueueMappingDetail,
    TopicQueueMappingInfo,
    TopicQueueMappingSerializeWrapper,
)
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import decode_body, to_plain
from rmq.wire.errors import InvalidParameterError, SystemBusyError
from rmq.wire.mapping import MappingError, check_items, check_unchanged, registered

MAX_LOGICAL_QUEUES: Final = 65536
"""Most logical queues of one topic."""
MAX_STRETCHES: Final = 131072
"""Most stretches of all logical queues of a broker: a change writes them all."""
MAX_NAME: Final = 255
"""Longest name of a broker or scope, in characters."""


class MappingTable:
    """All mappings.

    Args:
        broker_name: whose queues they tell of.
        file: `config/topicQueueMapping.json`.
        now: milliseconds since the epoch.

    Attributes:
        broker_name: as given.
        details: mappings by topic; hot paths look here whether a topic has one.
        version: raised with every change.
    """

    def __init__(self, broker_name: str, file: ConfigFile, now: Callable[[], int]) -> None:
        self.broker_name = broker_name
        self._file = file
        self._now = now
        self.details: dict[str, TopicQueueMappingDetail] = {}
        self.version = DataVersion(timestamp=now())

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(lambda content: decode_body(TopicQueueMappingSerializeWrapper, content))
        if stored is not None:
            self.details.update(stored.topic_queue_mapping_info_map)
            self.version = stored.data_version

    def accepted(self, detail: TopicQueueMappingDetail, *, force: bool = False) -> TopicQueueMappingDetail:
        """The mapping as it can be kept: queues that it does not name stay with what they were.

        Args:
            detail: a mapping that somebody sent.
            force: believe it whatever is known.

        Raises:
            InvalidParameterError: it is another broker's, has too many queues, or a name that is too long.
            SystemBusyError: there would be too many stretches altogether.
            MappingError: it contradicts itself, or what is known, and is not forced.
        """
        if detail.bname != self.broker_name:
            raise InvalidParameterError(f"the mapping is of broker {detail.bname!s:.80}, this is {self.broker_name}")
        known = self.details.get(detail.topic)
        hosted = {**known.hosted_queues, **detail.hosted_queues} if known is not None else detail.hosted_queues
        if len(hosted) > MAX_LOGICAL_QUEUES:
            raise InvalidParameterError(f"{len(hosted)} logical queues are more than {MAX_LOGICAL_QUEUES}")
        names = [detail.scope, *(item.bname or "" for items in detail.hosted_queues.values() for item in items)]
        if (longest := max(map(len, names))) > MAX_NAME:
            raise InvalidParameterError(f"a name of {longest} characters is longer than {MAX_NAME}")
        others = (other.hosted_queues for topic, other in self.details.items() if topic != detail.topic)
        if sum(_stretches(queues) for queues in (hosted, *others)) > MAX_STRETCHES:
            raise SystemBusyError(f"this broker keeps no more than {MAX_STRETCHES} stretches of logical queues")
        for items in detail.hosted_queues.values():
            check_items(items)
        if known is not None and not force:
            _check_successor(known, detail)
        return replace(detail, hosted_queues=hosted)

    def keep(self, detail: TopicQueueMappingDetail) -> None:
        """Keeps a mapping that was accepted.

        Raises:
            OSError: the disk refuses; the mapping holds until the next start.
        """
        self.details[detail.topic] = detail
        self._changed()

    def remove(self, topic: str) -> None:
        """Forgets a topic's mapping, if it has one.

        Raises:
            OSError: the disk refuses.
        """
        if self.details.pop(topic, None) is not None:
            self._changed()

    def registered(self, topics: Collection[str] | None = None) -> dict[str, TopicQueueMappingInfo]:
        """What name servers are told of topics, those named or all."""
        named = self.details if topics is None else [topic for topic in topics if topic in self.details]
        return {topic: registered(self.details[topic]) for topic in named}

    def replace(self, details: Mapping[str, TopicQueueMappingDetail], version: DataVersion) -> None:
        """Takes another broker's mappings, all of them and no others, with their version.

        Raises:
            OSError: the disk refuses; the mappings are as given, and the version tells that they must be taken again.
        """
        self.details.clear()
        self.details.update(details)
        with version_taken(self, version):
            self._save()

    def _changed(self) -> None:
        self.version = self.version.next(self._now())
        self._save()

    def _save(self) -> None:
        wrapper = TopicQueueMappingSerializeWrapper(self.details, self.version)
        self._file.save(fastjson.dumps(to_plain(wrapper), pretty=True))


def _stretches(queues: dict[int, list[LogicQueueMappingItem]]) -> int:
    return sum(map(len, queues.values()))


def _check_successor(known: TopicQueueMappingDetail, new: TopicQueueMappingDetail) -> None:
    if new.epoch < known.epoch:
        raise MappingError(f"Can't accept data with small epoch {new.epoch} < {known.epoch}")
    if new.scope != known.scope:
        raise MappingError(f"Can't accept data with unmatched scope {new.scope} != {known.scope}")
    same_epoch = new.epoch == known.epoch
    for number, items in known.hosted_queues.items():
        if number in new.hosted_queues:
            check_unchanged(items, new.hosted_queues[number], same_epoch=same_epoch)
        elif same_epoch:
            raise MappingError("Cannot accept equal epoch with null data")
