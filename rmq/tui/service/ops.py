"""What was changed since the start: kept for the screen Ops, and written down for later.

Every change is one line of JSON in a file of the user's own, written when the change has ended, whatever became of it.
Secrets that a change carries are masked before anything is kept.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from rmq.tui.service.changes.change import Change, Item, Outcome, Preview, Risk
from rmq.tui.service.command_line import masked
from rmq.tui.service.model import Problem

_KEPT: Final = 500
_ITEMS: Final = 1000
"""Parts of a change that are written down."""


@dataclass(slots=True)
class Operation:
    """A change that was begun.

    Attributes:
        number: 1 for the first.
        started: when, in ms since the epoch.
        context: name of the cluster here.
        namesrv: its name servers.
        title: what was to be done.
        target: the name of what was changed.
        risk: how much harm it could do.
        commands: command lines of mqadmin that do the same.
        preview: what it was going to do, when it was asked for that.
        items: its parts that are done, by name.
        answer: what became of it; None while it runs.
        ended: when it ended, in ms since the epoch; 0 while it runs.
    """

    number: int
    started: int
    context: str
    namesrv: str
    title: str
    target: str
    risk: Risk
    commands: tuple[str, ...]
    preview: Preview | None = None
    items: dict[str, Item] = field(default_factory=dict)
    answer: Outcome | Problem | None = None
    ended: int = 0

    @property
    def problem(self) -> Problem | None:
        """Operations are known whole."""
        return None

    @property
    def state(self) -> str:
        """`running`, `ok` or `failed`."""
        if self.answer is None:
            return "running"
        return "ok" if isinstance(self.answer, Outcome) and self.answer.ok else "failed"

    @property
    def dry_run(self) -> str:
        """The preview in a line; empty when there was none."""
        return "" if self.preview is None else " · ".join(self.preview.notes)

    @property
    def result(self) -> str:
        """What became of it, in a line; empty while it runs."""
        return self.answer.text if isinstance(self.answer, Outcome) else str(self.answer or "")

    def line(self) -> str:
        """One line of JSON."""
        outcome = self.answer if isinstance(self.answer, Outcome) else None
        items = list(self.items.values())
        record: dict[str, Any] = {
            "time": _iso(self.started),
            "ended": _iso(self.ended),
            "context": self.context,
            "namesrv": self.namesrv,
            "change": self.title,
            "target": self.target,
            "risk": self.risk.value,
            "commands": list(self.commands),
            "ok": self.state == "ok",
            "result": self.result,
            "items": [{"name": item.name, "ok": item.ok, "text": item.text} for item in items[:_ITEMS]],
            "read_back": list(outcome.read_back) if outcome else [],
        }
        if self.preview is not None:
            record["dry_run"] = {"notes": list(self.preview.notes), "warnings": list(self.preview.warnings)}
        if len(items) > _ITEMS:
            record["items_left_out"] = len(items) - _ITEMS
        return json.dumps(record, ensure_ascii=False)


def _nowhere(line: str) -> None:
    """Nothing is written down."""


class OpsLog:
    """The changes of this run.

    Args:
        append: writes a line to the file; may raise `OSError`.
        where: what the file is called.

    Attributes:
        operations: the newest last; some hundred are kept.
        trouble: why the last line could not be written; empty when it was.
    """

    def __init__(self, append: Callable[[str], None] = _nowhere, where: str = "") -> None:
        self._append = append
        self.where = where
        self.operations: deque[Operation] = deque(maxlen=_KEPT)
        self.trouble = ""
        self._begun = 0

    @property
    def running(self) -> list[Operation]:
        """Operations that have not ended."""
        return [operation for operation in self.operations if operation.answer is None]

    def begin(
        self,
        change: Change,
        now: int,
        *,
        context: str,
        namesrv: str,
        commands: tuple[str, ...],
        preview: Preview | None,
    ) -> Operation:
        """A change begins; its command lines have no secrets any more."""
        self._begun += 1
        secrets = change.secrets
        operation = Operation(
            self._begun,
            now,
            context,
            namesrv,
            masked(change.title, secrets),
            masked(change.target, secrets),
            change.risk,
            commands,
            None if preview is None else _masked_preview(preview, secrets),
        )
        self.operations.append(operation)
        return operation

    def end(self, operation: Operation, answer: Outcome | Problem, now: int) -> None:
        """A change has ended; a file that cannot be written keeps nobody."""
        operation.answer, operation.ended = answer, now
        try:
            self._append(operation.line())
            self.trouble = ""
        except OSError as error:
            self.trouble = f"{self.where} cannot be written: {error.strerror or error}"


def masked_item(item: Item, secrets: tuple[str, ...]) -> Item:
    """The item without secrets."""
    return Item(masked(item.name, secrets), item.ok, masked(item.text, secrets))


def masked_answer(answer: Outcome | Problem, secrets: tuple[str, ...]) -> Outcome | Problem:
    """The answer without secrets."""
    if isinstance(answer, Problem):
        return Problem(masked(answer.cause, secrets), answer.where, answer.code, masked(answer.remedy, secrets))
    items = tuple(masked_item(item, secrets) for item in answer.items)
    return Outcome(answer.ok, masked(answer.text, secrets), items, _masked_all(answer.read_back, secrets))


def _masked_preview(preview: Preview, secrets: tuple[str, ...]) -> Preview:
    return Preview(
        preview.columns,
        tuple(_masked_all(row, secrets) for row in preview.rows),
        _masked_all(preview.notes, secrets),
        _masked_all(preview.warnings, secrets),
        masked(preview.refusal, secrets),
        tuple(_masked_all(words, secrets) for words in preview.commands),
    )


def _masked_all(texts: tuple[str, ...], secrets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(masked(text, secrets) for text in texts)


def _iso(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
