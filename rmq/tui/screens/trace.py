"""What happened to one message: when it was sent, stored and consumed, by whom, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from rmq.tui import formats
from rmq.tui.messages import TraceCame
from rmq.tui.screens.frame import FrameScreen
from rmq.tui.screens.header import Step
from rmq.tui.service.model import Problem, StepKind, Traced, TraceStep
from rmq.tui.state.feed import Feed
from rmq.tui.state.session import Session
from rmq.tui.table.columns import BAD, DIM, GOOD, PLAIN, WARN, Column
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import LineInput, Panel, TextLine
from rmq.tui.widgets.trace_bars import TraceBars

PROMPT: Final = "TOPIC/ID or ID; then perhaps a comma and the trace topic"
_WIDE: Final = 160
WELCOME: Final = (
    "Press i and type the id of a message, or press T on one of the screens Messages and DLQ.\n"
    "An id alone will do when its producer traces; with its topic, more can be told of a message that nobody traces."
)


class TraceInput(LineInput):
    """Where the id is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "ask", id="trace.submit"),
        Binding("escape", "screen.leave_query", "to the steps", id="trace.leave"),
        Binding("down", "screen.leave_query", "back to the steps", id="trace.down", show=False),
    ]


class StepGrid(Grid):
    """The steps of a message's way."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "screen.filter", "ask", key_display="/", id="trace.ask", show=False),
    ]
    HELP: ClassVar[str] = (
        "What happened to a message, in order. The bars show when and how long; the one of the step under the cursor "
        "stands out. `enter` goes to the consumer group of a consumption, and to the message from the other steps. `i` "
        "asks for another message. " + Grid.HELP
    )


class TraceScreen(FrameScreen):
    """The screen of a message's way."""

    MODE = "trace"
    NUMBER = 7
    TITLE = "Trace"
    WHAT = "trace"
    subject: str | None = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "filter", "ask", id="trace.ask_anywhere"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.traced: Feed[Traced] = Feed()

    # --- layout ---------------------------------------------------------------------------------------------------

    def compose_body(self) -> Iterable[Widget]:
        """From above: the question, the bars, the steps, and what else is told of one."""
        yield TraceInput(PROMPT, id="query")
        with Vertical(id="trace-body"):
            with Panel(id="bars"):
                yield Static(WELCOME, id="why", markup=False)
                self.timeline = TraceBars(id="timeline")
                yield self.timeline
            with Panel(id="steps"):
                self.steps_grid = StepGrid(step_columns(self.session), label="steps", identity="list")
                yield self.steps_grid
                yield TextLine(id="facts")

    def on_mount(self) -> None:
        """Begins without a message."""
        super().on_mount()
        self.show_trace()
        self.steps_grid.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Bars and steps stand side by side where there is room for both."""
        super().on_resize(event)
        self.set_class(event.size.width >= _WIDE, "-wide")

    @property
    def question(self) -> tuple[str, str, str]:
        """Id, topic and trace topic of what is shown."""
        return parsed(self.subject or "")

    # --- asking ---------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Asks again: consumers may have told more."""
        if self.subject and not self.is_asking("trace"):
            self.ask()

    def poll_again(self) -> None:
        """Asks now."""
        if self.subject:
            self.ask()

    @work(exclusive=True, group="trace")
    async def ask(self) -> None:
        """Asks for the way of the message."""
        feed, subject = self.traced, self.subject or ""
        generation = feed.begin()
        message_id, topic, trace_topic = parsed(subject)
        self.post_message(
            TraceCame(generation, subject, await self.session.service.trace(message_id, topic, trace_topic))
        )

    @on(TraceCame)
    def came(self, message: TraceCame) -> None:
        """The way is there, or why it is not."""
        if message.subject == self.subject and self.traced.take(
            message.generation, message.answer, self.session.now()
        ):
            self.show_trace()
            self.show_frame()

    def go_to(self, name: str) -> None:
        """Shows a message's way; `name` is what the question may be."""
        if not parsed(name)[0]:
            self.say("an id is needed: TOPIC/ID, or ID")
            return
        if name != self.subject:
            self.subject = name
            self.traced = self.traced.anew()
            self.show_trace()
        self.query_one("#query", LineInput).value = name
        self.steps_grid.focus()
        self.ask()

    # --- what is shown --------------------------------------------------------------------------------------------

    def show_trace(self) -> None:
        """Brings bars and steps up to date."""
        traced = self.traced.value
        steps = traced.steps if traced is not None else ()
        self.steps_grid.empty = "" if self.subject is None else "asking…" if self._waits else "nothing is told"
        self.steps_grid.update_rows({f"{number:03}": step for number, step in enumerate(steps)})
        if not steps:
            self.steps_grid.refresh_line(1)
        why = self.query_one("#why", Static)
        why.update(self._why())
        why.display = not steps or bool(traced and traced.why)
        self.timeline.display = bool(steps)
        self._show_bars()
        self.query_one("#bars", Panel).entitle(self._title(), self._below())
        self.query_one("#steps", Panel).entitle(f"Steps ({len(steps)})" if steps else "Steps")

    @property
    def _waits(self) -> bool:
        return self.traced.value is None and self.traced.problem is None

    def _title(self) -> str:
        traced = self.traced.value
        if self.subject is None:
            return "Trace"
        message_id, topic, _ = self.question
        topic = topic or (traced.topic if traced is not None else "")
        whole = ""
        if traced is not None and len(traced.steps) > 1:
            begin = min(step.start for step in traced.steps)
            whole = formats.took(max(step.start + (step.millis or 0) for step in traced.steps) - begin)
        return "  ".join(part for part in (topic, message_id, whole) if part)

    def _below(self) -> str:
        feed = self.traced
        if feed.problem is not None:
            known = f"as of {self.session.age(feed.at)} ago · " if feed.value is not None else ""
            return f"{known}✗ {feed.problem.cause}"
        return f"✗ {feed.value.problems[0]}" if feed.value is not None and feed.value.problems else ""

    def _why(self) -> Text:
        traced, problem = self.traced.value, self.traced.problem
        if self.subject is None:
            return Text(WELCOME, "dim")
        if traced is None:
            return Text("asking…" if problem is None else f"✗ {problem}", "dim" if problem is None else "bold red")
        if not traced.why:
            return Text("")
        text = Text.assemble(("No trace: ", "bold"), formats.one_line(traced.why), ".")
        return text.append(f"\n→ {formats.one_line(traced.remedy)}", "dim") if traced.remedy else text

    def _show_bars(self) -> None:
        grid = self.steps_grid
        shown = [grid.rows[key] for key in grid.keys]
        at = grid.keys.index(grid.current) if grid.current is not None else 0
        self.timeline.show(shown, at)
        self.query_one("#facts", TextLine).say(_facts(shown[at], self.session) if shown else Text(""))

    @on(Grid.Highlighted, "#list")
    def highlighted(self, message: Message) -> None:
        """The bar of the step under the cursor stands out."""
        self._show_bars()

    @on(Grid.Viewed, "#list")
    def viewed(self, message: Message) -> None:
        """The order is another one."""
        self._show_bars()

    def problem_at_hand(self) -> tuple[Problem, int] | None:
        """Why the way could not be asked for."""
        return None if self.traced.problem is None else (self.traced.problem, self.traced.since)

    def steps(self) -> list[Step]:
        """See `FrameScreen`."""
        return [(self.TITLE, self.subject)]

    # --- keys -----------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Goes to the question."""
        self.query_one("#query").focus()

    def action_leave_query(self) -> None:
        """Goes to the steps; the question is again the one that is shown."""
        self.query_one("#query", LineInput).value = self.subject or ""
        self.steps_grid.focus()

    @on(Input.Submitted, "#query")
    def submitted(self, event: Input.Submitted) -> None:
        """Asks."""
        event.stop()
        self.go_to(event.value.strip())

    @on(Grid.Selected, "#list")
    def selected(self, message: Grid.Selected) -> None:
        """A consumption leads to its group, anything else to the message."""
        if message.key is None:
            return
        step: TraceStep = self.steps_grid.rows[message.key]
        message_id, topic, _ = self.question
        topic = topic or (self.traced.value.topic if self.traced.value is not None else "")
        if step.kind is StepKind.CONSUME and step.group:
            self.rmq.drill("groups", step.group)
        elif topic:
            self.rmq.drill("messages", f"{topic} uniq:{message_id}")

    def command_for(self, grid: Grid, key: str) -> str:
        """The command that shows the same."""
        message_id, _, trace_topic = self.question
        return self.mqadmin("queryMsgTraceById", "-i", message_id, *(("-t", trace_topic) if trace_topic else ()))


