"""Messages: one line asks for them, what is found streams into the list, and the pane tells of the one chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from rmq.tui.formats import count, one_line, percent
from rmq.tui.messages import BatchCame, NamesCame
from rmq.tui.screens.header import Step
from rmq.tui.screens.queries import QueriesDialog, SaveDialog
from rmq.tui.screens.stored import StoredScreen
from rmq.tui.screens.tail import TailScreen
from rmq.tui.service.model import Batch, Problem
from rmq.tui.service.query import Query, QueryError, parse_query
from rmq.tui.state.search import Search, Stage
from rmq.tui.state.session import Session
from rmq.tui.widgets.asking import QueryInput, QuerySuggester
from rmq.tui.widgets.lines import TextLine


class MessagesScreen(StoredScreen):
    """The screen of messages."""

    MODE = "messages"
    NUMBER = 4
    TITLE = "Messages"
    WHAT = "messages"
    EMPTY = "press i and ask, as in Orders time:-1h..now body~text; F: earlier questions"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "ask", "ask", id="messages.ask"),
        Binding("t", "tail", "tail", id="messages.tail"),
        Binding("F", "queries", "queries", id="messages.queries"),
        Binding("f", "save", "save query", id="messages.save", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.search: Search | None = None
        self.topics: tuple[str, ...] = ()
        self._generation = 0

    def compose_top(self) -> Iterable[Widget]:
        """The question, and how far the search is."""
        queries = self.session.queries
        suggester = QuerySuggester(lambda: self.topics, lambda: queries.recent)
        self.asking = QueryInput(lambda: queries.recent, suggester, id="query")
        yield self.asking
        yield TextLine(id="progress")
        notes = Static(id="notes", markup=False)
        notes.display = False
        yield notes

    def on_mount(self) -> None:
        """The newest message is the first one."""
        super().on_mount()
        self.list.sort_column, self.list.sort_down = self.list.columns[0], True
        self.show_found()

    @property
    def subject(self) -> str | None:
        """The question, as it was asked."""
        return None if self.search is None else self.search.text

    def known_names(self) -> Sequence[str]:
        """Questions that were asked lately."""
        return self.session.queries.recent

    def steps(self) -> list[Step]:
        """See `FrameScreen`."""
        return [(self.TITLE, None), *([(self.search.query.topic or self.search.text, None)] if self.search else [])]

    # --- asking ---------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Asks for the topics' names once; a question for messages is asked again when the user says so."""
        if not self.topics and not self.is_asking("topics"):
            self._ask_topics()

    def poll_again(self) -> None:
        """Asks the question again."""
        self._ask_topics()
        if self.search is not None:
            self.ask(self.search.text)

    @work(exclusive=True, group="topics")
    async def _ask_topics(self) -> None:
        self.post_message(NamesCame(0, await self.session.service.topic_names()))

    @on(NamesCame)
    def names_came(self, message: NamesCame) -> None:
        """Topics can be suggested; without them nothing is."""
        if isinstance(message.answer, tuple):
            self.topics = message.answer

    def go_to(self, name: str) -> None:
        """Asks a question, unless it is the one that is shown."""
        if name != self.subject:
            self.ask(name)
        self.close_pane()

    def ask(self, text: str) -> bool:
        """Begins a search; False when the question means nothing, which is then said."""
        text = text.strip()
        self.asking.value = text
        try:
            query = parse_query(text, self.session.now(), self.session.zone)
        except QueryError as error:
            self._say(Text(f"✗ {one_line(str(error))}", "bold red"))
            return False
        self._keep(lambda: self.session.queries.asked(text))
        self.asking.rest()
        self._generation += 1
        self.search = search = Search(text, query, self._generation, self.session.now())
        self.list.sort_by(self.list.columns[0], down=not search.forward)
        self.show_found()
        self._search(query, search.generation)
        return True

    @work(exclusive=True, group="search")
    async def _search(self, query: Query, generation: int) -> None:
        def tell(batch: Batch) -> None:
            self.post_message(BatchCame(generation, batch))

        await self.session.service.search(query, tell)

    @on(BatchCame)
    def batch_came(self, message: BatchCame) -> None:
        """Something was found, or the search is further."""
        if self.search is not None and self.search.take(message.generation, message.batch):
            self.show_found()

    def stop(self) -> bool:
        """Ends the search where it is; False when none is under way."""
        if self.search is None or not self.search.stop():
            return False
        self.workers.cancel_group(self, "search")
        self.show_found()
        return True

    # --- showing --------------------------------------------------------------------------------------------------

    def show_found(self) -> None:
        """Brings list, titles and progress up to date."""
        search = self.search
        if search is not None:
            self.list.empty = _nothing(search)
            self.list.update_rows(search.found)
            if not search.found:
                self.list.refresh_line(1)
        self._say(_progress(search))
        self._show_notes([] if search is None else search.notes)
        self.show_title()
        self.show_message()
        self.show_frame()

    def _show_notes(self, notes: Sequence[str]) -> None:
        shown = self.query_one("#notes", Static)
        shown.display = bool(notes)
        shown.update(Text.assemble(("\n".join(one_line(note) for note in notes), "yellow")))

    def _say(self, text: Text) -> None:
        self.query_one("#progress", TextLine).say(text)

    def problem_at_hand(self) -> tuple[Problem, int] | None:
        """Of the search."""
        search = self.search
        return (search.problems[-1], search.begun) if search is not None and search.problems else None

    # --- keys -----------------------------------------------------------------------------------------------------

    def action_back(self) -> None:
        """Stops the search, before anything else is left."""
        if not self.stop():
            super().action_back()

    def action_ask(self) -> None:
        """Goes to the line that asks."""
        self.remove_class("-detail")
        self.call_after_refresh(self.asking.focus)

    @on(QueryInput.Left)
    def left_asking(self) -> None:
        """Back to the list; the line shows what was asked."""
        if self.search is not None:
            self.asking.value = self.search.text
        self._say(_progress(self.search))
        self.list.focus()

    @on(Input.Changed, "#query")
    def asking_changed(self, event: Input.Changed) -> None:
        """Says while the user types what does not mean anything yet."""
        if self.focused is not self.asking or event.value == self.subject:
            return
        try:
            parse_query(event.value, self.session.now(), self.session.zone)
        except QueryError as error:
            self._say(Text(one_line(str(error)), "dim"))
        else:
            self._say(Text("enter asks", "dim"))

    @on(Input.Submitted, "#query")
    def asked(self, event: Input.Submitted) -> None:
        """Asks what the line says."""
        event.stop()
        if self.ask(event.value):
            self.list.focus()

    def action_tail(self) -> None:
        """Follows the topic, or the queue that was asked for."""
        query = self.search.query if self.search is not None else None
        if query is None or not query.topic:
            self.say("ask for a topic first: its new messages are then followed")
            return
        queue = query.queue
        self.app.push_screen(TailScreen(self.session, query.topic, queue and queue.whole()))

    def action_queries(self) -> None:
        """Offers recent and saved questions."""
        queries = self.session.queries
        if not queries.recent and not queries.saved:
            self.say("no question was asked or saved yet")
            return
        self.app.push_screen(QueriesDialog(queries, self.ask, lambda name: self._keep(lambda: queries.forget(name))))

    def action_save(self) -> None:
        """Offers to save the question under a name."""
        if self.search is None:
            self.say("there is no question to save: press i to ask one")
            return
        text = self.search.text
        self.app.push_screen(SaveDialog(text, lambda name: self._keep(lambda: self.session.queries.save(name, text))))

    def _keep(self, change: Callable[[], str | None]) -> str:
        """Changes the questions that are kept; returns what is wrong with the change, and says why it is not kept."""
        try:
            return change() or ""
        except OSError as error:
            self.say(f"questions cannot be kept on disk: {error.strerror or error}")
            return ""


def _nothing(search: Search) -> str:
    """Why there are no messages."""
    if search.stage is Stage.RUNNING:
        return "looking…"
    if search.problems:
        return f"✗ {search.problems[-1].cause}"
    looked = f"{count(search.scanned)} messages were looked at" if search.total is not None else "the index was asked"
    stopped = "stopped; " if search.stage is Stage.STOPPED else ""
    wide = "" if search.scanned or search.total is None else ": the range holds none"
    return f"{stopped}nothing matches; {looked}{wide}"


def _progress(search: Search | None) -> Text:
    """How far it is, and what the user should know."""
    if search is None:
        return Text("")
    text = Text(f"{count(len(search.found))} found", "bold")
    if search.total is not None:
        done = search.scanned / search.total if search.total else 1.0
        text.append(f" · scanned {count(search.scanned)} of {count(search.total)} ({percent(done)})", "not bold")
    if search.stage is Stage.RUNNING:
        text.append(" · esc stops", "not bold dim")
    if search.stage is Stage.STOPPED:
        text.append(" · stopped", "not bold yellow")
    if search.problems:
        text.append(f" · ✗ {len(search.problems)} failed", "bold red")
    return text
