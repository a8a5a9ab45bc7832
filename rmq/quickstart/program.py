"""What both programs have in common: options, a reactor, warnings on the terminal, exit codes.

Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from twisted.logger import ILogObserver, LogLevel, globalLogBeginner, globalLogPublisher, textFileLogObserver

from rmq.client.loop import run
from rmq.settings.environment import NamesrvAddressError, namesrv_addresses
from rmq.wire.errors import InvalidParameterError, RemotingError
from rmq.wire.names import check_group, check_topic

DONE: Final = 0
FAILED: Final = 1

TOPIC: Final = "TopicTest"


def parser(name: str, description: str, *, group: str, topic: str = TOPIC) -> argparse.ArgumentParser:
    """The parser with the options of both programs."""
    made = argparse.ArgumentParser(prog=f"rmq quickstart {name}", description=description, allow_abbrev=False)
    made.add_argument(
        "-n",
        "--namesrvAddr",
        dest="namesrv_addr",
        metavar="ADDRS",
        type=_checked(_addresses),
        help="name servers, host:port joined by ';' (default: NAMESRV_ADDR, then 127.0.0.1:9876)",
    )
    made.add_argument(
        "-t", "--topic", default=topic, type=_checked(check_topic), help="the topic (default: %(default)s)"
    )
    made.add_argument(
        "-g", "--group", default=group, type=_checked(check_group), help="the group (default: %(default)s)"
    )
    made.add_argument("--json", action="store_true", help="print one JSON object a line")
    return made


def positive(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """An argument type: a number above zero."""

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"a number above 0 is expected, not {text!r}")
        return value

    return parse


def _addresses(text: str) -> str:
    namesrv_addresses(text)
    return text


def _checked(check: Callable[[str], str]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        try:
            return check(text)
        except (InvalidParameterError, NamesrvAddressError) as error:
            raise argparse.ArgumentTypeError(getattr(error, "remark", None) or str(error)) from None

    return parse


def run_program(parse: Callable[[], argparse.Namespace], main: Callable[[Any, Any], Coroutine[Any, Any, int]]) -> int:
    """Parses the command line and runs the program on a reactor of its own; gives the exit code."""
    try:
        options = parse()
        namesrv_addresses(options.namesrv_addr)
    except SystemExit as exit_:
        return int(exit_.code or 0)
    except NamesrvAddressError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        with _warnings_on_terminal():
            return run(lambda reactor: main(reactor, options))
    except RemotingError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # Whoever read the output has seen enough; what is buffered must not be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


@contextmanager
def _warnings_on_terminal() -> Iterator[None]:
    write = textFileLogObserver(sys.stderr)

    def observe(event: dict[str, Any]) -> None:
        if event.get("log_level", LogLevel.info) >= LogLevel.warn:
            write(event)

    # Ends Twisted's own early logging; the observer itself is there only as long as the program.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    observer = cast(ILogObserver, observe)
    globalLogPublisher.addObserver(observer)
    try:
        yield
    finally:
        globalLogPublisher.removeObserver(observer)
