"""Commands that the user has typed: rehearsed with `--dry-run`, then run."""

from __future__ import annotations

from contextlib import aclosing
from typing import Final

from rmq.tui.service.changes.change import Outcome, Preview
from rmq.tui.service.changes.command_lines import RunCommand
from rmq.tui.service.live.changes.doer import Doer, Done
from rmq.tui.service.live.known import Known
from rmq.tui.service.live.mqadmin import lines_of
from rmq.tui.service.model.commands import Ended

_LINES: Final = 40
"""Lines of the output that are shown."""


async def _output(known: Known, *words: str) -> tuple[list[str], int]:
    shown: list[str] = []
    left_out, code = 0, 0
    async with aclosing(lines_of(words, ";".join(known.admin.nameservers))) as lines:
        async for line in lines:
            if isinstance(line, Ended):
                code = line.code
            elif len(shown) < _LINES:
                shown.append(line)
            else:
                left_out += 1
    return [*shown, *([f"… {left_out:,} lines more"] if left_out else [])], code


async def _preview(known: Known, change: RunCommand) -> Preview:
    lines, code = await _output(known, *change.words, "--dry-run")
    if code:
        return Preview(notes=tuple(lines), refusal=f"its dry run ended with exit code {code}")
    return Preview(notes=("its dry run says:", *lines))


async def _carry_out(known: Known, change: RunCommand, done: Done) -> Outcome:
    lines, code = await _output(known, *change.words)
    return Outcome(code == 0, f"exit code {code}", read_back=tuple(lines))


DOERS: Final = (Doer(RunCommand, _preview, _carry_out),)
"""What does these changes."""
