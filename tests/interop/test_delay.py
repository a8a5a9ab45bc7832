"""Delayed messages with the official clients: delay levels, any delay, recall; over a restart and a kill too.

A time is that at which the broker stored the message for its consumers. A delay is never cut short; after it a level
is delivered within a tenth of a second, a timed message when the next second is full. What a loaded machine adds is
the slack.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.kit import toolchains
from tests.kit.driver import CommandFailedError, Driver, Outgoing, Received, Sent, wait_until
from tests.kit.frames import create_topic
from tests.kit.messages import SYSTEM_PROPERTIES, make_messages
from tests.kit.server import RunningServer, chosen_kind, maker

pytestmark = pytest.mark.interop

SLACK = 5.0
LEVEL_STEP = 0.1
TIMER_STEP = 1.0
LEVELS = "1s 3s 5s 1h"
CONFIG = {"recallMessageEnable": "true", "messageDelayLevel": LEVELS}
DELAY_PROPERTIES = {
    "DELAY", "TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS", "TIMER_OUT_MS", "TIMER_ENQUEUE_MS",
    "TIMER_DEQUEUE_MS", "REAL_TOPIC", "REAL_QID",
}  # fmt: skip

Delay = tuple[str, int]


@dataclass(frozen=True)
class Delayed:
    """A message, its delay, and what its send told."""

    message: Outgoing
    delay: Delay | None
    seconds: float
    before: float
    after: float
    sent: Sent
    handle: str | None


@pytest.fixture(scope="module")
def delay_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The chosen server, with short levels, and recall allowed."""
    toolchains.require("java")
    running = maker(chosen_kind())(tmp_path_factory.mktemp("delay"), extra=CONFIG)
    yield running
    running.kill()


class Client:
    """A client program with one delaying producer in it."""

    def __init__(self, version: str, server: RunningServer, home: Path) -> None:
        self.driver = Driver(toolchains.java_client(version), server.namesrv_addr, home)
        self.driver.call("delaying", name="P", group="Delaying")

    def send(self, topic: str, messages: list[Outgoing], delays: list[tuple[Delay | None, float]]) -> list[Delayed]:
        """Sends one after the other; a delay is a setter of the client's message, and how many seconds it means."""
        found = []
        for message, (delay, seconds) in zip(messages, delays, strict=True):
            item: dict[str, Any] = message.as_command()
            if delay is not None:
                item["delay"] = list(delay)
            before = time.time()
            ((*facts, handle),) = self.driver.call("ask", name="P", what="send", topic=topic, messages=[item])
            found.append(Delayed(message, delay, seconds, before, time.time(), Sent(*facts), handle))
        return found

    def recall(self, topic: str, handle: str) -> str:
        return str(self.driver.call("ask", name="P", what="recall", topic=topic, handle=handle))


@pytest.fixture
def start_client(delay_server: RunningServer, tmp_path: Path) -> Iterator[Callable[[str], Client]]:
    clients: list[Client] = []

    def start(version: str) -> Client:
        clients.append(Client(version, delay_server, tmp_path / str(len(clients))))
        return clients[-1]

    yield start
    for client in clients:
        client.driver.kill()


def check(received: Received, delayed: Delayed, topic: str) -> None:
    """Exactly what was sent, in the queue that its send named, at its time."""
    message = delayed.message
    own = {
        name: value for name, value in received.properties.items()
        if name not in SYSTEM_PROPERTIES and name not in DELAY_PROPERTIES
    }  # fmt: skip
    got = (received.topic, received.body, received.tags, received.keys, own, received.reconsume_times)
    assert got == (topic, message.body, message.tags, message.keys, message.properties, 0)
    assert (received.msg_id, received.queue_id) == (delayed.sent.msg_id, delayed.sent.queue_id)
    step = 0.0 if delayed.delay is None else LEVEL_STEP if delayed.delay[0] == "setDelayTimeLevel" else TIMER_STEP
    stored = received.store_timestamp / 1000
    assert stored >= delayed.before + delayed.seconds - 0.001
    assert stored <= delayed.after + delayed.seconds + step + SLACK


def check_all(received: list[Received], sent: list[Delayed], topic: str) -> None:
    by_key = {one.message.keys: one for one in sent}
    assert sorted(str(m.keys) for m in received) == sorted(str(key) for key in by_key)
    for message in received:
        check(message, by_key[message.keys], topic)


