"""The application's part about the user's own keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from textual.app import App
from textual.dom import DOMNode

from rmq.tui.application import bindings
from rmq.tui.application.bindings import Bound
from rmq.tui.formats import one_line
from rmq.tui.screens.frame import FrameScreen
from rmq.tui.widgets.grid import Grid

_LONG: Final = 20.0
"""Seconds that a notice about keys stays."""


class RemappingApp(App[None]):
    """An application whose keys the user may choose."""

    def take_keymap(self, keymap: Mapping[str, str]) -> None:
        """Takes keys by the id of their binding; tells of ids that are unknown, and of keys that two have now."""
        if not keymap:
            return
        found = bindings.every()
        names = {bound.name for bound in found}
        for name in sorted(keymap.keys() - names):
            near = get_close_matches(name, names, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            self._warn(f"no binding is called {one_line(name):.60}{meant}")
        known = {name: keys for name, keys in keymap.items() if name in names}
        for key, both in sorted(clashes(found, known)):
            self._warn(f"{key} is the key of {' and '.join(sorted(both))}: only one of them can have it")
        self.set_keymap(known)

    def _warn(self, text: str) -> None:
        self.notify(text, title="Keymap", severity="warning", markup=False, timeout=_LONG)


def clashes(found: list[Bound], keymap: Mapping[str, str]) -> set[tuple[str, frozenset[str]]]:
    """Keys of the keymap that two bindings have where both are heard: in one class, or in a table, its screen and
    the application."""
    wanted = {name: {key.strip() for key in keys.split(",")} for name, keys in keymap.items()}
    lost = set()
    for scope in _scopes({bound.owner for bound in found}):
        names: dict[str, set[str]] = {}
        for bound in found:
            if bound.owner in scope:
                for key in wanted.get(bound.name, bound.keys):
                    names.setdefault(key, set()).add(bound.name)
        for key, both in names.items():
            if len(both) > 1 and any(key in wanted.get(name, ()) for name in both):
                lost.add((key, frozenset(both)))
    return lost


def _scopes(owners: set[type[DOMNode]]) -> Iterator[set[type]]:
    for owner in owners:
        scope: set[type] = set(owner.__mro__)
        if issubclass(owner, FrameScreen):
            scope |= {Grid, *(one for one in owners if issubclass(one, App))}
        yield scope
