"""What a dry run prints: a line for each request that would be sent and each file that would be written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from rmq.admin.output import Column, Member, Report, Table
from rmq.client.admin.dryrun import Change
from rmq.wire.bodies.printed import java_text
from rmq.wire.errors import RemotingError

_MOST = 200
"""Characters of a body in a line; JSON and CSV have all of it."""


def _fields(fields: dict[str, Any]) -> str:
    text = "".join(f" {name}={java_text(value)}" for name, value in fields.items())
    # Properties of messages are joined by control characters.
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _body(body: object) -> str:
    if body is None:
        return ""
    if not isinstance(body, str):
        import orjson

        return f" body {orjson.dumps(body).decode()}"
    text = " ".join(body.split())
    return f" body {text[:_MOST]}{'...' if len(text) > _MOST else ''}"


CHANGES = Table(
    "changes",
    "With --dry-run: what would be done, in order. `action` is send or write; a request has `request`, `code`,"
    " `address`, `fields` and perhaps a `body`, a file has its `path` and its text as `body`. Passwords are masked.",
    "",
    "would %s%s%s%s%s%s%s",
    (
        Column("action"),
        Column("request", text=lambda name: f" {name}" if name else ""),
        Column("code", text=lambda code: ""),
        Column("address", text=lambda address: f" to {address}" if address else ""),
        Column("path", text=lambda path: f" {path}" if path else ""),
        Column("fields", text=_fields),
        Column("body", text=_body),
    ),
)
DRY_RUN_DATA: Final[tuple[Member | Table, ...]] = (Member("dryRun", "With --dry-run: true."), CHANGES)
"""What the JSON object of a dry run consists of."""


def rehearsed(changes: Iterable[Change], failures: Iterable[RemotingError]) -> Report:
    """The report of a dry run."""
    report = Report()
    report.put(dryRun=True)
    rows = [
        (change.action, change.request, change.code, change.address, change.path, change.fields, change.body)
        for change in changes
    ]
    report.table(CHANGES, rows)
    if not rows:
        report.say("would change nothing")
    for failure in failures:
        report.fail(failure)
    return report