@pytest.mark.parametrize("version", toolchains.JAVA_CLIENT_VERSIONS)
def test_levels(
    version: str, delay_server: RunningServer, start_client: Callable[[str], Client]
) -> None:
    topic = f"Levels-{version[0]}"
    create_topic(delay_server.namesrv_addr, delay_server.broker_addr, topic, 4)
    client = start_client(version)
    client.driver.push("C", f"G-{topic}", topic)
    plan: list[tuple[Delay | None, float]] = [
        (("setDelayTimeLevel", 2), 3.0), (("setDelayTimeLevel", 1), 1.0), (None, 0.0), (("setDelayTimeLevel", 3), 5.0),
    ] * 10  # fmt: skip
    sent = client.send(topic, make_messages(topic, 40), plan)
    assert {one.sent.status for one in sent} == {"SEND_OK"}
    assert {one.handle for one in sent} == {None}
    received = client.driver.wait_received("C", 40)
    check_all(received, sent, topic)
    for message in received:
        delay = sent[int(message.properties["number"])].delay
        properties = {name: message.properties.get(name) for name in ("DELAY", "REAL_TOPIC", "REAL_QID")}
        wanted = (str(delay[1]), topic, str(message.queue_id)) if delay else (None, None, None)
        assert tuple(properties.values()) == wanted
    # A level is delivered in the order in which it was sent.
    for level in (1, 2, 3):
        stored = sorted(
            (m for m in received if m.properties.get("DELAY") == str(level)),
            key=lambda m: (m.store_timestamp, int.from_bytes(bytes.fromhex(m.offset_msg_id[-16:]), "big")),
        )
        numbers = [int(m.properties["number"]) for m in stored]
        assert numbers == sorted(numbers)
        assert len(numbers) == 10


def test_level_beyond_the_last_is_the_last(
    delay_server: RunningServer, start_client: Callable[[str], Client]
) -> None:
    """It waits for an hour: nothing comes, while the message of a level sent after it does."""
    topic = "Levels-beyond"
    create_topic(delay_server.namesrv_addr, delay_server.broker_addr, topic, 1)
    client = start_client("5.4.0")
    client.driver.push("C", f"G-{topic}", topic)
    messages = make_messages(topic, 2)
    sent = client.send(topic, messages, [(("setDelayTimeLevel", 99), 3600.0), (("setDelayTimeLevel", 1), 1.0)])
    check_all(client.driver.wait_received("C", 1), sent[1:], topic)
    view = client.driver.call("producer", name="V", group="V") and client.driver.call(
        "view", name="V", topic="SCHEDULE_TOPIC_XXXX", msgId=sent[0].sent.offset_msg_id
    )
    assert (view["queueId"], view["properties"]["DELAY"], view["properties"]["REAL_TOPIC"]) == (3, "4", topic)


def test_any_delay(delay_server: RunningServer, start_client: Callable[[str], Client]) -> None:
    topic = "Timed"
    create_topic(delay_server.namesrv_addr, delay_server.broker_addr, topic, 4)
    client = start_client("5.4.0")
    client.driver.push("C", f"G-{topic}", topic)
    plan: list[tuple[Delay | None, float]] = [
        (("setDelayTimeMs", 1500), 1.5), (("setDelayTimeSec", 2), 2.0), (("setDelayTimeMs", 4100), 4.1), (None, 0.0),
        (("setDelayTimeMs", 1), 0.001),
    ] * 6  # fmt: skip
    messages = make_messages(topic, 32)
    sent = client.send(topic, messages[:30], plan)
    due = time.time() + 3
    sent += client.send(topic, messages[30:31], [(("setDeliverTimeMs", int(due * 1000)), due - time.time())])
    past = (("setDeliverTimeMs", int((due - 60) * 1000)), 0.0)
    sent += client.send(topic, messages[31:], [past])
    received = client.driver.wait_received("C", 32)
    for message in received:
        if message.keys == messages[30].keys:
            assert due <= message.store_timestamp / 1000 <= due + TIMER_STEP + SLACK
    exact = [one for one in sent if one.message.keys != messages[30].keys]
    check_all([m for m in received if m.keys != messages[30].keys], exact, topic)
    for one in sent:
        waits = one.delay is not None and one.delay != past[0]
        assert (one.handle is not None) == waits or one.delay == ("setDelayTimeMs", 1)


def test_too_long_a_delay_is_refused(delay_server: RunningServer, start_client: Callable[[str], Client]) -> None:
    topic = "Timed-too-long"
    create_topic(delay_server.namesrv_addr, delay_server.broker_addr, topic, 1)
    client = start_client("5.4.0")
    with pytest.raises(CommandFailedError) as caught:
        client.send(topic, make_messages(topic, 1), [(("setDelayTimeSec", 259_201), 0.0)])
    assert "CODE: 13  DESC: timer message illegal" in str(caught.value)
    assert "max delay 259200000ms" in str(caught.value)


def test_recall(delay_server: RunningServer, start_client: Callable[[str], Client]) -> None:
    topic = "Recalled"
    create_topic(delay_server.namesrv_addr, delay_server.broker_addr, topic, 2)
    client = start_client("5.4.0")
    client.driver.push("C", f"G-{topic}", topic)
    sent = client.send(topic, make_messages(topic, 20), [(("setDelayTimeMs", 4000), 4.0)] * 20)
    for one in sent[::2]:
        assert one.handle is not None
        assert client.recall(topic, one.handle) == one.sent.msg_id
    check_all(client.driver.wait_received("C", 10), sent[1::2], topic)
    after = client.send(topic, make_messages("after", 1), [(("setDelayTimeMs", 1500), 1.5)])
    client.driver.wait_received("C", 11)
    assert {m.keys for m in client.driver.received("C")} == {one.message.keys for one in [*sent[1::2], *after]}
    # Too late, or no handle of this message.
    assert sent[1].handle is not None
    for handle in (sent[1].handle, "bm90aGluZw=="):
        with pytest.raises(CommandFailedError):
            client.recall(topic, handle)


