"""A message's body, as one of the decoders shows it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import ContentSwitcher
from textual.worker import Worker

from rmq.tui.decoders import Decoded, UndecodableError
from rmq.tui.decoders.registry import AUTO, Decoders
from rmq.tui.formats import count, one_line, plural
from rmq.tui.widgets.lines import TextLine
from rmq.tui.widgets.page import TextPage
from rmq.tui.widgets.tree import JsonTree


class BodyView(Vertical):
    """A body below a line that says what is shown of it, and how.

    Args:
        decoders: what can show it.

    Attributes:
        decoder: the decoder's name.
        decoded: what is shown; None while it is decoded, or when it cannot be.
        refusal: why it cannot be shown so; empty when it can.
    """

    @dataclass
    class Came(Message):
        """A body has been decoded, or not."""

        body: bytes
        decoder: str
        answer: Decoded | UndecodableError

    def __init__(self, decoders: Decoders, *, identity: str | None = None) -> None:
        super().__init__(id=identity)
        self._decoders = decoders
        self._body: bytes | None = None
        self.decoder = AUTO
        self.decoded: Decoded | None = None
        self.refusal = ""

    def compose(self) -> ComposeResult:
        """The line above page and tree, of which one is shown."""
        yield TextLine(classes="about-body")
        with ContentSwitcher(initial="page"):
            yield TextPage(identity="page")
            yield JsonTree(identity="tree")

    @property
    def part(self) -> Widget:
        """What takes the keys."""
        return self.query_one(JsonTree) if self._is_tree else self.query_one(TextPage)

    @property
    def _is_tree(self) -> bool:
        return self.decoded is not None and self.decoded.is_tree

    def show(self, body: bytes | None, nothing: str = "") -> None:
        """Shows a body; None for nothing, and what to say then."""
        if body is None:
            self._body, self.decoded, self.refusal = None, None, ""
            self._switch()
            self.query_one(TextPage).show(nothing)
            self._say(Text(""))
        elif body != self._body:
            self._body = body
            self._decode(body, self.decoder)

    def next_decoder(self) -> None:
        """Takes the next decoder, for this body and those that follow."""
        self.decoder = self._decoders.after(self.decoder)
        if self._body is not None:
            self._decode(self._body, self.decoder)

    @work(exclusive=True, group="decode")
    async def _decode(self, body: bytes, decoder: str) -> None:
        answer: Decoded | UndecodableError
        try:
            answer = await asyncio.to_thread(self._decoders.decode, decoder, body)
        except UndecodableError as error:
            answer = error
        self.post_message(self.Came(body, decoder, answer))

    @on(Came)
    def came(self, message: Came) -> None:
        """Shows what was decoded, unless something else is wanted by now."""
        message.stop()
        if (message.body, message.decoder) != (self._body, self.decoder):
            return
        answer = message.answer
        focused = self.part.has_focus
        if isinstance(answer, UndecodableError):
            self.decoded, self.refusal = None, str(answer)
            self.query_one(TextPage).show("")
            self._say(Text.assemble(f"{self.decoder} ", (f"✗ {one_line(self.refusal)}", "bold red")))
        else:
            self.decoded, self.refusal = answer, ""
            if answer.is_tree:
                self.query_one(JsonTree).show_value(answer.tree)
            else:
                self.query_one(TextPage).show(answer.text)
            self._say(_about(self.decoder, len(message.body), answer))
        self._switch()
        if focused:
            self.part.focus()

    def _switch(self) -> None:
        self.query_one(ContentSwitcher).current = "tree" if self._is_tree else "page"

    def _say(self, text: Text) -> None:
        self.query_one(TextLine).say(text)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Workers report through messages of their own."""
        event.stop()


def _about(decoder: str, size: int, decoded: Decoded) -> Text:
    steps = " › ".join(decoded.steps)
    text = Text(f"{AUTO}: {steps}" if decoder == AUTO else steps, "bold")
    text.append(f" · {plural(size, 'byte')}", "not bold")
    if decoded.is_cut:
        of = "more" if decoded.of is None else count(decoded.of)
        text.append(f" · shown {count(decoded.shown)} of {of} bytes", "not bold yellow")
    elif decoded.of != size and decoded.of is not None:
        text.append(f", unpacked {count(decoded.of)}", "not bold")
    if decoded.remark:
        text.append(f" · {one_line(decoded.remark)}", "not bold yellow")
    return text
