"""Why something could not be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something could not be told.

    Attributes:
        cause: one line.
        where: who refused or is silent, `host:port`; empty when that is not known.
        code: the response code, None when there was no response.
        remedy: what to do about it, one line; may be empty.
    """

    cause: str
    where: str = ""
    code: int | None = None
    remedy: str = ""

    def __str__(self) -> str:
        named = self.where and self.where not in self.cause
        text = f"{self.where}: {self.cause}" if named else self.cause
        return f"{text} (code {self.code})" if self.code is not None else text
