"""The application: which screens there are, the poll of the cluster, and how one gets from screen to screen.

One timer asks for everything: the cluster for the header, and what the front screen shows. It rests while the terminal
has not the focus and while the user has paused it. What is still under way when it fires is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar, Final

from textual import events, on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer

from rmq.tui.messages import ClusterCame
from rmq.tui.screens.cluster import ClusterScreen
from rmq.tui.screens.frame import FrameScreen
from rmq.tui.screens.groups import GroupsScreen
from rmq.tui.screens.lists import ListScreen
from rmq.tui.screens.topics import TopicsScreen
from rmq.tui.service.model import Cluster
from rmq.tui.state.session import INTERVALS, Session
from rmq.tui.widgets.lines import LineInput

SCREENS: Final[tuple[type[ListScreen[Any, Any]], ...]] = (ClusterScreen, TopicsScreen, GroupsScreen)
"""The numbered screens, in their order."""
DEFAULT_THEME: Final = "textual-dark"
_START: Final = TopicsScreen.MODE
_TRAIL: Final = 20


class RmqApp(App[None]):
    """The terminal interface.

    Args:
        session: the cluster that is looked at.
        theme: name of the colours.
        opened: mode and name of what is shown at first, as `("topics", "Orders")`.
    """

    CSS_PATH = "rmq.tcss"
    TITLE = "rmq"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(screen.NUMBER), f"show('{screen.MODE}')", screen.TITLE, show=False, id=f"app.{screen.MODE}")
            for screen in SCREENS
        ),
        Binding("ctrl+t", "next_theme", "theme", id="app.theme", show=False),
        Binding("f8", "picture", "SVG screenshot", id="app.picture", show=False),
    ]

    def __init__(self, session: Session, *, theme: str = DEFAULT_THEME, opened: tuple[str, str] | None = None) -> None:
        super().__init__()
        self.session = session
        self._opened = opened
        self._first_theme = theme
        self._trail: list[tuple[str, str | None]] = []
        self._timer: Timer | None = None
        self.screens_in_order = SCREENS

    def on_mount(self) -> None:
        """Begins with the topics, or with what was to be opened."""
        self.theme = self._first_theme
        for screen in SCREENS:
            self.add_mode(screen.MODE, self._maker(screen))
        self.switch_mode(self._opened[0] if self._opened is not None else _START)
        if self._opened is not None and self._opened[1]:
            self.call_after_refresh(self._open, *self._opened)
        self.poll_cluster()
        self._start_timer()

    def _maker(self, screen: type[FrameScreen]) -> Callable[[], Screen[Any]]:
        return lambda: screen(self.session)

    def _open(self, mode: str, name: str) -> None:
        if isinstance(self.screen, FrameScreen):
            self.screen.go_to(name)

    # --- asking ---------------------------------------------------------------------------------------------------

    def _start_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_interval(self.session.refresh, self.tick)

    def tick(self) -> None:
        """Asks again, unless nobody looks or the user has paused it."""
        if self.session.paused or not self.app_focus:
            return
        if not any(worker.group == "cluster" and not worker.is_finished for worker in self.workers):
            self.poll_cluster()
        screen = self.front
        if screen is not None:
            screen.poll()

    @property
    def front(self) -> FrameScreen | None:
        """The numbered screen, when no dialog is over it."""
        return self.screen if isinstance(self.screen, FrameScreen) else None

    @work(exclusive=True, group="cluster")
    async def poll_cluster(self) -> None:
        """Asks for brokers and name servers."""
        generation = self.session.cluster.begin()
        self.post_message(ClusterCame(generation, await self.session.service.cluster()))

    @on(ClusterCame)
    def cluster_came(self, message: ClusterCame) -> None:
        """Brokers and name servers are there, or why not."""
        session, now = self.session, self.session.now()
        if not session.cluster.take(message.generation, message.answer, now):
            return
        if isinstance(message.answer, Cluster):
            for broker in message.answer.brokers:
                if broker.problem is None:
                    session.history.count(("broker", broker.address, "in"), now, broker.put_total)
                    session.history.count(("broker", broker.address, "out"), now, broker.get_total)
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.cluster_changed()

    async def on_unmount(self) -> None:
        """Leaves no connection behind."""
        await self.session.service.close()

    # --- from screen to screen ------------------------------------------------------------------------------------

    def show(self, mode: str) -> None:
        """Brings a screen to the front."""
        if mode != self.current_mode:
            self.switch_mode(mode)

    def drill(self, mode: str, name: str) -> None:
        """Goes to one thing; escape leads back."""
        here = self.front
        if isinstance(here, ListScreen):
            self._trail = [*self._trail, (here.MODE, here.subject)][-_TRAIL:]
        self.show(mode)
        self.call_after_refresh(self._open, mode, name)

    def back(self) -> None:
        """Goes back along the trail, as far as it leads."""
        if not self._trail:
            return
        mode, name = self._trail.pop()
        self.show(mode)
        if name is not None:
            self.call_after_refresh(self._open, mode, name)

    # --- command line ---------------------------------------------------------------------------------------------

    def suggestions(self) -> list[str]:
        """Command lines that make sense now."""
        lines = [*(screen.MODE for screen in SCREENS), "quit", *(f"theme {name}" for name in self.available_themes)]
        for mode, word in (("topics", "topic"), ("groups", "group")):
            for screen in self._screen_stacks.get(mode, []):
                if isinstance(screen, ListScreen):
                    lines += [f"{word} {name}" for name in screen.names.value or ()]
        return lines

    def run_line(self, line: str) -> str:
        """Does what a command line says; returns why not, or nothing."""
        word, _, argument = line.strip().removeprefix(":").partition(" ")
        argument = argument.strip()
        commands: dict[str, Callable[[], object]] = {screen.MODE: _showing(self, screen.MODE) for screen in SCREENS}
        with_name = {"topic": "topics", "group": "groups", "broker": "cluster"}
        if word in with_name:
            if not argument:
                return f":{word} needs a name"
            self.drill(with_name[word], argument)
            return ""
        if word == "theme":
            return self._take_theme(argument)
        if word in {"q", "quit"}:
            self.exit()
            return ""
        if word in commands:
            commands[word]()
            return ""
        if not word:
            return ""
        near = get_close_matches(word, [*commands, *with_name, "theme", "quit"], n=1)
        return f":{word:.40} is unknown" + (f"; did you mean :{near[0]}?" if near else "")

    def _take_theme(self, name: str) -> str:
        if name not in self.available_themes:
            return f"there is no theme {name:.40}; there are {', '.join(sorted(self.available_themes))}"
        self.theme = name
        return ""

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: Textual's own, and the screens."""
        yield from super().get_system_commands(screen)
        for numbered in SCREENS:
            yield SystemCommand(numbered.TITLE, f"Go to the screen {numbered.TITLE}", _showing(self, numbered.MODE))

    # --- keys -----------------------------------------------------------------------------------------------------

    def action_show(self, mode: str) -> None:
        """Brings a screen to the front; not while a dialog is open."""
        if self.front is not None:
            self.show(mode)

    def action_next_theme(self) -> None:
        """Takes the next colours."""
        names = [name for name in self.available_themes if name != "textual-ansi"]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
        self.notify(self.theme, title="Theme", timeout=2)

    def action_picture(self) -> None:
        """Saves what the terminal shows."""
        try:
            path = self.save_screenshot()
        except OSError as error:
            self.notify(f"cannot be written: {error.strerror}", title="Screenshot", severity="error", markup=False)
            return
        self.notify(path, title="Screenshot", markup=False, timeout=3)

    def action_interval(self, step: int) -> None:
        """Refreshes less or more often."""
        slower = [seconds for seconds in INTERVALS if seconds > self.session.refresh]
        faster = [seconds for seconds in INTERVALS if seconds < self.session.refresh]
        chosen: Sequence[float] = slower[:1] if step > 0 else faster[-1:]
        if chosen:
            self.session.refresh = chosen[0]
            self._start_timer()
            self._show_frame()

    def action_pause(self) -> None:
        """Asks for nothing until the key is pressed again."""
        self.session.paused = not self.session.paused
        self._show_frame()
        if not self.session.paused:
            self.tick()

    def _show_frame(self) -> None:
        if self.front is not None:
            self.front.show_frame()

    def on_app_focus(self) -> None:
        """The terminal has the focus again."""
        self.tick()

    def on_key(self, event: events.Key) -> None:
        """Escape in the line inputs of a screen closes them."""
        focused, screen = self.focused, self.front
        if event.key == "escape" and screen is not None and isinstance(focused, LineInput):
            if focused.id == "command":
                screen.close_command()
            elif isinstance(screen, ListScreen):
                focused.value = ""
                screen.close_filter()


def _showing(app: RmqApp, mode: str) -> Callable[[], None]:
    return lambda: app.show(mode)
