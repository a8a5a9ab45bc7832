"""The mqadmin program.

It imports what one command needs and nothing else: most of a command's time is imports.

Source: MQAdminStartup.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final

from rmq.admin.declare import Call, Command, find, names
from rmq.admin.errors import DONE, FAILED, WRONG_USAGE, CommandLineError, one_line
from rmq.admin.output import FORMATS, TEXT, NoTableError, Report
from rmq.admin.parser import Parsed, UsageError, parse
from rmq.client.admin.session import DEFAULT_TIMEOUT, Admin
from rmq.settings.environment import NamesrvAddressError, namesrv_addresses
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.remoting.aio import AsyncioClient

_INTERRUPTED: Final = 130
_MAX_TIMEOUT: Final = 86400.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does. Python must not try to flush at exit.
        sys.stderr.close()
        return FAILED
    return code


def _dispatch(words: list[str]) -> int:
    if not words or words == ["help"]:
        return _list()
    if words[0] == "help":
        command = find(words[1])
        return _unknown(words[1]) if command is None else _page(command)
    command = find(words[0])
    return _unknown(words[0]) if command is None else _parse_and_run(command, words[1:])


def _list() -> int:
    from rmq.admin.declare import every

    _print("The most commonly used mqadmin commands are:\n")
    for command in every():
        _print(f"   {command.name:<35} {command.summary}\n")
    _print("\nSee 'mqadmin help <command>' for more information on a specific command.\n")
    return DONE


def _page(command: Command) -> int:
    from rmq.admin.usage import page

    _print(page(command))
    return DONE


def _unknown(name: str) -> int:
    from difflib import get_close_matches

    _print(f"The sub command {name} not exist.\n")
    known = {known.lower(): known for known in names()}
    near = [known[match] for match in get_close_matches(name.lower(), known, n=3, cutoff=0.7)]
    advice = f"Did you mean {' or '.join(near)}?" if near else "All commands: mqadmin help."
    _complain(f"unknown command {name}. {advice}")
    return WRONG_USAGE


def _parse_and_run(command: Command, words: list[str]) -> int:
    try:
        options = parse(command.accepted, words, command.extras)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        _page(command)
        return WRONG_USAGE
    if options.given("h"):
        return _page(command)
    if command.needs_one_of and not any(map(options.given, command.needs_one_of)):
        wanted = " or ".join(f"-{key}" for key in command.needs_one_of)
        _page(command)
        _complain(f"{command.name}: {wanted} is missing")
        return WRONG_USAGE
    try:
        form, timeout = _form(command, options), _timeout(options)
        servers = namesrv_addresses(options.get("n"))
    except (CommandLineError, NamesrvAddressError) as error:
        _complain(f"{command.name}: {error}")
        return WRONG_USAGE
    return _guarded(command, options, servers, form, timeout)


def _guarded(command: Command, options: Parsed, servers: tuple[str, ...], form: str, timeout: float) -> int:
    import asyncio

    try:
        return asyncio.run(_run(command, options, servers, form, timeout))
    except (RemotingError, CommandLineError, NoTableError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        if options.given("debug"):
            import traceback

            traceback.print_exception(error)
        return _failed(command, error)


def _failed(command: Command, error: Exception) -> int:
    if isinstance(error, RemotingError):
        failure, code = one_line(error), FAILED
    elif isinstance(error, OSError):
        failure, code = f"{error.strerror}: {error.filename}" if error.filename else str(error), FAILED
    else:
        failure, code = str(error) or str(type(error).__doc__), WRONG_USAGE
    _complain(f"{command.name}: {failure}")
    return code


async def _run(command: Command, options: Parsed, servers: tuple[str, ...], form: str, timeout: float) -> int:
    import asyncio

    from rmq.client.admin.aio import together
    from rmq.remoting.aio import AsyncioClient

    client: AsyncioClient = AsyncioClient(connect_timeout=timeout)
    admin = Admin(client, servers, together=together, now=_now, sleep=asyncio.sleep, choose=_choose, timeout=timeout)
    try:
        outcome = command.function(Call(options, admin))
        if isinstance(outcome, AsyncIterator):
            codes = [_show(command, report, form) async for report in outcome]
            return max(codes, default=DONE)
        return _show(command, await outcome, form)
    finally:
        await client.close()


def _show(command: Command, report: Report, form: str) -> int:
    text = report.render(form)
    _print(text)
    if (report.refusal or report.failures) and text[-1:] not in {"", "\n"} and sys.stdout.isatty():
        # Some of Apache's sentences end without a line feed; on a terminal ours begins on a new line.
        _print("\n")
    sys.stdout.flush()
    if report.refusal:
        _complain(f"{command.name}: {report.refusal}")
        return WRONG_USAGE
    for failure in report.failures:
        _complain(f"{command.name}: {one_line(failure)}")
    return FAILED if report.failures else DONE


def _form(command: Command, options: Parsed) -> str:
    form = options.get(command.format_option.key) or TEXT
    if form not in FORMATS:
        raise CommandLineError(f"format {form} is unknown: {', '.join(FORMATS)}")
    return form


def _timeout(options: Parsed) -> float:
    text = options.get("timeout")
    if text is None:
        return DEFAULT_TIMEOUT
    try:
        timeout = float(text)
    except ValueError:
        timeout = 0.0
    if not 0 < timeout <= _MAX_TIMEOUT:
        raise CommandLineError(f"timeout {text}: seconds from above 0 to {_MAX_TIMEOUT:.0f} are expected")
    return timeout


def _now() -> int:
    return time.time_ns() // 1_000_000


def _choose(count: int) -> int:
    import random

    return random.randrange(count)


def _print(text: str) -> None:
    sys.stdout.write(text)


def _complain(text: str) -> None:
    # So that the line stands behind what was printed before it.
    sys.stdout.flush()
    sys.stderr.write(f"mqadmin {text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