def test_go_levels(delay_server: RunningServer, tmp_path: Path) -> None:
    toolchains.require("go")
    topic = "Levels-go"
    create_topic(delay_server.namesrv_addr, delay_server.broker_addr, topic, 4)
    go = Driver(toolchains.go_client(), delay_server.namesrv_addr, tmp_path)
    try:
        go.call("producer", name="P", group="PG")
        go.push("C", f"G-{topic}", topic)
        messages = make_messages(topic, 20)
        items = [message.as_command() | {"level": 1 + i % 2} for i, message in enumerate(messages)]
        before = time.time()
        facts = go.call("send", name="P", topic=topic, mode="sync", threads=1, messages=items)
        after = time.time()
        sent = [
            Delayed(message, ("setDelayTimeLevel", 1 + i % 2), 1.0 + i % 2 * 2.0, before, after, Sent(*fact), None)
            for i, (message, fact) in enumerate(zip(messages, facts, strict=True))
        ]
        check_all(go.wait_received("C", 20), sent, topic)
    finally:
        go.kill()


# --- over the end of a broker


HANDOVERS = (
    [("rmq", "rmq"), ("rmq", "apache"), ("apache", "rmq")] if chosen_kind() == "rmq" else [("apache", "apache")]
)


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize(("writer", "heir"), HANDOVERS)
def test_pending_messages_outlive_their_broker(writer: str, heir: str, end: str, tmp_path: Path) -> None:
    """Levels, timed messages and recalls; some are due while nobody is there. After a clean stop each comes once."""
    toolchains.require("java")
    topic, homes = "Outliving", (tmp_path / "writer", tmp_path / "heir")
    for home in homes:
        home.mkdir()
    store = tmp_path / "store"
    # Apache's broker takes long to stop and to start.
    soon, late_enough = (12, 40) if "apache" in {writer, heir} else (9, 18)
    config = CONFIG | {"messageDelayLevel": f"1s {soon}s {late_enough}s 1h"}
    server = maker(writer)(homes[0], store_dir=store, extra=config)
    client: Client | None = None
    try:
        create_topic(server.namesrv_addr, server.broker_addr, topic, 4)
        client = Client("5.4.0", server, homes[0] / "client")
        early: list[tuple[Delay | None, float]] = [(("setDelayTimeLevel", 1), 1.0), (("setDelayTimeMs", 1200), 1.2)]
        late: list[tuple[Delay | None, float]] = [
            (("setDelayTimeLevel", 2), soon), (("setDelayTimeLevel", 3), late_enough),
            (("setDelayTimeSec", soon + 2), soon + 2), (("setDelayTimeSec", late_enough), late_enough),
            (("setDelayTimeSec", late_enough + 1), late_enough + 1),
        ]  # fmt: skip
        messages = make_messages(topic, 70)
        sent = client.send(topic, messages[:20], early * 10) + client.send(topic, messages[20:], late * 10)
        # The last of each five is taken back.
        recalled = sent[24::5]
        for one in recalled:
            assert one.handle is not None
            client.recall(topic, one.handle)
        client.driver.push("C", "Readers", topic)
        client.driver.wait_received("C", 20)
        client.driver.call("stop", name="C")
        # What was delivered until now is in the checkpoints then: a killed broker repeats only what is newer.
        time.sleep(2.5)
        client.driver.kill()
        (server.stop if end == "stop" else server.kill)()

        server = maker(heir)(homes[1], store_dir=store, extra=config)
        client = Client("5.4.0", server, homes[1] / "client")
        client.driver.push("all", "Others", topic)
        gone = {one.message.keys for one in recalled}
        wanted = {one.message.keys for one in sent} - gone
        wait_until(
            lambda: {m.keys for m in client.driver.received("all")} >= wanted,
            timeout=90,
            what=lambda: f"missing: {sorted(wanted - {str(m.keys) for m in client.driver.received('all')})}",
        )
        # Anything that comes a second time would come within the next slots.
        time.sleep(2.5)
        received = client.driver.received("all")
        assert {m.keys for m in received} == wanted
        by_key = {one.message.keys: one for one in sent}
        for message in received:
            one = by_key[message.keys]
            assert (message.body, message.tags) == (one.message.body, one.message.tags)
            assert message.store_timestamp / 1000 >= one.before + one.seconds - 0.001
        late_keys = {one.message.keys for one in sent[20:]} - gone
        times = [str(m.keys) for m in received if m.keys in late_keys]
        assert sorted(times) == sorted(str(key) for key in late_keys), "what was not yet due comes once"
        if end == "stop":
            assert len(received) == len(wanted)
    finally:
        if client is not None:
            client.driver.kill()
        server.kill()
