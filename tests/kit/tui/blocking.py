"""How long the loop is kept by one callback: the longest time for which no key can be taken."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass
class Longest:
    """The longest callback so far, in seconds."""

    seconds: float = 0.0
    what: str = ""


@contextmanager
def longest_callback(clock: Callable[[], float] = time.thread_time) -> Iterator[Longest]:
    """Measures every callback of every loop; by the processor's time of the thread, so that others do not count."""
    found = Longest()
    # What other tests have left behind is not looked through in the middle of this one.
    gc.collect()
    gc.freeze()
    run = asyncio.Handle._run

    def measured(handle: Any) -> None:
        begun = clock()
        run(handle)
        taken = clock() - begun
        if taken > found.seconds:
            task = getattr(getattr(handle, "_callback", None), "__self__", None)
            found.seconds, found.what = taken, repr(task if task is not None else handle)[:300]

    asyncio.Handle._run = measured  # type: ignore[method-assign, assignment]
    try:
        yield found
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]
        gc.unfreeze()
