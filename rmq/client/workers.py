"""Runs a program's functions: so many at once, in the order in which they came, on the reactor's thread or in others.

A function that returns something to wait for is waited for. A plain one keeps the reactor's thread as long as it runs,
or a thread of a pool where there are any.
"""

from __future__ import annotations

import inspect
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from rmq.client.errors import NotRunningError
from rmq.client.waiting import Waiters, logged

Work = Callable[[int], Coroutine[Any, Any, None]]
"""A piece of work; gets the number of its worker."""

_SLICE = 0.02

log = Logger()


class Workers:
    """Workers that share a queue of work.

    Args:
        reactor: a Twisted reactor.
        count: how many work at once; they are numbered from 1.
        threads: threads for plain functions; 0 calls them on the reactor's own thread.
        name: of the threads.
    """

    def __init__(self, reactor: Any, count: int, *, threads: int = 0, name: str = "") -> None:
        self._reactor = reactor
        self._count = count
        self._idle = deque(range(1, count + 1))
        self._pool = ThreadPool(minthreads=0, maxthreads=threads, name=name) if threads else None
        self._work: deque[Work] = deque()
        self._delayed: set[Any] = set()
        self._pumping = False
        self._scheduled = False
        self._stopped = False
        self._rested: Waiters[None] = Waiters()
        self.threads = threads

    @property
    def active(self) -> int:
        """Pieces of work that are being done."""
        return self._count - len(self._idle)

    @property
    def waiting(self) -> int:
        """Pieces of work that nobody has begun."""
        return len(self._work)

    def start(self) -> None:
        """Begins."""
        if self._pool is not None:
            self._pool.start()

    async def stop(self, timeout: float) -> None:
        """Begins no more work, and waits at most so many seconds for what is being done."""
        self._stopped = True
        self._work.clear()
        for delayed in self._delayed:
            delayed.cancel()
        self._delayed.clear()
        if self.active:
            resting = self._rested.wait()
            delayed = self._reactor.callLater(timeout, self._rested.wake, None)
            await resting
            if delayed.active():
                delayed.cancel()
        if self.active:
            log.warn("{active} listener calls did not end in time", active=self.active)
            if self._pool is not None:
                # It waits for its threads, and the program must be able to end when they have.
                threading.Thread(target=self._pool.stop, daemon=True).start()
        elif self._pool is not None:
            self._pool.stop()

    # --- work -------------------------------------------------------------------------------------------------------

    def submit(self, work: Work) -> None:
        """Has it done soon, never from within this call; nothing is begun after `stop`."""
        if not self._stopped:
            self._work.append(work)
            self._schedule()

    def submit_later(self, seconds: float, work: Work) -> None:
        """Has it done after so many seconds."""
        if self._stopped:
            return

        def submit() -> None:
            self._delayed.discard(delayed)
            self.submit(work)

        delayed = self._reactor.callLater(seconds, submit)
        self._delayed.add(delayed)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._reactor.callLater(0, self._pump)

    def _pump(self) -> None:
        self._scheduled = False
        if self._pumping:
            return
        self._pumping = True
        started = self._reactor.seconds()
        try:
            while self._work and self._idle:
                self._do(self._work.popleft(), self._idle.popleft())
                if self._reactor.seconds() - started > _SLICE:
                    # Quick work must not keep the reactor from its other duties.
                    self._schedule()
                    return
        finally:
            self._pumping = False

    def _do(self, work: Work, worker: int) -> None:
        def rest(_: object) -> None:
            self._idle.append(worker)
            if not self.active:
                self._rested.wake(None)
            if self._work and not self._pumping:
                self._schedule()

        logged(Deferred.fromCoroutine(work(worker)), "working").addCallback(rest)

    async def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """What the function returns, wherever it is to run.

        Raises:
            NotRunningError: nothing is begun any more.
            Exception: what the function raises.
        """
        if self._stopped:
            raise NotRunningError("there are no workers any more")
        if self._pool is not None and not inspect.iscoroutinefunction(function):
            outcome = await deferToThreadPool(self._reactor, self._pool, function, *args)
        else:
            outcome = function(*args)
        return await outcome if inspect.isawaitable(outcome) else outcome
