"""Consumption in order: locked queues, messages that hold their queue up, clients that come and go, order topics."""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.interop.scenarios import wait_for_shares
from tests.kit import toolchains
from tests.kit.apache import MqAdmin
from tests.kit.driver import Driver, Outgoing, Received, wait_until
from tests.kit.frames import GET_ROUTE_BY_TOPIC, UPDATE_BROKER_CONFIG, ask, create_topic
from tests.kit.messages import SYSTEM_PROPERTIES, make_messages
from tests.kit.server import BROKER_NAME, RunningServer, chosen_kind, maker

pytestmark = pytest.mark.interop

LOCK, UNLOCK, SEND_MESSAGE_V2, TOPIC_CONFIG = 41, 42, 310, 351


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of this module's own, which is restarted."""
    kind = chosen_kind()
    if kind == "apache":
        toolchains.require("java")
    running = maker(kind)(tmp_path_factory.mktemp(kind))
    yield running
    running.kill()


@pytest.fixture(scope="module", params=[*toolchains.JAVA_CLIENT_VERSIONS, "go"])
def program(request: pytest.FixtureRequest) -> toolchains.Program:
    """Each kind of client in turn."""
    if request.param == "go":
        toolchains.require("go")
        return toolchains.go_client()
    toolchains.require("java")
    return toolchains.java_client(request.param)


@pytest.fixture
def name(program: toolchains.Program, request: pytest.FixtureRequest) -> str:
    """A word for topics and groups of this test with this client."""
    word = request.node.originalname.removeprefix("test_").replace("_", "-")
    return f"{word}-{request.node.callspec.params['program'].replace('.', '-')}"


StartDriver = Callable[[], Driver]


@pytest.fixture
def start_driver(
    program: toolchains.Program, server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartDriver]:
    """Starts client programs that end with the test."""
    started: list[Driver] = []

    def start() -> Driver:
        started.append(Driver(program, server.namesrv_addr, tmp_path_factory.mktemp("client")))
        return started[-1]

    yield start
    for driver in started:
        driver.kill()


class Scene:
    """A topic whose messages are numbered in each queue, and orderly consumers of one group in their own processes."""

    def __init__(self, server: RunningServer, start: StartDriver, topic: str, queues: int) -> None:
        self.topic, self.group, self.queues, self._start = topic, f"G-{topic}", queues, start
        create_topic(server.namesrv_addr, server.broker_addr, topic, queues)
        create_topic(server.namesrv_addr, server.broker_addr, f"%RETRY%{self.group}", 1)
        self.sender = start()
        self.sender.call("producer", name="P", group=f"PG-{topic}")
        self.consumers: dict[str, Driver] = {}
        self._sent = [0] * queues

    def join(self, name: str, **options: object) -> Driver:
        """One more consumer of the group."""
        driver = self._start()
        driver.call(
            "steered", name=name, group=self.group, topic=self.topic, orderly=True,
            **{"from": "CONSUME_FROM_FIRST_OFFSET", **options},
        )  # fmt: skip
        self.consumers[name] = driver
        return driver

    def send(self, each: int, fail: dict[int, int] | None = None) -> None:
        """So many more messages into every queue; `fail` maps numbers of this call to how often those are failed."""
        for queue in range(self.queues):
            first = self._sent[queue]
            self.sender.send("P", self.topic, [self.message(queue, first + i, fail, i) for i in range(each)],
                             threads=1, queue=queue)  # fmt: skip
            self._sent[queue] += each

    def message(self, queue: int, number: int, fail: dict[int, int] | None = None, index: int = -1) -> Outgoing:
        """The message that has this number in this queue."""
        (made,) = make_messages(f"{self.topic}-{queue}-{number}", 1)
        properties = {**made.properties, "number": str(number)}
        if fail and index in fail:
            properties["fail"] = str(fail[index])
        return Outgoing(made.body, made.tags, made.keys, properties)

    def received(self) -> list[Received]:
        """Everything that any consumer was handed, in the order of time."""
        return sorted(
            itertools.chain(*(driver.received(name) for name, driver in self.consumers.items())), key=lambda m: m.at
        )

    def wait_for_all(self, *, timeout: float = 60) -> None:
        """Until every message was handed to somebody."""

        def missing() -> int:
            return sum(self._sent) - len({(m.queue_id, m.queue_offset) for m in self.received()})

        wait_until(lambda: missing() == 0, timeout=timeout, what=lambda: f"{missing()} of {sum(self._sent)} missing")

    def shares(self) -> list[list[int]]:
        return [driver.queues(name) for name, driver in self.consumers.items()]

    def assert_order(self, *, at_most_back: int = 0) -> None:
        """In each queue nothing comes before what was sent before it.

        What follows a message is the next one, or (where the queue changed hands, or the broker its life) one that was
        handed out before and not committed yet: at most so many back.
        """
        for queue in range(self.queues):
            deliveries = [m for m in self.received() if m.queue_id == queue]
            highest = -1
            for message in deliveries:
                number = int(message.properties["number"])
                assert number == message.queue_offset
                assert highest - at_most_back <= number <= highest + 1, f"{number} after {highest} in queue {queue}"
                highest = max(highest, number)
                self._assert_same(message, self.message(queue, number))
            assert highest == self._sent[queue] - 1

    def _assert_same(self, message: Received, outgoing: Outgoing) -> None:
        own = {k: v for k, v in message.properties.items() if k not in SYSTEM_PROPERTIES | {"fail"}}
        got = (message.topic, message.body, message.tags, message.keys, own)
        assert got == (self.topic, outgoing.body, outgoing.tags, outgoing.keys, outgoing.properties)


