"""How far each consumer group has come in each queue.

Offsets live in memory and go to `config/consumerOffset.json` every few seconds and at the end; a crash loses at most
what was committed since, and its messages are delivered again.

An operator's reset is kept beside them: the next pull of the queue is told to go there and takes the mark away;
until then the group's own commits to that queue are ignored.

Source: ConsumerOffsetManager.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rmq.server.broker.meta.config_file import ConfigFile
from rmq.settings.model import BrokerSettings
from rmq.wire import fastjson
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import Int32, Int64, body, decode_body, to_plain
from rmq.wire.errors import SystemBusyError

_SEPARATOR: Final = "@"
MOST_OFFSETS: Final = 1_000_000
"""Most offsets of all groups together: clients name groups and queues by themselves."""

Queue = tuple[str, str, int]
"""Group, topic, queue id."""


@body
class _OffsetsFile:
    data_version: DataVersion | None = None
    group_topic_map: dict[str, list[str]] | None = None
    offset_table: dict[str, dict[Int32, Int64]] | None = None


def key_of(topic: str, group: str) -> str:
    """What a group's offsets in a topic are kept under, here and on the wire."""
    return f"{topic}{_SEPARATOR}{group}"


def names_in(key: str) -> tuple[str, str] | None:
    """Topic and group of such a key; None where it is none."""
    topic, separator, group = key.partition(_SEPARATOR)
    return (topic, group) if separator and _SEPARATOR not in group else None


