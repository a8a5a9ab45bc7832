"""Tokens, what lies between them, and places."""

import pytest

from rmq.server.filter.errors import FilterSyntaxError
from rmq.server.filter.lexer import END, FLOAT, INTEGER, NAME, STRING, Lexer


def tokens(text: str) -> list[tuple[str, str]]:
    lexer, found = Lexer(text), []
    while (token := lexer.take()).kind != END:
        found.append((token.kind, token.text))
    return found


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a", [(NAME, "a")]),
        ("_a$1 $", [(NAME, "_a$1"), (NAME, "$")]),
        ("NoT nota", [("NOT", "NoT"), (NAME, "nota")]),
        ("007L", [(INTEGER, "0"), (INTEGER, "0"), (INTEGER, "7L")]),
        ("0L", [(INTEGER, "0"), (NAME, "L")]),
        ("12l3", [(INTEGER, "12l"), (INTEGER, "3")]),
        ("1.e5 .5 5. 00.1 1e-3", [(FLOAT, "1.e5"), (FLOAT, ".5"), (FLOAT, "5."), (FLOAT, "00.1"), (FLOAT, "1e-3")]),
        ("1.2.3", [(FLOAT, "1.2"), (FLOAT, ".3")]),
        ("1e", [(INTEGER, "1"), (NAME, "e")]),
        ("'it''s' ''", [(STRING, "'it''s'"), (STRING, "''")]),
        ("<=>=<><,()+-=", [(sign, sign) for sign in ("<=", ">=", "<>", "<", ",", "(", ")", "+", "-", "=")]),
        ("a--x\n-b", [(NAME, "a"), ("-", "-"), (NAME, "b")]),
        ("a--x", [(NAME, "a"), ("-", "-"), ("-", "-"), (NAME, "x")]),
        ("a/**//***//* b **/c", [(NAME, "a"), (NAME, "c")]),
        (" \t\r\n\f", []),
    ],
)
def test_tokens(text: str, kinds: list[tuple[str, str]]) -> None:
    assert tokens(text) == kinds


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("?", "Lexical error at line 1, column 1: encountered '?' (63)"),
        ("\r\n\n ü", "Lexical error at line 3, column 2: encountered 'ü' (252)"),
        ("\t?", "Lexical error at line 1, column 9: encountered '?' (63)"),
        ("12\t?", "Lexical error at line 1, column 9: encountered '?' (63)"),
        ("'😀' ?", "Lexical error at line 1, column 6: encountered '?' (63)"),
        ("'x", "Lexical error at line 1, column 3: encountered the end after \"'x\""),
        ("'x\n", "Lexical error at line 2, column 0: encountered the end after \"'x\\n\""),
        ("/x", "Lexical error at line 1, column 2: encountered 'x' (120) after '/'"),
        ("/", "Lexical error at line 1, column 2: encountered the end after '/'"),
        ("/*/", "Lexical error at line 1, column 4: encountered the end after '/*/'"),
        (".x", "Lexical error at line 1, column 2: encountered 'x' (120) after '.'"),
    ],
)
def test_no_token(text: str, error: str) -> None:
    with pytest.raises(FilterSyntaxError) as caught:
        tokens(text)
    assert str(caught.value) == error


def test_nothing_is_read_before_it_is_asked_for() -> None:
    lexer = Lexer("a b ?")
    assert lexer.peek(1).text == "b"
    assert (lexer.take().text, lexer.take().text) == ("a", "b")
    with pytest.raises(FilterSyntaxError):
        lexer.peek()


def test_places() -> None:
    lexer = Lexer("a\r\n\tb  ")
    places = [lexer.place(lexer.take()) for _ in range(3)]
    assert places == ["line 1, column 1", "line 2, column 9", "line 2, column 11"]
    assert Lexer("").place(Lexer("").take()) == "line 0, column 0"
