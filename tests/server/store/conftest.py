"""A test that uses `loops` runs once each way that the store's hottest loops can take."""

from collections.abc import Iterator

import pytest

from tests.kit.loops import WAYS, taking


@pytest.fixture(params=WAYS)
def loops(request: pytest.FixtureRequest) -> Iterator[str]:
    with taking(request.param):
        yield request.param
