"""The application's part about its command line and its palette: words, what they do, and what could come next.

A word is the name of a screen, what one row of a screen is called (`topic NAME`), or one of those below. Screens tell
their words themselves, so a new screen needs nothing here.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar, Final

from textual.app import SystemCommand
from textual.screen import Screen

from rmq.tui.application.switching import WORDS as PLACE_WORDS
from rmq.tui.application.switching import SwitchingApp
from rmq.tui.formats import one_line
from rmq.tui.screens.frame import FrameScreen
from rmq.tui.screens.output import OutputScreen
from rmq.tui.service.changes.command_lines import RunCommand

_OWN: Final = ("mqadmin", "theme", "help", "quit")
_NAMESERVERS: Final = ("-n", "--namesrvAddr")
_KEPT: Final = 100
_PALETTE: Final = (
    ("Command line", "Type a command, such as topic NAME or mqadmin topicList", "command"),
    ("Help", "What the focused part is for, and its keys", "help"),
    ("Jump", "A letter for every pane, tab and table", "jump"),
    ("Copy", "Cell, row, JSON or mqadmin command", "copy"),
    ("Export", "Write the rows to a file", "export"),
    ("Filter", "Show only rows that match", "filter"),
    ("Refresh now", "Ask for everything anew", "refresh_now"),
)
"""What the palette offers of a screen: title, help, and the action."""


class CommandingApp(SwitchingApp):
    """An application with a command line.

    Attributes:
        screens_in_order: the numbered screens.
        lines_run: what was typed, the newest last.
    """

    screens_in_order: ClassVar[Sequence[type[FrameScreen]]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.lines_run: list[str] = []

    def show(self, mode: str) -> None:
        """Brings a screen to the front."""
        raise NotImplementedError

    def drill(self, mode: str, name: str) -> None:
        """Goes to one thing."""
        raise NotImplementedError

    # --- words ----------------------------------------------------------------------------------------------------

    def _opening(self) -> dict[str, str]:
        """Modes by what one thing of theirs is called."""
        return {screen.WHAT: screen.MODE for screen in self.screens_in_order if screen.WHAT}

    def suggestions(self) -> list[str]:
        """Command lines that make sense now; the newest that were typed come first."""
        lines = [*reversed(self.lines_run), *(screen.MODE for screen in self.screens_in_order)]
        lines += [word for word in _OWN if word not in {"mqadmin", "theme"}]
        lines += [f"theme {name}" for name in self.available_themes]
        lines += self.place_lines()
        for screen in self.living_screens():
            if screen.WHAT:
                lines += [f"{screen.WHAT} {name}" for name in screen.known_names()]
        return [*lines, *(f"mqadmin {name}" for name in self.session.service.command_summaries())]

    def living_screens(self) -> Iterable[FrameScreen]:
        """Numbered screens that were shown so far."""
        raise NotImplementedError

    def run_line(self, line: str) -> str:
        """Does what a command line says; returns why not, or what there is to say."""
        line = line.strip().removeprefix(":").strip()
        word, _, argument = line.partition(" ")
        argument = argument.strip()
        if not word:
            return ""
        self.lines_run = [*(known for known in self.lines_run if known != line), line][-_KEPT:]
        opening = self._opening()
        if word in opening and (argument or word not in self.modes()):
            if not argument:
                return f":{word} needs a name"
            self.drill(opening[word], argument)
            return ""
        if word in PLACE_WORDS:
            return self.run_place_line(word, argument)
        if word in self.modes():
            self.show(word)
            return ""
        return self._own_line(word, argument)

    def _own_line(self, word: str, argument: str) -> str:
        match word:
            case "mqadmin":
                return self._mqadmin(argument)
            case "theme":
                return self._take_theme(argument)
            case "help":
                return self._front_action("help")
            case "q" | "quit":
                self.call_later(self.action_quit)
                return ""
        near = get_close_matches(word, [*self.modes(), *self._opening(), *PLACE_WORDS, *_OWN], n=1)
        advice = f"did you mean :{near[0]}?" if near else "try :topic NAME, :group NAME, :ctx NAME or :mqadmin COMMAND"
        return f":{one_line(word):.40} is unknown; {advice}"

    def _take_theme(self, name: str) -> str:
        if name not in self.available_themes:
            return f"there is no theme {one_line(name):.40}; there are {', '.join(sorted(self.available_themes))}"
        self.theme = name
        return ""

    def _front_action(self, action: str) -> str:
        front = self.front
        if front is not None:
            self.call_later(front.run_action, action)
        return ""

    # --- mqadmin --------------------------------------------------------------------------------------------------

    def _mqadmin(self, argument: str) -> str:
        try:
            words = shlex.split(argument)
        except ValueError as error:
            return f"the line cannot be read: {error}"
        if not words:
            return ":mqadmin needs a command, such as :mqadmin topicList"
        service = self.session.service
        kind = service.command_kind(words[0])
        if kind is None:
            near = get_close_matches(words[0], service.command_summaries(), n=1)
            return f"mqadmin has no command {one_line(words[0]):.40}" + (f"; did you mean {near[0]}?" if near else "")
        if kind.asks_nameservers and any(word.startswith(_NAMESERVERS) for word in words[1:]):
            return "-n is that of the context; :ctx NAME goes to another"
        words[0] = kind.name
        asks_only = any(word in {"-h", "--help", "--dry-run"} for word in words[1:])
        if kind.changes and not asks_only:
            if self.session.read_only:
                return f"{kind.name} can change something, and {one_line(self.session.name)} is read-only"
            self.propose(RunCommand(tuple(words)))
        else:
            self.push_screen(OutputScreen(self.session, words))
        return ""

    # --- palette --------------------------------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: Textual's own, the screens, what the screen in front can do, and the contexts."""
        yield from super().get_system_commands(screen)
        for numbered in self.screens_in_order:
            title = f"Go to {numbered.TITLE}"
            yield SystemCommand(title, f"The screen {numbered.TITLE} (key {numbered.NUMBER})", self._shower(numbered))
        if isinstance(screen, FrameScreen):
            for title, about, action in _PALETTE:
                if hasattr(screen, f"action_{action}"):
                    yield SystemCommand(title, about, self._runner(screen, action))
            yield from self._actions_of(screen)
        yield SystemCommand("Pause or go on", "Ask for nothing until it is chosen again", self._runner(self, "pause"))
        yield SystemCommand("Next theme", "Other colours, for this run", self._runner(self, "next_theme"))
        for name in self.contexts:
            yield SystemCommand(f"Context {one_line(name)}", "Look at another cluster", self._liner(f"ctx {name}"))

    def _actions_of(self, screen: FrameScreen) -> Iterable[SystemCommand]:
        common = {getattr(binding, "id", None) for binding in FrameScreen.BINDINGS}
        for active in screen.active_bindings.values():
            binding = active.binding
            ours = active.node is screen or (active.node is not self and binding.show)
            if active.enabled and ours and binding.description and binding.id not in common:
                about = f"{screen.TITLE}: {binding.description} (key {self.get_key_display(binding)})"
                yield SystemCommand(binding.description.capitalize(), about, self._runner(active.node, binding.action))

    def _shower(self, screen: type[FrameScreen]) -> Callable[[], None]:
        return lambda: self.show(screen.MODE)

    def _runner(self, node: Any, action: str) -> Callable[[], Any]:
        return lambda: self.call_later(node.run_action, action)

    def _liner(self, line: str) -> Callable[[], object]:
        return lambda: self.run_line(line)

