"""Runs one command: from the words behind its name to an exit code.

`understood` reads the words, `guarded` runs what they mean over given connections and turns every failure into one
line on standard error. The program does so once, the shell many times over the same connections.

A dry run of a command that repeats itself ends where that would wait: once is enough.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rmq.admin.declare import Call, Command
from rmq.admin.errors import DONE, FAILED, WRONG_USAGE, CommandLineError, one_line
from rmq.admin.options import DRY_RUN, TIMEOUT, WATCH
from rmq.admin.output import FORMATS, TEXT, NoTableError, Report
from rmq.admin.parser import Parsed, UsageError, parse
from rmq.client.admin.session import Admin
from rmq.settings.environment import NamesrvAddressError, namesrv_addresses
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.admin.progress import ProgressLine
    from rmq.remoting.calls import Invoker

_MAX_SECONDS: Final = 86400.0
_CLEAR: Final = "\x1b[H\x1b[2J\x1b[3J"

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Use:
    """A command line that was understood.

    Attributes:
        command: what is to be done.
        options: the options given.
        servers: addresses of the name servers.
        form: one of `FORMATS`.
        timeout: seconds for each request, None when nothing was said.
        watch: seconds after which it is done again, None for once.
    """

    command: Command
    options: Parsed
    servers: tuple[str, ...]
    form: str
    timeout: float | None
    watch: float | None


def understood(command: Command, words: Sequence[str], namesrv: str | None = None) -> Use | int:
    """What the words mean, or the exit code when there is nothing to run: everything was said then.

    Args:
        command: the command.
        words: what follows its name.
        namesrv: addresses of name servers, where the words have none.
    """
    try:
        options = parse(command.accepted, words, command.extras)
    except UsageError as error:
        sys.stderr.write(f"{error}{_advice(command, error)}\n")
        _show_options(command)
        return WRONG_USAGE
    if options.given("h"):
        show_page(command)
        return DONE
    if command.needs_one_of and not any(map(options.given, command.needs_one_of)):
        wanted = " or ".join(f"-{key}" for key in command.needs_one_of)
        _show_options(command)
        complain(f"{command.name}: {wanted} is missing")
        return WRONG_USAGE
    try:
        return Use(
            command,
            options,
            namesrv_addresses(options.get("n") or namesrv),
            _form(command, options),
            _seconds(options, TIMEOUT.key),
            _seconds(options, WATCH.key),
        )
    except (CommandLineError, NamesrvAddressError) as error:
        complain(f"{command.name}: {error}")
        return WRONG_USAGE


def show_page(command: Command) -> None:
    """Prints the command's page."""
    from rmq.admin.usage import page

    sys.stdout.write(page(command))


def _show_options(command: Command) -> None:
    from rmq.admin.usage import short_page

    sys.stdout.write(short_page(command))


def _advice(command: Command, error: UsageError) -> str:
    if not error.unknown:
        return ""
    from difflib import get_close_matches

    known = {option.long.strip(): option for option in (*command.options, *command.extras) if option.long}
    wanted = error.unknown.lstrip("-").partition("=")[0]
    near = get_close_matches(wanted, known, n=2, cutoff=0.7) if len(wanted) > 1 else []
    return f". Did you mean {' or '.join(f'--{name}' for name in near)}?" if near else ""


async def guarded(use: Use, invoker: Invoker) -> int:
    """Runs a command; every failure ends as a line on standard error and an exit code.

    Raises:
        BrokenPipeError: whoever read the output has gone.
    """
    try:
        return await _run(use, invoker)
    except BrokenPipeError:
        raise
    except Exception as error:
        if use.options.given("debug"):
            import traceback

            traceback.print_exception(error)
        return _failed(use.command, error)


def _failed(command: Command, error: Exception) -> int:
    if isinstance(error, CommandLineError | NoTableError):
        complain(f"{command.name}: {str(error) or type(error).__doc__}")
        return WRONG_USAGE
    if isinstance(error, RemotingError):
        failure = one_line(error)
    elif isinstance(error, OSError):
        failure = f"{error.strerror}: {error.filename}" if error.filename else error.strerror or str(error)
    else:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        failure = f"unexpected {reason:.300}. This is a fault of mqadmin; --debug shows where."
    complain(f"{command.name}: {failure}")
    return FAILED


async def _run(use: Use, invoker: Invoker) -> int:
    if use.options.given(DRY_RUN.key):
        return await _rehearse(use, invoker)
    if use.watch is None:
        return await _once(use, invoker)
    while True:
        try:
            await _once(use, invoker)
        except RemotingError as error:
            # A server that is away for a while is no reason to look away.
            complain(f"{use.command.name}: {one_line(error)}")
        await _sleep(use.watch)


