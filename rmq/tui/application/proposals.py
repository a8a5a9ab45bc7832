"""The application's part about changes: proposed in a dialog, done in the background, told of wherever the user is."""

from __future__ import annotations

from typing import Final

from textual import on, work
from textual.app import App
from textual.timer import Timer

from rmq.tui.formats import one_line
from rmq.tui.messages import ChangeEnded, ItemDone
from rmq.tui.screens.change import ChangeDialog
from rmq.tui.screens.frame import FrameScreen
from rmq.tui.service.changes.change import Change, Item, Outcome
from rmq.tui.state.session import Session

_TOGETHER: Final = 0.2
"""Seconds after which the screens are told of parts that are done."""
_NOTICE: Final = 10.0
"""Seconds for which it is told how a change ended whose dialog was closed."""


class ProposingApp(App[None]):
    """An application that changes a cluster.

    Attributes:
        session: the cluster that is looked at.
    """

    session: Session
    _quit_asked = False
    _telling: Timer | None = None

    @property
    def front(self) -> FrameScreen | None:
        """The numbered screen, when no dialog is over it."""
        raise NotImplementedError

    def propose(self, change: Change) -> None:
        """Shows what a change will do, and has it carried out once the user has confirmed it."""
        if not self.session.read_only:
            self.push_screen(ChangeDialog(self.session, change))
        elif self.front is not None:
            self.front.say(f"the context {one_line(self.session.name)} is read-only")

    @work(group="changes")
    async def carry_out(self, change: Change) -> None:
        """Has a change done, whether or not its dialog stays open."""
        answer = await self.session.service.change(change, lambda item: self._item_done(change, item))
        self.post_message(ChangeEnded(change, answer))

    def _item_done(self, change: Change, item: Item) -> None:
        self.post_message(ItemDone(change, item))

    def _dialog_of(self, change: Change) -> ChangeDialog | None:
        found = (one for one in self.screen_stack if isinstance(one, ChangeDialog) and one.change is change)
        return next(found, None)

    @on(ItemDone)
    def item_done(self, message: ItemDone) -> None:
        """A part of a change has been done."""
        dialog = self._dialog_of(message.change)
        if dialog is not None:
            dialog.item_done(message.item)
        if self._telling is None:
            self._telling = self.set_timer(_TOGETHER, self._show_operation)

    @on(ChangeEnded)
    def change_ended(self, message: ChangeEnded) -> None:
        """A change has been done: its dialog tells, or a notice when that has been closed."""
        dialog = self._dialog_of(message.change)
        if dialog is not None:
            dialog.ended(message.answer)
        else:
            self._tell(message)
            if self.front is not None:
                self.front.poll_again()
        self._show_operation()

    def _tell(self, message: ChangeEnded) -> None:
        answer = message.answer
        ok = isinstance(answer, Outcome) and answer.ok
        self.notify(
            one_line(answer.text if isinstance(answer, Outcome) else str(answer)),
            title=one_line(message.change.title),
            severity="information" if ok else "error",
            timeout=_NOTICE,
            markup=False,
        )

    def _show_operation(self) -> None:
        self._telling = None
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.operations_changed()

    async def action_quit(self) -> None:
        """Ends the application; while a change runs, only when it is asked for twice."""
        running = self.session.ops.running
        if running and not self._quit_asked:
            self._quit_asked = True
            self.notify(
                f"{one_line(running[0].title)} is still running: quitting gives it up. Again to quit all the same.",
                title="A change is running",
                severity="warning",
                markup=False,
            )
            return
        self.exit()
