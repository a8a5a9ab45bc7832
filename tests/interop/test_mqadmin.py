"""The recorded scenario of mqadmin, replayed in three pairings: our tool against our server and against Apache's, and
Java's tool against our server. Each prints what Java's printed against Apache's, but for what is listed in
tests/golden/differences.toml.

The recording is tests/golden/mqadmin.json, made by `python -m tests.golden.record`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden.expected import DIFFERENCES, Pairing, left_over
from tests.golden.play import SERVER, JavaTool, OurTool, Outcome, Player
from tests.golden.record import RECORDING
from tests.golden.scenario import STEPS, Step
from tests.kit.frames import wait_for_figures
from tests.kit.server import RunningServer, chosen_kind, maker
from tests.kit.toolchains import require

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

PAIRINGS = {
    "rmq": [Pairing("ours", "rmq"), Pairing("java", "rmq"), Pairing("ours", "apache")],
    "apache": [Pairing("ours", "apache"), Pairing("java", "apache")],
}[chosen_kind()]
PRINTING = [step for step in STEPS if step.printing]


@pytest.fixture(scope="module", params=PAIRINGS, ids=str)
def pairing(request: pytest.FixtureRequest) -> Pairing:
    """Whose tool runs against whose server."""
    require("java")  # the clients that stay connected are Java's in every pairing
    found: Pairing = request.param
    return found


@pytest.fixture(scope="module")
def played(pairing: Pairing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    """What every step did, in canonical form, on a server with an empty store."""
    server = maker(pairing.server)(tmp_path_factory.mktemp(pairing.server), extra=SERVER)
    try:
        wait_for_figures(server.broker_addr)
        yield _play(pairing, server, tmp_path_factory.mktemp("work"))
    finally:
        server.kill()


def _play(pairing: Pairing, server: RunningServer, work: Path) -> dict[str, Outcome]:
    make = OurTool if pairing.tool == "ours" else JavaTool
    player = Player(server, make(server.namesrv_addr, work), work)

    def as_wanted(step: Step, outcome: Outcome) -> bool:
        return pairing.seen(step, outcome, player.known) == pairing.wanted(step)

    return {step.number: pairing.seen(step, outcome, player.known) for step, outcome in player.play(as_wanted)}


@pytest.mark.parametrize("step", PRINTING, ids=[f"{step.number} {step.line[:60]}" for step in PRINTING])
def test_prints_what_apache_printed(pairing: Pairing, played: dict[str, Outcome], step: Step) -> None:
    wanted, seen = pairing.wanted(step), played[step.number]
    assert seen.out == wanted.out
    assert seen.err == wanted.err
    assert seen.exit == wanted.exit


def test_the_recording_is_of_this_scenario() -> None:
    recorded = json.loads(RECORDING.read_text(encoding="utf-8"))["steps"]
    assert {number: step["line"] for number, step in recorded.items()} == {s.number: s.line for s in PRINTING}


def test_differences_name_steps_that_exist() -> None:
    assert left_over() == []


@pytest.mark.parametrize("entry", DIFFERENCES, ids=[" ".join(entry["steps"]) for entry in DIFFERENCES])
def test_a_difference_is_one(entry: dict[str, Any]) -> None:
    """What is listed as different from Apache's is not what Apache's printed."""
    pairing = Pairing(entry.get("tool", "java"), entry.get("server", "rmq"))
    for step in PRINTING:
        if step.number in entry["steps"] and "synopsis" not in entry:
            assert pairing.wanted(step, [entry]) != pairing.wanted(step, [])
