"""Questions that were asked lately, and those that the user has saved; both are kept in one file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

RECENT: Final = 100
"""Questions that are remembered; the oldest goes first."""
SAVED: Final = 200
"""Questions that can be saved."""
_LONGEST: Final = 4000
"""Characters of one."""


def _nowhere(text: str) -> None:
    """Nothing is kept."""


@dataclass(slots=True)
class Queries:
    """Recent and saved questions.

    Attributes:
        recent: the newest first, each once.
        saved: by name, in the order in which they were saved.
        store: writes the file's text; may raise `OSError`.
    """

    recent: list[str] = field(default_factory=list)
    saved: dict[str, str] = field(default_factory=dict)
    store: Callable[[str], None] = _nowhere

    def asked(self, text: str) -> None:
        """Remembers a question.

        Raises:
            OSError: the file cannot be written; it is remembered for now all the same.
        """
        text = text.strip()[:_LONGEST]
        self.recent = [text, *(other for other in self.recent if other != text)][:RECENT]
        self._keep()

    def save(self, name: str, text: str) -> str:
        """Saves a question under a name; returns why not, or nothing.

        Raises:
            OSError: the file cannot be written; it is saved for now all the same.
        """
        name = name.strip()
        if not name or not name.isprintable() or len(name) > 60:
            return "a name of 1 to 60 letters is needed"
        if name not in self.saved and len(self.saved) >= SAVED:
            return f"there are {SAVED} already: forget one first"
        self.saved[name] = text.strip()[:_LONGEST]
        self._keep()
        return ""

    def forget(self, name: str) -> None:
        """Forgets a saved question.

        Raises:
            OSError: the file cannot be written; it is forgotten for now all the same.
        """
        self.saved.pop(name, None)
        self._keep()

    def _keep(self) -> None:
        self.store(as_text(self))


def as_text(queries: Queries) -> str:
    """The file's text."""
    return json.dumps({"recent": queries.recent, "saved": queries.saved}, indent=2, ensure_ascii=False) + "\n"


def read(text: str, store: Callable[[str], None] = _nowhere) -> Queries:
    """Questions of a file; what is not as it should be there is passed over."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = {}
    recent = found.get("recent") if isinstance(found, dict) else None
    saved = found.get("saved") if isinstance(found, dict) else None
    return Queries(
        [line[:_LONGEST] for line in recent if isinstance(line, str)][:RECENT] if isinstance(recent, list) else [],
        dict([(name, line[:_LONGEST]) for name, line in saved.items() if isinstance(line, str)][:SAVED])
        if isinstance(saved, dict)
        else {},
        store,
    )
