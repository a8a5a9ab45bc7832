"""The application: which screens there are, the poll of the cluster, and how one gets from screen to screen.

One timer asks for everything: the cluster for the header, and what the front screen shows. It rests while the terminal
has not the focus and while the user has paused it. What is still under way when it fires is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from rmq.tui.application.commanding import CommandingApp
from rmq.tui.application.remapping import RemappingApp
from rmq.tui.config.contexts import DEFAULT_THEME, Context
from rmq.tui.messages import ClusterCame
from rmq.tui.screens.acl import AclScreen
from rmq.tui.screens.clients import ClientsScreen
from rmq.tui.screens.cluster import ClusterScreen
from rmq.tui.screens.dead_letters import DeadLettersScreen
from rmq.tui.screens.frame import FrameScreen
from rmq.tui.screens.groups import GroupsScreen
from rmq.tui.screens.messages import MessagesScreen
from rmq.tui.screens.ops import OpsScreen
from rmq.tui.screens.topics import TopicsScreen
from rmq.tui.screens.trace import TraceScreen
from rmq.tui.service.model import Cluster
from rmq.tui.service.protocol import AdminService
from rmq.tui.state.sampling import sample_cluster
from rmq.tui.state.session import INTERVALS, Session

SCREENS: Final[tuple[type[FrameScreen], ...]] = (
    ClusterScreen,
    TopicsScreen,
    GroupsScreen,
    MessagesScreen,
    ClientsScreen,
    DeadLettersScreen,
    TraceScreen,
    AclScreen,
    OpsScreen,
)
"""The numbered screens, in their order."""
_START: Final = TopicsScreen.MODE
_TRAIL: Final = 20
_SAMPLE: Final = 1.0
"""Seconds between samples of the cluster, while they are drawn."""


class RmqApp(CommandingApp, RemappingApp):
    """The terminal interface.

    Args:
        session: the cluster that is looked at.
        theme: name of the colours.
        opened: mode and name of what is shown at first, as `("topics", "Orders")`.
        contexts: other clusters, by name.
        connect: gives a service of one of them.
        keymap: keys by the id of their binding.
    """

    CSS_PATH = "rmq.tcss"
    TITLE = "rmq"
    ENABLE_COMMAND_PALETTE = True
    screens_in_order = SCREENS
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(screen.NUMBER), f"show('{screen.MODE}')", screen.TITLE, show=False, id=f"app.{screen.MODE}")
            for screen in SCREENS
        ),
        Binding("ctrl+t", "next_theme", "theme", id="app.theme", show=False),
        Binding("f8", "picture", "SVG screenshot", id="app.picture", show=False),
    ]

    def __init__(
        self,
        session: Session,
        *,
        theme: str = DEFAULT_THEME,
        opened: tuple[str, str] | None = None,
        contexts: Mapping[str, Context] | None = None,
        connect: Callable[[Context], AdminService] | None = None,
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self.contexts = contexts or {}
        self.connect = connect or (lambda context: session.service)
        self._opened = opened
        self._wanted_keys = dict(keymap or {})
        self._first_theme = theme
        self.trail: list[tuple[str, str | None]] = []
        self._timer: Timer | None = None
        self._sampler: Timer | None = None
        self._shown: list[FrameScreen] = []

    def on_mount(self) -> None:
        """Begins with the topics, or with what was to be opened."""
        self.take_keymap(self._wanted_keys)
        self.theme = self._first_theme
        self.begin(self._opened[0] if self._opened is not None else _START)
        if self._opened is not None and self._opened[1]:
            self.call_after_refresh(self._open, *self._opened)

    def begin(self, mode: str) -> None:
        """See `SwitchingApp`."""
        self.trail = []
        for screen in SCREENS:
            self.add_mode(screen.MODE, self._maker(screen))
        self.switch_mode(mode)
        self.poll_cluster()
        self._start_timer()

    def modes(self) -> list[str]:
        """See `SwitchingApp`."""
        return [screen.MODE for screen in SCREENS]

    def _maker(self, screen: type[FrameScreen]) -> Callable[[], Screen[Any]]:
        def make() -> Screen[Any]:
            made = screen(self.session)
            self._shown = [*(other for other in self._shown if other.is_attached), made]
            return made

        return make

    def _open(self, mode: str, name: str) -> None:
        if isinstance(self.screen, FrameScreen):
            self.screen.go_to(name)

    # --- asking ---------------------------------------------------------------------------------------------------

    def _start_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_interval(self.session.refresh, self.tick)
        if self._sampler is not None:
            self._sampler.stop()
        self._sampler = None if self.session.refresh <= _SAMPLE else self.set_interval(_SAMPLE, self.sample)

    def tick(self) -> None:
        """Asks again, unless nobody looks or the user has paused it."""
        if self.session.paused or not self.app_focus:
            return
        self._ask_cluster()
        screen = self.front
        if screen is not None:
            screen.poll()

    def sample(self) -> None:
        """Asks for the cluster between refreshes, while a screen is in front that draws it and somebody looks."""
        front = self.front
        if front is not None and front.SAMPLES and self.app_focus and not self.session.paused:
            self._ask_cluster()

    def _ask_cluster(self) -> None:
        if not any(worker.group == "cluster" and not worker.is_finished for worker in self.workers):
            self.poll_cluster()

    @property
    def front(self) -> FrameScreen | None:
        """The numbered screen, when no dialog is over it."""
        stack = self.screen_stack
        return stack[-1] if stack and isinstance(stack[-1], FrameScreen) else None

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
            sample_cluster(message.answer, now, session.history, session.timelines)
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.cluster_changed()

    async def on_unmount(self) -> None:
        """Leaves no connection behind."""
        await self.session.service.close()

    # --- from screen to screen ------------------------------------------------------------------------------------

    def show(self, mode: str) -> None:
        """Brings a screen to the front; one that was opened over it makes way."""
        if mode != self.current_mode:
            self.switch_mode(mode)
        elif len(self.screen_stack) > 1 and self.front is not None:
            self.pop_screen()

    def drill(self, mode: str, name: str) -> None:
        """Goes to one thing; escape leads back."""
        here = self.front
        if here is not None:
            self.trail = [*self.trail, (self.current_mode, here.subject)][-_TRAIL:]
        self.show(mode)
        self.call_after_refresh(self._open, mode, name)

    def back(self) -> None:
        """Goes back along the trail, as far as it leads."""
        if not self.trail:
            return
        mode, name = self.trail.pop()
        self.show(mode)
        if name is not None:
            self.call_after_refresh(self._open, mode, name)

    def living_screens(self) -> Iterable[FrameScreen]:
        """See `CommandingApp`."""
        return (screen for screen in self._shown if screen.is_attached)

    # --- keys -----------------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Gives a line its character that was typed before the line had the focus, as keys in one burst are.

        A line takes its own characters. One that comes here was on its way already when the line was opened, and would
        else be taken for a key of the screen.
        """
        line = self.focused
        if isinstance(line, Input) and event.character is not None and event.is_printable:
            event.prevent_default().stop()
            line.insert_text_at_cursor(event.character)

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
