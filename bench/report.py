"""Where the tables of docs/benchmarks.md are replaced."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

_FILE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def replace(name: str, table: str, command: str) -> None:
    """Puts a table between the markers of that name, under a line that says when, where and by what it was measured.

    Raises:
        RuntimeError: the report has no such markers.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    content = _FILE.read_text(encoding="utf-8")
    head, found, rest = content.partition(begin)
    if not found:
        raise RuntimeError(f"{_FILE} has no {begin}")
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    stamp = f"Measured {time.strftime('%Y-%m-%d')}: {machine}, `{command}`."
    _FILE.write_text(f"{head}{begin}\n{stamp}\n\n{table}\n{end}{rest.partition(end)[2]}", encoding="utf-8")
