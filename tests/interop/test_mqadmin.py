"""The recorded scenario of mqadmin, replayed by our tool: it prints what Java's printed against Apache's server, but
for what is listed in tests/golden/differences.toml.

The recording is tests/golden/mqadmin.json, made by `python -m tests.golden.record`.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.golden.expected import DIFFERENCES, Pairing, left_over
from tests.golden.play import Outcome
from tests.golden.record import RECORDING
from tests.golden.replay import PRINTING, each_step, replayed
from tests.golden.scenario import Step
from tests.kit.server import chosen_kind

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

PAIRING = Pairing("ours", chosen_kind())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    with replayed(PAIRING, tmp_path_factory) as outcomes:
        yield outcomes


@each_step
def test_prints_what_apache_printed(played: dict[str, Outcome], step: Step) -> None:
    assert played[step.number] == PAIRING.wanted(step)


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
