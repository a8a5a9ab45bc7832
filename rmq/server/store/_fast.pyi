from mmap import mmap

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
def gather_records(
    data: bytes, at: int, physical: int, room: int
) -> tuple[int, int, int, dict[tuple[bytes, int], tuple[int, bytearray, set[int]]]]: ...
