"""Reads an expression.

Written by hand, because two manners of Apache's parser must be kept: it stops after the longest beginning that is an
expression and does not care what follows (`a = 1 b` is `a = 1`), and it refuses constructs while it reads.

    or          = and (OR and)*
    and         = equality (AND equality)*
    equality    = comparison ("=" comparison | "<>" comparison | IS [NOT] NULL)*
    comparison  = unary (">" unary | ">=" unary | "<" unary | "<=" unary
                  | [NOT] (CONTAINS | STARTSWITH | ENDSWITH) string
                  | [NOT] BETWEEN unary AND unary | [NOT] IN "(" string ("," string)* ")")*
    unary       = ("+" | "-" | NOT) unary | literal | name | "(" or ")"

An expression comes from a stranger, so its length, how deep its parentheses and operands go and how many tests it has
are bounded.

Source: SelectorParser.jj.
"""

from __future__ import annotations

from typing import Final

from rmq.server.filter import nodes
from rmq.server.filter.errors import FilterSyntaxError
from rmq.server.filter.javavalues import Long
from rmq.server.filter.lexer import END, FLOAT, INTEGER, NAME, STRING, Lexer, Token
from rmq.server.filter.nodes import Constant, Negated, Node, Not, Order, Part, Property

MAX_LENGTH: Final = 64 * 1024
"""Most characters of an expression."""
MAX_PARENTHESES: Final = 100
"""How many parentheses may stand in one another."""
MAX_OPERATORS: Final = 500
"""Most signs, NOTs and tests of an expression; BETWEEN is two tests."""
MAX_DEPTH: Final = 200
"""How many tests, conjunctions, signs and NOTs may be operands of one another."""

_INT_LIMIT: Final = 1 << 31
_LONG_LIMIT: Final = 1 << 63
_MOST_DIGITS: Final = 19
_SMALLEST: Final = 5e-324
_INFINITY: Final = float("inf")
_ORDERS: Final = {order.value: order for order in Order}
_PARTS: Final = {part.value: part for part in Part}
_WORDED: Final = frozenset(("BETWEEN", "IN", *_PARTS))
_PREFIXES: Final = frozenset(("+", "-", "NOT"))
_LITERALS: Final = {"TRUE": True, "FALSE": False, "NULL": None}


