"""The servers' reactor: Twisted's on epoll, with less to do for each wake-up.

When one producer sends one message after the other, each message is a wake-up of the broker, and most of what a message
costs is the wake-up. Three things are done otherwise than in Twisted's:

- *Patience.* A thread that sleeps must be woken by the peer's system call, and what it knew has left the processor's
  caches: on a virtual machine that costs more than handling the message. So when most events of late came soon after
  what was done before them, the next is watched for instead of slept for, as long as the patience lasts. Between two
  looks the processor is yielded, so that other work on it goes first. When nothing came, the reactor sleeps, and when
  that happens often it sleeps at once until events come quickly again: what is idle or slow costs nothing.
- *No log context for each read.* Twisted sets one up around each event, for lines that name no origin themselves. Here
  it is made when something fails; then it, the line in the log and the end of that one connection are Twisted's.
- *Urgent events first.* Of events that came together, those of protocols that say they are `urgent` are handled first.
  What a slave confirms lets a client go on: behind what clients have sent meanwhile it would wait for a millisecond.

A reactor that watches gives other threads of its process Python's lock later than one that sleeps: when it does, or
after Python's switch interval of 5 ms. So one that shares its process with the peers it serves should have none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final, cast

from twisted.internet.epollreactor import EPOLLIN, EPollReactor
from twisted.internet.interfaces import IConnector
from twisted.python import log

from rmq.remoting.eager import EagerConnector

PATIENCE: Final = 0.0004
"""Seconds. The next message of a client that sends one at a time comes 20 to 130 microseconds after the reply, on busy
virtual machines 300; with a slave that is waited for, master and slave each wait for the other and for the client."""

_MOST, _ENOUGH, _PRICE = 24, 8, 4
"""Trust that the next event will be quick: each that was adds one, up to the most, each that was not takes the price.
With enough of it events are watched for. So four of five have to be quick, a few late ones in a row do no harm, and
where each message is a few quick events and then a pause, or waits for the disk, the pause is slept for."""

_in_log_context: Final[Callable[..., object]] = log.callWithLogger

Events = list[tuple[int, int]]
Poll = Callable[[float, int], Events]
"""Waits for events: seconds at most, -1 for ever, 0 not at all; and how many events at most."""


class PatientPoll:
    """Watches for events for a while, where that has just been worth it, before it sleeps.

    Args:
        poll: waits for events asleep.
        patience: seconds.
        now: tells the time.
        pause: lets others have the processor.
    """

    def __init__(
        self,
        poll: Poll,
        patience: float = PATIENCE,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[], None] = os.sched_yield,
    ) -> None:
        self._poll = poll
        self._patience = patience
        self._now = now
        self._pause = pause
        self._trust = 0

    def __call__(self, timeout: float, limit: int) -> Events:
        """Waits as `Poll` does."""
        if not timeout:
            return self._poll(0, limit)
        end = self._now() + self._patience
        if self._trust >= _ENOUGH and (timeout < 0 or timeout > self._patience):
            while self._now() < end:
                events = self._poll(0, limit)
                if events:
                    self._trust = min(self._trust + 1, _MOST)
                    return events
                self._pause()
            if timeout > 0:
                timeout -= self._patience
        events = self._poll(timeout, limit)
        if events and self._now() < end:
            self._trust = min(self._trust + 1, _MOST)
        else:
            self._trust = max(self._trust - _PRICE, 0)
        return events


class ServerReactor(EPollReactor):
    """A reactor for a server process.

    Args:
        patience: seconds to look for the next event before sleeping; 0 to sleep at once.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._wait: Poll = PatientPoll(self._poller.poll, patience) if patience else self._poller.poll

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float = 30.0, bindAddress: Any = None
    ) -> IConnector:
        """Connects, with a transport that sends at once."""
        connector = EagerConnector(host, port, factory, timeout, bindAddress, self)
        connector.connect()
        return cast(IConnector, connector)

    def doIteration(self, delay: float | None) -> None:
        """Waits for events, None for ever, and handles them."""
        selectables = self._selectables
        events = self._wait(-1 if delay is None else delay, len(selectables))
        if len(events) > 1:
            events.sort(key=self._is_patient)
        for fd, event in events:
            selectable = selectables.get(fd)
            if selectable is None:
                # What came before it in this pass has closed it.
                continue
            if event != EPOLLIN:
                _in_log_context(selectable, self._doReadOrWrite, selectable, fd, event)
                continue
            in_read = True
            try:
                why = selectable.doRead()
            except BaseException as error:
                why, in_read = error, False
                _in_log_context(selectable, log.err)
            if why:
                _in_log_context(selectable, self._disconnectSelectable, selectable, why, in_read)

    def _is_patient(self, event: tuple[int, int]) -> bool:
        """Whether an event can wait for others."""
        protocol = getattr(self._selectables.get(event[0]), "protocol", None)
        return not getattr(protocol, "urgent", False)
