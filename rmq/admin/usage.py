"""Lays out a command's page: synopsis and options, 110 columns wide as Apache's tool has them, then all the rest.

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
    return "\n".join((*_options_part(command), *_words_part(command), *_ends_part(command), ""))


def short_page(command: Command) -> str:
    """What stands beside a complaint about the command line."""
    return "\n".join((*_options_part(command), ""))


def _options_part(command: Command) -> Iterator[str]:
    yield synopsis(command.name, command.accepted)
    yield from option_lines(command.options)


def _words_part(command: Command) -> Iterator[str]:
    yield ""
    yield from _wrapped(command.summary, 0)
    if command.ours:
        yield "Apache's tool has no such command."
    if command.needs_one_of:
        yield f"At least one of {' and '.join(f'-{key}' for key in command.needs_one_of)} is needed."
    yield "\nLong names may be cut short as long as they are clear. Beyond Apache's options, to be spelt in full:"
    yield from option_lines(command.extras)
    yield "\nMembers of the JSON object:"
    width = max(len(member.name) for member in command.data) + _GAP if command.data else 0
    for member in command.data:
        yield from _wrapped(f" {member.name.ljust(width)}{member.help}", width + 1)
    if command.differs:
        yield "\nOther than Apache's:"
        for sentence in command.differs:
            yield from _wrapped(f" {sentence}", 1)


def _ends_part(command: Command) -> Iterator[str]:
    yield "\nExamples:"
    for words, meaning in examples(command):
        yield f" mqadmin {words}"
        if meaning:
            yield f"     {meaning}"
    yield "\nExit codes:"
    yield " 0 done   1 failed, refused, or failed on some servers   2 wrong command line   130 ended by Ctrl-C"
    yield "\nEnvironment:"
    yield " NAMESRV_ADDR   Name servers, where no -n is given."


def examples(command: Command) -> Iterator[tuple[str, str]]:
    """Command lines without `mqadmin`, and what each does: the shortest, a rehearsal or JSON, and the declared ones."""
    from rmq.admin.examples import shortest, written

    least = written(shortest(command)).removeprefix("mqadmin ")
    yield least, ""
    if command.changes:
        yield f"{least} --dry-run", "Only show what it would do."
    elif command.data:
        yield f"{least} --format json", ""
    yield from command.examples


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
