"""Declares subcommands and finds them.

A subcommand is a coroutine function that takes a `Call` and returns a `Report` (or an asynchronous generator of
reports, for commands that repeat themselves), with its name, summary and options above it:

    @command("deleteTopic", "Delete a topic from a cluster and from the name servers.", topic(), cluster(required=True))
    async def delete_topic(call: Call) -> Report: ...

It neither prints nor knows how its report is rendered. It lives in a module of `rmq.admin.commands`. Those are found
by name in the source texts, so that running one command imports one module.

Source: SubCommand, MQAdminStartup.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Final

from rmq.admin.errors import CommandLineError
from rmq.admin.options import (
    DEBUG,
    DRY_RUN,
    FORMAT,
    HELP,
    LONG_FORMAT,
    NAMESRV,
    STANDARD,
    TIMEOUT,
    WATCH,
    Declaration,
    Group,
    Option,
)
from rmq.admin.output import Member, Report, Table
from rmq.admin.parser import Parsed
from rmq.client.admin.session import Admin

if TYPE_CHECKING:
    from rmq.client.admin.dryrun import HoldingBack

_DECORATOR: Final = re.compile(r'^@command\(\s*"(\w+)",((?:\s*"(?:[^"\\]|\\.)*")+)', re.MULTILINE)
_COMMANDS: Final = os.path.join(os.path.dirname(__file__), "commands")


class Call:
    """One use of a command: the options given and the session to work with.

    Args:
        options: the options given.
        admin: the session.
        held: notes files that would be written; None to write them.
    """

    def __init__(self, options: Parsed, admin: Admin, held: HoldingBack | None = None) -> None:
        self.options = options
        self.admin = admin
        self._held = held

    def given(self, key: str) -> bool:
        """Whether the option was given."""
        return self.options.given(key)

    def text(self, key: str) -> str | None:
        """The option's value, or None."""
        return self.options.get(key)

    def required(self, key: str) -> str:
        """The value of an option that the declaration requires."""
        value = self.options.get(key)
        if value is None:
            raise LookupError(f"option {key} is not declared as required")
        return value

    def number(self, key: str, default: int, *, bits: int = 32) -> int:
        """The option's value as an integer.

        Raises:
            CommandLineError: it is none, or does not fit.
        """
        value = self.options.get(key)
        return default if value is None else integer(value, bits=bits)

    def truth(self, key: str, default: bool = False) -> bool:
        """The option's value as Java reads truths: anything but `true` is false."""
        value = self.options.get(key)
        return default if value is None else value.lower() == "true"

    def write_file(self, path: str, content: str | bytes) -> None:
        """Writes a file, its directories too; a dry run only notes it.

        Some files lie in /tmp, where everybody may write: a link in the place of the file is not followed.

        Raises:
            OSError: the system refuses; `filename` tells which file or directory.
        """
        if self._held is not None:
            self._held.note_file(path, content)
            return
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        with open(made, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)


Function = Callable[[Call], Awaitable[Report] | AsyncIterator[Report]]


