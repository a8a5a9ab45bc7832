"""Members of groups that are held up, moved, asked and told from outside, with both releases of the Java client."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from rmq.wire import fastjson
from tests.kit import toolchains
from tests.kit.driver import Driver, Outgoing, Received, Sent, wait_until
from tests.kit.frames import ask, create_topic
from tests.kit.server import RunningServer
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]

QUERY_CONSUMER_OFFSET, RESET_OFFSET, GET_CONSUMER_RUNNING_INFO, CONSUME_MESSAGE_DIRECTLY = 14, 222, 307, 309
FIRST = "CONSUME_FROM_FIRST_OFFSET"


@pytest.fixture(params=toolchains.JAVA_CLIENT_VERSIONS)
def release(request: pytest.FixtureRequest) -> str:
    toolchains.require("java")
    return str(request.param)


@pytest.fixture
def sender(release: str, shared_drivers: StartDriver) -> Driver:
    return shared_drivers(toolchains.java_client(release))


@pytest.fixture
def members(release: str, shared_drivers: StartDriver) -> Driver:
    """They look for queues without an owner every second."""
    made = toolchains.java_client(release)
    words = ("java", "-Drocketmq.client.rebalance.waitInterval=1000", *made.command[1:-1], "interop.Members")
    return shared_drivers(Program(words, made.class_path))


@pytest.fixture
def name(request: pytest.FixtureRequest, server: RunningServer, sender: Driver) -> str:
    """The test's topic and group, and its producer."""
    word = "Held-" + re.sub(r"[^A-Za-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")
    create_topic(server.namesrv_addr, server.broker_addr, word, 2)
    sender.call("producer", name=f"P-{word}", group=f"PG-{word}")
    return word


def send(sender: Driver, topic: str, numbers: range, queue: int = 0) -> list[Sent]:
    messages = [Outgoing(b"%d" % n, f"T{n % 2}", f"all only-{n}", {"number": str(n)}) for n in numbers]
    return sender.send(f"P-{topic}", topic, messages, threads=1, queue=queue)


def numbers(received: list[Received]) -> list[int]:
    return sorted(int(message.properties["number"]) for message in received)


def content(server: RunningServer, code: int, **fields: object) -> Any:
    header, body = ask(server.broker_addr, code, {key: str(value) for key, value in fields.items()})
    assert header["code"] == 0, header
    return fastjson.loads(body)


def wait_numbers(members: Driver, client: str, expected: list[int], *, timeout: float = 60) -> None:
    """Until so many came; and exactly these did."""
    members.wait_received(client, len(expected), timeout=timeout)
    assert numbers(members.received(client)) == expected


def push(members: Driver, name: str, **settings: object) -> str:
    settings = {"consumeFromWhere": FIRST, "pullTimeDelayMillsWhenException": 100, **settings}
    return str(members.call("push", name=name, group=name, topic=name, set=settings)["clientId"])


def test_a_suspended_consumer_gets_nothing_until_it_is_resumed(sender: Driver, members: Driver, name: str) -> None:
    push(members, name)
    send(sender, name, range(3))
    wait_numbers(members, name, [0, 1, 2])
    members.call("suspend", name=name)
    # The pull that waits at the broker is answered with this one, where there is one; no other follows.
    send(sender, name, range(3, 4))
    time.sleep(1.0)
    send(sender, name, range(4, 10))
    time.sleep(1.5)
    assert set(numbers(members.received(name))) <= {0, 1, 2, 3}
    members.call("resume", name=name)
    wait_numbers(members, name, list(range(10)))
    members.retire(name)


