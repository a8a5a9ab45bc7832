"""Messages as they are stored, how far a search for them is, and what groups made of one."""

from __future__ import annotations

from dataclasses import dataclass

from rmq.tui.service.model.problem import Problem


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A stored message.

    Attributes:
        broker: name of the broker it was read from; empty when only its address is known.
        offset: its place in the queue.
        message_id: the sender's id where there is one, else the broker's.
        offset_id: the broker's id.
        keys: its keys, separated by blanks.
        properties: names and values as stored, in the order of the names.
        body: the whole payload, decompressed where the sender's client had compressed it.
        stored: when the broker stored it.
        born: when the sender made it.
        store_size: bytes of its record.
        log_offset: its place in the broker's log.
        reconsumed: how often its consumption failed before.
        crc: CRC-32 of the body as it is stored.
        flag: the sender's number.
        sys_flag: bits of the record.
    """

    topic: str
    broker: str
    queue_id: int
    offset: int
    message_id: str
    offset_id: str
    body: bytes
    tags: str = ""
    keys: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    stored: int = 0
    born: int = 0
    born_host: str = ""
    store_host: str = ""
    store_size: int = 0
    log_offset: int = 0
    reconsumed: int = 0
    crc: int = 0
    flag: int = 0
    sys_flag: int = 0

    @property
    def key(self) -> str:
        """What it is told apart by among the messages of a cluster."""
        return self.offset_id

    @property
    def queue(self) -> str:
        """Its queue, as `broker-a/3`."""
        return f"{self.broker or self.store_host}/{self.queue_id}"


@dataclass(frozen=True, slots=True)
class Batch:
    """What a search has found since it told last, and how far it is.

    Attributes:
        messages: found since the last batch.
        scanned: messages that were looked at since the beginning.
        total: messages that there are to look at; None when an index is asked.
        notes: what the user should know, such as that a limit is reached; each told once.
        problems: queues or brokers that could not be read; each told once.
        done: whether the search is over.
    """

    messages: tuple[StoredMessage, ...] = ()
    scanned: int = 0
    total: int | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    done: bool = False


@dataclass(frozen=True, slots=True)
class Tailed:
    """New messages since the last look.

    Attributes:
        messages: the new ones, oldest first.
        skipped: messages that came faster than they could be read, and were left out.
        problem: why parts are missing.
    """

    messages: tuple[StoredMessage, ...] = ()
    skipped: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """What became of a message in one group; `remark` is what the server said when it is not known."""

    group: str
    state: str
    remark: str = ""