StartScene = Callable[[int], Scene]


@pytest.fixture
def scene(server: RunningServer, start_driver: StartDriver, name: str) -> StartScene:
    """Makes the test's topic with so many queues."""
    return lambda queues: Scene(server, start_driver, name, queues)


def once(received: Sequence[Received]) -> bool:
    return len({(m.queue_id, m.queue_offset) for m in received}) == len(received)


def test_every_queue_in_its_order(scene: StartScene) -> None:
    made = scene(4)
    made.join("one")
    made.send(250)
    made.wait_for_all()
    made.assert_order()
    assert once(made.received())


def test_a_message_that_fails_holds_its_queue_up(scene: StartScene) -> None:
    """It comes again after a while, before all that follow; other queues go on."""
    made = scene(2)
    made.join("one", suspend=400)
    made.send(10, fail={3: 2, 7: 1})
    made.wait_for_all()
    made.assert_order()
    for queue in range(2):
        deliveries = [m for m in made.received() if m.queue_id == queue]
        assert [m.queue_offset for m in deliveries] == [0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 7, 8, 9]
        assert [m.reconsume_times for m in deliveries] == [0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 0]
        pauses = [b.at - a.at for a, b in itertools.pairwise(deliveries) if a.queue_offset == b.queue_offset]
        assert all(400 <= pause < 5000 for pause in pauses), pauses


def test_what_is_given_up_is_a_dead_letter_and_the_queue_goes_on(scene: StartScene, server: RunningServer) -> None:
    made = scene(1)
    driver = made.join("one", suspend=100, attempts=2)
    made.send(4, fail={1: 99})
    made.wait_for_all()
    made.assert_order()
    offsets = [m.queue_offset for m in made.received()]
    tried = offsets.count(1)
    assert offsets == [0, *[1] * tried, 2, 3]
    assert [m.reconsume_times for m in made.received() if m.queue_offset == 1] == list(range(tried))
    # Java gives up after as many attempts as are allowed, Go after one more.
    assert tried in {3, 4}
    dead = f"%DLQ%{made.group}"
    wait_until(
        lambda: ask(server.namesrv_addr, GET_ROUTE_BY_TOPIC, {"topic": dead})[0]["code"] == 0,
        timeout=60,
        what=lambda: f"there is no {dead}",
    )
    driver.push("D", f"GD-{made.topic}", dead)
    (letter,) = driver.wait_received("D", 1)
    assert letter.body == made.message(0, 1).body
    assert letter.properties["RETRY_TOPIC"] == made.topic


