"""A log to replicate that is nothing but bytes, and one slave's connection in memory."""

from rmq.server.store.api import LogGoneError
from rmq.wire.hastream import TransferReader


class BytesLog:
    """A log of files of a fixed size, the first of which may be gone.

    Attributes:
        data: the bytes from offset 0 on.
        first: where the oldest file begins.
    """

    def __init__(self, data: bytes = b"", *, file_size: int = 1000, first: int = 0) -> None:
        self.data = data
        self.file_size = file_size
        self.log_min_offset = first

    @property
    def log_max_offset(self) -> int:
        return len(self.data)

    def transfer(self, offset: int, most: int) -> bytes:
        if offset < self.log_min_offset:
            raise LogGoneError(offset, self.log_min_offset)
        return self.data[offset : min(offset + most, offset - offset % self.file_size + self.file_size)]


def pattern(length: int) -> bytes:
    """Bytes of which each eight tell where they stand."""
    return b"".join(at.to_bytes(8, "big") for at in range(0, length + 8, 8))[:length]


def transfers(sent: bytes) -> list[tuple[int, bytes]]:
    """What a master wrote, cut into transfers; a heartbeat has no bytes."""
    return TransferReader().feed(sent)
