"""The store's hottest loops exist twice, in Python and compiled: tests choose which runs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from rmq.server.store import fast

_COMPILED = {name: getattr(fast, name) for name in ("place_records", "index_records", "take_records")}

WAYS = ["pure", "compiled"] if fast.place_records is not None else ["pure"]
"""The ways that there are here."""


@contextmanager
def taking(way: str) -> Iterator[None]:
    """Lets the loops take one of `WAYS`."""
    with ExitStack() as patches:
        for name, loop in _COMPILED.items():
            patches.enter_context(patch.object(fast, name, None if way == "pure" else loop))
        yield