def test_a_lite_consumer_pauses_some_of_its_queues(sender: Driver, members: Driver, name: str) -> None:
    send(sender, name, range(3), queue=0)
    send(sender, name, range(3, 6), queue=1)
    members.call("lite", name=name, group=name, topic=name, set={"pollTimeoutMillis": 500})

    def poll(enough: Callable[[list[int]], bool], seconds: float = 60) -> list[int]:
        polled: list[Received] = []
        deadline = time.monotonic() + seconds
        while not enough(numbers(polled)) and time.monotonic() < deadline:
            polled += map(Received.of, members.call("poll", name=name))
        return numbers(polled)

    assert poll(lambda polled: len(polled) >= 6) == list(range(6))
    members.call("suspend", name=name, queues=[0])
    # As above: a pull of that queue may be waiting at the broker, with this one for an answer.
    send(sender, name, range(6, 7), queue=0)
    time.sleep(1.0)
    send(sender, name, range(7, 10), queue=0)
    send(sender, name, range(10, 13), queue=1)
    early = poll(lambda polled: {10, 11, 12} <= set(polled))
    early += poll(lambda polled: False, 1.5)
    assert {10, 11, 12} <= set(early) <= {6, 10, 11, 12}
    members.call("resume", name=name, queues=[0])
    left = 7 - len(early)
    assert sorted(early + poll(lambda polled: len(polled) >= left)) == list(range(6, 13))
    members.retire(name)


def test_a_member_is_asked_and_told(sender: Driver, members: Driver, server: RunningServer, name: str) -> None:
    """What it reads, what its threads do; and one message is consumed at once."""
    sent = send(sender, name, range(10))
    client_id = push(members, name)
    wait_numbers(members, name, list(range(10)))
    common = {"consumerGroup": name, "clientId": client_id}
    info = content(server, GET_CONSUMER_RUNNING_INFO, jstackEnable="true", **common)
    assert "ConsumeMessageThread_" in info["jstack"]
    assert {(s["topic"], s["subString"]) for s in info["subscriptionSet"]} == {(name, "*"), (f"%RETRY%{name}", "*")}
    assert {dict(queue)["queueId"] for queue in info["mqTable"] if dict(queue)["topic"] == name} == {0, 1}
    told = content(server, CONSUME_MESSAGE_DIRECTLY, topic=name, msgId=sent[3].offset_msg_id, **common)
    assert (told["consumeResult"], told["order"]) == ("CR_SUCCESS", False)
    wait_numbers(members, name, sorted([*range(10), 3]))
    members.retire(name)


@pytest.mark.parametrize("release", ["4.9.8"], indirect=True)
def test_an_old_member_is_moved_back(sender: Driver, members: Driver, server: RunningServer, name: str) -> None:
    """It learns of it with its next pull, and waits for ten seconds then."""
    send(sender, name, range(10))
    push(members, name, persistConsumerOffsetInterval=200)
    wait_numbers(members, name, list(range(10)))

    def committed() -> str:
        members.call("persist", name=name)
        asked = {"consumerGroup": name, "topic": name, "queueId": "0", "setZeroIfNotFound": "false"}
        return str(ask(server.broker_addr, QUERY_CONSUMER_OFFSET, asked)[0].get("extFields", {}).get("offset"))

    wait_until(lambda: committed() == "10", timeout=60, what=lambda: f"committed: {committed()}")
    common = {"group": name, "topic": name, "timestamp": 0, "isForce": "true"}
    assert list(content(server, RESET_OFFSET, queueId=0, offset=6, **common)["offsetTable"].values()) == [6]
    send(sender, name, range(10, 11))
    wait_numbers(members, name, sorted([*range(10), *range(6, 11)]))
    members.retire(name)


def test_a_member_looks_messages_up_by_key_and_time(
    sender: Driver, members: Driver, server: RunningServer, name: str
) -> None:
    begun = int(time.time() * 1000)
    send(sender, name, range(6), queue=0)
    send(sender, name, range(6, 12), queue=1)
    push(members, name)
    wait_numbers(members, name, list(range(12)))

    def query(key: str, begin: int = begun - 2000, end: int = begun + 60_000, most: int = 32) -> list[int]:
        asked = {"topic": name, "key": key, "max": most, "begin": begin, "end": end}
        try:
            return numbers([Received.of(line) for line in members.call("query", name=name, **asked)])
        except Exception as error:
            if "no message" in str(error):
                return []
            raise

    wait_until(lambda: query("all") == list(range(12)), timeout=60, what=lambda: f"found: {query('all')}")
    assert query("only-7") == [7]
    assert query("only-99") == query("all", begun - 60_000, begun - 30_000) == []
    assert len(query("all", most=5)) == 5
    members.retire(name)
