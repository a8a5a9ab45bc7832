"""Topics: what comes in, who reads, how far they are behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType

from rmq.tui.formats import plural
from rmq.tui.messages import FormReady, NewestCame
from rmq.tui.screens.bulk import BulkDialog, DefinitionsDialog
from rmq.tui.screens.charts import chart_tab
from rmq.tui.screens.details import DetailPane, Tab
from rmq.tui.screens.lists import ListScreen
from rmq.tui.screens.send import send_form
from rmq.tui.screens.tail import TailScreen
from rmq.tui.screens.topic_forms import edit_topic_form, import_form, new_topic_form
from rmq.tui.screens.topic_tables import PEEK, QUEUES, Row, peek_tab, topic_columns, topic_tabs
from rmq.tui.service.changes.topics import DeleteTopic
from rmq.tui.service.model import Problem, Queue, StoredMessage, Topic, TopicDetail
from rmq.tui.service.query import QueueRange
from rmq.tui.state.feed import Feed
from rmq.tui.state.session import Session
from rmq.tui.table.columns import Column

_PEEKED: Final = 20
"""Messages that `Peek` shows."""


class TopicsScreen(ListScreen[Topic, TopicDetail]):
    """The screen of topics."""

    MODE = "topics"
    NUMBER = 2
    TITLE = "Topics"
    WHAT = "topic"
    NONE = "there are no topics but RocketMQ's own: i shows those"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "internal", "internal", id="topics.internal", show=False),
        Binding("b", "bulk", "bulk", id="topics.bulk"),
        Binding("t", "tail", "tail", id="topics.tail"),
    ]
    CHANGES: ClassVar[list[BindingType]] = [
        Binding("n", "new", "new", id="topics.new"),
        Binding("e", "edit", "edit", id="topics.edit"),
        Binding("D", "delete", "delete", id="topics.delete"),
        Binding("p", "send", "send", id="topics.send"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._internal = False
        self._newest: Feed[tuple[StoredMessage, ...]] = Feed()
        self._newest_of = ""

    def columns(self) -> Sequence[Column[Row]]:
        """Columns of the list."""
        return topic_columns(self.session)

    def tabs(self) -> Sequence[Tab[TopicDetail]]:
        """Tabs of the pane."""
        return [
            *topic_tabs(self.session),
            peek_tab(self.session, self._peeked),
            chart_tab(
                self.session,
                lambda detail: (self.MODE, detail.topic.name),
                lambda name, key: ("topicStatus", "-t", name),
            ),
        ]

    def sample(self, name: str) -> Sequence[float | None]:
        """See `Listed`; what goes out is what its groups take together."""
        history, feed, row = self.session.history, self.detail.value, self.seen.get(name)
        groups = () if feed is None else feed.readers
        out = [rate for group in groups if (rate := history.last(("reader", name, group.group, "out"))) is not None]
        lag = None if row is None or row.figures is None else row.figures.lag
        return (history.last(("topic", name, "in")), sum(out) if out else None, lag)

    async def ask_names(self) -> tuple[str, ...] | Problem:
        """Every topic."""
        return await self.session.service.topic_names()

    async def ask_figures(self, name: str) -> Topic:
        """A row."""
        return (await self.session.service.topics([name]))[name]

    async def ask_detail(self, name: str) -> TopicDetail | Problem:
        """The pane."""
        return await self.session.service.topic(name)

    def figures_of(self, detail: TopicDetail) -> Topic:
        """The row of a detail; its queues and groups go into the history."""
        history, now, topic = self.session.history, self.session.now(), detail.topic.name
        for queue in detail.queues:
            history.count(("queue", topic, queue.broker, str(queue.queue_id)), now, queue.max_offset)
        for reader in detail.readers:
            if reader.problem is None:
                history.count(("reader", topic, reader.group, "out"), now, reader.consumed)
                history.count(("reader", topic, reader.group, "in"), now, reader.produced)
                history.level(("reader", topic, reader.group, "lag"), now, reader.lag or 0)
        return detail.topic

    def remember(self, figures: Topic) -> None:
        """Total and lag."""
        now = self.session.now()
        self.session.history.count(("topic", figures.name, "in"), now, figures.total)
        if figures.lag is not None:
            self.session.history.level(("topic", figures.name, "lag"), now, figures.lag)

    def headline(self, name: str, detail: TopicDetail | None) -> str:
        """Name, type, permission, queues, brokers."""
        if detail is None:
            return name
        topic = detail.topic
        queues = f"{topic.read_queues}r/{topic.write_queues}w"
        brokers = plural(topic.brokers, "broker")
        return "  ".join(part for part in (name, topic.kind, topic.perm, queues, brokers) if part)

    def problems_of(self, detail: TopicDetail) -> tuple[Problem, ...]:
        """What is missing."""
        return detail.problems

    def row_command(self, name: str) -> tuple[str, ...]:
        """Bounds of the queues."""
        return ("topicStatus", "-t", name)

    def shown_names(self) -> Sequence[str]:
        """Without RocketMQ's own, unless the user wants them."""
        names = self.names.value or ()
        return names if self._internal else [name for name in names if not self.session.is_internal(name)]

    def reveal(self, name: str) -> None:
        """Shows RocketMQ's own when it is one of them."""
        if self.session.is_internal(name) and not self._internal:
            self.action_internal()

    def action_internal(self) -> None:
        """Shows RocketMQ's own topics, or leaves them out."""
        self._internal = not self._internal
        self.show_rows()
        self.ask_window()

    # --- messages -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Asks for the newest messages, too, while they are looked at."""
        super().look()
        if self.pane.tab.title == PEEK and self.subject is not None and self.is_current and not self.session.paused:
            self._ask_newest(self.subject)

    @on(DetailPane.Turned)
    def turned(self) -> None:
        """The newest messages are asked for when their tab is shown."""
        if self.pane.tab.title == PEEK:
            self.look()

    @work(exclusive=True, group="newest")
    async def _ask_newest(self, topic: str) -> None:
        if topic != self._newest_of:
            self._newest, self._newest_of = self._newest.anew(), topic
        generation = self._newest.begin()
        self.post_message(NewestCame(generation, topic, await self.session.service.newest(topic, _PEEKED)))

    @on(NewestCame)
    def newest_came(self, message: NewestCame) -> None:
        """The newest messages of a topic; dropped when the cursor has gone on."""
        if message.topic == self._newest_of and self._newest.take(
            message.generation, message.answer, self.session.now()
        ):
            self.show_detail()

    def _peeked(self, topic: str) -> dict[str, StoredMessage]:
        found = self._newest.value if topic == self._newest_of else None
        return {message.key: message for message in found or ()}

    def show_detail(self) -> None:
        """Says, too, why there are no newest messages."""
        super().show_detail()
        grid, newest = self.pane.grid, self._newest
        if self.pane.tab.title == PEEK and not grid.rows and self.subject == self._newest_of:
            waiting = "asking…" if newest.value is None else "it holds no message"
            grid.empty = f"✗ {newest.problem}" if newest.problem else waiting
            grid.refresh_line(1)

    def action_tail(self) -> None:
        """Follows the topic under the cursor, or the queue in the tab of queues."""
        # The pane follows the cursor when it rests; a key is about the row that the cursor is on now.
        topic = self.list.current if self.list.has_focus else self.subject
        if topic is None:
            return
        grid, queue = self.pane.grid, None
        if grid.has_focus and self.pane.tab.title == QUEUES and grid.current is not None:
            chosen: Queue = grid.rows[grid.current][1]
            queue = QueueRange(chosen.broker, chosen.queue_id)
        self.app.push_screen(TailScreen(self.session, topic, queue))

    def action_send(self) -> None:
        """A form for a message to the topic under the cursor."""
        self.app.push_screen(send_form(topic=self.list.current or ""))

    # --- changes --------------------------------------------------------------------------------------------------

    def action_new(self) -> None:
        """A form for another topic."""
        self.app.push_screen(new_topic_form(self.session))

    def action_edit(self) -> None:
        """A form for the topic under the cursor, as it is now."""
        if self.list.current is not None:
            self.ask_for_form(self.list.current)

    def action_delete(self) -> None:
        """Proposes to delete the topic under the cursor from the cluster that has it."""
        if self.list.current is not None:
            self.ask_for_form(self.list.current, delete=True)

    @on(FormReady)
    def form_ready(self, message: FormReady) -> None:
        """Opens the form, or says why there is none; nothing when the user has gone elsewhere."""
        if message.delete:
            self._propose_deletion(message.name, message.answer)
            return
        detail: TopicDetail | None = self.usable(message.answer)
        if detail is None:
            return
        form = edit_topic_form(self.session, detail)
        if form is None:
            self.say(f"no broker told how {message.name} is configured")
        else:
            self.app.push_screen(form)

    def _propose_deletion(self, name: str, answer: TopicDetail | Problem) -> None:
        self.say("")
        if not self.is_current:
            return
        known = self.session.cluster.value
        clusters = known.names if known is not None else ()
        if isinstance(answer, TopicDetail) and answer.route:
            clusters = (answer.route[0].cluster,)
        # Without a route it may still be on brokers: the preview looks there.
        if clusters:
            self.rmq.propose(DeleteTopic(clusters[0], name))
        else:
            self.say("no cluster is known yet")

    def action_bulk(self) -> None:
        """Offers to import and export definitions."""
        session, cluster = self.session, self.session.cluster.value
        ways: dict[str, Callable[[], Any]] = {}
        if not session.read_only:
            ways["import from a file"] = lambda: self.app.push_screen(import_form(session, session.load))
        marked = frozenset(self.list.marked)
        for name in cluster.names if cluster is not None else ():
            if marked:
                number = plural(len(marked), "marked topic")
                ways[f"export {number} of {name}"] = self._exporter(name, marked)
            ways[f"export all topics of {name}"] = self._exporter(name, frozenset())
        if ways:
            self.app.push_screen(BulkDialog(ways))
        else:
            self.say("no cluster is known yet")

    def _exporter(self, cluster: str, names: frozenset[str]) -> Callable[[], Any]:
        return lambda: self.app.push_screen(DefinitionsDialog(self.session, cluster, names))

    def cluster_changed(self) -> None:
        """Topics named after brokers become known as such."""
        super().cluster_changed()
        self.show_rows()