# Go's client gives no lock back when it loses a queue, so that everything waits for a minute.
@pytest.mark.parametrize("program", toolchains.JAVA_CLIENT_VERSIONS, indirect=True)
def test_one_of_two_leaves(scene: StartScene) -> None:
    """Queues are shared, given back, and taken over; no queue is ever read by two at a time."""
    made = scene(4)
    first = made.join("first")
    wait_for_shares(made.shares, [4], 4)
    made.send(50)
    made.wait_for_all()
    second = made.join("second")
    # A client that comes for a queue before the other has let go of its lock asks again after 20 s.
    wait_for_shares(made.shares, [2, 2], 4)
    made.send(100)
    made.wait_for_all()
    assert second.received("second"), "the second consumer held two queues and received nothing"
    second.retire("second")
    wait_until(lambda: len(first.queues("first")) == 4, timeout=60, what=lambda: str(first.queues("first")))
    made.consumers = {"first": first, "second": second}
    made.send(50)
    made.wait_for_all()
    made.assert_order(at_most_back=100)


def test_all_in_one_order(scene: StartScene) -> None:
    """One queue is one order for the whole topic, whoever reads it."""
    made = scene(1)
    first = made.join("first", work=5)
    second = made.join("second", work=5)
    wait_until(
        lambda: sorted(map(len, made.shares())) == [0, 1], timeout=60, what=lambda: f"queues held: {made.shares()}"
    )
    made.send(100)
    made.wait_for_all()
    made.assert_order()
    reader, other = (first, second) if first.received("first") else (second, first)
    names = {id(first): "first", id(second): "second"}
    assert other.received(names[id(other)]) == []
    reader.retire(names[id(reader)])
    made.send(100)
    made.wait_for_all()
    made.assert_order(at_most_back=100)
    assert len(other.received(names[id(other)])) >= 100


@pytest.mark.long
@pytest.mark.parametrize("program", ["5.4.0", "go"], indirect=True)
def test_a_restart_of_the_broker(scene: StartScene, server: RunningServer) -> None:
    """All locks are gone with the broker; the queues go on where they were."""
    made = scene(2)
    made.join("one", work=2)
    made.send(300)
    wait_until(lambda: len(made.received()) > 200, timeout=30, what=lambda: f"{len(made.received())} received")
    server.kill()
    server.restart()
    made.wait_for_all(timeout=90)
    made.assert_order(at_most_back=300)


# --- only once, whatever the client -----------------------------------------------------------------------------------


