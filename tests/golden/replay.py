"""Replays the recorded scenario in one pairing of a tool and a server.

The pairings have test files of their own, tests/interop/test_mqadmin*.py, so that they run side by side.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.golden.expected import Pairing
from tests.golden.play import SERVER, JavaTool, OurTool, Outcome, Player
from tests.golden.scenario import STEPS, Step
from tests.kit.frames import wait_for_figures
from tests.kit.server import maker
from tests.kit.toolchains import require

PRINTING = [step for step in STEPS if step.printing]

each_step = pytest.mark.parametrize("step", PRINTING, ids=[f"{step.number} {step.line[:60]}" for step in PRINTING])
"""Runs a test once for every step that prints."""


@contextmanager
def replayed(pairing: Pairing, places: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    """What every step did, in canonical form, on a server with an empty store."""
    require("java")  # the clients that stay connected are Java's in every pairing
    server = maker(pairing.server)(places.mktemp(pairing.server), extra=SERVER)
    try:
        wait_for_figures(server.broker_addr)
        work = places.mktemp("work")
        make = OurTool if pairing.tool == "ours" else JavaTool
        player = Player(server, make(server.namesrv_addr, work), work)

        def as_wanted(step: Step, outcome: Outcome) -> bool:
            return pairing.seen(step, outcome, player.known) == pairing.wanted(step)

        yield {step.number: pairing.seen(step, outcome, player.known) for step, outcome in player.play(as_wanted)}
    finally:
        server.kill()
