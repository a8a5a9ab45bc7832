"""Real servers take their time."""

import pytest


@pytest.fixture(autouse=True)
def instant() -> None:
    """Instead of the one of all other tests of the terminal interface."""
