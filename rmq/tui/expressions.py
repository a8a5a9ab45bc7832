"""Regular expressions that a user types, bounded in what they may cost.

An expression of ten letters can take longer than the universe has (`(a+)+$`), and one of twenty can fill the memory
before it is used (`((a{999}){999}){999}`). So one is short, repeats things a bounded number of times, and is given up
when it takes too long. While it is tried on a text, other threads go on.
"""

from __future__ import annotations

import math
import re
from typing import Final

import regex

LONGEST: Final = 500
"""Characters of an expression."""
REPEATED: Final = 10_000
"""What the numbers of its repetitions may come to, multiplied: each is unrolled when it is compiled."""
_REPEAT: Final = re.compile(r"\{([0-9]*),?([0-9]*)\}")


class ExpressionError(ValueError):
    """What is no regular expression, or one that may cost too much; the text says why."""


class TooSlowError(Exception):
    """An expression takes longer than it may."""


class Expression:
    """A regular expression.

    Args:
        source: the expression.
        ignore_case: whether upper and lower case are alike.

    Raises:
        ExpressionError: it is none, or may cost too much.
    """

    def __init__(self, source: str, *, ignore_case: bool = False) -> None:
        if len(source) > LONGEST:
            raise ExpressionError(f"it has more than {LONGEST} characters")
        # In verbose mode blanks in a repetition mean nothing.
        numbers = _REPEAT.findall("".join(source.split()))
        if math.prod(max(int(number or 1), 1) for pair in numbers for number in (pair[1] or pair[0],)) > REPEATED:
            raise ExpressionError(f"it repeats things more than {REPEATED:,} times")
        try:
            self._search = regex.compile(source, regex.IGNORECASE if ignore_case else 0).search
        except RecursionError:
            raise ExpressionError("it is nested too deep") from None
        except regex.error as error:
            raise ExpressionError(str(error)) from None
        self.source = source

    def found_in(self, text: str, seconds: float) -> bool:
        """Whether it is found anywhere in a text.

        Raises:
            TooSlowError: it takes longer than so many seconds.
        """
        if seconds <= 0:
            raise TooSlowError
        try:
            return self._search(text, timeout=seconds, concurrent=True) is not None
        except TimeoutError:
            raise TooSlowError from None
