"""`rmq tui` and `mqtui`: the words of the command line, and the start of the application."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from rmq.client.credentials import CredentialsError, tools_credentials
from rmq.settings.environment import NamesrvAddressError, namesrv_addresses
from rmq.tui.config import contexts, files
from rmq.tui.config.contexts import DEFAULT_THEME, Config, ConfigError, Context, Mode
from rmq.tui.service.local_servers import LocalServers
from rmq.tui.state import queries
from rmq.tui.state.queries import Queries

PAGE: Final = """\
usage: rmq tui [-n ADDR | --context NAME | --demo] [--refresh 2s] [--read-only] [--theme NAME] [--open WHAT]
       rmq tui serve [--host 127.0.0.1] [--port 8000] [the same]     in a browser
 --context NAME     a cluster of ~/.config/rmq/tui.toml (without it and -n, the one that file begins with)
 -n ADDR            name servers, host:port joined by ';' (NAMESRV_ADDR, then 127.0.0.1:9876)
 --demo             start a name server and a broker with sample traffic in this process, and look at them
 --refresh SPAN     time between refreshes, such as 500ms, 2s or 1m (2s)
 --read-only        nothing that changes the cluster can be done
 --theme NAME       colours (textual-dark); ctrl+t tries others
 --open WHAT        begin at cluster, topics, groups, messages, clients, dlq, trace, acl or ops; or at one thing:
                    topic:NAME, group:NAME, broker:ADDRESS, client:ID, dlq:GROUP, trace:[TOPIC/]ID, user:NAME,
                    messages:QUERY, such as 'messages:Orders time:-1h..now'
 -h,--help          print help"""

EXIT_USAGE: Final = 1
_REFRESH: Final = 2.0
_OPENS: Final = {
    "topic": "topics",
    "group": "groups",
    "broker": "cluster",
    "messages": "messages",
    "client": "clients",
    "dlq": "dlq",
    "trace": "trace",
    "user": "acl",
}
"""Screens by what one thing of theirs is called, as in the command line."""
_SCREENS: Final = (*dict.fromkeys(_OPENS.values()), "ops")


class UsageError(ValueError):
    """A word of the command line cannot be understood; the text says which and why."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message)


def parser() -> argparse.ArgumentParser:
    """Reads the words that say what is looked at, and how; it raises `UsageError`."""
    parser = _Parser(prog="rmq tui", add_help=False, allow_abbrev=False)
    parser.add_argument("-n", "--namesrvAddr", dest="namesrv")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--context")
    parser.add_argument("--refresh")
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
    try:
        return contexts.seconds(text)
    except ValueError as error:
        raise UsageError(f"--refresh {text}: {error}") from None


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
    if not colon and kind in _SCREENS:
        return kind, ""
    raise UsageError(f"--open {text}: one of {', '.join(_SCREENS)}, or {':NAME, '.join(_OPENS)}:NAME is expected")


def chosen(given: argparse.Namespace, config: Config, environ: Mapping[str, str]) -> Context:
    """The cluster to begin with.

    Raises:
        UsageError: there is no such context.
        NamesrvAddressError: `-n` or `NAMESRV_ADDR` are no addresses.
    """
    name = given.context or ("" if given.namesrv or given.demo else config.context)
    if name and name not in config.contexts:
        there_are = ", ".join(config.contexts) or "none: the file is missing or empty"
        raise UsageError(f"--context {name}: in {config.path} there are {there_are}")
    if given.demo:
        context = Context("demo")
    elif name:
        context = config.contexts[name]
    else:
        addresses = namesrv_addresses(given.namesrv, environ)
        context = Context("-n" if "local" in config.contexts else "local", addresses)
    return _limited(context, given)


def _limited(context: Context, given: argparse.Namespace) -> Context:
    return replace(context, mode=Mode.READ_ONLY) if given.read_only else context


@dataclass(frozen=True, slots=True)
class Start:
    """What a command line asks for.

    Attributes:
        config: the file.
        context: the cluster.
        refresh: seconds between refreshes; None when the line does not say.
        theme: name of the colours.
        opened: mode and name of what is shown at first.
    """

    config: Config
    context: Context
    refresh: float | None
    theme: str
    opened: tuple[str, str] | None


