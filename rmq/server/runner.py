"""Runs servers as a process: reactor, log files, signals, exit code.

The life of a process: it is entered among those that `mqshutdown` finds, the reactor runs, the parts start one after
the other, and each prints its boot line. SIGTERM, SIGINT or SIGHUP stop the parts in the opposite
order; a second signal ends the process where it is. A part that cannot start stops those that have. A server that is
kept by another process (RMQ_KEPT) also stops when that one ends.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol, cast

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred
from twisted.internet.main import installReactor
from twisted.logger import Logger

from rmq.server.logs import begin_logging
from rmq.server.processes import KEPT_VARIABLE, Registry

EXIT_FAILED: Final = 255
"""Apache's -1: an exception ended the start."""
EXIT_NOT_INITIALISED: Final = 253
"""Apache's -3: what is on the disk cannot be used."""

_MAX_FILES: Final = 1 << 20

log = Logger()


class StartError(Exception):
    """A part cannot start; the text is the sentence for the user.

    Attributes:
        exit_code: what the process ends with.
    """

    def __init__(self, sentence: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class Part(Protocol):
    """A server that this process runs."""

    role: str

    @property
    def address(self) -> str:
        """Where clients reach it, once it has started."""
        ...

    def start(self) -> Deferred[Any] | None:
        """Starts it.

        Raises:
            StartError: it cannot.
        """
        ...

    def stop(self) -> Deferred[Any]:
        """Ends it."""
        ...

    def boot_line(self) -> str:
        """What is printed when it has started."""
        ...


def obtain_reactor() -> Any:
    """This process's reactor: one for servers where the system has epoll, else Twisted's choice."""
    if "twisted.internet.reactor" not in sys.modules:
        with suppress(ImportError):
            from rmq.remoting.epoll import PATIENCE, ServerReactor

            installReactor(ServerReactor(0 if os.environ.get(KEPT_VARIABLE) else PATIENCE))  # type: ignore[no-untyped-call]
    from twisted.internet import reactor

    return reactor


def raise_file_limit() -> None:
    """Lets this process have as many connections and files as the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run(
    make: Callable[[Any], Sequence[Part]],
    roles: Sequence[str],
    *,
    ready: Callable[[], None] | None = None,
    remarks: Sequence[str] = (),
) -> int:
    """Runs parts until a signal ends them; returns the exit code.

    Args:
        make: makes the parts from the reactor, in the order in which they start.
        roles: their roles, which name the log files.
        ready: called when everything has started.
        remarks: sentences about the configuration.
    """
    raise_file_limit()
    begin_logging(roles)
    for remark in remarks:
        log.warn("{remark}", remark=remark)
        if not sys.stderr.isatty():
            print(f"warning: {remark}", file=sys.stderr)
    reactor = obtain_reactor()
    process = Process(reactor, make(reactor), Registry(), ready or (lambda: None))
    reactor.callWhenRunning(process.start)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda received, _: reactor.callFromThread(process.signalled, received))
    if os.environ.get(KEPT_VARIABLE):
        when_input_ends(lambda: reactor.callFromThread(process.abandoned))
    reactor.run(installSignalHandlers=False)
    return process.exit_code


def when_input_ends(call: Callable[[], object], descriptor: int = 0) -> None:
    """Calls in a thread of its own when a file, standard input unless another is named, has ended."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(descriptor, 1024):
                pass
        call()

    threading.Thread(target=wait, name="until-input-ends", daemon=True).start()


class Process:
    """The parts of this process and where they are in their lives.

    Args:
        reactor: stopped at the end.
        parts: in the order in which they start.
        registry: where the process is entered.
        ready: called when everything has started.
        end_now: ends the process at once, with an exit code.

    Attributes:
        exit_code: what the process ends with.
    """

    def __init__(
        self,
        reactor: Any,
        parts: Sequence[Part],
        registry: Registry,
        ready: Callable[[], None],
        end_now: Callable[[int], Any] = os._exit,
    ) -> None:
        self._reactor = reactor
        self._parts = parts
        self._registry = registry
        self._ready = ready
        self._end_now = end_now
        self._begun: list[Part] = []
        self._stopping = False
        self.exit_code = 0

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Starts the parts."""
        self._enter(())
        for part in self._parts:
            self._begun.append(part)
            try:
                yield maybeDeferred(part.start)
            except StartError as error:
                log.error("mq{role} cannot start: {error}", role=part.role, error=error)
                yield self._give_up(part, str(error), error.exit_code)
                return
            except Exception as error:
                log.failure("mq{role} cannot start", role=part.role)
                sentence = f"mq{part.role} cannot start: {type(error).__name__}: {error}"
                yield self._give_up(part, sentence, EXIT_FAILED)
                return
            if self._stopping:
                return
            log.info("{line}", line=part.boot_line())
            print(part.boot_line(), flush=True)
        self._enter([part.address for part in self._parts])
        self._ready()

    def _enter(self, addresses: Sequence[str]) -> None:
        try:
            self._registry.enter([part.role for part in self._parts], addresses)
        except OSError as error:
            log.warn("mqshutdown will not find this process: {error}", error=error)

    def _give_up(self, part: Part, sentence: str, exit_code: int) -> Deferred[Any]:
        # A part that could not start has tidied up after itself.
        self._begun.remove(part)
        print(sentence, file=sys.stderr)
        self.exit_code = exit_code
        return cast("Deferred[Any]", self._stop())

    def signalled(self, number: int) -> None:
        """A signal came: the first one stops, the second one ends at once."""
        name = signal.Signals(number).name
        if self._stopping:
            log.warn("{name} again, ending at once", name=name)
            self._end_now(128 + number)
            return
        log.info("{name}, stopping", name=name)
        self._stop()

    def abandoned(self) -> None:
        """The process that keeps this one has ended: stops, unless that has begun."""
        if not self._stopping:
            log.warn("the process that started this server has ended, stopping")
            self._stop()

    @inlineCallbacks
    def _stop(self) -> Generator[Deferred[Any], Any, None]:
        self._stopping = True
        self._registry.leave()
        for part in reversed(self._begun):
            try:
                yield part.stop()
            except Exception:
                log.failure("mq{role} did not stop properly", role=part.role)
                self.exit_code = self.exit_code or EXIT_FAILED
        log.info("stopped")
        if self._reactor.running:
            self._reactor.stop()
