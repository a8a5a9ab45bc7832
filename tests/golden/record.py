"""Records what Apache's mqadmin prints: `python -m tests.golden.record` writes tests/golden/mqadmin.json.

A fresh name server and broker of Apache's are started and the scenario is played with Apache's tool. The texts are kept
as printed, but for the addresses and the directory of the run; stack frames are left out. The command lines that the
parser refuses run in a JVM each, because the parser ends it.
"""

import json
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.golden.canonical import placed, without_frames
from tests.golden.play import SERVER, JavaTool, Outcome, Player
from tests.golden.scenario import PARSER_LINES, Step, refusal_of, synopsis_of
from tests.kit.apache import ApacheCluster, mqadmin
from tests.kit.frames import wait_for_figures

RECORDING = Path(__file__).with_name("mqadmin.json")
_SETTLING = 20.0
"""Seconds after which all asynchronous state has arrived; a step that needs less says so."""


def record() -> dict[str, Any]:
    """Plays everything against Apache's servers."""
    home, work = (Path(tempfile.mkdtemp(prefix="rmq-golden-")) for _ in range(2))
    cluster = ApacheCluster(home, extra=SERVER)
    try:
        wait_for_figures(cluster.broker_addr)
        return {
            "steps": _steps(cluster, work),
            "parser": [_parsed(line, cluster.namesrv_addr) for line in PARSER_LINES],
        }
    finally:
        cluster.kill()
        shutil.rmtree(home)
        shutil.rmtree(work)


def _steps(cluster: ApacheCluster, work: Path) -> dict[str, Any]:
    player = Player(cluster, JavaTool(cluster.namesrv_addr, work), work)
    waiting: dict[str, float] = {}

    def settled(step: Step, _: Outcome) -> bool:
        """Whether a state has had its time; one that passes is taken as it comes."""
        if step.kill:
            return False
        begun = waiting.setdefault(step.number, time.monotonic())
        return step.again or time.monotonic() - begun >= min(step.retry, _SETTLING)

    recorded = {}
    for step, outcome in player.play(settled):
        print(step.number, step.line, file=sys.stderr)
        kept = {"line": step.line, "out": placed(outcome.out, player.known).splitlines(keepends=True)}
        err = without_frames(placed(outcome.err, player.known)).splitlines(keepends=True)
        recorded[step.number] = {**kept, "err": err} if err else kept
    return recorded


def _parsed(line: str, namesrv: str) -> dict[str, Any]:
    printed = mqadmin(*shlex.split(line), namesrv_addr=namesrv)
    print(line, file=sys.stderr)
    return {"line": line, "synopsis": synopsis_of(printed.out), "err": refusal_of(printed.err)}


if __name__ == "__main__":
    RECORDING.write_text(json.dumps(record(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
