"""Tail: the new messages of a topic or of a queue, as they come. Nothing is committed.

It looks four times a second while it is in front and not paused, one look at a time, and keeps the newest. What comes
faster than it can be read is left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from rmq.tui.formats import count, rate
from rmq.tui.messages import TailCame
from rmq.tui.screens.header import Step
from rmq.tui.screens.stored import StoredScreen
from rmq.tui.service.model import Problem
from rmq.tui.service.query import QueueRange
from rmq.tui.state.ring import KEPT, Ring
from rmq.tui.state.session import Session
from rmq.tui.widgets.lines import TextLine

_EVERY: Final = 0.25
"""Seconds between two looks."""


class TailScreen(StoredScreen):
    """Follows new messages, over the screen that it was opened from.

    Args:
        session: what all screens share.
        topic: what is followed.
        queue: only this queue of it.
    """

    MODE = "messages"
    NUMBER = 4
    TITLE = "Tail"
    EMPTY = "nothing new yet: what comes from now on is shown here"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "hold", "pause", id="tail.pause"),
        Binding("e", "follow", "follow", id="tail.follow"),
        Binding("C", "clear", "clear", id="tail.clear"),
    ]

    def __init__(self, session: Session, topic: str, queue: QueueRange | None = None) -> None:
        super().__init__(session)
        self.topic = topic
        self.queue = queue
        self.ring = Ring()
        self.held = False
        self.following = True
        self._tail = session.service.tail(topic, queue)
        self._problem: Problem | None = None
        self._since = 0

    def compose_top(self) -> Iterable[Widget]:
        """How fast they come."""
        yield TextLine(id="progress")

    def on_mount(self) -> None:
        """Begins to look."""
        super().on_mount()
        self.set_interval(_EVERY, self.look)
        self.show_all()

    @property
    def heading(self) -> str:
        """What is followed."""
        queue = self.queue
        if queue is None:
            return f"Tail {self.topic}"
        return f"Tail {self.topic} {queue.broker or '*'}/{queue.queue_id}"

    def steps(self) -> list[Step]:
        """See `FrameScreen`."""
        return [(self.heading, None)]

    # --- looking --------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Looks; the interval of other screens is too long for this one."""
        self.look()

    def poll_again(self) -> None:
        """Looks now."""
        self.look()

    def go_to(self, name: str) -> None:
        """It shows one thing only."""

    def look(self) -> None:
        """Asks what is new, unless nobody looks or the last look is under way."""
        if self.held or not self.is_current or not self.app.app_focus:
            return
        if not self.is_asking("look"):
            self._look()

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        self.post_message(TailCame(await self._tail.look()))

    def on_tail_came(self, message: TailCame) -> None:
        """Takes what is new."""
        now, tailed = self.session.now(), message.tailed
        if tailed.problem is not None and self._problem is None:
            self._since = now
        self._problem = tailed.problem
        self.ring.add(tailed.messages, tailed.skipped, now)
        self.show_all()

    # --- showing --------------------------------------------------------------------------------------------------

    def show_all(self) -> None:
        """Brings everything up to date; the cursor stays at the end while it is followed."""
        if self.list.keys:
            self.following = self.list.current == self.list.keys[-1]
        self.list.update_rows(self.ring.messages)
        if self.following and self.list.keys:
            self.list.go_to(self.list.keys[-1])
        self.query_one("#progress", TextLine).say(self._about())
        self.show_title()
        self.show_message()
        self.show_frame()

    def _about(self) -> Text:
        ring = self.ring
        state = "paused" if self.held else "following" if self.following else "not following"
        text = Text.assemble((state, "yellow" if self.held or not self.following else "green"))
        text.append(f" · {rate(ring.rate())}/s · {count(ring.came)} came", "default")
        dropped = f" · {count(ring.dropped)} dropped"
        text.append(dropped, "yellow" if ring.dropped else "dim")
        if ring.gone:
            text.append(f" · newest {count(KEPT)} kept", "dim")
        return text

    def problem_at_hand(self) -> tuple[Problem, int] | None:
        """Why nothing new can be read."""
        return (self._problem, self._since) if self._problem is not None else None

    def narrow(self, text: str) -> None:
        """The newest of those that are shown is followed."""
        super().narrow(text)
        if self.following and self.list.keys:
            self.list.go_to(self.list.keys[-1])

    # --- keys -----------------------------------------------------------------------------------------------------

    def action_hold(self) -> None:
        """Stops looking, and goes on where it was."""
        self.held = not self.held
        self.show_all()
        self.look()

    def action_follow(self) -> None:
        """Goes to the newest message, and stays with the newest."""
        self.list.action_edge(1)
        self.show_all()

    def action_clear(self) -> None:
        """Begins with an empty list."""
        self.ring.clear()
        self.following = True
        self.show_all()

    def leave(self) -> None:
        """Back to the screen below."""
        self.dismiss()
