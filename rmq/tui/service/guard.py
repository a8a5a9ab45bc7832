"""A service that refuses changes where nothing may be changed, and has every change written down."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

from rmq.tui.config.contexts import Context, Mode
from rmq.tui.service.changes.change import Change, Item, Outcome, Preview
from rmq.tui.service.command_line import command_line
from rmq.tui.service.model import Problem
from rmq.tui.service.ops import OpsLog, masked_answer, masked_item
from rmq.tui.service.protocol import AdminService

_PREVIEWS: Final = 8
"""Previews that are remembered until their change is done."""


def guarded(service: AdminService, context: Context, log: OpsLog, now: Callable[[], int]) -> AdminService:
    """The service with a guard before it: questions go through, changes are refused or written down.

    Args:
        service: answers and changes.
        context: says what may be done.
        log: is told of every change.
        now: ms since the epoch.
    """
    return cast(AdminService, _Guard(service, context, log, now))


class _Guard:
    def __init__(self, service: AdminService, context: Context, log: OpsLog, now: Callable[[], int]) -> None:
        self._service = service
        self._context = context
        self._log = log
        self._now = now
        self._previews: deque[tuple[Change, Preview]] = deque(maxlen=_PREVIEWS)

    def __getattr__(self, question: str) -> Any:
        return getattr(self._service, question)

    async def preview(self, change: Change) -> Preview | Problem:
        answer = await self._service.preview(change)
        if isinstance(answer, Preview):
            self._previews.appendleft((change, answer))
        return answer

    async def change(self, change: Change, done: Callable[[Item], None]) -> Outcome | Problem:
        if self._context.mode is Mode.READ_ONLY:
            return Problem(
                f"the context {self._context.name} is read-only",
                remedy="use a context in which changes are allowed",
            )
        log, service = self._log, self._service
        before = next((preview for known, preview in self._previews if known == change), None)
        commands = (before.commands if before is not None else ()) or change.commands
        lines = tuple(command_line(words, service.address, change.secrets) for words in commands)
        operation = log.begin(
            change,
            self._now(),
            context=self._context.name,
            namesrv=service.address,
            commands=lines,
            preview=before,
        )

        def told(item: Item) -> None:
            shown = masked_item(item, change.secrets)
            operation.items[shown.name] = shown
            done(shown)

        try:
            answer = masked_answer(await service.change(change, told), change.secrets)
        except asyncio.CancelledError:
            given_up = Problem("given up: rmq tui was ended while it ran", remedy="look at what became of it")
            log.end(operation, given_up, self._now())
            raise
        except Exception as error:
            log.end(operation, Problem(f"a fault of rmq tui: {type(error).__name__}"), self._now())
            raise
        if isinstance(answer, Outcome):
            operation.items |= {item.name: item for item in answer.items}
        log.end(operation, answer, self._now())
        return answer
