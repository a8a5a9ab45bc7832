"""Dead letters: which groups have given up on messages, on which ones, and sending them again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from textual import work
from textual.binding import Binding, BindingType

from rmq.tui import formats
from rmq.tui.screens.details import DetailPane, Tab
from rmq.tui.screens.dialogs import ExportDialog
from rmq.tui.screens.forms import Field, FormDialog, Values
from rmq.tui.screens.lists import ListScreen
from rmq.tui.service.changes.dead_letters import ResendDead
from rmq.tui.service.model import DeadGroup, DeadLetter, DeadLetters, LetterBody, Problem
from rmq.tui.state.seen import Seen, of
from rmq.tui.state.session import Session
from rmq.tui.table.columns import BAD, DIM, PLAIN, WARN, Column
from rmq.tui.table.stored import body_text
from rmq.tui.widgets.changing import Changing
from rmq.wire.names import dlq_topic, retry_topic

STEP: Final = 200
"""Dead letters that are looked at, and by how many `m` makes that more."""
MOST: Final = 2000
EXPORT_BYTES: Final = 16 * 1024 * 1024
"""Bytes of bodies that one export holds."""
EXPORT_AT_ONCE: Final = 32
Row = Seen[DeadGroup]
_NO_FILE_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME: Final = 80


class LetterPane(Changing, DetailPane[DeadLetters]):
    """The letters of a group."""

    CHANGES: ClassVar[list[BindingType]] = [Binding("p", "resend", "send", id="dlq.resend")]

    def action_resend(self) -> None:
        """The screen knows which letters are meant."""
        screen = self.screen
        if isinstance(screen, DeadLettersScreen):
            screen.action_resend()


class DeadLettersScreen(ListScreen[DeadGroup, DeadLetters]):
    """The screen of dead letters."""

    MODE = "dlq"
    NUMBER = 6
    TITLE = "DLQ"
    WHAT = "dlq"
    NONE = "no group has given up on a message"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("T", "to_trace", "trace", id="dlq.trace"),
        Binding("v", "to_message", "message", id="dlq.message"),
        Binding("u", "to_group", "group", id="dlq.group", show=False),
        Binding("m", "more", "more", id="dlq.more", show=False),
    ]
    CHANGES: ClassVar[list[BindingType]] = [Binding("p", "resend", "send", id="dlq.resend_anywhere")]
    PANE = LetterPane

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.most = STEP

    # --- what the list is made of ---------------------------------------------------------------------------------

    def columns(self) -> Sequence[Column[Row]]:
        """Columns of the list."""
        return group_columns(self.session)

    def tabs(self) -> Sequence[Tab[DeadLetters]]:
        """The letters."""
        return [
            Tab(
                "Dead letters",
                letter_columns(self.session),
                lambda detail: {str(letter.place): letter for letter in detail.letters},
                lambda name, key: ("queryMsgByOffset", "-t", dlq_topic(name), *_place_words(key)),
                "it has no dead letters any more",
                lambda row: ("trace", f"{row.topic}/{row.message_id}"),
            )
        ]

    async def ask_names(self) -> tuple[str, ...] | Problem:
        """Every group with a dead-letter topic."""
        return await self.session.service.dead_groups()

    async def ask_figures(self, name: str) -> DeadGroup:
        """A row."""
        return (await self.session.service.dead_figures([name]))[name]

    async def ask_detail(self, name: str) -> DeadLetters | Problem:
        """The pane."""
        return await self.session.service.dead_letters(name, self.most)

    def figures_of(self, detail: DeadLetters) -> DeadGroup:
        """The row of a detail."""
        return detail.group

    def remember(self, figures: DeadGroup) -> None:
        """How many there are."""
        if figures.count is not None:
            self.session.history.level(("dead", figures.name, "count"), self.session.now(), figures.count)

    def headline(self, name: str, detail: DeadLetters | None) -> str:
        """The group, and how many letters are shown of how many."""
        if detail is None:
            return name
        total, shown = detail.group.count or 0, len(detail.letters)
        if shown < total:
            more = " · m shows more" if self.most < MOST else ""
            return f"{name}  newest {formats.count(shown)} of {formats.count(total)}{more}"
        return f"{name}  {formats.plural(total, 'dead letter')}"

    def problems_of(self, detail: DeadLetters) -> tuple[Problem, ...]:
        """What is missing."""
        return detail.problems

    def row_command(self, name: str) -> tuple[str, ...]:
        """Where the letters lie."""
        return ("topicStatus", "-t", dlq_topic(name))

    # --- the letters ----------------------------------------------------------------------------------------------

    @property
    def letters(self) -> list[DeadLetter]:
        """The marked letters, else the one under the cursor."""
        grid = self.pane.grid
        return [grid.rows[key] for key in grid.chosen]

    @property
    def letter(self) -> DeadLetter | None:
        """The letter under the cursor."""
        grid = self.pane.grid
        return None if grid.current is None else grid.rows[grid.current]

    def _subject_changed(self, name: str | None) -> None:
        if name != self.subject:
            self.most = STEP
            self.pane.grid.marked.clear()
        super()._subject_changed(name)

    def action_more(self) -> None:
        """Looks at more letters."""
        if self.most < MOST:
            self.most = min(self.most + STEP, MOST)
            self.look()
        else:
            self.say(f"no more than {MOST:,} dead letters are shown")

    def _letters_to_choose(self) -> bool:
        """Whether a letter is under the cursor, or marked; else the user is led to where one is chosen."""
        self.follow_cursor()
        chosen = self.pane.grid.has_focus or bool(self.pane.grid.marked)
        if chosen and self.letters:
            return True
        if self.subject is None or chosen:
            self.say("there is no dead letter here")
        else:
            self.open_pane()
            self.say("choose a letter first; space marks more than one")
        return False

    def action_to_trace(self) -> None:
        """Shows what happened to the letter under the cursor."""
        if not self._letters_to_choose():
            return
        letter = self.letter
        if letter is not None:
            self.rmq.drill("trace", f"{letter.topic}/{letter.message_id}")

    def action_to_message(self) -> None:
        """Shows the letter whole, as a message of the dead-letter topic."""
        if not self._letters_to_choose():
            return
        letter = self.letter
        if letter is not None and self.subject is not None:
            place = letter.place
            query = f"{dlq_topic(self.subject)} queue:{place}"
            self.rmq.drill("messages", query)

    def action_to_group(self) -> None:
        """Goes to the group."""
        self.follow_cursor()
        if self.subject is not None:
            self.rmq.drill("groups", self.subject)

    def action_resend(self) -> None:
        """Asks where to and how fast, and proposes it."""
        if self._letters_to_choose() and self.subject is not None:
            self.app.push_screen(resend_form(self.subject, self.letters, self._unmark))

    def _unmark(self) -> None:
        # Marks that stayed would have the same letters sent once more.
        self.pane.grid.marked.clear()
        self.show_detail()

    # --- export ---------------------------------------------------------------------------------------------------

    def action_export(self) -> None:
        """Writes letters with their bodies; the list of groups as any other list."""
        grid = self.pane.grid
        if self.grid is not grid or self.subject is None or not grid.keys:
            super().action_export()
            return
        keys = [key for key in grid.keys if key in grid.marked] or grid.keys
        self.say(f"reading {formats.count(len(keys))} dead letters…")
        self._read_bodies(self.subject, [grid.rows[key] for key in keys])

    @work(exclusive=True, group="bodies")
    async def _read_bodies(self, group: str, letters: Sequence[DeadLetter]) -> None:
        rows: list[dict[str, Any]] = []
        room, left_out = EXPORT_BYTES, 0
        for start in range(0, len(letters), EXPORT_AT_ONCE):
            some = letters[start : start + EXPORT_AT_ONCE]
            if sum(letter.size for letter in some) > room:
                left_out = len(letters) - start
                break
            bodies = await self.session.service.letter_bodies(group, [letter.place for letter in some])
            rows += [exported_letter(letter, body) for letter, body in zip(some, bodies, strict=True)]
            room -= sum(letter.size for letter in some)
        if not self.is_current:
            return
        limit = f"{EXPORT_BYTES // 1024 // 1024} MiB"
        self.say(f"{formats.count(left_out)} letters are left out: more than {limit}" if left_out else "")
        # A group's name comes from a server, and is to lead to no other folder.
        name = f"dead-letters-{_NO_FILE_NAME.sub('_', group)[:_LONGEST_NAME]}.jsonl"
        self.app.push_screen(ExportDialog(rows, "dead letters", name, self.session.save))


def exported_letter(letter: DeadLetter, found: LetterBody) -> dict[str, Any]:
    """A letter as a row of a file: a body that is no UTF-8 text is in base64, which `encoding` says."""
    body, encoding = body_text(found.body)
    place = letter.place
    return {
        "broker": place.broker,
        "queue": place.queue_id,
        "offset": place.offset,
        "topic": letter.topic,
        "id": letter.message_id,
        "original": letter.original,
        "tags": letter.tags,
        "keys": letter.keys,
        "reconsumed": letter.reconsumed,
        "stored": letter.stored,
        "born": letter.born,
        "properties": dict(found.properties),
        "encoding": encoding if found.problem is None else "",
        "body": body,
        "problem": "" if found.problem is None else str(found.problem),
    }


def resend_form(group: str, letters: Sequence[DeadLetter], begun: Callable[[], None] | None = None) -> FormDialog:
    """Where dead letters go, and how fast."""
    topics = sorted({letter.topic or "unknown" for letter in letters})

    def make(values: Values) -> ResendDead:
        return ResendDead(
            group,
            tuple(letter.place for letter in letters),
            float(values["rate"]),
            values["topic"].strip(),
            values["properties"] == "true",
        )

    origin = ", ".join(topics[:3]) + " …" * (len(topics) > 3)
    fields = [
        Field("rate", "Per second", "10", check=_rate_problem, hint="Messages a second; 0.5 is one in two seconds."),
        Field(
            "topic",
            "Topic",
            hint=f"Empty: where each came from ({origin}), for every group that reads it. "
            f"{retry_topic(group)}: for {group} alone.",
        ),
        Field(
            "properties",
            "Keep properties",
            "true",
            truth=True,
            hint="The user's own. Tags and keys are kept in any case; ids and delays are made anew.",
        ),
    ]
    return FormDialog(f"Re-send {formats.plural(len(letters), 'dead letter')} of {group}", fields, make, begun)


def _rate_problem(text: str) -> str:
    try:
        fine = 0 < float(text) <= 1000
    except ValueError:
        fine = False
    return "" if fine else "a number above 0, at most 1000"


def _place_words(key: str) -> tuple[str, ...]:
    where, _, offset = key.rpartition("@")
    broker, _, queue_id = where.rpartition("/")
    return "-b", broker, "-i", queue_id, "-o", offset


def group_columns(session: Session) -> list[Column[Row]]:
    """Columns of the list."""

    def tone(row: Row) -> str:
        return WARN if of("count")(row) else DIM

    def growth(row: Row) -> str:
        return formats.trend(session.history.values(("dead", row.name, "count")))

    return [
        Column("NAME", 16, lambda row: row.name, tone=lambda row: BAD if row.problem else PLAIN, grows=True),
        Column(
            "LETTERS",
            9,
            lambda row: f"{formats.count(of('count')(row))} {growth(row)}",
            of("count"),
            tone,
            right=True,
            costly=True,
        ),
        Column("NEWEST", 8, lambda row: session.moment(of("newest")(row) or 0), of("newest"), costly=True),
        Column("OLDEST", 8, lambda row: session.moment(of("oldest")(row) or 0), of("oldest"), least=52, costly=True),
    ]


def letter_columns(session: Session) -> list[Column[DeadLetter]]:
    """Columns of the pane."""
    return [
        Column("STORED", 8, lambda row: session.moment(row.stored), lambda row: row.stored),
        Column("TOPIC", 8, lambda row: row.topic or formats.UNKNOWN, grows=True),
        Column("TRIES", 5, lambda row: formats.count(row.reconsumed), lambda row: row.reconsumed, right=True),
        Column("KEYS", 10, lambda row: row.keys, middle=True),
        Column("TAG", 6, lambda row: row.tags, least=88),
        Column("ID", 32, lambda row: row.message_id, least=118),
        Column("BODY", 14, lambda row: row.preview, tone=lambda row: DIM, grows=True),
        Column("BYTES", 6, lambda row: formats.count(row.size), lambda row: row.size, right=True, least=100),
    ]
