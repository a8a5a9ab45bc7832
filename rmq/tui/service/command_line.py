"""Command lines of mqadmin, as one would type them."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Final

MASK: Final = "******"
"""What stands in the place of a secret."""


def command_line(words: Sequence[str], nameservers: str, secrets: Sequence[str] = ()) -> str:
    """A command of mqadmin for a cluster; empty when there are no words.

    Args:
        words: the command and its options, without `-n`.
        nameservers: `host:port` joined by `;`.
        secrets: texts to cover up.
    """
    if not words:
        return ""
    # Covered up before they are quoted: a quoted secret may not look like itself.
    command, *options = (masked(word, secrets) for word in words)
    return " ".join(["mqadmin", command, "-n", quote(nameservers), *map(quote, options)])


def masked(text: str, secrets: Sequence[str]) -> str:
    """The text with secrets covered up."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    return text