def understood(given: argparse.Namespace, environ: Mapping[str, str]) -> Start:
    """Puts together what the line, the file and the environment say.

    Raises:
        UsageError: the line asks for what there is not, or for two things at once.
        ConfigError: the file cannot be understood.
        NamesrvAddressError: `-n` or `NAMESRV_ADDR` are no addresses.
    """
    first = opened(given.open)
    refresh = None if given.refresh is None else seconds(given.refresh)
    if given.demo and (given.namesrv or given.context):
        raise UsageError("--demo has servers of its own: leave -n and --context away")
    if given.context and given.namesrv:
        raise UsageError("--context has name servers of its own: leave -n away")
    config = contexts.read_config(files.config_path(environ))
    context = chosen(given, config, environ)
    from textual.theme import BUILTIN_THEMES

    there_are = f"there are {', '.join(sorted(BUILTIN_THEMES))}"
    themes = {"theme": config.theme} | {f"contexts.{name}.theme": one.theme for name, one in config.contexts.items()}
    for key, theme in themes.items():
        if theme and theme not in BUILTIN_THEMES:
            raise ConfigError(config.path, key, f"{theme!r}: {there_are}")
    theme = given.theme or context.theme or config.theme or DEFAULT_THEME
    if theme not in BUILTIN_THEMES:
        raise UsageError(f"--theme {theme}: {there_are}")
    return Start(config, context, refresh, theme, first)


def show_page(page: str) -> int:
    """Prints a page of help; whoever reads it may have gone, as `head` does."""
    try:
        print(page, flush=True)
    except BrokenPipeError:
        # Python flushes again at its end, and must find somebody who takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def main(
    arguments: Sequence[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    local: LocalServers | None = None,
) -> int:
    """The programs `rmq tui` and `mqtui`; returns the exit code.

    Args:
        arguments: words of the command line; the process's when None.
        environ: environment variables.
        local: servers of ours on this machine.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        if words[:1] == ["serve"]:
            from rmq.tui.serve import serve

            return serve(words[1:], environ)
        given = parser().parse_args(words)
        if given.help:
            return show_page(PAGE)
        return _run(given, environ, local)
    except (ConfigError, CredentialsError) as error:
        print(f"rmq tui: {error}", file=sys.stderr)
    except (UsageError, NamesrvAddressError) as error:
        print(f"rmq tui: {error}\n{PAGE.splitlines()[0]}", file=sys.stderr)
    return EXIT_USAGE


def _run(given: argparse.Namespace, environ: Mapping[str, str], local: LocalServers | None) -> int:
    start = understood(given, environ)
    config, context = start.config, start.context
    found = tools_credentials(environ)
    from rmq.tui.app import RmqApp
    from rmq.tui.service.guard import guarded
    from rmq.tui.service.live.service import LiveService
    from rmq.tui.service.ops import OpsLog
    from rmq.tui.service.protocol import AdminService
    from rmq.tui.state.session import Session

    audit = files.audit_path(environ)
    log = OpsLog(partial(files.append_line, audit), str(audit))

    def connect(place: Context) -> AdminService:
        keys = place.credentials or found
        service = LiveService(place.namesrv, _now, address_map=place.address_map, local=local, credentials=keys)
        return guarded(service, place, log, _now)

    with contextlib.ExitStack() as stack:
        if given.demo:
            from rmq.tui.demo import Demo

            print("starting a name server and a broker…", flush=True)
            context = replace(context, namesrv=(stack.enter_context(Demo()).namesrv_addr,))
        pause = start.refresh or context.refresh or config.refresh or _REFRESH
        session = Session(connect(context), _now, None, files.save, pause, context, log, load=files.load)
        session.queries = kept_questions(files.queries_path(environ))
        known = {name: _limited(place, given) for name, place in config.contexts.items()}
        app = RmqApp(
            session, theme=start.theme, opened=start.opened, contexts=known, connect=connect, keymap=config.keymap
        )
        app.run()
        return app.return_code or 0


def kept_questions(path: Path) -> Queries:
    """Questions that were asked before; none when the file cannot be read."""
    text = ""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        text = files.load(path)
    return queries.read(text, partial(files.replace, path))


def _now() -> int:
    return time.time_ns() // 1_000_000
