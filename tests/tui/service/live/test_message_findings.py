"""What a search keeps is bounded, and each thing is told once."""

import asyncio

import pytest

from rmq.remoting.errors import ConnectFailedError
from rmq.tui.service.live.message_findings import Findings
from rmq.tui.service.model import Batch
from rmq.tui.service.query import Query
from tests.kit.tui.messages import stored


def told(limit: int, total: int | None, scanned: int, number: int) -> list[Batch]:
    async def run() -> list[Batch]:
        batches: list[Batch] = []
        findings = Findings(Query("Orders", limit=limit), batches.append)
        findings.total, findings.scanned = total, scanned
        findings.keep(stored(at) for at in range(number))
        findings.note("a note")
        findings.failed(ConnectFailedError("10.0.0.1:1", "refused"))
        findings.tell()
        findings.note("a note")
        findings.failed(ConnectFailedError("10.0.0.1:1", "refused"))
        findings.tell()
        findings.finish()
        return batches

    return asyncio.run(run())


def test_each_thing_is_told_once_and_not_too_often() -> None:
    first, last = told(5, 9, 9, 3)
    assert (len(first.messages), first.notes, [problem.where for problem in first.problems]) == (
        3,
        ("a note",),
        ["10.0.0.1:1"],
    )
    assert last == Batch((), 9, 9, (), (), True)


def test_a_bound_is_told() -> None:
    assert told(3, 9, 4, 3)[1].notes == ("stopped at 3 messages, 5 were not looked at: narrow it, or set limit:",)
    assert told(3, None, 4, 4)[1].notes == ("stopped at 3 messages, more were found: narrow it, or set limit:",)
    assert told(3, 4, 4, 3)[1].notes == ()


def test_bytes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmq.tui.service.live.message_findings.BYTES", 2)
    first, last = told(100, 9, 4, 8)
    assert (len(first.messages), last.notes) == (
        1,
        ("stopped at 0 MiB, 5 were not looked at: narrow it, or set limit:",),
    )
