"""The last line: keys that work now, those of the focused part first.

One line of text instead of a widget a key: the keys are others with every move of the focus, and a line is painted
faster than a row of widgets is mounted. What has no room is left out at the end, but never the way to the help: what
every table can do stands behind what only this part can.
"""

from __future__ import annotations

from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.screen import Screen

from rmq.tui.widgets.lines import TextLine

_LAST: Final = ("screen.command", "screen.help", "text.help", "text.leave", "dialog.close")
"""Bindings that stand at the right, whatever else there is."""
_FIRST: Final = ("grid.open", "grid.filter", "messages.ask")
_LATER: Final = ("topics.bulk", "grid.sort", "grid.copy", "grid.export", "screen.quit")
"""Bindings that make room for the others; the last one first."""
_GAP: Final = 2


class _Shown(NamedTuple):
    at: int
    width: int
    key: str


class KeyLine(TextLine):
    """Keys and what they do; a click on one presses it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key"}

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._places: list[_Shown] = []

    def on_mount(self) -> None:
        """Follows the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self.show_keys)

    def on_resize(self) -> None:
        """Shows more or fewer."""
        self.show_keys(self.screen)

    def show_keys(self, screen: Screen[object]) -> None:
        """Shows the keys of what has the focus; nothing while the terminal has it not."""
        if screen is not self.screen or not self.app.app_focus or not self.size.width:
            return
        first: list[tuple[int, tuple[str, str, str]]] = []
        last: list[tuple[str, str, str]] = []
        actions: set[str] = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and binding.description and binding.action not in actions:
                actions.add(binding.action)
                shown = (binding.key, self.app.get_key_display(binding), binding.description)
                if binding.id in _LAST:
                    last.append(shown)
                else:
                    first.append((_rank(binding.id or ""), shown))
        first.sort(key=lambda ranked: ranked[0])
        self.say(self._laid_out([shown for _, shown in first], last))

    def _laid_out(self, first: list[tuple[str, str, str]], last: list[tuple[str, str, str]]) -> Text:
        width = self.size.width
        style = self.get_component_rich_style("keys--key", partial=True)
        ending = sum(_width(key) for key in last) + _GAP * max(len(last) - 1, 0) + 1
        text, self._places = Text(" "), []

        def put(key: tuple[str, str, str]) -> None:
            self._places.append(_Shown(text.cell_len, _width(key), key[0]))
            text.append(key[1], style).append(f" {key[2]}").append(" " * _GAP)

        for key in first:
            if text.cell_len + _width(key) + _GAP + ending > width:
                break
            put(key)
        text.append(" " * max(width - text.cell_len - ending, 0))
        for key in last:
            put(key)
        text.truncate(width)
        return text

    def on_click(self, event: events.Click) -> None:
        """Presses the key under the pointer."""
        for place in self._places:
            if place.at <= event.x < place.at + place.width:
                self.app.simulate_key(place.key)
                return


def _rank(identity: str) -> int:
    if identity in _LATER:
        return 2 + _LATER.index(identity)
    return 0 if identity in _FIRST else 1


def _width(key: tuple[str, str, str]) -> int:
    return cell_len(key[1]) + 1 + cell_len(key[2])