def parsed(text: str) -> tuple[str, str, str]:
    """Id, topic and trace topic that a question names; empty ones where it does not."""
    asked, _, trace_topic = text.partition(",")
    topic, slash, message_id = asked.strip().rpartition("/")
    return (message_id.strip(), topic.strip() if slash else "", trace_topic.strip())


def _clock(millis: int, session: Session) -> str:
    moment = formats.calendar(millis, session.zone)
    return formats.BEYOND if moment is None else f"{moment:%H:%M:%S}.{millis % 1000:03}"


def _facts(step: TraceStep, session: Session) -> Text:
    text = Text(" ")
    if step.client:
        text.append("client ", "dim").append(formats.one_line(step.client))
    for name, value in step.facts.items():
        if value and value != "null":
            shown = _clock(int(value), session) if name == "born" and value.isdecimal() else formats.one_line(value)
            text.append(f"  {formats.one_line(name)} ", "dim").append(shown)
    return text


def step_columns(session: Session) -> Sequence[Column[TraceStep]]:
    """Columns of the steps."""

    def outcome_tone(step: TraceStep) -> str:
        if step.ok is False:
            return BAD
        if step.ok is None:
            return WARN if step.kind is StepKind.CONSUME else PLAIN
        return GOOD

    return [
        Column("STEP", 7, lambda step: str(step.kind)),
        Column("GROUP", 14, lambda step: step.group, grows=True),
        Column("TRY", 3, lambda step: str(step.attempt or ""), lambda step: step.attempt or None, right=True),
        Column("AT", 12, lambda step: _clock(step.start, session), lambda step: step.start),
        Column("TOOK", 7, lambda step: "" if step.kind is StepKind.STORE else formats.took(step.millis),
               lambda step: step.millis, right=True),
        Column("OUTCOME", 16, lambda step: step.outcome, tone=outcome_tone, grows=True),
        Column("CLIENT", 21, lambda step: step.client, tone=lambda step: DIM, least=100),
    ]  # fmt: skip
