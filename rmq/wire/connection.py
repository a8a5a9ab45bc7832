"""Cuts a byte stream into commands, sans-IO.

Feed what the peer sent, then take commands until there is none. Three promises: a limit is checked as soon as the
four length bytes are known, before a byte of the frame is kept; a large frame costs one copy however many chunks it
comes in; nothing is decoded before it is asked for, so a reader that must stop after any command simply stops.

After a `FrameError` the stream cannot be followed and the connection must be closed.
"""

from __future__ import annotations

from rmq.wire.codes import MAX_FRAME
from rmq.wire.command import Command
from rmq.wire.errors import FrameError, FrameTooLargeError
from rmq.wire.sendcommand import decode_frame

_SMALL = 4096
"""Smaller chunks are put together as they come: an object for each byte of a frame would take fifty times its size."""


class CommandStream:
    """The receiving side of one connection.

    Attributes:
        buffered: bytes fed and not yet taken.
        announced: size of the frame being received, its length field included, or 0 when none has begun.
    """

    __slots__ = ("_chunks", "_data", "_max_frame", "_position", "announced", "buffered")

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max_frame = max_frame
        self._data = b""
        self._position = 0
        self._chunks: list[bytes | bytearray] = []
        self.announced = 0
        self.buffered = 0

    def feed(self, data: bytes) -> None:
        """Takes what the transport delivered."""
        self.buffered += len(data)
        if self._position == len(self._data) and not self._chunks:
            self._data = data
            self._position = 0
        elif len(data) >= _SMALL:
            self._chunks.append(data)
        elif self._chunks and type(self._chunks[-1]) is bytearray:
            self._chunks[-1] += data
        else:
            self._chunks.append(bytearray(data))

    def next_command(self) -> Command | None:
        """The next whole command, or None until more is fed.

        Raises:
            FrameTooLargeError: the frame announces more than the limit.
            FrameError: the length is negative or too small, or the header cannot be read.
        """
        buffered = self.buffered
        if buffered < 4 or buffered < self.announced:
            return None
        if self._chunks:
            self._join()
        data, position = self._data, self._position
        length = int.from_bytes(data[position : position + 4], "big", signed=True)
        end = position + 4 + length
        if length < 4:
            raise FrameError(f"frame length {length} is less than a header's 4 bytes")
        if length + 4 > self._max_frame:
            raise FrameTooLargeError(f"frame of {length + 4} bytes is over the limit of {self._max_frame}")
        if end > len(data):
            self.announced = length + 4
            return None
        command = decode_frame(data, position + 4, end)
        self.announced = 0
        self.buffered = buffered - length - 4
        if end == len(data):
            self._data, self._position = b"", 0
        else:
            self._position = end
        return command

    def _join(self) -> None:
        rest = self._data[self._position :] if self._position else self._data
        self._data = b"".join((rest, *self._chunks))
        self._position = 0
        self._chunks.clear()
