"""What a decoder is, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class UndecodableError(ValueError):
    """A body has not the form that a decoder knows; the text says why."""


class DecoderError(UndecodableError):
    """A decoder cannot be loaded, or has failed; the text says which and how."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body as it is shown.

    Attributes:
        text: lines, when there is no tree.
        tree: dicts, lists, texts, numbers, booleans and None, in each other; only when `is_tree`.
        is_tree: whether the tree is what to show.
        unpacked: what the body was packed from, for `auto` to show in its place; None when it was not packed.
        shown: bytes that are shown.
        of: bytes that there are, unpacked if they were packed; None when it is not known how many.
        steps: what was done, such as `gzip` and `JSON`.
        remark: what else the user should know.
    """

    text: str = ""
    tree: Any = None
    is_tree: bool = False
    unpacked: bytes | None = None
    shown: int = 0
    of: int | None = 0
    steps: tuple[str, ...] = ()
    remark: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether there is more than is shown."""
        return self.of is None or self.shown < self.of


class Decoder(Protocol):
    """Shows bodies of one form. It may have a method `matches(body) -> bool`, by which `auto` finds it."""

    def decode(self, body: bytes, limit: int) -> Decoded:
        """The body for the screen, at most `limit` bytes of it.

        Raises:
            UndecodableError: the body has another form.
        """
        ...
