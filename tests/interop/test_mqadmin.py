"""Our mqadmin prints what Apache's printed: the recorded scenario, replayed against the chosen server.

The recording is tests/golden/mqadmin.json, made by `python -m tests.golden.record`.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rmq.admin.cli import main
from tests.golden.record import RECORDING
from tests.golden.scenario import STEPS, Step, first_message_id, normalised
from tests.golden.stage import Stage
from tests.kit.frames import wait_for_figures
from tests.kit.server import RunningServer, chosen_kind, maker
from tests.kit.toolchains import require

pytestmark = pytest.mark.interop

_PATIENCE = 15.0
_COMMANDS = [step for step in STEPS if not step.staged]
_RECORDED = iter(json.loads(RECORDING.read_text(encoding="utf-8"))["steps"])
_EXPECTED = [None if step.differs else "".join(next(_RECORDED)["out"]) for step in _COMMANDS]


@dataclass
class Played:
    """One step's outcome."""

    out: str
    err: str
    exit: int


@pytest.fixture(scope="module")
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with an empty store, where the scenario begins."""
    kind = chosen_kind()
    if kind == "apache":
        require("java")
    server = maker(kind)(tmp_path_factory.mktemp(kind), extra={"enablePropertyFilter": "true"})
    wait_for_figures(server.broker_addr)
    yield server
    server.kill()


@pytest.fixture(scope="module")
def played(fresh_server: RunningServer) -> Iterator[list[Played]]:
    """The scenario's outcomes, in order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAMESRV_ADDR", fresh_server.namesrv_addr)
        yield list(_play(fresh_server))


def _play(server: RunningServer) -> Iterator[Played]:
    known = {"broker": server.broker_addr, "namesrv": server.namesrv_addr}
    stage = Stage(server.broker_addr)
    expected = iter(_EXPECTED)
    try:
        for step in STEPS:
            if step.staged:
                stage.do(step.line)
                continue
            wanted = next(expected)
            deadline = time.monotonic() + _PATIENCE
            outcome, raw = _run(step, known)
            while step.eventually and outcome.out != wanted and time.monotonic() < deadline:
                time.sleep(0.2)
                outcome, raw = _run(step, known)
            found = first_message_id(raw)
            if step.label and found:
                known[f"msgid:{step.label}"] = found
            yield outcome
    finally:
        stage.close()


def _run(step: Step, known: dict[str, str]) -> tuple[Played, str]:
    import contextlib
    import io

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(step.words(known))
    return Played(normalised(step, out.getvalue(), known), err.getvalue(), code), out.getvalue()


@pytest.mark.parametrize(
    "number", range(len(_COMMANDS)), ids=[f"{i:03d} {s.line[:60]}" for i, s in enumerate(_COMMANDS)]
)
def test_prints_what_apache_printed(played: list[Played], number: int) -> None:
    step, outcome = _COMMANDS[number], played[number]
    if _EXPECTED[number] is not None:
        assert outcome.out == _EXPECTED[number]
    assert outcome.exit == step.exit, outcome.err
    if step.exit == 1:
        assert outcome.err.startswith("mqadmin ")
        assert outcome.err.count("\n") == 1
    if step.exit == 0:
        assert outcome.err == ""
