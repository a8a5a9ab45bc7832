"""Which kinds of changes there are, and the service's part that previews and carries them out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from rmq.tui.service.changes.change import Change, Outcome, Preview
from rmq.tui.service.live.changes import (
    brokers,
    command_lines,
    dead_letters,
    groups,
    messages,
    offsets,
    topic_deletion,
    topic_import,
    topics,
)
from rmq.tui.service.live.changes.doer import Doer, Done
from rmq.tui.service.live.known import Known, or_problem


def _by_kind(doers: Iterable[Doer[Any]]) -> dict[type[Change], Doer[Any]]:
    return {doer.kind: doer for doer in doers}


DOERS: Final = _by_kind(
    (
        *offsets.DOERS,
        *topics.DOERS,
        *topic_deletion.DOERS,
        *topic_import.DOERS,
        *groups.DOERS,
        *brokers.DOERS,
        *dead_letters.DOERS,
        *messages.DOERS,
        *command_lines.DOERS,
    )
)
"""What does each kind of change."""


class LiveChanges:
    """See `protocol.Changes`."""

    _known: Known

    @or_problem
    async def preview(self, change: Change) -> Preview:
        """See `AdminService.preview`."""
        return await DOERS[type(change)].preview(self._known, change)

    @or_problem
    async def change(self, change: Change, done: Done) -> Outcome:
        """See `AdminService.change`; what was kept of answers is forgotten, since it may hold no longer."""
        try:
            return await DOERS[type(change)].carry_out(self._known, change, done)
        finally:
            self._known.forget()
