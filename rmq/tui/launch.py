"""`rmq tui` and `mqtui`: the words of the command line, and the start of the application."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rmq.settings.environment import NamesrvAddressError, namesrv_addresses

PAGE: Final = """\
usage: rmq tui [-n ADDR] [--demo] [--refresh 2s] [--read-only] [--theme NAME] [--open topic:NAME]
 -n ADDR            name servers, host:port joined by ';' (NAMESRV_ADDR, then 127.0.0.1:9876)
 --demo             start a name server and a broker with sample traffic in this process, and look at them
 --refresh SPAN     time between refreshes, such as 500ms, 2s or 1m (2s)
 --read-only        nothing that changes the cluster can be done
 --theme NAME       colours (textual-dark); ctrl+t tries others
 --open WHAT        begin at topic:NAME, group:NAME, or one of cluster, topics, groups
 -h,--help          print help"""

EXIT_USAGE: Final = 1
_UNITS: Final = (("ms", 0.001), ("s", 1.0), ("m", 60.0))
_SHORTEST, _LONGEST = 0.2, 3600.0
_OPENS: Final = {"topic": "topics", "group": "groups", "broker": "cluster"}


class UsageError(ValueError):
    """A word of the command line cannot be understood; the text says which and why."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message)


def _parser() -> _Parser:
    parser = _Parser(prog="rmq tui", add_help=False, allow_abbrev=False)
    parser.add_argument("-n", "--namesrvAddr", dest="namesrv")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--refresh", default="2s")
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--theme")
    parser.add_argument("--open")
    parser.add_argument("-h", "--help", action="store_true")
    return parser


def seconds(text: str) -> float:
    """A span such as `500ms`, `2s`, `1m` or `2` (seconds).

    Raises:
        UsageError: it is none, or too short or long.
    """
    number, factor = text, 1.0
    for unit, size in _UNITS:
        if text.endswith(unit):
            number, factor = text.removesuffix(unit), size
            break
    try:
        found = float(number) * factor
    except ValueError:
        raise UsageError(f"--refresh {text}: a span such as 500ms, 2s or 1m is expected") from None
    if not _SHORTEST <= found <= _LONGEST:
        raise UsageError(f"--refresh {text}: 200ms to 60m are allowed")
    return found


def opened(text: str | None) -> tuple[str, str] | None:
    """Mode and name of what is to be shown at first; the name is empty for a whole screen.

    Raises:
        UsageError: there is no such screen.
    """
    if text is None:
        return None
    kind, colon, name = text.partition(":")
    if colon and name and kind in _OPENS:
        return _OPENS[kind], name
    if not colon and kind in _OPENS.values():
        return kind, ""
    raise UsageError(f"--open {text}: topic:NAME, group:NAME, broker:ADDRESS, cluster, topics or groups is expected")


def main(arguments: Sequence[str] | None = None) -> int:
    """The programs `rmq tui` and `mqtui`; returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        given = _parser().parse_args(words)
        if given.help:
            print(PAGE)
            return 0
        return _run(given)
    except (UsageError, NamesrvAddressError) as error:
        print(f"rmq tui: {error}\n{PAGE.splitlines()[0]}", file=sys.stderr)
        return EXIT_USAGE


def _run(given: argparse.Namespace) -> int:
    refresh, first = seconds(given.refresh), opened(given.open)
    if given.demo and given.namesrv:
        raise UsageError("--demo has servers of its own: leave -n away")
    from textual.theme import BUILTIN_THEMES

    from rmq.tui.app import DEFAULT_THEME, RmqApp
    from rmq.tui.service.live.service import LiveService
    from rmq.tui.state.session import Session

    theme = given.theme or DEFAULT_THEME
    if theme not in BUILTIN_THEMES:
        raise UsageError(f"--theme {theme}: there are {', '.join(sorted(BUILTIN_THEMES))}")
    with contextlib.ExitStack() as stack:
        if given.demo:
            from rmq.tui.demo import Demo

            print("starting a name server and a broker…", flush=True)
            addresses: tuple[str, ...] = (stack.enter_context(Demo()).namesrv_addr,)
        else:
            addresses = namesrv_addresses(given.namesrv)
        service = LiveService(addresses, _now)
        session = Session(
            service, _now, None, _save, refresh, read_only=given.read_only, name="demo" if given.demo else "local"
        )
        app = RmqApp(session, theme=theme, opened=first)
        app.run()
        return app.return_code or 0


def _now() -> int:
    return time.time_ns() // 1_000_000


def _save(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