def parse(text: str) -> Node:
    """The condition that an expression states.

    Raises:
        FilterSyntaxError: it does not begin with a condition, or is over a limit.
    """
    if len(text) > MAX_LENGTH:
        raise FilterSyntaxError(f"the expression has {len(text)} characters, {MAX_LENGTH} are allowed")
    node = nodes.condition(_Parser(text).any_of())
    if max(depth for _, depth in nodes.walk(node)) > MAX_DEPTH:
        raise FilterSyntaxError(f"the expression goes deeper than {MAX_DEPTH}")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self._lexer = Lexer(text)
        self._depth = 0
        self._operators = 0

    def any_of(self) -> Node:
        first = self._all()
        if self._next != "OR":
            return first
        parts = [nodes.condition(first)]
        # Apache looks at the left operand when it has read the right one; whichever is first, it is refused.
        while self._found("OR"):
            parts.append(nodes.condition(self._all()))
        return nodes.AnyOf(tuple(parts))

    def _all(self) -> Node:
        first = self._equality()
        if self._next != "AND":
            return first
        parts = [nodes.condition(first)]
        while self._found("AND"):
            parts.append(nodes.condition(self._equality()))
        return nodes.All(tuple(parts))

    def _equality(self) -> Node:
        left = self._comparison()
        while True:
            if self._found("="):
                left = nodes.equal(left, self._comparison())
            elif self._found("<>"):
                left = Not(nodes.equal(left, self._comparison()))
            elif self._found("IS"):
                negated = self._found("NOT")
                self._want("NULL")
                left = Not(nodes.is_null(left)) if negated else nodes.is_null(left)
            else:
                return left
            self._count()

    def _comparison(self) -> Node:
        left = self._unary()
        while True:
            kind = self._next
            if kind in _ORDERS:
                self._lexer.take()
                left = nodes.ordered(_ORDERS[kind], left, self._unary())
            elif kind in _WORDED:
                left = self._worded(left, negated=False)
            elif kind == "NOT":
                token = self._lexer.take()
                if self._next not in _WORDED:
                    raise self._unexpected(token, "AND, OR, an operator or the end")
                left = self._worded(left, negated=True)
            else:
                return left
            self._count()

    def _worded(self, left: Node, *, negated: bool) -> Node:
        """A test whose operator is a word."""
        token = self._lexer.take()
        if token.kind in _PARTS:
            return nodes.Holds(_PARTS[token.kind], left, self._string(), negated)
        if token.kind == "BETWEEN":
            low = self._unary()
            self._want("AND")
            self._count()
            return (nodes.not_between if negated else nodes.between)(left, low, self._unary())
        self._want("(")
        texts = [self._string()]
        while self._found(","):
            texts.append(self._string())
        self._want(")")
        return nodes.one_of(left, texts, negated=negated)

    def _unary(self) -> Node:
        prefixes = []
        while self._next in _PREFIXES:
            prefixes.append(self._lexer.take().kind)
            self._count()
        token = self._lexer.take()
        if token.kind == "(":
            self._depth += 1
            if self._depth > MAX_PARENTHESES:
                raise FilterSyntaxError(f"parentheses go deeper than {MAX_PARENTHESES}")
            node = self.any_of()
            self._want(")")
            self._depth -= 1
        elif token.kind == NAME:
            node = Property(token.text)
        else:
            node = self._literal(token)
        for prefix in reversed(prefixes):
            if prefix == "-":
                node = Negated(node)
            elif prefix == "NOT":
                node = Not(nodes.condition(node))
        return node

    def _literal(self, token: Token) -> Constant:
        kind = token.kind
        if kind == STRING:
            return Constant(_text(token))
        if kind == INTEGER:
            return Constant(self._integer(token))
        if kind == FLOAT:
            return Constant(self._float(token))
        if kind in _LITERALS:
            return Constant(_LITERALS[kind])
        raise self._unexpected(token, "a property, a literal or a parenthesis")

    def _integer(self, token: Token) -> int:
        digits = token.text.rstrip("lL")
        value = int(digits) if len(digits) <= _MOST_DIGITS else _LONG_LIMIT
        if value >= _LONG_LIMIT:
            raise FilterSyntaxError(f"{digits:.40} at {self._lexer.place(token)} is above {_LONG_LIMIT - 1}")
        return value if value < _INT_LIMIT else Long(value)

    def _float(self, token: Token) -> float:
        value = float(token.text)
        if value == _INFINITY or value < _SMALLEST:
            what = "too large" if value else "0 or too small for a number with a point; write 0"
            raise FilterSyntaxError(f"{token.text:.40} at {self._lexer.place(token)} is {what}")
        return value

    def _string(self) -> bytes:
        return _text(self._want(STRING))

    # --- tokens ---------------------------------------------------------------------------------------------------

    @property
    def _next(self) -> str:
        return self._lexer.peek().kind

    def _found(self, kind: str) -> bool:
        if self._lexer.peek().kind != kind:
            return False
        self._lexer.take()
        return True

    def _want(self, kind: str) -> Token:
        token = self._lexer.take()
        if token.kind != kind:
            raise self._unexpected(token, "a text in single quotes" if kind == STRING else kind)
        return token

    def _unexpected(self, token: Token, wanted: str) -> FilterSyntaxError:
        found = "the end" if token.kind == END else repr(token.text[:40])
        return FilterSyntaxError(f"Encountered {found} at {self._lexer.place(token)}: {wanted} was expected")

    def _count(self) -> None:
        self._operators += 1
        if self._operators > MAX_OPERATORS:
            raise FilterSyntaxError(f"the expression has more than {MAX_OPERATORS} tests and signs")


def _text(token: Token) -> bytes:
    return token.text[1:-1].replace("''", "'").encode("utf-8", "surrogatepass")
