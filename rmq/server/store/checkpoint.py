"""The checkpoint page: how far the store is on the disk, and how far its files are written at all.

Apache's five numbers open the page. Behind them stand two additions of ours, which Apache leaves alone. Both tell a
physical offset up to which log, queues and index are complete, with digests by which missing files are noticed:

- The *extension* speaks of the disk. It holds after a power cut.
- The *note* speaks of the files as every process sees them, whether or not the system has brought them to the disk.
  That is enough for whoever comes after a killed process, and worth nothing once the machine was started anew: it
  carries the id of the machine's boot. It is written far more often, alone and without waiting for the disk, into a
  sector that holds nothing else.

A copy of the five numbers is part of both: when Apache has run on the store since, its numbers changed and both are
void. `rmq.wire.records` declares the layouts.

Source: StoreCheckpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Any
from zlib import crc32

from rmq.server.store.env import Env
from rmq.wire.layouts import CHECKPOINT_EXTENSION, CHECKPOINT_HEAD, CHECKPOINT_NOTE

PAGE = 4096
HEAD_SIZE = CHECKPOINT_HEAD.size
NOTE_AT = 512
EXTENSION_MAGIC = 0x726D71_5341464531
NOTE_MAGIC = 0x726D71_4E4F544531
_TIME_SLACK = 3000
_CRC_SIZE = 4


@dataclass(frozen=True, slots=True)
class Extension:
    """How far log, queues and index are complete.

    Attributes:
        safe_offset: physical offset; everything before it is there.
        queue_digest: sum of the queues' digests as of then.
        index_digest: the index's digest as of then.
        index_behind: physical offset from which records are not indexed, -1 when all are.
    """

    safe_offset: int
    queue_digest: int
    index_digest: int
    index_behind: int

    @property
    def fields(self) -> tuple[int, int, int, int]:
        """The attributes, in their order."""
        return self.safe_offset, self.queue_digest, self.index_digest, self.index_behind

    @property
    def indexed(self) -> int:
        """Physical offset before which every record is indexed."""
        return self.index_behind if self.index_behind >= 0 else self.safe_offset


@dataclass(frozen=True, slots=True)
class Note:
    """How far the files were written in one boot of the machine, whose id this is (16 bytes)."""

    boot_id: bytes
    state: Extension

    def encode(self, head: bytes) -> bytes:
        """The bytes that stand at `NOTE_AT` of the page that begins with `head`."""
        return _sealed(CHECKPOINT_NOTE, NOTE_MAGIC, head, self.boot_id, *self.state.fields)


NO_NOTE = bytes(CHECKPOINT_NOTE.size)
"""What stands in a page without a note."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the page says; times are milliseconds."""

    physic_msg_timestamp: int = 0
    logics_msg_timestamp: int = 0
    index_msg_timestamp: int = 0
    master_flushed_offset: int = 0
    confirm_physical_offset: int = 0
    extension: Extension | None = None
    note: Note | None = None

    @property
    def min_timestamp(self) -> int:
        """Messages stored before this moment are on the disk, log and queues (StoreCheckpoint.getMinTimestamp)."""
        return max(0, min(self.physic_msg_timestamp, self.logics_msg_timestamp) - _TIME_SLACK)

    def noted_in(self, boot_id: bytes) -> Extension | None:
        """How far the files are written, if that was noted in the boot with this id; an empty one is no boot's."""
        return self.note.state if self.note is not None and boot_id and self.note.boot_id == boot_id else None

    def encode(self) -> bytes:
        """The page."""
        head = CHECKPOINT_HEAD.pack(
            self.physic_msg_timestamp,
            self.logics_msg_timestamp,
            self.index_msg_timestamp,
            self.master_flushed_offset,
            self.confirm_physical_offset,
        )
        page = head
        if self.extension is not None:
            page += _sealed(CHECKPOINT_EXTENSION, EXTENSION_MAGIC, head, *self.extension.fields)
        if self.note is not None:
            page = page.ljust(NOTE_AT, b"\0") + self.note.encode(head)
        return page.ljust(PAGE, b"\0")


def decode_checkpoint(page: bytes) -> Checkpoint:
    """What a page says; extension and note only if they are valid.

    Raises:
        ValueError: the page has not 4096 bytes.
    """
    if len(page) != PAGE:
        raise ValueError(f"a checkpoint has {PAGE} bytes, not {len(page)}")
    physic, logics, index, master_flushed, confirm = CHECKPOINT_HEAD.unpack_from(page)
    extension = _opened(CHECKPOINT_EXTENSION, EXTENSION_MAGIC, page, HEAD_SIZE)
    note = _opened(CHECKPOINT_NOTE, NOTE_MAGIC, page, NOTE_AT)
    return Checkpoint(
        physic,
        logics,
        index,
        master_flushed,
        confirm,
        Extension(*extension) if extension is not None else None,
        Note(note[0], Extension(*note[1:])) if note is not None else None,
    )


def _sealed(layout: Struct, magic: int, head: bytes, *fields: Any) -> bytes:
    """An addition to the page that begins with `head`."""
    unsealed = layout.pack(magic, head, *fields, 0)[:-_CRC_SIZE]
    return unsealed + crc32(unsealed).to_bytes(_CRC_SIZE, "big")


def _opened(layout: Struct, magic: int, page: bytes, at: int) -> list[Any] | None:
    """The fields of an addition that stands at a place of a page; None when it is none, or not of this page."""
    found, head, *fields, crc = layout.unpack_from(page, at)
    is_whole = crc == crc32(page[at : at + layout.size - _CRC_SIZE])
    return fields if (found, head) == (magic, page[:HEAD_SIZE]) and is_whole else None


def load_checkpoint(env: Env, path: str) -> tuple[Checkpoint, str | None]:
    """The checkpoint at `path`, and a sentence when it is missing or damaged; then it says nothing.

    Raises:
        OSError: the file cannot be read.
    """
    page = env.read_file(path)
    if page is None:
        return Checkpoint(), None
    try:
        return decode_checkpoint(page), None
    except ValueError as error:
        return Checkpoint(), f"{path} is damaged ({error}); the log is read instead"