@dataclass(frozen=True)
class Command:
    """A declared subcommand.

    Attributes:
        name: as Apache spells it; compared without regard to case.
        summary: one sentence.
        declared: its own options and groups, in order.
        function: does the work.
        data: what its JSON object consists of.
        needs_one_of: short names of options of which at least one must be given although none is declared as
            required; without any the command shows its page, as Apache's does.
        differs: how it deliberately differs from Apache's, a sentence each.
        ours: it is not one of Apache's.
        changes: it can send a request that changes something, or write a file; it takes --dry-run then, and else
            --watch.
        endless: it repeats itself until Ctrl-C of its own accord; it takes no --watch then, and its JSON a line each
            time.
        examples: command lines without `mqadmin`, each with what it does.
    """

    name: str
    summary: str
    declared: tuple[Declaration, ...]
    function: Function
    data: tuple[Member | Table, ...] = ()
    needs_one_of: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    ours: bool = False
    changes: bool = False
    endless: bool = False
    examples: tuple[tuple[str, str], ...] = ()

    @cached_property
    def accepted(self) -> tuple[Declaration, ...]:
        """All that Apache's command accepts: the standard options and its own; its own `-n` if it has one."""
        own = any(option.short == NAMESRV.short for option in _options_of(self.declared))
        return (HELP, *self.declared) if own else (*STANDARD, *self.declared)

    @property
    def options(self) -> Iterator[Option]:
        """Every option of `accepted`."""
        yield from _options_of(self.accepted)

    @cached_property
    def format_option(self) -> Option:
        """The option that chooses the output's format: `-f` too where the command does not use that itself."""
        return LONG_FORMAT if any(option.short == FORMAT.short for option in self.options) else FORMAT

    @property
    def extras(self) -> tuple[Option, ...]:
        """What it accepts beyond Apache's options."""
        repeat = () if self.endless else (WATCH,)
        return self.format_option, *((DRY_RUN,) if self.changes else repeat), TIMEOUT, DEBUG


def _options_of(declared: Iterable[Declaration]) -> Iterator[Option]:
    for item in declared:
        yield from item.options if isinstance(item, Group) else (item,)


_declared: dict[str, Command] = {}


def command(
    name: str,
    summary: str,
    *declared: Declaration,
    data: tuple[Member | Table, ...] = (),
    needs_one_of: tuple[str, ...] = (),
    differs: tuple[str, ...] = (),
    ours: bool = False,
    changes: bool = False,
    endless: bool = False,
    examples: tuple[tuple[str, str], ...] = (),
) -> Callable[[Function], Command]:
    """Makes a function a subcommand.

    Raises:
        TypeError: the name or one of the options is declared twice.
    """

    def declare(function: Function) -> Command:
        made = Command(
            name, summary, declared, function, data, needs_one_of, differs, ours, changes, endless, examples
        )
        keys = [key for option in made.options for key in (option.short, option.long) if key]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice or name.lower() in _declared:
            raise TypeError(f"command {name}: declared twice: {', '.join(sorted(twice)) or 'the name'}")
        _declared[name.lower()] = made
        return made

    return declare


def integer(text: str, *, bits: int = 32) -> int:
    """A decimal number, as an option's value.

    Raises:
        CommandLineError: it is none, or does not fit into so many bits.
    """
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if digits.isascii() and digits.isdigit() and len(digits) < 20:
        value = int(text)
        if -(1 << bits - 1) <= value < 1 << bits - 1:
            return value
    raise CommandLineError(f'For input string: "{text}": a whole number of at most {bits} bits is expected')


def names() -> dict[str, str]:
    """Every command's name and the module that declares it, in the modules' order; no module is imported."""
    return {name: module for name, _, module in _headings()}


def summaries() -> dict[str, str]:
    """Every command's name and summary, in the modules' order; no module is imported."""
    from ast import literal_eval

    return {name: literal_eval(f"({summary})") for name, summary, _ in _headings()}


def _headings() -> Iterator[tuple[str, str, str]]:
    """Name, summary as written, and module of every command, found in the source texts."""
    for file in sorted(os.listdir(_COMMANDS)):
        if file.endswith(".py"):
            with open(os.path.join(_COMMANDS, file), encoding="utf-8") as source:
                for name, summary in _DECORATOR.findall(source.read()):
                    yield name, summary, file.removesuffix(".py")


def find(name: str) -> Command | None:
    """The command of that name, whatever its case."""
    module = {known.lower(): module for known, module in names().items()}.get(name.lower())
    if module is None:
        return None
    import_module(f"rmq.admin.commands.{module}")
    return _declared[name.lower()]


def every() -> list[Command]:
    """All commands, in the modules' order."""
    return [made for name in names() if (made := find(name)) is not None]
