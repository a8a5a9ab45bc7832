"""The store's hottest loops exist twice, in Python and compiled: tests choose which runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from rmq.server.store import fast

_COMPILED = fast.place_records, fast.index_records, fast.gather_records

WAYS = ["pure", "compiled"] if fast.place_records is not None else ["pure"]
"""The ways that there are here."""


@contextmanager
def taking(way: str) -> Iterator[None]:
    """Lets the loops take one of `WAYS`."""
    place, index, gather = (None, None, None) if way == "pure" else _COMPILED
    with (
        patch.object(fast, "place_records", place),
        patch.object(fast, "index_records", index),
        patch.object(fast, "gather_records", gather),
    ):
        yield
