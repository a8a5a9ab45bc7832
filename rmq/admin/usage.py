"""Lays out a command's page: the synopsis, then its options, 110 columns wide as Apache's tool has it.

The synopsis lists options by name without regard to case, those of a group at the place of its first one; each later
one leaves its blank behind. The words are ours.

Source: org.apache.commons.cli.HelpFormatter, ServerUtil.printCommandLineHelp.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rmq.admin.declare import Command
from rmq.admin.options import Declaration, Group, Option

WIDTH: Final = 110
_INDENT: Final = len("usage: ")
_GAP: Final = 3


def page(command: Command) -> str:
    """What `-h` prints."""
    return "\n".join(
        (
            synopsis(command.name, command.accepted),
            *option_lines(command.options),
            "",
            *_wrapped(f"{command.summary} Every command also takes, spelt in full:", 0),
            *option_lines(command.extras),
            "",
        )
    )


def synopsis(name: str, declared: Sequence[Declaration]) -> str:
    """`usage: mqadmin NAME [-c] [-h] [-n <arg>] -t <arg>`, wrapped, without a final line feed."""
    groups = [item for item in declared if isinstance(item, Group)]
    written: set[int] = set()
    parts = []
    for option in _sorted(_options(declared)):
        group = next((group for group in groups if option in group.options), None)
        if group is None:
            parts.append(_written(option, option.required))
        elif id(group) in written:
            parts.append("")
        else:
            written.add(id(group))
            alternatives = " | ".join(_written(member, True) for member in _sorted(group.options))
            parts.append(alternatives if group.required else f"[{alternatives}]")
    return "\n".join(_wrapped(f"usage: mqadmin {name} {' '.join(parts)}", _INDENT))


def option_lines(options: Iterable[Option]) -> Iterator[str]:
    """A line or more for each option, in order of name."""
    listed = [(_left(option), option) for option in _sorted(options)]
    column = max((len(left) for left, _ in listed), default=0) + _GAP
    for left, option in listed:
        text = option.help
        if option.required:
            text += " Required."
        if option.default:
            text += f" Default: {option.default}."
        yield from _wrapped(left.ljust(column) + text, column)


def _options(declared: Iterable[Declaration]) -> Iterator[Option]:
    for item in declared:
        yield from item.options if isinstance(item, Group) else (item,)


def _sorted(options: Iterable[Option]) -> list[Option]:
    return sorted(options, key=lambda option: option.key.lower())


def _written(option: Option, required: bool) -> str:
    name = f"-{option.short}" if option.short else f"--{option.long}"
    text = name if option.flag else f"{name} <arg>"
    return text if required else f"[{text}]"


def _left(option: Option) -> str:
    name = f" -{option.short},--{option.long}" if option.short else f"    --{option.long}"
    return name if option.flag else f"{name} <arg>"


def _wrapped(text: str, indent: int) -> Iterator[str]:
    """Lines of at most 110 characters; all but the first are indented."""
    while len(text) > WIDTH:
        end = text.rfind(" ", 0, WIDTH + 1)
        if end < indent:
            end = WIDTH
        yield text[:end].rstrip()
        text = " " * indent + text[end:].strip()
    yield text.rstrip()