class OffsetTable:
    """Committed offsets of all groups.

    Args:
        settings: whether resets count.
        file: `config/consumerOffset.json`.

    Attributes:
        version: counts the saves; the file carries it.
        on_forget: called when a topic or a group is gone, with what tells whether one of a topic and a group is it.
    """

    def __init__(self, settings: BrokerSettings, file: ConfigFile) -> None:
        self._broker = settings.broker
        self._file = file
        self._offsets: dict[str, dict[int, int]] = {}
        # Names in order: whoever shows every topic or every group asks for these once for each.
        self._groups_by_topic: dict[str, dict[str, None]] = {}
        self._topics_by_group: dict[str, dict[str, None]] = {}
        self._resets: dict[Queue, int] = {}
        self._pulled: dict[Queue, int] = {}
        self._count = 0
        self._dirty = False
        self.version = DataVersion(state_version=0, timestamp=0, counter=0)
        self.on_forget: Callable[[Callable[[str, str], bool]], None] = lambda gone: None

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(lambda content: decode_body(_OffsetsFile, content))
        if stored is not None:
            kept = {key: table for key, table in (stored.offset_table or {}).items() if names_in(key) is not None}
            self._replace(kept)
            self._dirty = False
            self.version = stored.data_version or self.version

    def commit(self, group: str, topic: str, queue_id: int, offset: int) -> None:
        """Keeps that the group has consumed everything before `offset`.

        Raises:
            SystemBusyError: a new offset, and there are too many.
        """
        key = key_of(topic, group)
        table = self._offsets.get(key)
        if table is None or queue_id not in table:
            if self._count >= MOST_OFFSETS:
                raise SystemBusyError(f"this broker keeps {self._count} offsets and takes no more")
            self._count += 1
            if table is None:
                table = self._offsets[key] = {}
                self._enter(key)
        table[queue_id] = offset
        self._dirty = True

    def query(self, group: str, topic: str, queue_id: int) -> int:
        """The pending reset or committed offset, -1 when there is neither."""
        if self.has_reset(group, topic, queue_id):
            return self._resets[group, topic, queue_id]
        table = self._offsets.get(key_of(topic, group))
        return -1 if table is None else table.get(queue_id, -1)

    def note_pulled(self, group: str, topic: str, queue_id: int, offset: int) -> None:
        """Remembers how far the group has fetched, committed or not; never kept on disk, and only for so many."""
        queue = (group, topic, queue_id)
        if queue in self._pulled or len(self._pulled) < MOST_OFFSETS:
            self._pulled[queue] = offset

    def pulled(self, group: str, topic: str, queue_id: int) -> int:
        """How far the group has fetched since the start, -1 when it has not."""
        return self._pulled.get((group, topic, queue_id), -1)

    def queues(self, group: str, topic: str) -> dict[int, int]:
        """Committed offsets by queue id."""
        return dict(self._offsets.get(key_of(topic, group), {}))

    def of_topic(self, topic: str) -> dict[str, dict[int, int]]:
        """Committed offsets in a topic, by group and queue id."""
        return {group: self.queues(group, topic) for group in self.groups_of(topic)}

    def topics_of(self, group: str) -> list[str]:
        """Topics in which the group has offsets."""
        return list(self._topics_by_group.get(group, ()))

    def groups_of(self, topic: str) -> list[str]:
        """Groups that have offsets in the topic."""
        return list(self._groups_by_topic.get(topic, ()))

    def topics_by_group(self) -> dict[str, list[str]]:
        """Groups that have offsets, with the topics."""
        return {group: list(topics) for group, topics in self._topics_by_group.items()}

    def groups(self) -> set[str]:
        """All groups that have offsets."""
        return set(self._topics_by_group)

    def reset(self, group: str, topic: str, queue_id: int, offset: int) -> None:
        """Marks a queue so that the next pull goes on at `offset`.

        Raises:
            SystemBusyError: as `commit`.
        """
        self.commit(group, topic, queue_id, offset)
        self._resets[group, topic, queue_id] = offset

    def has_reset(self, group: str, topic: str, queue_id: int) -> bool:
        """Whether such a mark waits for the next pull."""
        return (group, topic, queue_id) in self._resets and self._broker.use_server_side_reset_offset

    def take_reset(self, group: str, topic: str, queue_id: int) -> int | None:
        """The mark, which is thereby taken away; None when there is none or resets do not count."""
        if not self._resets:
            return None
        reset = self._resets.pop((group, topic, queue_id), None)
        return reset if self._broker.use_server_side_reset_offset else None

    def clone(self, source: str, target: str, topic: str) -> None:
        """Gives a group another group's offsets in a topic, in place of its own; nothing happens without any.

        Marks of a reset that the group has there are gone with what they stood for.

        Raises:
            SystemBusyError: as `commit`.
        """
        offsets = self.queues(source, topic)
        if offsets:
            self._forget([key_of(topic, target)])
            for queue in [queue for queue in self._resets if queue[:2] == (target, topic)]:
                del self._resets[queue]
        for queue_id, offset in offsets.items():
            self.commit(target, topic, queue_id, offset)

    def forget_topic(self, topic: str) -> None:
        """Drops every group's offsets in a topic."""
        self._forget([key_of(topic, group) for group in self.groups_of(topic)])
        self._pulled = {queue: offset for queue, offset in self._pulled.items() if queue[1] != topic}
        self._resets = {queue: offset for queue, offset in self._resets.items() if queue[1] != topic}
        self.on_forget(lambda of_topic, _: of_topic == topic)

    def forget_group(self, group: str) -> None:
        """Drops all offsets of a group."""
        self._forget([key_of(topic, group) for topic in self.topics_of(group)])
        self._pulled = {queue: offset for queue, offset in self._pulled.items() if queue[0] != group}
        self._resets = {queue: offset for queue, offset in self._resets.items() if queue[0] != group}
        self.on_forget(lambda _, of_group: of_group == group)

    def save(self, now: int) -> None:
        """Writes the file if anything changed since.

        Args:
            now: milliseconds since the epoch, for the file's version.

        Raises:
            OSError: the disk refuses; the next save tries again.
        """
        if self._dirty:
            self._dirty = False
            self.version = self.version.next(now)
            try:
                self._file.save(fastjson.dumps(self._plain(), pretty=True))
            except OSError:
                self._dirty = True
                raise

    def to_json(self) -> bytes:
        """The content as it travels to tools and slaves."""
        return fastjson.dumps(self._plain()).encode()

    def _plain(self) -> dict[str, object]:
        return to_plain(_OffsetsFile(self.version, self.topics_by_group(), self._offsets))

    def _replace(self, offsets: dict[str, dict[int, int]]) -> None:
        """Other offsets in place of all that there are, by `topic@group` and queue id."""
        self._offsets = offsets
        self._groups_by_topic, self._topics_by_group = {}, {}
        for key in offsets:
            self._enter(key)
        self._count = sum(map(len, offsets.values()))
        self._dirty = True

    def _enter(self, key: str) -> None:
        topic, _, group = key.partition(_SEPARATOR)
        self._groups_by_topic.setdefault(topic, {})[group] = None
        self._topics_by_group.setdefault(group, {})[topic] = None

    def _forget(self, keys: list[str]) -> None:
        for key in keys:
            table = self._offsets.pop(key, None)
            if table is not None:
                self._count -= len(table)
                topic, _, group = key.partition(_SEPARATOR)
                _leave(self._groups_by_topic, topic, group)
                _leave(self._topics_by_group, group, topic)
        self._dirty = self._dirty or bool(keys)


def _leave(names: dict[str, dict[str, None]], owner: str, name: str) -> None:
    del names[owner][name]
    if not names[owner]:
        del names[owner]
