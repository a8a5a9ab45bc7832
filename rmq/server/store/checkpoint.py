"""The checkpoint page: how far the store is on the disk.

Apache's five numbers open the page. Behind them stands an extension of ours, which Apache leaves alone: up to which
physical offset log, queues and index are all on the disk (`safe_offset`), and digests by which missing files are
noticed. A copy of the five numbers is part of it: when Apache has run on the store since, its numbers changed and the
extension is void. `rmq.wire.records` declares the layout.

Source: StoreCheckpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from rmq.server.store.env import Env
from rmq.wire.layouts import CHECKPOINT_EXTENSION, CHECKPOINT_HEAD

PAGE = 4096
EXTENSION_MAGIC = 0x726D71_5341464531
_TIME_SLACK = 3000


@dataclass(frozen=True, slots=True)
class Extension:
    """How far log, queues and index are all on the disk.

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


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the page says; times are milliseconds."""

    physic_msg_timestamp: int = 0
    logics_msg_timestamp: int = 0
    index_msg_timestamp: int = 0
    master_flushed_offset: int = 0
    confirm_physical_offset: int = 0
    extension: Extension | None = None

    @property
    def min_timestamp(self) -> int:
        """Messages stored before this moment are on the disk, log and queues (StoreCheckpoint.getMinTimestamp)."""
        return max(0, min(self.physic_msg_timestamp, self.logics_msg_timestamp) - _TIME_SLACK)

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
            own = self.extension
            fields = (EXTENSION_MAGIC, head, own.safe_offset, own.queue_digest, own.index_digest, own.index_behind)
            crc = crc32(CHECKPOINT_EXTENSION.pack(*fields, 0)[:-4])
            page += CHECKPOINT_EXTENSION.pack(*fields, crc)
        return page.ljust(PAGE, b"\0")


def decode_checkpoint(page: bytes) -> Checkpoint:
    """What a page says; its extension only if that is valid.

    Raises:
        ValueError: the page has not 4096 bytes.
    """
    if len(page) != PAGE:
        raise ValueError(f"a checkpoint has {PAGE} bytes, not {len(page)}")
    numbers = CHECKPOINT_HEAD.unpack_from(page)
    at = CHECKPOINT_HEAD.size
    magic, head, safe_offset, queue_digest, index_digest, index_behind, crc = CHECKPOINT_EXTENSION.unpack_from(page, at)
    own = page[at : at + CHECKPOINT_EXTENSION.size - 4]
    extension = None
    if magic == EXTENSION_MAGIC and head == page[:at] and crc32(own) == crc:
        extension = Extension(safe_offset, queue_digest, index_digest, index_behind)
    physic, logics, index, master_flushed, confirm = numbers
    return Checkpoint(physic, logics, index, master_flushed, confirm, extension)


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
