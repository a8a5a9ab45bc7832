"""The compiled twins of the store's hottest loops; None where they were not built or are not wanted.

Who calls one of them has the Python way at hand and makes the same bytes with it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from os import environ
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmap import mmap

    from rmq.server.store.append import TopicEntry
    from rmq.server.store.commitlog import CommitLog
    from rmq.server.store.consumequeue import ConsumeQueue

PURE_VARIABLE = "RMQ_PURE_PYTHON"
"""Environment variable: 1 leaves the compiled loops aside."""

place_records: Callable[[bytes, bytes, bytes, int, int], tuple[bytes, bytes, list[int], set[int]]] | None = None
index_records: Callable[
    [mmap, int, int, int, mmap, int, int, int, int, int], tuple[int, int, int, int, int]
] | None = None
take_records: Callable[
    [bytes, int, CommitLog, dict[bytes, str], dict[str, TopicEntry], dict[tuple[ConsumeQueue, int], None]],
    tuple[int, int, int],
] | None = None

if environ.get(PURE_VARIABLE) != "1":
    with suppress(ImportError):
        from rmq.server.store import _fast

        place_records = _fast.place_records
        index_records = _fast.index_records
        take_records = _fast.take_records


def way() -> str:
    """Which way the loops take, for logs and `rmq --version`."""
    return "compiled" if place_records is not None else "pure Python"
