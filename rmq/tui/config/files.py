"""Files of the user's own: where the configuration is read from, and where changes are written down."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_NAME: Final = "rmq"
_LARGEST: Final = 16 << 20


def config_path(environ: Mapping[str, str]) -> Path:
    """`tui.toml` in the directory of configurations (XDG base directories)."""
    return _base(environ, "XDG_CONFIG_HOME", ".config") / _NAME / "tui.toml"


def audit_path(environ: Mapping[str, str]) -> Path:
    """`ops.jsonl` in the directory of states (XDG base directories)."""
    return _base(environ, "XDG_STATE_HOME", ".local/state") / _NAME / "ops.jsonl"


def queries_path(environ: Mapping[str, str]) -> Path:
    """`queries.json` in the directory of states (XDG base directories)."""
    return _base(environ, "XDG_STATE_HOME", ".local/state") / _NAME / "queries.json"


def _base(environ: Mapping[str, str], variable: str, usual: str) -> Path:
    given = environ.get(variable, "")
    # A relative path there is to be passed over, says the specification.
    return Path(given) if os.path.isabs(given) else Path(environ.get("HOME") or os.path.expanduser("~")) / usual


def append_line(path: Path, line: str) -> None:
    """Adds a line to a file that only the user can read; makes it and its directories when they are missing.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(line + "\n")


def replace(path: Path, text: str) -> None:
    """Writes a text in a file's place, which only the user can read; makes its directories when they are missing.

    Raises:
        OSError: it cannot be written; the file is what it was.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def load(path: Path) -> str:
    """The text of a file.

    Raises:
        OSError: it cannot be read, or is larger than any that is meant to be.
        UnicodeDecodeError: it is no text.
    """
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, f"it is larger than {_LARGEST >> 20} MiB")
    return content.decode("utf-8")


def save(path: Path, text: str) -> None:
    """Writes a text to a file.

    Raises:
        OSError: it cannot be written.
    """
    path.write_text(text, encoding="utf-8")
