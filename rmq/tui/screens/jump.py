"""Jump mode: a letter on every pane, tab and table; pressing it goes there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from rmq.tui.widgets.lines import TabLine

_LETTERS: Final = "asdfghjklqwertyuiopzxcvbnm"


class Target(NamedTuple):
    """Somewhere to go: the key, where its letter stands, and how to get there."""

    key: str
    at: Offset
    go: Callable[[], object]


def targets(screen: Screen[Any]) -> list[Target]:
    """Where one can go on a screen, from the top left: its names by their numbers, all else by letters."""
    places = sorted(_places(screen), key=lambda place: (place[0].y, place[0].x))
    letters = iter(_LETTERS)
    found = []
    for at, key, go in places:
        chosen = key or next(letters, "")
        if chosen:
            found.append(Target(chosen, at, go))
    return found


def _places(screen: Screen[Any]) -> Iterator[tuple[Offset, str, Callable[[], object]]]:
    for line in screen.query(TabLine):
        if line.is_on_screen:
            numbered = line.id == "nav"
            for index, at in enumerate(line.places):
                # A number is its own letter; another name has it in the gap before.
                key, shift = (line.titles[index][:1], 0) if numbered else ("", -1)
                yield line.content_region.offset + Offset(max(at + shift, 0), 0), key, _choosing(line, index)
    for widget in screen.query("*"):
        if widget.focusable and widget.is_on_screen and widget.region.area:
            yield widget.region.offset, "", _focusing(widget)


def _choosing(line: TabLine, index: int) -> Callable[[], object]:
    return lambda: line.choose(index)


def _focusing(widget: Widget) -> Callable[[], object]:
    return widget.focus


class JumpScreen(ModalScreen[Target | None]):
    """Letters over the screen below.

    Args:
        targets: where one can go.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "stay", id="jump.stay")]

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        self._targets = targets

    def compose(self) -> ComposeResult:
        """A letter for each."""
        for target in self._targets:
            letter = Static(target.key, classes="jump")
            letter.styles.offset = (target.at.x, target.at.y)
            yield letter

    def on_key(self, event: events.Key) -> None:
        """Goes where the letter stands; any other key stays."""
        event.stop()
        event.prevent_default()
        self.dismiss(next((target for target in self._targets if target.key == event.character), None))

    def on_click(self) -> None:
        """Stays."""
        self.dismiss(None)
