"""What can be wrong with an expression, and what with a message under it."""

from __future__ import annotations


class FilterSyntaxError(ValueError):
    """An expression that is none; the text says why, and where if that is one place."""


class EvaluationError(ValueError):
    """A value that cannot be compared as the expression wants; the message does not match."""
