"""SQL92 filters under the official clients, and in a broker's configuration."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit import toolchains
from tests.kit.driver import CommandFailedError, Driver, Outgoing, Received, wait_until
from tests.kit.frames import ask
from tests.kit.messages import assert_same
from tests.kit.server import RunningServer, chosen_kind, maker

pytestmark = pytest.mark.interop

REGIONS = ("eu", "us", "cn")
HEART_BEAT = 34
CONSUMER_CONNECTIONS = 203


@pytest.fixture(scope="module")
def filtering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of the chosen kind that takes SQL92 filters."""
    kind = chosen_kind()
    if kind == "apache":
        toolchains.require("java")
    running = maker(kind)(tmp_path_factory.mktemp(f"{kind}-filter"), extra={"enablePropertyFilter": "true"})
    yield running
    running.kill()


@pytest.fixture(scope="module")
def java(
    java_program: toolchains.Program, filtering: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driver]:
    driver = Driver(java_program, filtering.namesrv_addr, tmp_path_factory.mktemp("java"))
    yield driver
    driver.kill()


@pytest.fixture(scope="module")
def release(java_program: toolchains.Program) -> str:
    """A word for topic names."""
    return "v5" if "5.4.0" in java_program.class_path else "v4"


@pytest.fixture(scope="module")
def go(filtering: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    toolchains.require("go")
    driver = Driver(toolchains.go_client(), filtering.namesrv_addr, tmp_path_factory.mktemp("go"))
    yield driver
    driver.kill()


def orders(topic: str, numbers: range) -> list[Outgoing]:
    """Messages with a number, a region, a price, and every fifth with a note."""
    made = []
    for number in numbers:
        properties = {"number": str(number), "region": REGIONS[number % 3], "price": f"{number / 4}"}
        if number % 5 == 0:
            properties["note"] = f"it's n° {number}"
        made.append(Outgoing(f"{topic} {number}".encode(), "TagA", f"key{number}", properties))
    return made


SELECTIONS: dict[str, tuple[str, Callable[[int], bool]]] = {
    "numbers": ("number > 20 AND number <= 40", lambda n: 20 < n <= 40),
    "prices": ("price BETWEEN 5.0 AND 10.5 OR price < 0.6", lambda n: 20 <= n <= 42 or n <= 2),
    "regions": ("region IN ('eu', 'cn') AND NOT (number < 90)", lambda n: n % 3 != 1 and n >= 90),
    "notes": ("note IS NOT NULL AND note CONTAINS '°' AND note STARTSWITH 'it''s'", lambda n: n % 5 == 0),
    "ends": ("note ENDSWITH '5' OR KEYS = 'key7'", lambda n: n % 10 == 5 or n == 7),
    "tags": ("TAGS = 'TagA' and number = 3 -- the third", lambda n: n == 3),
}
"""Expressions and the numbers that they select."""


def numbers_of(received: list[Received]) -> list[int]:
    return sorted(int(message.properties["number"]) for message in received)


def assert_selected(received: list[Received], outgoing: list[Outgoing], topic: str) -> None:
    """Each message as it was sent, in any order."""
    by_number = {message.properties["number"]: message for message in outgoing}
    for message in received:
        assert_same(message, by_number[message.properties["number"]], topic)


@pytest.fixture(scope="module")
def stored(java: Driver, release: str) -> tuple[str, list[Outgoing]]:
    """A topic with 120 orders in 4 queues."""
    topic = f"Sql-stored-{release}"
    outgoing = orders(topic, range(120))
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    java.send(f"P-{topic}", topic, outgoing)
    return topic, outgoing


@pytest.mark.parametrize("selection", SELECTIONS)
def test_push(java: Driver, stored: tuple[str, list[Outgoing]], selection: str) -> None:
    topic, outgoing = stored
    expression, selects = SELECTIONS[selection]
    wanted = [number for number in range(120) if selects(number)]
    name = f"C-{selection}-{topic}"
    java.call("filtering", kind="push", name=name, group=f"G-{selection}-{topic}", topic=topic, expression=expression)
    received = java.wait_received(name, len(wanted))
    assert numbers_of(received) == wanted
    assert_selected(received, outgoing, topic)
    java.retire(name)


def test_a_waiting_consumer_gets_what_passes(java: Driver, release: str) -> None:
    topic = f"Sql-waiting-{release}"
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    java.send(f"P-{topic}", topic, orders(topic, range(4)), threads=1, queue=0)
    java.call(
        "filtering", kind="push", name=f"C-{topic}", group=f"G-{topic}", topic=topic, expression="region = 'us'"
    )
    java.wait_received(f"C-{topic}", 1)
    outgoing = orders(topic, range(4, 31))
    java.send(f"P-{topic}", topic, outgoing, threads=1, queue=0)
    received = java.wait_received(f"C-{topic}", 10)
    assert numbers_of(received) == [number for number in range(31) if number % 3 == 1]
    # Several threads listen.
    assert sorted(message.queue_offset for message in received) == list(range(1, 31, 3))
    java.retire(f"C-{topic}")
    java.retire(f"P-{topic}")


def known_expression(server: RunningServer, group: str, topic: str) -> str:
    """By what a broker filters for the group's consumers."""
    _, body = ask(server.broker_addr, CONSUMER_CONNECTIONS, {"consumerGroup": group})
    expression: str = json.loads(body)["subscriptionTable"][topic]["subString"]
    return expression


def test_a_newer_expression_replaces_the_one_before(java: Driver, filtering: RunningServer, release: str) -> None:
    topic = f"Sql-newer-{release}"
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    java.send(f"P-{topic}", topic, orders(topic, range(9)))
    name = f"C-{topic}"
    java.call("filtering", kind="push", name=name, group=f"G-{topic}", topic=topic, expression="region = 'us'")
    java.wait_received(name, 3)
    java.call("ask", name=name, what="subscribe", expression="region = 'cn'")
    # The client leaves its heartbeat out when another one is under way; the next comes after 30 seconds.
    wait_until(
        lambda: known_expression(filtering, f"G-{topic}", topic) == "region = 'cn'",
        timeout=60,
        what=lambda: known_expression(filtering, f"G-{topic}", topic),
    )
    java.send(f"P-{topic}", topic, orders(topic, range(9, 18)))
    # Pulls that were on their way may still bring what the old one selects.
    wait_until(
        lambda: {11, 14, 17} <= set(numbers_of(java.received(name))),
        timeout=40,
        what=lambda: f"received {numbers_of(java.received(name))}",
    )
    assert not {9, 12, 15} & set(numbers_of(java.received(name)))
    java.retire(name)
    java.retire(f"P-{topic}")


def test_lite_pull(java: Driver, stored: tuple[str, list[Outgoing]]) -> None:
    topic, outgoing = stored
    name = f"L-{topic}"
    expression, selects = SELECTIONS["regions"]
    java.call("filtering", kind="lite", name=name, group=f"G-{name}", topic=topic, expression=expression)
    wanted = [number for number in range(120) if selects(number)]
    polled: list[Received] = []

    def complete() -> bool:
        polled.extend(Received.of(line) for line in java.call("ask", name=name, what="poll", timeout=500))
        return len(polled) >= len(wanted)

    wait_until(complete, timeout=30, what=lambda: f"polled {numbers_of(polled)}")
    assert numbers_of(polled) == wanted
    assert_selected(polled, outgoing, topic)
    java.retire(name)


def test_pull(java: Driver, release: str) -> None:
    topic = f"Sql-pull-{release}"
    outgoing = orders(topic, range(50))
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    java.send(f"P-{topic}", topic, outgoing, threads=1, queue=1)
    name = f"L-{topic}"
    java.call("filtering", kind="pull", name=name, group=f"G-{topic}", topic=topic, expression="")
    java.call("ask", name=name, what="greet")

    def pull(expression: str, offset: int, most: int) -> tuple[str, int, list[int]]:
        facts = java.call("ask", name=name, what="pull", queue=1, expression=expression, offset=offset, max=most)
        received = [Received.of(line) for line in facts["messages"]]
        assert_selected(received, outgoing, topic)
        return facts["status"], facts["next"], numbers_of(received)

    assert pull("number >= 10 AND number < 13", 0, 32) == ("FOUND", 50, [10, 11, 12])
    assert pull("number >= 10", 0, 2) == ("FOUND", 12, [10, 11])
    assert pull("number >= 10", 12, 2) == ("FOUND", 14, [12, 13])
    assert pull("number > 100", 0, 32) == ("NO_MATCHED_MSG", 50, [])
    assert pull("number > 100", 50, 32) == ("NO_NEW_MSG", 50, [])
    java.retire(name)
    java.retire(f"P-{topic}")


@pytest.mark.long
def test_a_retried_message_comes_again(java: Driver, release: str) -> None:
    """Whatever the expression is about: the client reads its retry topic without it."""
    topic = f"Sql-retried-{release}"
    java.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    name = f"C-{topic}"
    java.call("filtering", kind="push", name=name, group=f"G-{topic}", topic=topic, expression="number > 4")
    again = [
        Outgoing(message.body, message.tags, message.keys, {**message.properties, "again": "yes"})
        for message in orders(topic, range(4, 6))
    ]
    java.send(f"P-{topic}", topic, again)
    first, second = java.wait_received(name, 2)
    assert [(m.properties["number"], m.reconsume_times) for m in (first, second)] == [("5", 0), ("5", 1)]
    assert second.body == first.body == again[1].body
    java.retire(name)
    java.retire(f"P-{topic}")


@pytest.mark.parametrize(
    ("fault", "expression", "place"),
    [
        ("syntax", "number > > 5", "line 1, column 10"),
        ("token", "number >\n  'x", "line 2, column 5"),
        ("sense", "number > 'x'", "'x''? cannot be compared"),
    ],
)
def test_a_wrong_expression_is_told_when_the_consumer_starts(
    java: Driver, stored: tuple[str, list[Outgoing]], fault: str, expression: str, place: str
) -> None:
    topic, _ = stored
    name = f"W-{fault}-{topic}"
    with pytest.raises(CommandFailedError, match=rf"(?s)CODE: 23  DESC: .*{place}"):
        java.call("filtering", kind="push", name=name, group=f"G-{name}", topic=topic, expression=expression)


def test_filters_are_off_by_default(java_program: toolchains.Program, start_driver: Callable[..., Driver]) -> None:
    driver = start_driver(java_program)
    driver.call("producer", name="P", group="PG-sql-off")
    driver.send("P", "Sql-off", [Outgoing(b"x")])
    refused = r"CODE: 1  DESC: The broker does not support consumer to filter message by SQL92"
    with pytest.raises(CommandFailedError, match=refused):
        driver.call("filtering", kind="push", name="C", group="G-sql-off", topic="Sql-off", expression="a > 5")


@pytest.mark.parametrize("selection", ["numbers", "notes"])
def test_go(go: Driver, selection: str) -> None:
    topic = f"Sql-go-{selection}"
    outgoing = orders(topic, range(60))
    go.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    go.send(f"P-{topic}", topic, outgoing)
    expression, selects = SELECTIONS[selection]
    go.call("filtering", name=f"C-{topic}", group=f"G-{topic}", topic=topic, expression=expression)
    wanted = [number for number in range(60) if selects(number)]
    received = go.wait_received(f"C-{topic}", len(wanted))
    assert numbers_of(received) == wanted
    assert_selected(received, outgoing, topic)
    go.retire(f"C-{topic}")
    go.retire(f"P-{topic}")


# --- what is kept ---------------------------------------------------------------------------------------------------


def _beat(server: RunningServer, group: str, topic: str, expression: str, version: int) -> None:
    """A heartbeat of a client that is gone at once."""
    wanted = {
        "topic": topic, "subString": expression, "tagsSet": [], "codeSet": [], "subVersion": version,
        "expressionType": "SQL92", "classFilterMode": False,
    }  # fmt: skip
    consumer = {
        "groupName": group, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
        "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "subscriptionDataSet": [wanted], "unitMode": False,
    }  # fmt: skip
    data = {"clientID": "c@1", "producerDataSet": [], "consumerDataSet": [consumer]}
    ask(server.broker_addr, HEART_BEAT, body=json.dumps(data).encode())


def _kept(server: RunningServer) -> dict[str, dict[str, object]]:
    """The filters in the file, by group."""
    content = json.loads((server.store_dir / "config" / "consumerFilter.json").read_text())
    return {
        group: kept
        for of_topic in content["filterDataByTopic"].values()
        for group, kept in of_topic["groupFilterData"].items()
    }


@pytest.mark.long
@pytest.mark.parametrize("others", [False, True])
def test_filters_outlive_the_broker_even_in_the_other_kind(tmp_path: Path, others: bool) -> None:
    """Apache's broker goes on with our file, ours with Apache's; what died is known as dead."""
    toolchains.require("java")
    kind = chosen_kind()
    first_kind = {"apache": "rmq", "rmq": "apache"}[kind] if others else kind
    extra = {"enablePropertyFilter": "true"}
    store = tmp_path / "store"
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first = maker(first_kind)(tmp_path / "first", store_dir=store, extra=extra)
    try:
        _beat(first, "G1", "T", "a > 5 AND b = 'ü'", 1_700_000_000_123)
        _beat(first, "G2", "T", "a > 6", 7)
        first.stop()
        before = _kept(first)
    finally:
        first.kill()
    bits = {"bitNum": 112, "bitPos": [48, 65, 29]}
    assert before["G1"]["bloomFilterData"] == bits
    second = maker(kind)(tmp_path / "second", store_dir=store, extra=extra)
    try:
        # The same version is taken for the same subscription: born when it was, and alive again.
        _beat(second, "G1", "T", "something else", 1_700_000_000_123)
        _beat(second, "G2", "T", "a > 7", 8)
        second.stop()
        after = _kept(second)
    finally:
        second.kill()
    for member in ("consumerGroup", "topic", "expression", "expressionType", "bornTime", "clientVersion"):
        assert after["G1"][member] == before["G1"][member]
    assert after["G1"]["bloomFilterData"] == bits
    assert (after["G2"]["expression"], after["G2"]["clientVersion"]) == ("a > 7", 8)
