"""The stream between a master and its slaves, sans-IO.

One TCP connection a slave, which the slave makes. There is no magic, no version and no handshake; all numbers are
big-endian.

- Slave to master: eight bytes, the *report*: the physical offset up to which the slave's log goes. The first one says
  where the master is to begin, 0 from a slave that has nothing; each later one acknowledges everything before it.
  Reports repeat and overtake each other freely: only the last one counts.
- Master to slave: twelve bytes, physical offset and size, and then so many raw bytes of the commit log from there.
  Size 0 is a *heartbeat*. Offsets are contiguous; one transfer never crosses the end of a log file, and the filler at a
  file's end is sent like everything else.

Both sides say something at least every `haSendHeartbeatInterval` and give the other up after `haHousekeepingInterval`.

Source: DefaultHAConnection, DefaultHAClient.
"""

from __future__ import annotations

from rmq.wire.layouts import HA_REPORT, HA_TRANSFER_HEAD

MAX_TRANSFER = 4 * 1024 * 1024 - HA_TRANSFER_HEAD.size
"""Most bytes of one transfer: Apache's slave has a buffer of 4 MiB and waits for ever for what does not fit in."""


class HaStreamError(ValueError):
    """What came is no transfer of a master; the connection cannot go on.

    Attributes:
        offset: the physical offset that it gave.
        size: the size that it gave.
    """

    def __init__(self, offset: int, size: int) -> None:
        super().__init__(f"a transfer of {size} bytes from offset {offset} cannot be")
        self.offset = offset
        self.size = size


def encode_report(offset: int) -> bytes:
    """A slave's report: its log goes up to `offset`."""
    return HA_REPORT.pack(offset)


def encode_transfer(offset: int, size: int) -> bytes:
    """The head before `size` bytes of the log from `offset`; with size 0 a heartbeat."""
    return HA_TRANSFER_HEAD.pack(offset, size)


class ReportReader:
    """Takes what a slave sends."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> int | None:
        """The last whole report of what came, None when none is whole yet."""
        if self._rest:
            data = self._rest + data
        whole = len(data) - len(data) % HA_REPORT.size
        self._rest = data[whole:]
        if not whole:
            return None
        offset: int
        (offset,) = HA_REPORT.unpack_from(data, whole - HA_REPORT.size)
        return offset


class TransferReader:
    """Takes what a master sends.

    Bytes of the log are handed out as they come, not kept until a transfer is whole: only an unfinished head is kept.

    Args:
        most: largest transfer that is taken, in bytes.
    """

    __slots__ = ("_head", "_left", "_most", "_offset")

    def __init__(self, most: int = MAX_TRANSFER) -> None:
        self._most = most
        self._head = b""
        self._offset = 0
        self._left = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Pieces of the log with their physical offsets, in order; a heartbeat is an empty piece.

        Raises:
            HaStreamError: a head gives a negative offset or size, or a size beyond the limit.
        """
        head_size = HA_TRANSFER_HEAD.size
        at, end = 0, len(data)
        if not self._head and not self._left and end >= head_size:
            offset, size = HA_TRANSFER_HEAD.unpack_from(data)
            if size == end - head_size and offset >= 0 and size <= self._most:
                # One transfer and nothing else, as a message that is waited for comes.
                return [(offset, data[head_size:])]
        pieces: list[tuple[int, bytes]] = []
        if self._head:
            at = head_size - len(self._head)
            self._head += data[:at]
            if len(self._head) < head_size:
                return pieces
            self._open(self._head, 0, pieces)
            self._head = b""
        while at < end:
            if self._left:
                piece = data[at : at + self._left]
                pieces.append((self._offset, piece))
                at += len(piece)
                self._offset += len(piece)
                self._left -= len(piece)
            elif end - at < head_size:
                self._head = data[at:]
                break
            else:
                self._open(data, at, pieces)
                at += head_size
        return pieces

    def _open(self, data: bytes, at: int, pieces: list[tuple[int, bytes]]) -> None:
        offset, size = HA_TRANSFER_HEAD.unpack_from(data, at)
        if offset < 0 or not 0 <= size <= self._most:
            raise HaStreamError(offset, size)
        self._offset, self._left = offset, size
        if not size:
            pieces.append((offset, b""))
