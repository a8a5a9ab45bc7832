"""What screens of messages have in common: a list, a pane about the one chosen, and the keys of a message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from rmq.tui.messages import TracksCame
from rmq.tui.screens.dialogs import CopyDialog, ExportDialog
from rmq.tui.screens.filtered import Filtered
from rmq.tui.screens.message_pane import BODY, CONSUMPTION, MessagePane
from rmq.tui.screens.send import send_form
from rmq.tui.service.model import StoredMessage
from rmq.tui.state.session import Session
from rmq.tui.table import exports
from rmq.tui.table.stored import as_record, body_text, clock_of, command_of, message_columns, whole_clock
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import FilterInput, Panel

_LONGEST_COPY: Final = 1 << 20
"""Bytes of a body that are copied at most: terminals take no more."""


class StoredScreen(Filtered):
    """A screen of messages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "decoder", "decoder", id="messages.decoder"),
        Binding("c", "consumption", "consumption", id="messages.consumption"),
        Binding("T", "trace", "trace", id="messages.trace"),
    ]
    CHANGES: ClassVar[list[BindingType]] = [Binding("p", "send", "send again", id="messages.send")]
    EMPTY: ClassVar[str]
    """What the list says before there is anything."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._tracks_of = ""

    # --- layout ---------------------------------------------------------------------------------------------------

    def compose_body(self) -> Iterable[Widget]:
        """List on the left, the message on the right."""
        session = self.session
        self.list = Grid(
            message_columns(clock_of(session.zone, session.now)), label="messages", empty=self.EMPTY, identity="list"
        )
        self.pane = MessagePane(session.decoders, whole_clock(session.zone))
        with Horizontal(id="body"):
            with Panel(id="left"):
                yield from self.compose_top()
                yield self.list
                yield FilterInput("column:>100")
            yield self.pane

    def compose_top(self) -> Iterable[Widget]:
        """What is above the list."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Begins with the list, so that keys are keys."""
        super().on_mount()
        self.set_focus(self.list)

    @property
    def chosen(self) -> StoredMessage | None:
        """The message under the cursor."""
        if self.list.current is None:
            return None
        message: StoredMessage = self.list.rows[self.list.current]
        return message

    # --- showing --------------------------------------------------------------------------------------------------

    def show_message(self) -> None:
        """Brings the pane up to date."""
        self.pane.show(self.chosen, "nothing is chosen")
        self._follow_tracks()

    @on(Grid.Highlighted, "#list")
    def highlighted(self, message: Grid.Highlighted) -> None:
        """The cursor is on another message."""
        if not isinstance(message, Grid.Selected):
            self.show_message()
            self.show_frame()

    @on(Grid.Viewed, "#list")
    def viewed(self) -> None:
        """The filter or the order is another one."""
        self.show_title()

    @on(Grid.Selected, "#list")
    def selected(self) -> None:
        """A message was opened."""
        self.open_pane()

    # --- what groups made of it -----------------------------------------------------------------------------------

    @on(MessagePane.Turned)
    def turned(self) -> None:
        """Another tab is shown."""
        self._follow_tracks()

    def _follow_tracks(self) -> None:
        """Asks what groups made of the message when somebody looks at that."""
        message = self.pane.message
        if message is not None and self.pane.current == CONSUMPTION and message.key != self._tracks_of:
            self._tracks_of = message.key
            self.set_timer(self.session.settle, lambda: self._ask_tracks(message))

    @work(exclusive=True, group="tracks")
    async def _ask_tracks(self, message: StoredMessage) -> None:
        if message.key == self._tracks_of:
            self.post_message(TracksCame(message.key, await self.session.service.tracks(message)))

    @on(TracksCame)
    def tracks_came(self, message: TracksCame) -> None:
        """What groups made of a message; dropped when the cursor has gone on."""
        if self.pane.message is not None and message.key == self.pane.message.key:
            self.pane.show_tracks(message.answer)

    # --- the pane ---------------------------------------------------------------------------------------------------

    def open_pane(self) -> None:
        """Goes to the pane, which takes the list's place where there is no room for both."""
        if self.chosen is not None:
            self.add_class("-detail")
            self.call_after_refresh(self._focus_pane)

    def _focus_pane(self) -> None:
        self.pane.part.focus()

    def action_back(self) -> None:
        """Out of the pane, then out of the filter, then to where the user came from."""
        if self.has_class("-detail") or self.pane.has_pseudo_class("focus-within"):
            self.close_pane()
        elif self.list.filter_text:
            self.narrow("")
        else:
            self.leave()

    def leave(self) -> None:
        """Goes to where the user came from."""
        super().action_back()

    # --- keys of a message ----------------------------------------------------------------------------------------

    def action_decoder(self) -> None:
        """Shows bodies by the next decoder."""
        if self.pane.current != BODY:
            self.pane.choose(BODY)
        self.pane.body.next_decoder()
        self.say(f"bodies are shown by: {self.pane.body.decoder}")

    def action_consumption(self) -> None:
        """Tells what groups made of the message."""
        self._tracks_of = ""
        self.pane.choose(CONSUMPTION)
        if self.is_narrow:
            self.open_pane()

    def action_trace(self) -> None:
        """Goes to the trace of the message."""
        message = self.chosen
        if message is not None:
            self.rmq.drill("trace", f"{message.topic}/{message.message_id}")

    def action_send(self) -> None:
        """Offers to send the message again, with changes."""
        message = self.chosen
        if message is None:
            self.say("no message is chosen")
        else:
            self.app.push_screen(send_form(message=message))

    def command_for(self, grid: Grid, key: str) -> str:
        """See `FrameScreen`."""
        message = self.list.rows[key] if grid is self.list else self.chosen
        return self.mqadmin(*command_of(message)) if message is not None else ""

    def action_copy(self) -> None:
        """Offers texts of the current message, or of those that are marked."""
        if self.focused in {self.pane.properties, self.pane.where, self.pane.consumption}:
            super().action_copy()
            return
        messages = [self.list.rows[key] for key in self.list.chosen]
        if not messages:
            return
        records = [as_record(message) for message in messages]
        bodies = [body_text(message.body[:_LONGEST_COPY]) for message in messages]
        encodings = {encoding for _, encoding in bodies}
        texts = {
            "body" if encodings == {"utf-8"} else "base64": "\n".join(text for text, _ in bodies),
            "id": "\n".join(message.message_id for message in messages),
            "JSON": exports.as_json(records) if len(records) > 1 else exports.as_jsonl(records).strip(),
            "mqadmin": "\n".join(self.mqadmin(*command_of(message)) for message in messages),
        }
        self.app.push_screen(CopyDialog(texts))

    def action_export(self) -> None:
        """Offers to write the marked messages, or all that are shown, with their bodies."""
        if self.focused in {self.pane.properties, self.pane.where, self.pane.consumption}:
            super().action_export()
            return
        keys = [key for key in self.list.keys if key in self.list.marked] or self.list.keys
        if not keys:
            self.say("there are no messages to export")
            return
        records = [as_record(self.list.rows[key]) for key in keys]
        self.app.push_screen(ExportDialog(records, self.list.label, "messages.json", self.session.save))
