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
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Final

from rmq.admin.errors import CommandLineError
from rmq.admin.options import DEBUG, FORMAT, LONG_FORMAT, STANDARD, TIMEOUT, Declaration, Group, Option
from rmq.admin.output import Member, Report, Table
from rmq.admin.parser import Parsed
from rmq.client.admin.session import Admin

_DECORATOR: Final = re.compile(r'^@command\(\s*"(\w+)"', re.MULTILINE)
_COMMANDS: Final = os.path.join(os.path.dirname(__file__), "commands")


class Call:
    """One use of a command: the options given and the session to work with."""

    def __init__(self, options: Parsed, admin: Admin) -> None:
        self.options = options
        self.admin = admin

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
    """

    name: str
    summary: str
    declared: tuple[Declaration, ...]
    function: Function
    data: tuple[Member | Table, ...] = ()
    needs_one_of: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    ours: bool = False

    @cached_property
    def accepted(self) -> tuple[Declaration, ...]:
        """All that Apache's command accepts: the standard options and its own."""
        return (*STANDARD, *self.declared)

    @property
    def options(self) -> Iterator[Option]:
        """Every option of `accepted`."""
        for item in self.accepted:
            yield from item.options if isinstance(item, Group) else (item,)

    @cached_property
    def format_option(self) -> Option:
        """The option that chooses the output's format: `-f` too where the command does not use that itself."""
        return LONG_FORMAT if any(option.short == FORMAT.short for option in self.options) else FORMAT

    @property
    def extras(self) -> tuple[Option, ...]:
        """What it accepts beyond Apache's options."""
        return self.format_option, TIMEOUT, DEBUG


_declared: dict[str, Command] = {}


def command(
    name: str,
    summary: str,
    *declared: Declaration,
    data: tuple[Member | Table, ...] = (),
    needs_one_of: tuple[str, ...] = (),
    differs: tuple[str, ...] = (),
    ours: bool = False,
) -> Callable[[Function], Command]:
    """Makes a function a subcommand.

    Raises:
        TypeError: the name or one of the options is declared twice.
    """

    def declare(function: Function) -> Command:
        made = Command(name, summary, declared, function, data, needs_one_of, differs, ours)
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
    found: dict[str, str] = {}
    for file in sorted(os.listdir(_COMMANDS)):
        if file.endswith(".py"):
            with open(os.path.join(_COMMANDS, file), encoding="utf-8") as source:
                found.update(dict.fromkeys(_DECORATOR.findall(source.read()), file.removesuffix(".py")))
    return found


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
