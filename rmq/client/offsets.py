"""How far a group has come in each queue: kept in memory, stored at the brokers or in a file.

A group that shares messages stores its offsets at the brokers. Each broadcasting consumer stores its own in
`~/.rocketmq_offsets/<clientId>/<group>/offsets.json`, the file that Java clients write, with the one before as `.bak`.

Source: OffsetStore, RemoteBrokerOffsetStore, LocalFileOffsetStore, OffsetSerializeWrapper.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path

from twisted.logger import Logger

from rmq.client.instance import ClientInstance
from rmq.client.routes import MASTER_ID
from rmq.wire import fastjson
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.declare import Int64, body, decode_body, to_plain
from rmq.wire.errors import InvalidFieldError, QueryNotFoundError, RemotingError
from rmq.wire.requests.offset import OffsetReply, QueryConsumerOffset, UpdateConsumerOffset

log = Logger()


class Offsets:
    """Offsets in memory; subclasses store them."""

    def __init__(self) -> None:
        self._offsets: dict[MessageQueue, int] = {}

    def update(self, queue: MessageQueue, offset: int, *, increase_only: bool = False) -> None:
        """Notes how far a queue is done."""
        if not increase_only or offset > self._offsets.get(queue, -1):
            self._offsets[queue] = offset

    def get(self, queue: MessageQueue) -> int | None:
        """What was noted."""
        return self._offsets.get(queue)

    def forget(self, queue: MessageQueue) -> None:
        """The queue is no longer this consumer's."""
        self._offsets.pop(queue, None)

    def snapshot(self, topic: str) -> dict[MessageQueue, int]:
        """All that was noted of a topic."""
        return {queue: offset for queue, offset in self._offsets.items() if queue.topic == topic}

    async def read(self, queue: MessageQueue) -> int | None:
        """What is stored, None for nothing.

        Raises:
            RemotingError: the store cannot be asked.
        """
        raise NotImplementedError

    async def persist(self, queues: Iterable[MessageQueue], *, confirmed: bool = False) -> None:
        """Stores what was noted of these queues; a failure is logged, the next time stores it.

        Args:
            queues: the queues.
            confirmed: wait until the store has it.
        """
        raise NotImplementedError


class RemoteOffsets(Offsets):
    """Offsets of a group, stored at the brokers."""

    def __init__(self, instance: ClientInstance, group: str) -> None:
        super().__init__()
        self._instance = instance
        self._group = group

    async def read(self, queue: MessageQueue) -> int | None:
        """What the queue's broker has stored."""
        header = QueryConsumerOffset(self._group, queue.topic, queue.queue_id)
        address = self._address(queue)
        try:
            answer = await self._instance.invoker.call(address, header, timeout=5.0)
        except QueryNotFoundError:
            return None
        reply: OffsetReply = answer.header
        return reply.offset

    async def persist(self, queues: Iterable[MessageQueue], *, confirmed: bool = False) -> None:
        """Tells each queue's broker."""
        for queue in queues:
            offset = self.get(queue)
            if offset is None:
                continue
            header = UpdateConsumerOffset(self._group, queue.topic, queue.queue_id, offset)
            try:
                if confirmed:
                    await self._instance.invoker.call(self._address(queue), header, timeout=5.0)
                else:
                    await self._instance.invoker.send_oneway(self._address(queue), header)
            except RemotingError as error:
                log.warn("{queue} was not committed at {offset}: {error}", queue=queue, offset=offset, error=error)

    def _address(self, queue: MessageQueue) -> str:
        return self._instance.routes.replica_address(queue.broker_name, MASTER_ID)


@body
class OffsetFile:
    """The content of offsets.json."""

    offset_table: dict[MessageQueue, Int64] = field(default_factory=dict)


class LocalOffsets(Offsets):
    """Offsets of one consumer, stored in a file.

    Args:
        path: the file; directories are made when it is first written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._backup = path.with_name(path.name + ".bak")

    async def read(self, queue: MessageQueue) -> int | None:
        """What the file says."""
        return self._load().offset_table.get(queue)

    async def persist(self, queues: Iterable[MessageQueue], *, confirmed: bool = False) -> None:
        """Writes the file anew; offsets of other queues in it stay."""
        noted = {queue: self._offsets[queue] for queue in queues if queue in self._offsets}
        if not noted:
            return
        content = self._load()
        content.offset_table.update(noted)
        text = fastjson.dumps(to_plain(content), pretty=True)
        try:
            self._write(text)
        except OSError as error:
            log.warn("{path} was not written: {error}", path=str(self._path), error=error)

    def _write(self, text: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".tmp")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if self._path.exists():
            os.replace(self._path, self._backup)
        os.replace(fresh, self._path)

    def _load(self) -> OffsetFile:
        for path in (self._path, self._backup):
            try:
                data = path.read_bytes()
                if data:
                    return decode_body(OffsetFile, data)
            except FileNotFoundError:
                continue
            except (OSError, InvalidFieldError) as error:
                log.warn("{path} cannot be read: {error}", path=str(path), error=error)
        return OffsetFile()


def local_offsets_path(directory: Path | None, client_id: str, group: str) -> Path:
    """Where a broadcasting consumer's offsets are (LocalFileOffsetStore)."""
    root = directory if directory is not None else Path.home() / ".rocketmq_offsets"
    return root / client_id / group / "offsets.json"
