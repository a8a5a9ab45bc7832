from mmap import mmap

from rmq.server.store.append import TopicEntry
from rmq.server.store.commitlog import CommitLog
from rmq.server.store.dispatch import Put, Single
from rmq.server.store.runs import Parts

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
def gather_records(data: bytes, at: int, physical: int, room: int) -> tuple[int, int, int, Parts]: ...
def unready_parts(
    parts: Parts, names: dict[bytes, str], topics: dict[str, TopicEntry]
) -> list[tuple[bytes, int]]: ...
def put_parts(
    parts: Parts, names: dict[bytes, str], topics: dict[str, TopicEntry], done: list[Put]
) -> None: ...
def place_single(
    data: bytes, log: CommitLog, names: dict[bytes, str], topics: dict[str, TopicEntry]
) -> Single | None: ...
