"""A list of names with figures, and a pane about the one under the cursor.

Names come first, in one answer. Then the rows on the screen are asked for, each by itself, so that one behind a slow
broker does not keep the others; what has come is shown every tenth of a second. When the order or the filter needs
figures of rows that are not on the screen, a few of those are asked for with each refresh, and the title says of how
many they are known.

Below 110 columns the pane takes the list's place when a row is opened, and escape gives it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from textual import events, on, work
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from rmq.tui.formats import count, one_line
from rmq.tui.messages import DetailCame, FiguresCame, FormReady, NamesCame
from rmq.tui.screens.details import DetailPane
from rmq.tui.screens.header import Step
from rmq.tui.screens.listed import D, F, Listed
from rmq.tui.service.model import Problem
from rmq.tui.state.feed import Feed
from rmq.tui.state.seen import Seen
from rmq.tui.state.session import Session
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import FilterInput, Panel

KEPT: Final = 10_000
"""Names that a list has; of more than these it says how many are left out."""
_SWEEP: Final = 16
"""Rows off the screen that one refresh asks for, where order or filter need them."""
_TOGETHER: Final = 0.1
"""Seconds after which rows that have come are shown, while others are still awaited."""


class ListScreen(Listed[F, D]):
    """A numbered screen of this form.

    Args:
        session: what all screens share.
    """

    subject: str | None = None

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.names: Feed[tuple[str, ...]] = Feed()
        self.seen: dict[str, Seen[F]] = {}
        self.detail: Feed[D] = Feed()
        self._wanted: str | None = None
        self._generation = 0
        self._swept = 0
        # Once a refresh: what a sweep brings moves rows, which asks for the window again.
        self._sweeps = True
        self.left_out = 0
        self._timers_by_name: dict[str, Timer] = {}

    def shown_names(self) -> Sequence[str]:
        """Names that belong in the list."""
        return self.names.value or ()

    # --- layout ---------------------------------------------------------------------------------------------------

    def compose_body(self) -> Iterable[Widget]:
        """List and pane side by side."""
        self.list = self.LIST(self.columns(), label=self.MODE, empty="asking…", sort=self.SORT, identity="list")
        self.pane: DetailPane[D] = self.PANE(self.tabs())
        with Horizontal(id="body"):
            with Panel(id="left"):
                yield from self.compose_lists()
                yield FilterInput("column:>100")
            yield self.pane

    def compose_lists(self) -> Iterable[Widget]:
        """What is on the left."""
        yield self.list

    def on_mount(self) -> None:
        """Begins with the list."""
        super().on_mount()
        self.set_focus(self.list)
        self.show_title()

    @property
    def pane_is_shown(self) -> bool:
        """Whether the pane is on the screen."""
        return not self.is_narrow or self.has_class("-detail")

    # --- asking ---------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Asks for names, and with them for figures and detail, unless that is still under way."""
        if not self.is_asking("names"):
            self._ask_names()

    def poll_again(self) -> None:
        """Asks for everything now."""
        self._ask_names()

    @work(exclusive=True, group="names")
    async def _ask_names(self) -> None:
        generation = self.names.begin()
        self.post_message(NamesCame(generation, await self.ask_names()))

    @on(NamesCame)
    def names_came(self, message: NamesCame) -> None:
        """The list of names is there, or why it is not."""
        answer = message.answer[:KEPT] if isinstance(message.answer, tuple) else message.answer
        if not self.names.take(message.generation, answer, self.session.now()):
            return
        if isinstance(message.answer, tuple):
            self.left_out = max(len(message.answer) - KEPT, 0)
            self.seen = {name: self.seen.get(name) or Seen(name) for name in message.answer[:KEPT]}
            self._say_empty(self.NONE or f"there are no {self.MODE}")
        elif self.names.value is None:
            self._say_empty("no answer")
        self._sweeps = True
        self.show_rows()
        self._reach_wanted()
        if not self.list.keys:
            self.show_detail()
        if not self.is_asking("figures"):
            self.ask_window()
        if not self.is_asking("detail"):
            self.look()

    def _say_empty(self, why: str) -> None:
        if why != self.list.empty:
            self.list.empty = why
            self.list.refresh_line(1)

    def ask_window(self) -> None:
        """Asks for figures of the rows on the screen."""
        if self.session.paused or not self.is_current:
            return
        names = list(self.list.window) + self._sweep()
        if names:
            self._generation += 1
            self._ask_figures(self._generation, names)

    def _sweep(self) -> list[str]:
        if not self.list.needs_all or not self._sweeps:
            return []
        self._sweeps = False
        window = set(self.list.window)
        others = [name for name in self.shown_names() if name not in window]
        unknown = [name for name in others if not self.seen[name].at and self.seen[name].problem is None]
        pool = unknown or others
        start = 0 if unknown else self._swept % max(len(pool), 1)
        self._swept = start + _SWEEP
        return pool[start : start + _SWEEP]

    @work(exclusive=True, group="figures")
    async def _ask_figures(self, generation: int, names: Sequence[str]) -> None:
        waiting = {asyncio.ensure_future(self.ask_figures(name)): name for name in names}
        try:
            while waiting:
                done, _ = await asyncio.wait(waiting, timeout=_TOGETHER)
                if done:
                    self.post_message(FiguresCame(generation, {waiting.pop(task): task.result() for task in done}))
        finally:
            for task in waiting:
                task.cancel()

    @on(FiguresCame)
    def figures_came(self, message: FiguresCame) -> None:
        """Figures of some rows are there; those of an earlier question come too late."""
        if message.generation == self._generation:
            self.take_figures(message.figures)

    def take_figures(self, figures: Mapping[str, F]) -> None:
        """Shows figures of rows."""
        now = self.session.now()
        for name, told in figures.items():
            if name in self.seen:
                self.seen[name] = self.seen[name].told(told, now)
                if told.problem is None:
                    self.remember(told)
        self.show_rows()
        self.show_frame()

    # --- the list -------------------------------------------------------------------------------------------------

    def show_rows(self) -> None:
        """Brings the list up to date."""
        names = self.shown_names()
        self.list.update_rows({name: self.seen[name] for name in names if name in self.seen})
        self.show_title()

    def remarks(self) -> Sequence[str]:
        """What the list has not, and of how many rows the figures are known where order or filter need those of all."""
        found = [f"{count(self.left_out)} more names are left out"] if self.left_out else []
        known = sum(bool(row.at) for row in self.seen.values()) if self.list.needs_all else len(self.list.rows)
        return [*found, f"figures of {count(known)}"] if known < len(self.list.rows) else found

    @on(Grid.Viewed, "#list")
    def viewed(self, message: Grid.Viewed) -> None:
        """Other rows are on the screen: once that rests, they are asked for."""
        self.show_title()
        self._later("window", self.ask_window)

    @on(Grid.Highlighted, "#list")
    def highlighted(self, message: Grid.Highlighted) -> None:
        """The cursor is on another row: once that rests, the pane follows."""
        if isinstance(message, Grid.Selected):
            return
        self._subject_changed(message.key)
        self._later("detail", self.look)

    def _later(self, what: str, call: Callable[[], object]) -> None:
        if what in self._timers_by_name:
            self._timers_by_name[what].stop()
        self._timers_by_name[what] = self.set_timer(self.session.settle, call)

    def _subject_changed(self, name: str | None) -> None:
        if name == self.subject:
            return
        self.subject = name
        self.detail = self.detail.anew()
        self.show_detail()
        self.show_frame()

    def known_names(self) -> Sequence[str]:
        """See `FrameScreen`."""
        return self.names.value or ()

    # --- the pane -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Asks for everything about the row under the cursor, when the pane is on the screen."""
        if self.subject is not None and self.pane_is_shown and self.is_current and not self.session.paused:
            self._ask_detail(self.subject)

    @work(exclusive=True, group="detail")
    async def _ask_detail(self, name: str) -> None:
        feed = self.detail
        generation = feed.begin()
        self.post_message(DetailCame(generation, name, await self.ask_detail(name)))

    @on(DetailCame)
    def detail_came(self, message: DetailCame) -> None:
        """Everything about a row is there; dropped when the cursor has gone on."""
        if message.name != self.subject:
            return
        if self.detail.take(message.generation, message.answer, self.session.now()):
            if not isinstance(message.answer, Problem):
                self.detail_taken(message.answer)
            self.show_detail()
            self.show_frame()

    @work(exclusive=True, group="form")
    async def ask_for_form(self, name: str, *, delete: bool = False) -> None:
        """Asks anew for everything about one name, for a form that begins with it; see `FormReady`."""
        self.say("asking…")
        self.session.service.forget()
        self.post_message(FormReady(name, await self.ask_detail(name), delete))

    def detail_taken(self, detail: D) -> None:
        """Takes the row's figures from it, too."""
        figures = self.figures_of(detail)
        if self.subject is not None:
            self.take_figures({self.subject: figures})
            sample = self.sample(self.subject)
            if sample is not None:
                self.session.timelines.add((self.MODE, self.subject), self.session.now(), sample)

    def show_detail(self) -> None:
        """Brings the pane up to date."""
        feed = self.detail
        name = self.subject
        self.pane.entitle("" if name is None else self.headline(name, feed.value), self._pane_remark())
        nothing = "nothing is chosen" if name is None else "no answer" if feed.problem else "asking…"
        self.pane.show(feed.value, nothing)

    def _pane_remark(self) -> str:
        feed = self.detail
        if feed.problem is not None:
            known = f"as of {self.session.age(feed.at)} ago · " if feed.value is not None else ""
            return f"{known}✗ {feed.problem.cause}"
        missing = () if feed.value is None else self.problems_of(feed.value)
        return f"✗ {missing[0]}" if missing else ""

    def problem_at_hand(self) -> tuple[Problem, int] | None:
        """Of the list, else of the row under the cursor."""
        if self.names.problem is not None:
            return self.names.problem, self.names.since
        row = self.seen.get(self.subject or "")
        if row is not None and row.problem is not None:
            return row.problem, row.since
        return (self.detail.problem, self.detail.since) if self.detail.problem is not None else None

    def cluster_changed(self) -> None:
        """Which topics are internal may have become known; ages go on."""
        super().cluster_changed()
        if self.subject is not None:
            self.pane.entitle(self.headline(self.subject, self.detail.value), self._pane_remark())

    @on(Grid.Selected)
    def selected(self, message: Grid.Selected) -> None:
        """A row was opened: the list's opens the pane, the pane's leads elsewhere."""
        if message.grid is self.list:
            self.open_pane()
        elif message.grid is self.pane.grid and self.pane.tab.leads_to is not None:
            # The row may have gone since the key was pressed.
            row = message.grid.rows.get(message.key or "")
            if row is not None:
                self.rmq.drill(*self.pane.tab.leads_to(row))
            elif message.key is not None:
                self.say(f"{one_line(message.key)} has gone")

    @on(events.DescendantFocus)
    def focus_moved(self) -> None:
        """The way leads into the pane, into another tab of it, or out of it."""
        self.show_frame()

    def follow_cursor(self) -> None:
        """Has the pane be about the row under the cursor at once, for a key that comes before the pane has followed."""
        if self.list.has_focus and self.list.current != self.subject:
            self._subject_changed(self.list.current)
            self._later("detail", self.look)

    def open_pane(self) -> None:
        """Goes to the pane, which takes the list's place where there is no room for both."""
        if self.subject is None:
            return
        self.add_class("-detail")
        self.call_after_refresh(self.pane.grid.focus)
        if self.is_narrow:
            self.look()

    def action_back(self) -> None:
        """Out of the pane, then out of the filter, then to where the user came from."""
        if self.has_class("-detail") or self.pane.grid.has_focus:
            self.close_pane()
        elif self.list.filter_text:
            self.narrow("")
        else:
            super().action_back()

    def steps(self) -> list[Step]:
        """See `FrameScreen`; the pane's row while the pane has the focus."""
        grid = self.pane.grid
        if not grid.has_focus or self.subject is None:
            return [(self.TITLE, self.subject)]
        return [(self.TITLE, self.subject), (self.pane.tab.title, None if self.pane.tab.charts else grid.current)]

    def command_for(self, grid: Grid, key: str) -> str:
        """See `FrameScreen`."""
        if grid is not self.list and self.subject is not None:
            return self.mqadmin(*self.pane.tab.command(self.subject, key))
        return self.mqadmin(*self.row_command(key))

    def go_to(self, name: str) -> None:
        """Puts the cursor on a name, once it is known, and opens the pane."""
        self._wanted = name
        self._reach_wanted()

    def _reach_wanted(self) -> None:
        name = self._wanted
        if name is None or self.names.value is None:
            return
        self._wanted = None
        if name not in self.names.value:
            self.say(f"there is no {self.WHAT} {one_line(name)}")
            return
        self.reveal(name)
        if not self.list.go_to(name) and self.list.filter_text:
            self.list.set_filter("")
            self.list.go_to(name)
        self._subject_changed(name)
        self.open_pane()
        self.look()

    def reveal(self, name: str) -> None:
        """Has the list show a name that it usually leaves out."""
