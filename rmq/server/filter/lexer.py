"""Cuts an expression into tokens, one at a time.

What follows a complete expression is never read, so that it need not even consist of tokens; therefore the lexer works
on demand. The longest token wins; keywords know no case, names do.

Source: SelectorParser.jj, SimpleCharStream (positions).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from rmq.server.filter.errors import FilterSyntaxError

KEYWORDS: Final = frozenset(
    ("NOT", "AND", "OR", "BETWEEN", "IN", "TRUE", "FALSE", "NULL", "IS", "CONTAINS", "STARTSWITH", "ENDSWITH")
)
END: Final = "end"
NAME: Final = "name"
STRING: Final = "string"
INTEGER: Final = "integer"
FLOAT: Final = "float"

_TAB: Final = 8
# A comment to the end of the line needs that end: without it, its two dashes are two signs.
_SKIPPED: Final = re.compile(r"(?:[ \t\n\r\f]+|--[^\n\r]*(?:\r\n|\n|\r)|/\*.*?\*/)*", re.DOTALL)
_TOKEN: Final = re.compile(
    r"(?P<float>[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)"
    r"|(?P<integer>0|[1-9][0-9]*[lL]?)"
    r"|(?P<string>'[^']*(?:''[^']*)*')"
    r"|(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)"
    r"|(?P<sign><>|<=|>=|[=<>(),+-])"
)


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: one of the module's constants, a keyword in capitals, or the sign itself.
        text: as it stands in the expression.
        at: index of its first character.
    """

    kind: str
    text: str
    at: int


class Lexer:
    """The tokens of an expression, with as much looking ahead as is asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ahead: list[Token] = []

    def peek(self, distance: int = 0) -> Token:
        """A token that is still to come, by default the next.

        Raises:
            FilterSyntaxError: what stands there begins no token.
        """
        while len(self._ahead) <= distance:
            self._ahead.append(self._read())
        return self._ahead[distance]

    def take(self) -> Token:
        """The next token, which then is behind."""
        token = self.peek()
        del self._ahead[0]
        return token

    def place(self, token: Token) -> str:
        """Where a token stands, for people; the end is where the last character is."""
        at = token.at if token.kind != END else len(self._text) - 1
        line, column = _position(self._text, at)
        return f"line {line}, column {column}"

    def _read(self) -> Token:
        skipped = _SKIPPED.match(self._text, self._at)
        start = skipped.end() if skipped else self._at
        if start == len(self._text):
            self._at = start
            return Token(END, "", start)
        found = _TOKEN.match(self._text, start)
        if found is None:
            raise self._no_token(start)
        self._at = found.end()
        text = found.group()
        kind = str(found.lastgroup)
        if kind == "sign":
            kind = text
        elif kind == NAME and (word := text.upper()) in KEYWORDS:
            kind = word
        return Token(kind, text, start)

    def _no_token(self, start: int) -> FilterSyntaxError:
        """An error that names the character at which no token is possible any longer."""
        text = self._text
        stuck = start
        if text[start] == "'" or text.startswith("/*", start):
            stuck = len(text)
        elif text[start] in "/.":
            stuck = start + 1
        if stuck < len(text):
            line, column = _position(text, stuck)
            what = f"{text[stuck]!r} ({ord(text[stuck])})"
        else:
            line, column = _position(text, len(text) - 1)
            line, column = (line + 1, 0) if text[-1] in "\r\n" else (line, column + 1)
            what = "the end"
        after = f" after {text[start:stuck][:40]!r}" if stuck > start else ""
        return FilterSyntaxError(f"Lexical error at line {line}, column {column}: encountered {what}{after}")


def _position(text: str, at: int) -> tuple[int, int]:
    """Line and column of a character, both from 1; columns are UTF-16 units and tabs go to every eighth."""
    if at < 0:
        return 0, 0
    line, column = 1, 0
    before = ""
    for char in text[: at + 1]:
        column += 2 if before > "\uffff" else 1
        if before == "\n" or (before == "\r" and char != "\n"):
            line, column = line + 1, 1
        if char == "\t":
            column += _TAB - 1 - (column - 1) % _TAB
        before = char
    return line, column
