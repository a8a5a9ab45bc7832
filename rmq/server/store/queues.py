"""All consume queues of a store, by topic and queue id: opened when first needed, loaded at the start, removed.

Source: ConsumeQueueStore.
"""

from __future__ import annotations

from itertools import pairwise

from twisted.logger import Logger

from rmq.server.store.api import StoreError, StoreOptions
from rmq.server.store.append import TopicEntry
from rmq.server.store.consumequeue import ConsumeQueue
from rmq.server.store.env import Env
from rmq.server.store.segment import MapCache
from rmq.wire.names import is_system_topic

_log = Logger()


class Queues:
    """The queues.

    Attributes:
        topics: what there is, for those who look queues up all the time.
    """

    def __init__(self, options: StoreOptions, env: Env) -> None:
        self._env = env
        self._directory = f"{options.store_path_root_dir}/consumequeue"
        self._file_size = options.mapped_file_size_consume_queue
        self._cache = MapCache(options.max_mapped_files or env.map_limit(), scattered=True)
        self.topics: dict[str, TopicEntry] = {}

    def each(self) -> list[ConsumeQueue]:
        """All of them."""
        return [queue for entry in self.topics.values() for queue in entry.queues.values()]

    def open(self, topic: str, queue_id: int) -> ConsumeQueue:
        """A queue that is not known yet, empty."""
        entry = self.topics.get(topic)
        if entry is None:
            entry = self.topics[topic] = TopicEntry(topic)
        queue = entry.queues[queue_id] = ConsumeQueue(
            self._env, self._cache, f"{self._directory}/{topic}/{queue_id}", self._file_size, topic, queue_id
        )
        return queue

    def drop(self, queue: ConsumeQueue) -> None:
        """Removes a queue.

        Raises:
            OSError: a file cannot be removed.
        """
        queue.segments.remove_all()
        entry = self.topics.get(queue.topic)
        if entry is not None:
            entry.queues.pop(queue.queue_id, None)
            if not entry.queues:
                self.topics.pop(queue.topic)

    def try_to_drop(self, queue: ConsumeQueue) -> None:
        """Removes a queue; a failure is logged."""
        try:
            self.drop(queue)
        except OSError as error:
            _log.error("{path} is not removed: {error}", path=queue.segments.directory, error=error)

    def load(self) -> list[str]:
        """Loads what is on the disk; a queue that cannot be right is removed and named in the answer.

        Raises:
            OSError: a file cannot be read or removed.
        """
        damaged = []
        for topic in self._env.list_directory(self._directory):
            for name in self._env.list_directory(f"{self._directory}/{topic}"):
                if not name.isdigit():
                    continue
                queue = self.open(topic, int(name))
                try:
                    queue.load()
                    problem = f"{queue.segments.cut.path} was cut off" if queue.segments.cut else ""
                except StoreError as error:
                    problem = str(error)
                if not problem and _has_gap(queue):
                    problem = f"{queue.segments.directory} lacks a file"
                if problem:
                    damaged.append(f"{problem}; the queue is built again from the log")
                    self._remove_files(queue)
                    self.drop(queue)
                elif not queue.segments.files:
                    self.drop(queue)
        return damaged

    def _remove_files(self, queue: ConsumeQueue) -> None:
        directory = queue.segments.directory
        queue.segments.close()
        queue.segments.files.clear()
        for name in self._env.list_directory(directory):
            self._env.remove(f"{directory}/{name}")

    def destroy_topic(self, topic: str) -> bool:
        """Removes a topic's queues and its directory, whether there were any; failures are logged."""
        entry = self.topics.get(topic)
        if entry is None:
            return False
        for queue in list(entry.queues.values()):
            self.try_to_drop(queue)
        self.topics.pop(topic, None)
        try:
            self._env.remove_directory(f"{self._directory}/{topic}")
        except OSError as error:
            _log.debug("The directory of {topic} stays: {error}", topic=topic, error=error)
        return True

    def remove_expired(self, log_minimum: int) -> int:
        """Removes the queues that have no message left in the log; how many.

        Those of the system stay: whoever reads them goes on at an offset, which must not be given out again.
        """
        expired = [queue for queue in self.each() if queue.next and queue.max_physical <= log_minimum]
        expired = [queue for queue in expired if queue.minimum >= queue.next and not is_system_topic(queue.topic)]
        for queue in expired:
            self.try_to_drop(queue)
        return len(expired)

    def newest_unit(self) -> tuple[int, int] | None:
        """Physical offset and size of the message that stands last in the log of all that have a unit.

        Raises:
            OSError: a file cannot be mapped.
        """
        queue = max(self.each(), key=lambda queue: queue.max_physical, default=None)
        start = queue.last_before(queue.max_physical) if queue is not None else None
        return (start, queue.max_physical - start) if queue is not None and start is not None else None

    def last_before(self, physical: int) -> int | None:
        """The greatest physical offset before `physical` at which a message that has a unit begins.

        Raises:
            OSError: a file cannot be mapped.
        """
        best: int | None = None
        for queue in self.each():
            if best is None or queue.max_physical > best:
                start = queue.last_before(physical)
                if start is not None and (best is None or start > best):
                    best = start
        return best


def _has_gap(queue: ConsumeQueue) -> bool:
    files = queue.segments.files
    return any(after.start != before.start + before.size for before, after in pairwise(files))
