"""pytest fixtures: `rocketmq`, one running server for the whole session, `rocketmq_factory`, servers of one's own, and
`rocketmq_cluster`, clusters of several processes.

    def test_order(rocketmq):
        client = connect(rocketmq.namesrv_addr)

    def test_restart(rocketmq_factory, tmp_path):
        first = rocketmq_factory(tmp_path)
        first.stop()
        second = rocketmq_factory(tmp_path, {"autoCreateTopicEnable": False})

    def test_fail_over(rocketmq_cluster):
        cluster = rocketmq_cluster("2m-2s-sync")
        cluster.members["broker-a"].kill()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rmq.testing.cluster import RocketMQCluster
    from rmq.testing.server import RocketMQ

Factory = Callable[..., "RocketMQ"]
ClusterFactory = Callable[..., "RocketMQCluster"]


@pytest.fixture(scope="session")
def rocketmq() -> Iterator[RocketMQ]:
    """A running name server and broker, shared by all tests of the session."""
    from rmq.testing.server import RocketMQ

    with RocketMQ() as running:
        yield running


@pytest.fixture
def rocketmq_factory() -> Iterator[Factory]:
    """Starts servers: `rocketmq_factory(directory=None, settings=None)`. All are stopped when the test ends."""
    from rmq.testing.server import RocketMQ

    started: list[RocketMQ] = []

    def start(directory: Path | None = None, settings: Mapping[str, Any] | None = None) -> RocketMQ:
        running = RocketMQ(directory, settings)
        started.append(running)
        return running

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def rocketmq_cluster() -> Iterator[ClusterFactory]:
    """Starts clusters: `rocketmq_cluster(mode, directory=None, settings=None, name_servers=1)`.

    All are stopped when the test ends.
    """
    from rmq.testing.cluster import RocketMQCluster

    with ExitStack() as started:

        def start(
            mode: str,
            directory: Path | None = None,
            settings: Mapping[str, Any] | None = None,
            *,
            name_servers: int = 1,
        ) -> RocketMQCluster:
            return started.enter_context(RocketMQCluster(mode, directory, settings, name_servers=name_servers))

        yield start