async def _once(use: Use, invoker: Invoker) -> int:
    screen = _Screen(use)
    outcome = use.command.function(Call(use.options, _session(use, invoker, progress=screen.progress)))
    try:
        if isinstance(outcome, AsyncIterator):
            code = DONE
            async for report in outcome:
                code = max(code, screen.show(report))
            return code
        return screen.show(await outcome)
    finally:
        screen.wipe()


class _AgainError(Exception):
    """The command waits, to do everything again."""


async def _rehearse(use: Use, invoker: Invoker) -> int:
    from rmq.admin.rehearsed import rehearsed
    from rmq.client.admin.dryrun import HoldingBack

    async def sleep(seconds: float) -> None:
        if isinstance(outcome, AsyncIterator):
            raise _AgainError

    held, screen, reports = HoldingBack(invoker), _Screen(use), list[Report]()
    outcome = use.command.function(Call(use.options, _session(use, held, sleep=sleep), held))
    try:
        if isinstance(outcome, AsyncIterator):
            async for report in outcome:
                reports.append(report)
        else:
            reports.append(await outcome)
    except _AgainError:
        pass
    except Exception:
        if held.changes:
            screen.show(rehearsed(held.changes, ()))
        raise
    refused = next((report for report in reports if report.refusal), None)
    failures = [failure for report in reports for failure in report.failures]
    return screen.show(refused or rehearsed(held.changes, failures))


def _session(use: Use, invoker: Invoker, *, sleep: Sleep | None = None, progress: ProgressLine | None = None) -> Admin:
    from rmq.client.admin.aio import together

    return Admin(
        invoker,
        use.servers,
        together=together,
        now=_now,
        sleep=sleep or _sleep,
        choose=_choose,
        timeout=use.timeout,
        progress=progress,
    )


class _Screen:
    """Where the reports of one round go.

    Attributes:
        progress: draws how far an operation is, None where nobody would see it.
    """

    def __init__(self, use: Use) -> None:
        self._use = use
        self._clear = use.watch is not None and use.form == TEXT and sys.stdout.isatty()
        self.progress: ProgressLine | None = None
        if sys.stderr.isatty():
            from rmq.admin.progress import ProgressLine

            self.progress = ProgressLine(sys.stderr, time.monotonic)

    def wipe(self) -> None:
        """Takes the progress away."""
        if self.progress is not None:
            self.progress.wipe()

    def show(self, report: Report) -> int:
        """Prints a report; its failures and its refusal are a line each on standard error, and the exit code."""
        self.wipe()
        name = self._use.command.name
        text = self._text(report)
        if self._clear:
            self._clear = False
            moment = time.strftime("%H:%M:%S")
            sys.stdout.write(f"{_CLEAR}Every {self._use.watch:g} s: mqadmin {name}   {moment}\n\n")
        sys.stdout.write(text)
        if (report.refusal or report.failures) and text[-1:] not in {"", "\n"} and sys.stdout.isatty():
            # Some of Apache's sentences end without a line feed; on a terminal ours begins on a new line.
            sys.stdout.write("\n")
        sys.stdout.flush()
        if report.refusal:
            complain(f"{name}: {report.refusal}")
            return WRONG_USAGE
        for failure in report.failures:
            complain(f"{name}: {one_line(failure)}")
        return FAILED if report.failures else DONE

    def _text(self, report: Report) -> str:
        try:
            again = self._use.watch is not None or self._use.command.endless
            return report.render(self._use.form, on_one_line=again)
        except NoTableError:
            if report.refusal or report.failures:
                return ""
            raise


def _form(command: Command, options: Parsed) -> str:
    form = options.get(command.format_option.key) or TEXT
    if form not in FORMATS:
        raise CommandLineError(f"format {form} is unknown: {', '.join(FORMATS)}")
    return form


def _seconds(options: Parsed, key: str) -> float | None:
    text = options.get(key)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _MAX_SECONDS:
        raise CommandLineError(f"{key} {text}: seconds from above 0 to {_MAX_SECONDS:.0f} are expected")
    return seconds


def _now() -> int:
    return time.time_ns() // 1_000_000


async def _sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


def _choose(count: int) -> int:
    import random

    return random.randrange(count)


def complain(text: str) -> None:
    """A line on standard error, behind what was printed before it."""
    sys.stdout.flush()
    sys.stderr.write(f"mqadmin {text}\n")
