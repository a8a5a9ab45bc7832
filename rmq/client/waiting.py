"""Deferreds for coroutines: methods that start at once, sleeping, signals, calls that are shared, calls that repeat.

The public methods of this package are coroutines inside and return Deferreds outside: they begin when called, whether
somebody awaits them or not, and they can be awaited, chained, cancelled or ignored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.reactor import Clock, DelayedCall

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K")

Steps = Coroutine[Deferred[Any], Any, T]

log = Logger()


def deferred(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Deferred[T]]:
    """Makes a coroutine function one that starts at once and returns a Deferred."""

    @wraps(function)
    def start(*args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        return Deferred.fromCoroutine(function(*args, **kwargs))

    return start


def sleep(clock: Clock, seconds: float) -> Deferred[None]:
    """Fires after so many seconds."""
    result: Deferred[None] = Deferred(lambda _: delayed.cancel())
    delayed = clock.callLater(seconds, result.callback, None)
    return result


def logged(result: Deferred[Any], doing: str) -> Deferred[Any]:
    """The same Deferred, with a failure written to the log; being cancelled is no failure."""

    def failed(failure: Failure) -> None:
        if not is_cancelled(failure):
            log.failure("{doing} failed", failure, doing=doing)

    return result.addErrback(failed)


def is_cancelled(failure: Failure) -> bool:
    """Whether a Deferred failed because it was cancelled."""
    return isinstance(failure.value, CancelledError)


class Waiters(Generic[T]):
    """Those who wait for the same event, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[Deferred[T]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self) -> Deferred[T]:
        """Fires with the next event; may be cancelled."""
        result: Deferred[T] = Deferred(self._gone)
        self._waiting.append(result)
        return result

    def wake(self, value: T) -> None:
        """Tells all who wait now."""
        waiting, self._waiting = self._waiting, deque()
        for result in waiting:
            # The one before may have cancelled this one.
            if not result.called:
                result.callback(value)

    def wake_one(self, value: T) -> None:
        """Tells the one who has waited longest, if anybody waits."""
        if self._waiting:
            self._waiting.popleft().callback(value)

    def fail(self, reason: Failure) -> None:
        """Fails all who wait now."""
        waiting, self._waiting = self._waiting, deque()
        for result in waiting:
            if not result.called:
                result.errback(reason)

    def _gone(self, result: Deferred[T]) -> None:
        if result in self._waiting:
            self._waiting.remove(result)


class Shared(Generic[K, T]):
    """At most one running call a key: whoever asks while one runs gets the outcome of that one."""

    def __init__(self) -> None:
        self._running: dict[K, Waiters[T]] = {}

    def run(self, key: K, start: Callable[[], Steps[T]]) -> Deferred[T]:
        """Starts the call, or joins the one that runs; giving up a wait does not end the call."""
        waiters = self._running.get(key)
        if waiters is not None:
            return waiters.wait()
        waiters = self._running[key] = Waiters()
        result = waiters.wait()

        def succeeded(value: T) -> None:
            del self._running[key]
            waiters.wake(value)

        def failed(reason: Failure) -> None:
            del self._running[key]
            waiters.fail(reason)

        Deferred.fromCoroutine(start()).addCallbacks(succeeded, failed)
        return result


class Periodic:
    """Calls again and again, each time so many seconds after the last call ended; a failure is logged and forgotten.

    Args:
        clock: tells time.
        interval: seconds between the end of a call and the next one.
        call: what to do.
        doing: what the log calls it.
    """

    def __init__(self, clock: Clock, interval: float, call: Callable[[], Steps[None]], doing: str) -> None:
        self._clock = clock
        self._interval = interval
        self._call = call
        self._doing = doing
        self._delayed: DelayedCall | None = None
        self._running: Deferred[Any] | None = None
        self._again: float | None = None
        self._stopped = True

    def start(self, delay: float | None = None) -> None:
        """Begins; the first call comes after `delay` seconds, or after one interval."""
        self._stopped = False
        self._later(self._interval if delay is None else delay)

    def stop(self) -> None:
        """Ends; a running call is cancelled."""
        self._stopped = True
        if self._delayed is not None:
            self._delayed.cancel()
            self._delayed = None
        if self._running is not None:
            self._running.cancel()

    def soon(self, delay: float = 0.0) -> None:
        """Makes the next call after `delay` seconds; if one runs now, another follows it."""
        if self._stopped:
            return
        if self._running is not None:
            self._again = delay
        else:
            self._later(delay)

    def _later(self, delay: float) -> None:
        if self._delayed is not None:
            self._delayed.cancel()
        self._delayed = self._clock.callLater(delay, self._run)

    def _run(self) -> None:
        self._delayed = None
        self._running = Deferred.fromCoroutine(self._call())
        logged(self._running, self._doing).addCallback(self._done)

    def _done(self, _: object) -> None:
        self._running = None
        if not self._stopped and self._delayed is None:
            again, self._again = self._again, None
            self._later(self._interval if again is None else again)
