"""The words of a line of the query language: where one ends, what is quoted, what is an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_NAME: Final = re.compile(r"([A-Za-z]+)([:~])\s*")
_PLAIN: Final = re.compile(r'[^\s"]\S*')
_QUOTED: Final = re.compile(r'"([^"]*)"(?=\s|$)')
_PATTERN: Final = re.compile(r"/((?:[^/\\]|\\.)*)/(i?)(?=\s|$)")


class WordError(ValueError):
    """A word that does not end; the text says which."""


class Word(NamedTuple):
    """One word.

    Attributes:
        name: in front of `:` or `~`, in lower case; empty when there is none.
        value: behind it, without quotes and slashes.
        is_pattern: whether the value stood between slashes.
        flags: behind the second slash.
    """

    name: str
    value: str
    is_pattern: bool = False
    flags: str = ""


def words(line: str) -> Iterator[Word]:
    """The words from left to right.

    Raises:
        WordError: a quote or an expression does not end.
    """
    at, end = 0, len(line.rstrip())
    while True:
        while at < end and line[at].isspace():
            at += 1
        if at >= end:
            return
        named = _NAME.match(line, at)
        name, sign = (named[1].lower(), named[2]) if named is not None else ("", "")
        start = named.end() if named is not None else at
        if named is not None and named.end() > at + len(name) + 1 and _NAME.match(line, start):
            # `tag: body~x`: the value is missing, and the next word is not it.
            start = at + len(name) + 1
        word, at = _value(line, start, name, sign)
        yield word


def _value(line: str, start: int, name: str, sign: str) -> tuple[Word, int]:
    if sign == "~" and line.startswith("/", start):
        match = _PATTERN.match(line, start)
        if match is None:
            raise WordError(f"{name}~{line[start:]}: the expression does not end; it is {name}~/.../")
        return Word(name, match[1], True, match[2]), match.end()
    if line.startswith('"', start):
        match = _QUOTED.match(line, start)
        if match is None:
            raise WordError(f'{name}{sign}{line[start:]}: the quotes do not end; write "..." and a blank behind it')
        return Word(name, match[1]), match.end()
    match = _PLAIN.match(line, start)
    return (Word(name, match[0]), match.end()) if match is not None else (Word(name, ""), start)
