"""What a step must print in each pairing of a tool and a server: what Apache printed, but for the listed differences.

`mqadmin.json` is the recording, `differences.toml` the list of differences with their reasons, `refusals.tsv` what our
mqadmin writes on stderr where a step fails (step number, server or `-`, line; Apache's writes a stack trace, and ends
with 0).

A difference has `steps`, `reason`, `tool` (`ours` or `java`; both without it), `server` (`rmq` or `apache`; both
without it) and some of these, which say what is done instead:

- `out`: this text, in canonical form.
- `synopsis = true`: of a page of options the usage lines are Apache's, the rest is our own words.
- `replace`: a list of pairs, pattern and replacement, that turn Apache's canonical text into ours.
- `err`: this text on stderr, in canonical form (Java's tool only).
- `exit`: this code (our tool only).
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.golden.canonical import canonical, complaint, placed
from tests.golden.play import Outcome
from tests.golden.scenario import STEPS, Step, synopsis_of

_HERE = Path(__file__).parent
_RECORDED: dict[str, Any] = json.loads((_HERE / "mqadmin.json").read_text(encoding="utf-8"))["steps"]

Difference = dict[str, Any]

DIFFERENCES: list[Difference] = tomllib.loads((_HERE / "differences.toml").read_text(encoding="utf-8"))["difference"]


def _refusals() -> dict[tuple[str, str], str]:
    lines: dict[tuple[str, str], str] = {}
    for row in (_HERE / "refusals.tsv").read_text(encoding="utf-8").splitlines():
        number, where, line = row.split("\t")
        for server in ("rmq", "apache") if where == "-" else (where,):
            lines[number, server] = lines.get((number, server), "") + line + "\n"
    return lines


_REFUSALS = _refusals()


@dataclass(frozen=True)
class Pairing:
    """Whose tool against whose server."""

    tool: str
    server: str

    def __str__(self) -> str:
        return f"{self.tool}-{self.server}"

    def difference(self, step: Step, listed: Sequence[Difference] = DIFFERENCES) -> Difference:
        """All that is listed for the step here."""
        found: Difference = {}
        for entry in listed:
            if (
                step.number in entry["steps"]
                and entry.get("tool", self.tool) == self.tool
                and entry.get("server", self.server) == self.server
            ):
                found.update(entry)
        return found

    def wanted(self, step: Step, listed: Sequence[Difference] = DIFFERENCES) -> Outcome:
        """What the step must do, in canonical form."""
        recorded, difference = _RECORDED[step.number], self.difference(step, listed)
        out = canonical(step, "".join(recorded["out"]))
        for pattern, replacement in difference.get("replace", ()):
            out = re.sub(pattern, replacement, out, flags=re.MULTILINE)
        if "synopsis" in difference:
            out = synopsis_of(out)
        out = difference.get("out", out)
        if self.tool == "ours":
            return Outcome(out, _REFUSALS.get((step.number, self.server), ""), difference.get("exit", step.exit))
        return Outcome(out, difference.get("err", complaint("".join(recorded.get("err", ())))))

    def seen(self, step: Step, outcome: Outcome, known: dict[str, str]) -> Outcome:
        """What the step did, in canonical form."""
        out = canonical(step, placed(outcome.out, known))
        if "synopsis" in self.difference(step):
            out = synopsis_of(out)
        err = complaint(placed(outcome.err, known))
        if self.tool == "ours":
            return Outcome(out, err, outcome.exit or 0)  # what was stopped has not failed
        return Outcome(out, err)


def left_over() -> list[str]:
    """Steps that a difference or a refusal names although the scenario does not print them."""
    printing = {step.number for step in STEPS if step.printing}
    named = {number for entry in DIFFERENCES for number in entry["steps"]} | {number for number, _ in _REFUSALS}
    return sorted(named - printing)
