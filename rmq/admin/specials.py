"""Words in a command's place that are no command of a cluster."""

from __future__ import annotations

from typing import Final

SPECIALS: Final = {
    "help": "List the commands, or show the page of one.",
    "shell": "Take commands from a prompt, or from standard input, a line each.",
    "completion": "Print a script that completes command lines: bash, zsh or fish.",
}
"""Each with what it does."""
