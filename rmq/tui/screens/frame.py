"""What every numbered screen has: header, names of the screens, status, command line, footer, and the global keys.

Letter keys are bindings of screens and tables without priority, so that an input which has the focus gets every
character.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker

from rmq.tui import formats
from rmq.tui.screens.dialogs import CopyDialog, ExportDialog, help_of
from rmq.tui.screens.header import Step, crumbs, header, operation
from rmq.tui.screens.jump import JumpScreen, Target, targets
from rmq.tui.service.model import Problem
from rmq.tui.state.session import Session
from rmq.tui.table import exports
from rmq.tui.widgets.changing import Changing
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.keys import KeyLine
from rmq.tui.widgets.lines import CommandInput, LineInput, TabLine, TextLine

if TYPE_CHECKING:
    from rmq.tui.app import RmqApp

T = TypeVar("T")


class FrameScreen(Changing, Screen[None]):
    """A numbered screen.

    Args:
        session: what all screens share.
    """

    MODE: ClassVar[str]
    """Its name, as the command line knows it."""
    NUMBER: ClassVar[int]
    TITLE: ClassVar[str]
    WHAT: ClassVar[str] = ""
    """One thing that it shows, in the singular; the command line opens one by this word and its name."""
    SAMPLES: ClassVar[bool] = False
    """Whether it draws what goes through the cluster, and wants to know every second."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "command", "command", key_display=":", id="screen.command"),
        Binding("question_mark", "help", "help", key_display="?", id="screen.help"),
        Binding("escape", "back", "back", id="screen.back", show=False),
        Binding("o", "jump", "jump", id="screen.jump", show=False),
        Binding("r", "refresh_now", "refresh", id="screen.refresh", show=False),
        Binding("plus", "app.interval(1)", "slower", key_display="+", id="screen.slower", show=False),
        Binding("minus", "app.interval(-1)", "faster", key_display="-", id="screen.faster", show=False),
        Binding("z", "app.pause", "pause", id="screen.pause", show=False),
        Binding("q", "app.quit", "quit", id="screen.quit"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._remark = ""
        self._before: Widget | None = None

    @property
    def rmq(self) -> RmqApp:
        """The application."""
        return cast("RmqApp", self.app)

    @property
    def subject(self) -> str | None:
        """The name of what is looked at."""
        return None

    # --- layout ---------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Header, names, what the screen shows, status and footer."""
        yield TextLine(id="top")
        yield TabLine(id="nav")
        yield from self.compose_body()
        yield TextLine(id="status")
        command = CommandInput(
            "topic NAME · group NAME · mqadmin COMMAND · ctx NAME · help · q",
            lambda: self.rmq.lines_run[::-1],
            id="command",
        )
        command.display = False
        yield command
        yield KeyLine()

    def compose_body(self) -> Iterable[Widget]:
        """What is between the names of the screens and the status."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Shows what is known before the first answer."""
        self.set_class(self.session.context.production, "-production")
        self.show_frame()

    def on_resize(self, event: events.Resize) -> None:
        """Lets the width decide how much is shown side by side."""
        self.set_class(event.size.width < 110, "-narrow")
        self.show_frame()

    @on(events.ScreenResume)
    def resumed(self) -> None:
        """Comes to the front: asks at once."""
        self.show_frame()
        self.poll()

    # --- what is asked --------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Asks for what the screen shows; what is still under way is not asked again."""
        raise NotImplementedError

    def poll_again(self) -> None:
        """Asks now, whatever is under way."""
        raise NotImplementedError

    def is_asking(self, group: str) -> bool:
        """Whether a worker of a group is under way."""
        return any(worker.node is self and worker.group == group and not worker.is_finished for worker in self.workers)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Workers report through messages of their own."""
        event.stop()

    def cluster_changed(self) -> None:
        """Brokers or name servers have been asked."""
        self.show_frame()

    def operations_changed(self) -> None:
        """A change of the cluster was begun, has gone on, or has ended."""
        self.show_frame()

    def go_to(self, name: str) -> None:
        """Shows one thing."""
        raise NotImplementedError

    def known_names(self) -> Sequence[str]:
        """Names of things that it could show."""
        return ()

    # --- lines ----------------------------------------------------------------------------------------------------

    def show_frame(self) -> None:
        """Brings header, names and status up to date."""
        self.query_one("#top", TextLine).say(header(self.session, self.size.width))
        screens = self.rmq.screens_in_order
        nav = self.query_one("#nav", TabLine)
        nav.show_tabs(
            [f"{screen.NUMBER} {screen.TITLE}" for screen in screens],
            next(index for index, screen in enumerate(screens) if screen.MODE == self.MODE),
            width=self.size.width - 2,
        )
        self.query_one("#status", TextLine).say(self._status())

    def say(self, remark: str) -> None:
        """Puts a remark into the status line, until a key is pressed."""
        self._remark = remark
        self.show_frame()

    def usable(self, answer: T | Problem) -> T | None:
        """What was asked for to go on with; None when it is a problem, which is said, or when the user has gone."""
        self.say("")
        if not self.is_current:
            return None
        if isinstance(answer, Problem):
            self.say(str(answer))
            return None
        return answer

    def on_key(self) -> None:
        """A remark has been seen."""
        if self._remark:
            self.say("")

    def problem_at_hand(self) -> tuple[Problem, int] | None:
        """What is wrong with what the screen shows, and since when (ms)."""
        return None

    def steps(self) -> list[Step]:
        """What is shown, from the screen down to the row under the cursor."""
        return [(self.TITLE, None)]

    def _status(self) -> Text:
        if self._remark:
            return Text.assemble((f" {self._remark}", "yellow"))
        cluster = self.session.cluster
        found = (cluster.problem, cluster.since) if cluster.problem is not None else self.problem_at_hand()
        if found is None or self.session.ops.running:
            way = self._way()
            return way.append_text(operation(self.session, self.size.width - way.cell_len))
        problem, since = found
        text = Text.assemble((f" ✗ {formats.one_line(str(problem))}", "bold red"), f"  for {self.session.age(since)}")
        if cluster.problem is not None and cluster.at:
            text.append(f", last answer {self.session.age(cluster.at)} ago")
        if problem.remedy:
            text.append(f" · {problem.remedy}", "dim")
        return text

    def _way(self) -> Text:
        room = self.size.width // 2 if self.session.ops.operations else self.size.width
        return crumbs([*((_title(self.rmq, mode), name) for mode, name in self.rmq.trail), *self.steps()], room)

    # --- keys -----------------------------------------------------------------------------------------------------

    @property
    def grid(self) -> Grid | None:
        """The table that keys are about."""
        return self.focused if isinstance(self.focused, Grid) else None

    def command_for(self, grid: Grid, key: str) -> str:
        """The mqadmin command that shows what a row shows."""
        raise NotImplementedError

    def mqadmin(self, command: str, *options: str) -> str:
        """A command line of mqadmin for this cluster."""
        return self.session.command_line((command, *options))

    def action_refresh_now(self) -> None:
        """Asks for everything anew."""
        self.session.service.forget()
        self.rmq.poll_cluster()
        self.poll_again()

    def action_back(self) -> None:
        """Goes back to where the user came from."""
        self.rmq.back()

    def action_copy(self) -> None:
        """Offers texts of the current row."""
        grid = self.grid
        if grid is None or grid.current is None:
            return
        rows = [grid.rows[key] for key in grid.chosen]
        plain = [exports.plain(grid.columns, row) for row in rows]
        texts = {
            "cell": grid.cell_text(),
            "row" if len(rows) == 1 else f"{len(rows)} rows": "\n".join(
                "\t".join(column.text(row).strip() for column in grid.columns) for row in rows
            ),
            "JSON": exports.as_json(plain) if len(plain) > 1 else exports.as_jsonl(plain).strip(),
            "mqadmin": "\n".join(dict.fromkeys(self.command_for(grid, key) for key in grid.chosen)),
        }
        self.app.push_screen(CopyDialog(texts))

    def action_export(self) -> None:
        """Offers to write the marked rows, or all that are shown."""
        grid = self.grid
        if grid is None or not grid.keys:
            self.say("there are no rows to export")
            return
        keys = [key for key in grid.keys if key in grid.marked] or grid.keys
        rows = [exports.plain(grid.columns, grid.rows[key]) for key in keys]
        self.app.push_screen(ExportDialog(rows, grid.label, f"{grid.label.replace(' ', '-')}.json", self.session.save))

    def action_help(self) -> None:
        """Explains the focused part."""
        self.app.push_screen(help_of(self))

    def action_jump(self) -> None:
        """Puts a letter on everything one can go to."""
        self.app.push_screen(JumpScreen(targets(self)), self._jumped)

    def _jumped(self, target: Target | None) -> None:
        if target is not None:
            target.go()

    # --- command line ---------------------------------------------------------------------------------------------

    def action_command(self) -> None:
        """Opens the command line."""
        command = self.query_one("#command", CommandInput)
        command.rest()
        command.value = ""
        command.suggester = SuggestFromList(self.rmq.suggestions())
        self._before = self.focused
        self.query_one("#status").display = False
        command.display = True
        self.set_focus(command)

    def action_close_command(self) -> None:
        """Gives the line back to the status."""
        command = self.query_one("#command", LineInput)
        command.display = False
        self.query_one("#status").display = True
        if self._before is not None:
            self.set_focus(self._before)

    @on(Input.Submitted, "#command")
    def run_command(self, event: Input.Submitted) -> None:
        """Does what the line says."""
        event.stop()
        self.action_close_command()
        refusal = self.rmq.run_line(event.value)
        if refusal:
            self.say(refusal)

    @on(TabLine.Chosen)
    def choose_screen(self, event: TabLine.Chosen) -> None:
        """A screen's name was clicked."""
        if event.line.id == "nav":
            self.rmq.show(self.rmq.screens_in_order[event.index].MODE)


def _title(app: RmqApp, mode: str) -> str:
    return next(screen.TITLE for screen in app.screens_in_order if mode == screen.MODE)
