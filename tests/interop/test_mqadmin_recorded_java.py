"""The recorded scenario of mqadmin, replayed by Java's tool against our server; see test_mqadmin.py."""

from collections.abc import Iterator

import pytest

from tests.golden.expected import Pairing
from tests.golden.play import Outcome
from tests.golden.replay import each_step, replayed
from tests.golden.scenario import Step
from tests.kit.server import chosen_kind

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

PAIRING = Pairing("java", chosen_kind())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    with replayed(PAIRING, tmp_path_factory) as outcomes:
        yield outcomes


@each_step
def test_prints_what_apache_printed(played: dict[str, Outcome], step: Step) -> None:
    assert played[step.number] == PAIRING.wanted(step)
