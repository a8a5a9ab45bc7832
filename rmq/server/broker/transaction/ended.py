"""What one round of checks knows of ended transactions: a byte for each half message of a window.

A window has at most `WINDOW` half messages, however many are pending; the op queue is read again for the next one.

Source: TransactionalMessageServiceImpl.fillOpRemoveMap.
"""

from __future__ import annotations

from array import array
from typing import Final

WINDOW: Final = 1 << 20
"""Most half messages of a window."""
MOST_RECORDS: Final = 1 << 16
"""Most op records of which one window notes how far they reach; later ones count with the next window."""


class EndedMarks:
    """Ends of one half queue's transactions.

    Attributes:
        begin: queue offset of the window's first half message.
    """

    def __init__(self) -> None:
        self.begin = 0
        self._marks = bytearray()
        self._reaches = array("q")

    def open(self, begin: int, count: int) -> None:
        """Begins a window."""
        self.begin = begin
        self._marks = bytearray(count)
        self._reaches = array("q")

    def close(self) -> None:
        """Gives the window's memory back."""
        self.open(self.begin, 0)

    def mark(self, offset: int) -> None:
        """The transaction at this offset has ended; one outside the window is of no interest."""
        index = offset - self.begin
        if 0 <= index < len(self._marks):
            self._marks[index] = 1

    def note_record(self, offsets: list[int], end: int) -> None:
        """The next op record tells these ends.

        Args:
            offsets: what it tells; empty for a record that cannot be read.
            end: offsets from here on belong to no half message.
        """
        reach = -1
        for offset in offsets:
            if offset < end:
                self.mark(offset)
                reach = max(reach, offset)
        if len(self._reaches) < MOST_RECORDS:
            self._reaches.append(reach)

    def has(self, offset: int) -> bool:
        """Whether the transaction at this offset is in the window and known to have ended."""
        index = offset - self.begin
        return 0 <= index < len(self._marks) and self._marks[index] == 1

    def first_open(self, offset: int, end: int) -> int:
        """The first offset of the window from here on that is not known to have ended; `end` when there is none."""
        index = self._marks.find(0, offset - self.begin, end - self.begin)
        return end if index < 0 else index + self.begin

    def done_records(self, position: int) -> int:
        """How many op records from the first on tell nothing beyond this half-queue offset."""
        done = 0
        for reach in self._reaches:
            if reach >= position:
                break
            done += 1
        return done
