"""What tests of brokers share."""

from collections.abc import Iterator

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from tests.kit.turning import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A reactor that the test turns; what is still connected at the end is told so."""
    made = Loop()
    yield made
    for reader in made.reactor.removeAll():
        reader.connectionLost(Failure(ConnectionDone()))
