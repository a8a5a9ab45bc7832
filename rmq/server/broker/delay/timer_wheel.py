"""The timer wheel: a file with a slot for each unit of precision, fourteen days of seconds by default.

A slot knows the oldest and the newest of its units in the timer log. It is found by its time modulo the wheel; a slot
with another time in it is one that was delivered long ago. The file is mostly holes: a page of it gets space when a
slot in it is first used, because writing to a mapped hole of a full disk would end the process.

Source: TimerWheel, Slot.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Final, NamedTuple

from rmq.server.store.api import StoreError
from rmq.server.store.env import Env
from rmq.server.store.segment import MapCache, Segment
from rmq.wire.layouts import TIMER_SLOT

SLOTS: Final = 2 * 7 * 86400
SIZE: Final = SLOTS * TIMER_SLOT.size
"""Bytes of the file: whole pages."""
NONE: Final = -1

_PAGE: Final = 4096
_HOLE: Final = bytes(_PAGE)
_MOST: Final = 2**31 - 1


class Slot(NamedTuple):
    """One slot: positions of its oldest and newest unit, and how many messages it has."""

    first: int
    last: int
    amount: int


EMPTY: Final = Slot(NONE, NONE, 0)


class TimerWheel:
    """The slots.

    Args:
        env: the file system.
        path: the file.
        precision: length of a slot in milliseconds.
    """

    def __init__(self, env: Env, path: str, precision: int) -> None:
        self._env = env
        self._precision = precision
        self._segment = Segment(env, MapCache(1, scattered=True), path, 0, SIZE)
        self._spaced = bytearray(SIZE // _PAGE)
        self.exists = False

    def load(self) -> None:
        """Finds the file; a missing one is made when it is needed.

        Raises:
            StoreError: it has another length.
            OSError: it cannot be read.
        """
        size = self._env.file_size(self._segment.path)
        if size not in {None, 0, SIZE}:
            raise StoreError(f"{self._segment.path} has {size} bytes, but a timer wheel has {SIZE}: it is damaged")
        self.exists = size == SIZE

    def get(self, time: int) -> Slot:
        """The slot of a time.

        Raises:
            OSError: the file cannot be mapped.
        """
        if not self.exists:
            return EMPTY
        mark, first, last, amount, _ = TIMER_SLOT.unpack_from(self._view(), self._at(time))
        return Slot(first, last, amount) if mark == time // self._precision else EMPTY

    def make_room(self, time: int) -> None:
        """Sees to it that the slot of a time can be written.

        Raises:
            OSError: the disk is full.
        """
        if not self.exists:
            self._segment.create()
            self.exists = True
        page = self._at(time) // _PAGE
        if not self._spaced[page]:
            self._env.reserve(self._segment.path, page * _PAGE, _PAGE)
            self._spaced[page] = 1

    def put(self, time: int, slot: Slot) -> None:
        """Writes the slot of a time; room must have been made.

        Raises:
            OSError: the file cannot be mapped.
        """
        amount = max(-_MOST, min(slot.amount, _MOST))
        TIMER_SLOT.pack_into(self._view(), self._at(time), time // self._precision, slot.first, slot.last, amount, 0)

    def add(self, time: int, position: int) -> None:
        """Sees to it that the unit at a position is in the chain of its slot; for recovery, units in their order.

        Raises:
            OSError: the disk is full.
        """
        self.make_room(time)
        mark, first, last, amount, _ = TIMER_SLOT.unpack_from(self._view(), self._at(time))
        if mark < time // self._precision:
            self.put(time, Slot(position, position, 1))
        elif mark == time // self._precision and position > last:
            self.put(time, Slot(first, position, amount + 1))

    def clear(self, time: int) -> None:
        """Empties the slot of a time.

        Raises:
            OSError: the disk is full.
        """
        self.make_room(time)
        TIMER_SLOT.pack_into(self._view(), self._at(time), 0, 0, 0, 0, 0)

    def each(self) -> Iterator[tuple[int, Slot]]:
        """Every slot that was ever used, with its time.

        Raises:
            OSError: the file cannot be mapped.
        """
        if not self.exists:
            return
        view = self._view()
        for start in range(0, SIZE, _PAGE):
            page = view[start : start + _PAGE]
            if page != _HOLE:
                for mark, first, last, amount, _ in TIMER_SLOT.iter_unpack(page):
                    if mark:
                        yield mark * self._precision, Slot(first, last, amount)

    def sync(self) -> None:
        """Brings the file to the disk; runs in a thread.

        Raises:
            OSError: the disk did not take it.
        """
        self._segment.sync()

    def close(self) -> None:
        """Unmaps it."""
        self._segment.unmap()

    def _view(self) -> mmap.mmap:
        return self._segment.map or self._segment.mapped()

    def _at(self, time: int) -> int:
        return time // self._precision % SLOTS * TIMER_SLOT.size
