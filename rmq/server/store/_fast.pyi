from mmap import mmap

from rmq.server.store.append import TopicEntry
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.consumequeue import ConsumeQueue

def place_records(
    body: bytes, head: bytes, name_field: bytes, physical: int, queue_offset: int
) -> tuple[bytes, bytes, list[int], set[int]]: ...
def index_records(
    log: bytes | bytearray | mmap,
    base: int,
    at: int,
    stop: int,
    index: bytearray | mmap,
    entries_at: int,
    slots: int,
    count: int,
    room: int,
    begin: int,
) -> tuple[int, int, int, int, int]: ...
def take_records(
    data: bytes,
    at: int,
    log: CommitLog,
    names: dict[bytes, str],
    topics: dict[str, TopicEntry],
    arrived: dict[tuple[ConsumeQueue, int], None],
) -> tuple[int, int, int]: ...
