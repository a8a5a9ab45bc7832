"""Waiting costs nothing in these tests."""

from collections.abc import Iterator

import pytest

from tests.kit.tui.instant import instant as instantly


@pytest.fixture(autouse=True)
def instant() -> Iterator[None]:
    """See `tests.kit.tui.instant`."""
    with instantly():
        yield
