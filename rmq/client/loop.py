"""A reactor of one's own, for programs and threads that want no part in a global one."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.python.failure import Failure

T = TypeVar("T")


def make_reactor() -> Any:
    """A new reactor, of the best kind that this system has."""
    try:
        from twisted.internet import epollreactor
    except ImportError:
        from twisted.internet import selectreactor

        return selectreactor.SelectReactor()
    return epollreactor.EPollReactor()  # type: ignore[no-untyped-call]


def run(main: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Runs a coroutine on a new reactor, in the main thread, until it ends; gives what it returns.

    A SIGINT or SIGTERM cancels the coroutine, which may clean up as long as it takes.

    Raises: what the coroutine raises.
    """
    reactor = make_reactor()
    outcomes: list[Any] = []
    running: list[Deferred[Any]] = []

    def ended(outcome: object) -> None:
        outcomes.append(outcome)
        running.clear()
        reactor.callLater(0, _stop, reactor)

    def begin() -> None:
        work: Deferred[Any] = Deferred.fromCoroutine(main(reactor))
        running.append(work)
        work.addBoth(ended)

    def interrupted() -> Deferred[None] | None:
        if not running:
            return None
        work = running[0]
        work.cancel()
        finished: Deferred[None] = Deferred()
        work.addBoth(lambda _: finished.callback(None))
        return finished

    reactor.addSystemEventTrigger("before", "shutdown", interrupted)
    reactor.callWhenRunning(begin)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # Twisted takes SIGINT over only where nobody else has.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        reactor.run()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    outcome = outcomes[0]
    if isinstance(outcome, Failure):
        outcome.raiseException()
    result: T = outcome
    return result


def _stop(reactor: Any) -> None:
    # It stops already when a signal ended the work.
    with suppress(ReactorNotRunning):
        reactor.stop()
