"""A loop on which waiting costs nothing, so that a test of the terminal interface takes what its computing takes.

Nearly all the time of such a test is waiting: for timers, for a pause to be over, for the process to be idle. Where
nothing from outside can wake the loop (no socket is watched, no thread or process is at work for it), nothing can
happen before the next timer is due; the loop then goes to that moment at once instead of sleeping until it. Timers
fire in the order and at the times that they would. With a socket or a thread, it waits as any other loop.

All tests in tests/tui run so (the fixture `instant` in their conftest.py): `asyncio.run`, `App.run` and pytest's
snapshots take the loop from here. So a pause or a timer in a test is cheap; what costs is starting the application
(about 0.15 s) and painting. Therefore put many keys into one run of it, and use `press`, `strike` and `settle` of
`tests.kit.tui_service` for waiting. A folder whose tests talk to real servers overrides the fixture by an empty one.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from textual import _time
from textual.css.stylesheet import Stylesheet


class _Leaper(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """A selector that does not wait while nobody could wake it."""

    def __init__(self) -> None:
        super().__init__()
        self.leapt = 0.0
        self.at_work = 0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.at_work or len(self.get_map()) > 1:
            return super().select(timeout)
        self.leapt += max(timeout, 0.0)
        return ready


class InstantLoop(asyncio.SelectorEventLoop):
    """See the module. The pipe by which a loop wakes itself is the one file that does not count."""

    def __init__(self) -> None:
        self._leaper = _Leaper()
        super().__init__(self._leaper)

    def time(self) -> float:
        return time.monotonic() + self._leaper.leapt

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        future = super().run_in_executor(executor, func, *args)
        self._leaper.at_work += 1
        future.add_done_callback(self._done)
        return future

    async def subprocess_exec(self, *args: Any, **named: Any) -> Any:
        """A process counts until it has ended; its pipes alone would not tell of one that has closed them."""
        transport, protocol = await super().subprocess_exec(*args, **named)
        self._leaper.at_work += 1
        asyncio.ensure_future(transport._wait()).add_done_callback(self._done)
        return transport, protocol

    def _done(self, done: Any) -> None:
        self._leaper.at_work -= 1


class _Policy(asyncio.DefaultEventLoopPolicy):
    _loop_factory = InstantLoop


_RULES: dict[Any, Any] = {}


def _remembering(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Style sheets are the same for all applications of a theme, and parsing them is a third of the start of one."""

    def rules_of(sheet: Stylesheet, *args: Any, **named: Any) -> Any:
        key = (args, tuple(named.items()), tuple(sheet._variables.items()))
        if key not in _RULES:
            _RULES[key] = parse(sheet, *args, **named)
        return _RULES[key]

    return rules_of


@contextmanager
def instant() -> Iterator[None]:
    """New loops are instant inside, and Textual's timers go by them; what was parsed once is not parsed again."""
    before, clock, parse = asyncio.get_event_loop_policy(), _time.get_time, Stylesheet._parse_rules

    def now() -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return clock()

    asyncio.set_event_loop_policy(_Policy())
    _time.get_time = now
    Stylesheet._parse_rules = _remembering(parse)  # type: ignore[method-assign]
    try:
        yield
    finally:
        Stylesheet._parse_rules = parse  # type: ignore[method-assign]
        _time.get_time = clock
        asyncio.set_event_loop_policy(before)
