"""The official Go client, unchanged."""

from collections.abc import Callable

import pytest

from tests.interop import scenarios
from tests.kit import toolchains
from tests.kit.driver import Driver, Received
from tests.kit.frames import create_topic
from tests.kit.messages import assert_same, make_messages
from tests.kit.server import RunningServer
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]


@pytest.fixture
def program() -> Program:
    toolchains.require("go")
    return toolchains.go_client()


@pytest.fixture
def go(program: Program, shared_drivers: StartDriver) -> Driver:
    return shared_drivers(program)


@pytest.mark.parametrize("mode", ["sync", "async", "oneway", "batch"])
def test_sends_ten_thousand(go: Driver, mode: str) -> None:
    scenarios.sends_and_consumes(go, mode, f"Go-{mode}")


@pytest.mark.parametrize("way", ["shutdown", "kill"])
def test_one_client_joins_and_leaves(
    go: Driver, program: Program, start_driver: StartDriver, server: RunningServer, way: str
) -> None:
    stays, guest = start_driver(program), start_driver(program)
    leave = guest.kill if way == "kill" else lambda: guest.retire("guest")
    topic = f"Go-join-{way}"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 4)
    scenarios.one_joins_and_leaves(stays, guest, go, topic, queues=4, leave=leave)


def test_broadcasting(program: Program, start_driver: StartDriver) -> None:
    scenarios.broadcasts(start_driver(program), start_driver(program), "Go-broadcast", make_messages("broadcast", 1000))


def test_tag_filter(go: Driver) -> None:
    scenarios.filters_tags(go, "Go-tags")


def test_pull(go: Driver) -> None:
    topic = "Go-pull"
    outgoing = make_messages(topic, 100)
    go.call("producer", name="P-pull", group="PG-pull")
    sent = go.send("P-pull", topic, outgoing, threads=1, queue=2)
    assert [(report.queue_id, report.queue_offset) for report in sent] == [(2, i) for i in range(100)]
    go.call("pull", name="L-pull", group="G-pull", topic=topic, expression="*")

    def pull(offset: int) -> dict[str, object]:
        return go.call("ask", name="L-pull", what="pull", mode="broker-a", queue=2, offset=offset, max=16)

    facts = pull(10)
    assert (facts["status"], facts["next"], facts["min"], facts["max"]) == ("FOUND", 26, 0, 100)
    received = [Received.of(line) for line in facts["messages"]]
    assert [message.queue_offset for message in received] == list(range(10, 26))
    for message, wanted in zip(received, outgoing[10:26], strict=True):
        assert_same(message, wanted, topic)
    facts = pull(500)
    assert (facts["status"], facts["next"], facts["messages"]) == ("OFFSET_ILLEGAL", 100, [])
    go.retire("L-pull")
    go.retire("P-pull")
