"""The official Node client (ali-ons), unchanged.

It sends single messages and consumes by push; it has no more. It cannot send to a topic that does not exist yet.
"""

from collections.abc import Callable

import pytest

from tests.interop import scenarios
from tests.kit import toolchains
from tests.kit.driver import Driver
from tests.kit.frames import create_topic
from tests.kit.messages import make_messages
from tests.kit.server import RunningServer
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]


@pytest.fixture
def program() -> Program:
    toolchains.require("node")
    return toolchains.node_client()


@pytest.fixture
def node(program: Program, shared_drivers: StartDriver) -> Driver:
    return shared_drivers(program)


@pytest.mark.parametrize(("mode", "in_flight"), [("sync", 1), ("async", 64)])
def test_sends_ten_thousand(node: Driver, server: RunningServer, mode: str, in_flight: int) -> None:
    topic = f"Node-{mode}"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 4)
    scenarios.sends_and_consumes(node, mode, topic, threads=in_flight)


@pytest.mark.parametrize("way", ["shutdown", "kill"])
def test_one_client_joins_and_leaves(
    node: Driver, program: Program, start_driver: StartDriver, server: RunningServer, way: str
) -> None:
    stays, guest = start_driver(program), start_driver(program)
    leave = guest.kill if way == "kill" else lambda: guest.retire("guest")
    topic = f"Node-join-{way}"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 4)
    scenarios.one_joins_and_leaves(stays, guest, node, topic, queues=4, leave=leave)


def test_broadcasting(program: Program, start_driver: StartDriver, server: RunningServer) -> None:
    create_topic(server.namesrv_addr, server.broker_addr, "Node-broadcast", 4)
    scenarios.broadcasts(
        start_driver(program), start_driver(program), "Node-broadcast", make_messages("broadcast", 1000)
    )


def test_tag_filter(node: Driver, server: RunningServer) -> None:
    create_topic(server.namesrv_addr, server.broker_addr, "Node-tags", 4)
    scenarios.filters_tags(node, "Node-tags")
