"""What a search has found, within its bounds, told a batch at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from rmq.tui.service.model import Batch, Problem, StoredMessage
from rmq.tui.service.problems import problem_of
from rmq.tui.service.query import Query
from rmq.tui.service.query.matching import matches
from rmq.wire.errors import RemotingError

BYTES: Final = 64 << 20
"""Bytes of bodies that one search keeps."""
_MANY_BYTES: Final = 1 << 20
"""Bodies of more bytes than this are tested in another thread."""
_APART: Final = 0.1
"""Seconds between two batches."""

T = TypeVar("T")
Tell = Callable[[Batch], None]


class Findings:
    """Gathers messages, notes and problems, and tells of them.

    Args:
        query: what is looked for.
        tell: takes the batches.

    Attributes:
        scanned: messages that were looked at.
        total: messages that there are to look at; None while an index is asked.
    """

    def __init__(self, query: Query, tell: Tell) -> None:
        self.scanned = 0
        self.total: int | None = None
        self._query = query
        self._tell = tell
        self._messages: list[StoredMessage] = []
        # Insertion order, each once; what is True has been told.
        self._notes: dict[str, bool] = {}
        self._problems: dict[Problem, bool] = {}
        self._kept = 0
        self._bytes = 0
        self._is_over = False
        self._next_batch = 0.0

    @property
    def is_full(self) -> bool:
        """Whether a bound is reached."""
        return self._kept >= self._query.limit or self._bytes >= BYTES

    @property
    def has_failed(self) -> bool:
        """Whether there was a problem."""
        return bool(self._problems)

    def keep(self, messages: Iterable[StoredMessage]) -> None:
        """Takes messages, as many as there is room for."""
        for message in messages:
            if self.is_full:
                self._is_over = True
                return
            self._messages.append(message)
            self._kept += 1
            self._bytes += len(message.body)

    def note(self, text: str) -> None:
        """Something that the user should know."""
        self._notes.setdefault(text, False)

    def failed(self, error: RemotingError) -> None:
        """A broker or queue could not be read."""
        self._problems.setdefault(problem_of(error), False)
        if self._query.sql and "SQL92" in str(error.remark):
            self.note("a broker filters by SQL92 when its setting enablePropertyFilter is true")

    def tell(self) -> None:
        """Tells what there is, unless that was done a moment ago."""
        if asyncio.get_running_loop().time() >= self._next_batch:
            self._batch(done=False)

    def finish(self) -> None:
        """Tells what is left, and that it is over."""
        left = (self.total or 0) - self.scanned
        if self.is_full and (left > 0 or self._is_over):
            what = f"{self._query.limit:,} messages" if self._kept >= self._query.limit else f"{BYTES >> 20} MiB"
            more = f"{left:,} were not looked at" if left > 0 else "more were found"
            self.note(f"stopped at {what}, {more}: narrow it, or set limit:")
        self._batch(done=True)

    def _batch(self, *, done: bool) -> None:
        self._next_batch = asyncio.get_running_loop().time() + _APART
        batch = Batch(
            tuple(self._messages), self.scanned, self.total, _untold(self._notes), _untold(self._problems), done
        )
        self._messages.clear()
        self._tell(batch)


async def selected(query: Query, messages: list[StoredMessage]) -> list[StoredMessage]:
    """Those that are meant; what may take its time is done in another thread.

    Raises:
        TooSlowError: the expression for bodies takes too long.
    """

    def matching() -> list[StoredMessage]:
        return [message for message in messages if matches(query, message)]

    if query.pattern is None and sum(len(message.body) for message in messages) < _MANY_BYTES:
        return matching()
    return await asyncio.to_thread(matching)


def _untold(known: dict[T, bool]) -> tuple[T, ...]:
    found = tuple(each for each, told in known.items() if not told)
    known.update(dict.fromkeys(found, True))
    return found