@pytest.mark.long
def test_a_killed_clients_queues_wait_for_a_minute(
    server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It may still be at work on a message, so nobody gets its queues before its locks are over."""
    toolchains.require("java")
    started: list[Driver] = []

    def start() -> Driver:
        started.append(Driver(toolchains.java_client("5.4.0"), server.namesrv_addr, tmp_path_factory.mktemp("client")))
        return started[-1]

    made = Scene(server, start, "killed-client", 2)
    first, second = made.join("first"), made.join("second")
    wait_for_shares(made.shares, [1, 1], 2)
    made.send(20)
    made.wait_for_all()
    (lost,) = second.queues("second")
    second.kill()
    killed = time.time()
    made.send(20)
    made.consumers.pop("second")
    kept = {m.queue_offset for m in second.received("second")}
    wait_until(
        lambda: {m.queue_offset for m in first.received("first") if m.queue_id == lost} | kept == set(range(40)),
        timeout=100,
        what=lambda: f"{len(first.received('first'))} received",
    )
    taken_over = min(m.at for m in first.received("first") if m.queue_id == lost) / 1000 - killed
    # The lock was asked for anew at most twenty seconds before.
    assert 38 <= taken_over <= 85, f"taken over after {taken_over:.1f} s"
    for driver in started:
        driver.kill()


def lock(server: RunningServer, client: str, *queues: int, code: int = LOCK) -> list[int]:
    body = {
        "consumerGroup": "G-bare", "clientId": client, "onlyThisBroker": False,
        "mqSet": [{"topic": "bare", "brokerName": BROKER_NAME, "queueId": queue} for queue in queues],
    }  # fmt: skip
    header, answer = ask(server.broker_addr, code, body=json.dumps(body).encode())
    assert header["code"] == 0, header
    return sorted(queue["queueId"] for queue in json.loads(answer)["lockOKMQSet"]) if answer else []


def test_locks_as_they_are(server: RunningServer) -> None:
    assert lock(server, "one", 0, 1) == [0, 1]
    assert lock(server, "two", 0, 1, 2) == [2]
    assert lock(server, "one", 0, 1, 2) == [0, 1]
    assert lock(server, "two", 0, 1, 2, code=UNLOCK) == []
    assert lock(server, "one", 0, 1, 2) == [0, 1, 2]
    assert lock(server, "one", 1, code=UNLOCK) == []
    assert lock(server, "two", 0, 1, 2) == [1]


def test_a_group_with_locks_has_dead_letters_at_once(server: RunningServer) -> None:
    fields = {"a": "PG", "c": "TBW102", "d": "1", "e": "0", "f": "0", "g": "1", "h": "0", "i": "", "j": "0"}
    for group, has_locks in (("G-bare", True), ("G-other", False)):
        assert lock(server, "one", 0) == [0]
        header, _ = ask(server.broker_addr, SEND_MESSAGE_V2, {**fields, "b": f"%RETRY%{group}"}, b"given up")
        assert header["code"] == 0, header
        code = ask(server.broker_addr, TOPIC_CONFIG, {"topic": f"%DLQ%{group}"})[0]["code"]
        assert (code == 0) is has_locks


def test_a_priority_is_a_queue(server: RunningServer) -> None:
    """Other kinds of messages, here one with a sharding key, have none besides."""
    create_topic(server.namesrv_addr, server.broker_addr, "Priorities", 4)
    fields = {"a": "PG", "b": "Priorities", "c": "TBW102", "d": "1", "e": "1", "f": "0", "g": "1", "h": "0"}
    for properties, queue_id in (
        ("_SYS_MSG_PRIORITY_\x010\x02", "0"),
        ("_SYS_MSG_PRIORITY_\x012\x02", "2"),
        ("_SYS_MSG_PRIORITY_\x019\x02", "3"),
        ("_SYS_MSG_PRIORITY_\x01-1\x02", "1"),
        ("_SYS_MSG_PRIORITY_\x012\x02__SHARDINGKEY\x01k\x02", "1"),
        ("", "1"),
    ):
        header, _ = ask(server.broker_addr, SEND_MESSAGE_V2, {**fields, "i": properties}, b"x")
        assert (header["code"], header["extFields"]["queueId"]) == (0, queue_id), properties


def test_order_topics(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The name server's order configuration is told with the route, and the broker marks the topic."""
    toolchains.require("java")
    home = tmp_path_factory.mktemp("order")
    admin = MqAdmin(server.namesrv_addr, home)
    driver = Driver(toolchains.java_client("5.4.0"), server.namesrv_addr, home / "client")
    create_topic(server.namesrv_addr, server.broker_addr, "In-order", 4)
    admin.out("updateNamesrvConfig", "-k", "orderMessageEnable", "-v", "true")
    admin.out("updateOrderConf", "-t", "In-order", "-v", f"{BROKER_NAME}:2", "-m", "put")
    route = ask(server.namesrv_addr, GET_ROUTE_BY_TOPIC, {"topic": "In-order"})[1]
    assert b'"orderTopicConf":"broker-a:2"' in route
    driver.call("producer", name="P", group="PG-order")
    assert sorted(driver.call("publishQueues", name="P", topic="In-order")) == [[BROKER_NAME, 0], [BROKER_NAME, 1]]

    def is_marked() -> bool:
        return b'"order":true' in ask(server.broker_addr, TOPIC_CONFIG, {"topic": "In-order"})[1]

    # With its next registration, which any change brings about.
    create_topic(server.namesrv_addr, server.broker_addr, "Some-change", 1)
    wait_until(is_marked, timeout=40, what=lambda: "the broker has not marked the topic")
    ask(server.broker_addr, UPDATE_BROKER_CONFIG, body=b"brokerPermission=4\n")
    try:
        fields = {"a": "PG", "c": "TBW102", "d": "1", "e": "0", "f": "0", "g": "1", "h": "0", "i": ""}
        header, _ = ask(server.broker_addr, SEND_MESSAGE_V2, {**fields, "b": "In-order"}, b"x")
        assert (header["code"], header["remark"]) == (16, "the broker[127.0.0.1] sending message is forbidden")
        assert ask(server.broker_addr, SEND_MESSAGE_V2, {**fields, "b": "Some-change"}, b"x")[0]["code"] == 0
    finally:
        ask(server.broker_addr, UPDATE_BROKER_CONFIG, body=b"brokerPermission=6\n")
    driver.kill()
    admin.close()
