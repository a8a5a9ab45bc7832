"""The official Java client, unchanged, releases 5.4.0 and 4.9.8."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop import scenarios
from tests.kit.apache import MqAdmin
from tests.kit.driver import Driver, Outgoing, Received, wait_until
from tests.kit.messages import assert_received_once, assert_same, by_number, make_messages
from tests.kit.server import CLUSTER_NAME, RunningServer
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]


@pytest.fixture
def java(java_program: Program, shared_drivers: StartDriver) -> Driver:
    return shared_drivers(java_program)


@pytest.fixture
def release(java_program: Program, request: pytest.FixtureRequest) -> str:
    """A word for topic names."""
    return "v5" if "5.4.0" in java_program.class_path else "v4"


@pytest.mark.parametrize("mode", ["sync", "async", "oneway", "batch"])
def test_sends_ten_thousand(java: Driver, release: str, mode: str) -> None:
    scenarios.sends_and_consumes(java, mode, f"Java-{mode}-{release}")


@pytest.mark.parametrize("way", ["shutdown", "kill"])
def test_one_client_joins_and_leaves(
    java: Driver, java_program: Program, start_driver: StartDriver, admin: MqAdmin, release: str, way: str
) -> None:
    topic = f"Java-join-{way}-{release}"
    admin.out("updateTopic", "-c", CLUSTER_NAME, "-t", topic, "-r", "8", "-w", "8")
    stays, guest = start_driver(java_program), start_driver(java_program)
    leave = guest.kill if way == "kill" else lambda: guest.retire("guest")
    scenarios.one_joins_and_leaves(stays, guest, java, topic, queues=8, leave=leave)


def test_broadcasting(java: Driver, java_program: Program, start_driver: StartDriver, release: str) -> None:
    scenarios.broadcasts(
        java, start_driver(java_program), f"Java-broadcast-{release}", make_messages("broadcast", 1000)
    )


def test_tag_filter(java: Driver, release: str) -> None:
    scenarios.filters_tags(java, f"Java-tags-{release}")


def test_topic_auto_creation_and_explicit_creation(java: Driver, admin: MqAdmin, release: str) -> None:
    """Who creates a topic is answered when the name server has its route."""
    java.call("producer", name="P-create", group="PG-create")
    auto, explicit = f"Java-auto-{release}", f"Java-explicit-{release}"
    java.send("P-create", auto, make_messages(auto, 1))
    assert sorted(java.call("publishQueues", name="P-create", topic=auto)) == [["broker-a", i] for i in range(4)]
    admin.out("updateTopic", "-c", CLUSTER_NAME, "-t", explicit, "-r", "3", "-w", "2")
    assert sorted(java.call("publishQueues", name="P-create", topic=explicit)) == [["broker-a", i] for i in range(2)]
    java.retire("P-create")


def test_bodies_that_are_compressed_large_or_plain(java: Driver, release: str) -> None:
    """Above 4 KiB the client compresses; up to 4 MiB is allowed."""
    topic = f"Java-bodies-{release}"
    outgoing = [
        Outgoing(b"\0", properties={"number": "0"}),
        Outgoing("only text, ünïcode ✓".encode(), properties={"number": "1"}),
        Outgoing(b"compressible " * 1000, "T", "k", {"number": "2"}),
        Outgoing(os.urandom(8192), "T", "k", {"number": "3"}),
        Outgoing(b"\xff" * (3 * 1024 * 1024), "T", "k1 k2 k3", {"number": "4"}),
        Outgoing(os.urandom(2 * 1024 * 1024), "T" * 100, "k" * 500, {"number": "5", "long": "v" * 5000}),
    ]
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    sent = java.send(f"P-{topic}", topic, outgoing, threads=1)
    java.push(f"C-{topic}", f"G-{topic}", topic)
    received = assert_received_once(java.wait_received(f"C-{topic}", len(outgoing)), outgoing, topic)
    assert [(s.queue_id, s.queue_offset) for s in sent] == [(m.queue_id, m.queue_offset) for m in received]
    java.retire(f"C-{topic}")
    java.retire(f"P-{topic}")


def test_queue_selector_and_order_in_a_queue(java: Driver, release: str) -> None:
    topic = f"Java-selector-{release}"
    outgoing = make_messages(topic, 200)
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    sent = java.send(f"P-{topic}", topic, outgoing, threads=1, queue=2)
    assert [(s.queue_id, s.queue_offset) for s in sent] == [(2, i) for i in range(200)]
    java.retire(f"P-{topic}")


def test_view_message_by_both_identifiers(java: Driver, release: str) -> None:
    topic = f"Java-view-{release}"
    outgoing = make_messages(topic, 3)
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    sent = java.send(f"P-{topic}", topic, outgoing)
    for report, message in zip(sent, outgoing, strict=True):
        assert_same(
            Received.of(java.call("view", name=f"P-{topic}", topic=topic, msgId=report.offset_msg_id)), message, topic
        )
        # The index is built a moment after the message is stored.
        wait_until(
            lambda r=report: _viewable(java, topic, r.msg_id), timeout=60, what=lambda: "the message is in no index"
        )
        assert_same(Received.of(java.call("view", name=f"P-{topic}", topic=topic, msgId=report.msg_id)), message, topic)
    java.retire(f"P-{topic}")


def _viewable(java: Driver, topic: str, msg_id: str) -> bool:
    return java.begin("view", name=f"P-{topic}", topic=topic, msgId=msg_id).exception(30) is None


@pytest.fixture
def stored(java: Driver, release: str, request: pytest.FixtureRequest) -> tuple[str, list[Outgoing]]:
    """A topic with 400 messages, 100 in each of 4 queues, in sending order."""
    topic = f"Java-{request.node.originalname.removeprefix('test_').replace('_', '-')}-{release}"
    outgoing = make_messages(topic, 400)
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    for queue in range(4):
        java.send(f"P-{topic}", topic, outgoing[queue * 100 : queue * 100 + 100], threads=1, queue=queue)
    return topic, outgoing


def test_pull(java: Driver, stored: tuple[str, list[Outgoing]]) -> None:
    topic, outgoing = stored
    name = f"L-{topic}"
    java.call("pull", name=name, group=f"G-{topic}", topic=topic)

    def ask(what: str, **members: object) -> object:
        return java.call("ask", name=name, what=what, **members)

    assert sorted(ask("offsets")) == [["broker-a", queue, 0, 100] for queue in range(4)]
    facts = ask("pull", queue=1, offset=10, max=16, expression="*")
    assert (facts["status"], facts["next"], facts["min"], facts["max"]) == ("FOUND", 26, 0, 100)
    for i, line in enumerate(facts["messages"]):
        message = Received.of(line)
        assert (message.queue_id, message.queue_offset) == (1, 10 + i)
        assert_same(message, outgoing[110 + i], topic)
    assert len(facts["messages"]) == 16
    facts = ask("pull", queue=1, offset=100, max=16, expression="*")
    assert (facts["status"], facts["next"], facts["max"], facts["messages"]) == ("NO_NEW_MSG", 100, 100, [])
    facts = ask("pull", queue=1, offset=500, max=16, expression="*")
    assert (facts["status"], facts["next"], facts["messages"]) == ("OFFSET_ILLEGAL", 100, [])
    facts = ask("pull", queue=1, offset=0, max=32, expression="NoSuchTag")
    assert (facts["status"], facts["messages"]) == ("NO_MATCHED_MSG", [])
    assert facts["next"] > 0
    waiting = java.begin("ask", name=name, what="pullBlock", queue=3, offset=100, max=8, expression="*")
    java.send(f"P-{topic}", topic, [outgoing[0]], threads=1, queue=3)
    facts = waiting.result(15)  # less than the pull would wait
    assert (facts["status"], facts["next"], len(facts["messages"])) == ("FOUND", 101, 1)
    # Nothing committed: 0, because the queue still begins at 0 and its head is in memory.
    assert ask("fetchOffset", queue=2) == 0
    ask("updateOffset", queue=2, offset=42)
    wait_until(
        lambda: ask("fetchOffset", queue=2) == 42,
        timeout=60,
        what=lambda: f"committed offset is {ask('fetchOffset', queue=2)}",
    )
    middle = Received.of(ask("pull", queue=0, offset=50, max=1, expression="*")["messages"][0])
    found = ask("searchOffset", queue=0, timestamp=middle.store_timestamp)
    at_found = Received.of(ask("pull", queue=0, offset=found, max=1, expression="*")["messages"][0])
    assert found <= 50
    assert at_found.store_timestamp == middle.store_timestamp
    assert ask("searchOffset", queue=0, timestamp=int(time.time() * 1000) + 60_000) == 100
    java.retire(name)
    java.retire(f"P-{topic}")


def _poll(java: Driver, name: str, count: int) -> list[Received]:
    """Poll until that many came."""
    polled: list[Received] = []
    deadline = time.monotonic() + 30
    while len(polled) < count and time.monotonic() < deadline:
        polled += [Received.of(line) for line in java.call("ask", name=name, what="poll", timeout=1000)]
    return polled


def test_lite_pull_subscribed(java: Driver, stored: tuple[str, list[Outgoing]]) -> None:
    topic, outgoing = stored
    java.call("lite", name=f"S-{topic}", group=f"G-{topic}", topic=topic, assign=False, expression="*")
    assert_received_once(_poll(java, f"S-{topic}", 400), outgoing, topic)
    java.call("ask", name=f"S-{topic}", what="commit")
    wait_until(
        lambda: java.call("ask", name=f"S-{topic}", what="committed", queue=1) == 100,
        timeout=60,
        what=lambda: "offset not committed",
    )
    java.call("stop", name=f"S-{topic}")
    java.send(f"P-{topic}", topic, [outgoing[7]], threads=1, queue=1)
    java.call("lite", name=f"S2-{topic}", group=f"G-{topic}", topic=topic, assign=False, expression="*")
    assert [(m.queue_id, m.queue_offset) for m in _poll(java, f"S2-{topic}", 1)] == [(1, 100)]
    java.retire(f"S2-{topic}")
    java.retire(f"P-{topic}")


def test_lite_pull_assigned(java: Driver, stored: tuple[str, list[Outgoing]]) -> None:
    topic, outgoing = stored
    name = f"A-{topic}"
    java.call("lite", name=name, group=f"G-{topic}", topic=topic, assign=True)
    for queue, offset in ((0, 90), (1, 100), (2, 100), (3, 95)):
        java.call("ask", name=name, what="seek", queue=queue, offset=offset)
    # What was polled before the seeks took effect is not of interest: the first messages after them are.
    wanted = set(range(90, 100)) | set(range(395, 400))
    polled: dict[int, list[Received]] = {}

    def seen() -> bool:
        polled.update(by_number(_poll(java, name, 1)))
        return wanted <= set(polled)

    wait_until(seen, timeout=60, what=lambda: f"polled {sorted(polled)}")
    for number in wanted:
        assert_same(polled[number][0], outgoing[number], topic)
    timestamp = polled[90][0].store_timestamp
    assert java.call("ask", name=name, what="offsetForTimestamp", queue=0, timestamp=timestamp) <= 90
    java.retire(name)
    java.retire(f"P-{topic}")


def test_consumer_goes_on_where_it_stopped(java: Driver, server: RunningServer, release: str, tmp_path: Path) -> None:
    topic = f"Java-resume-{release}"
    group, outgoing = f"G-{topic}", make_messages(topic, 600)
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    java.send(f"P-{topic}", topic, outgoing[:300])
    java.push(f"C1-{topic}", group, topic)
    java.wait_received(f"C1-{topic}", 300)
    java.call("stop", name=f"C1-{topic}")
    java.send(f"P-{topic}", topic, outgoing[300:])
    java.push(f"C2-{topic}", group, topic)
    second = java.wait_received(f"C2-{topic}", 300)
    assert_received_once(java.received(f"C1-{topic}") + second, outgoing, topic)
    java.retire(f"C2-{topic}")
    java.retire(f"P-{topic}")
