"""Messages that could not be consumed: they come again after longer and longer pauses, and are dead in the end."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rmq.wire.message import StoredMessage, decode_messages
from tests.kit import toolchains
from tests.kit.driver import Driver, Outgoing, Received, wait_until
from tests.kit.frames import GET_ROUTE_BY_TOPIC, UPDATE_AND_CREATE_TOPIC, UPDATE_BROKER_CONFIG, ask, create_topic
from tests.kit.messages import SYSTEM_PROPERTIES, make_messages
from tests.kit.server import RunningServer, chosen_kind, maker

pytestmark = pytest.mark.interop

LEVELS = (1, 1, 2, 3, 1, *[1] * 12, 5)
"""Seconds of each delay level; the third is the first retry's."""
TOLERANCE = 5.0
SEND_BACK, SEND_MESSAGE_V2, UPDATE_GROUP, PULL_MESSAGE, TOPIC_CONFIG, MAX_OFFSET = 36, 310, 200, 11, 351, 30

MARKS = frozenset({"RETRY_TOPIC", "ORIGIN_MESSAGE_ID", "DELAY", "REAL_TOPIC", "REAL_QID"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose delay levels are short."""
    kind = chosen_kind()
    if kind == "apache":
        toolchains.require("java")
    levels = " ".join(f"{seconds}s" for seconds in LEVELS)
    running = maker(kind)(tmp_path_factory.mktemp(kind), extra={"messageDelayLevel": levels})
    yield running
    running.kill()


@pytest.fixture(scope="module", params=[*toolchains.JAVA_CLIENT_VERSIONS, "go"])
def client(
    request: pytest.FixtureRequest, server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driver]:
    """A client program of each kind in turn."""
    if request.param == "go":
        toolchains.require("go")
        program = toolchains.go_client()
    else:
        toolchains.require("java")
        program = toolchains.java_client(request.param)
    driver = Driver(program, server.namesrv_addr, tmp_path_factory.mktemp("client"))
    yield driver
    driver.kill()


@pytest.fixture
def name(client: Driver, request: pytest.FixtureRequest) -> str:
    """A word for topics and groups of this test with this client."""
    word = request.node.originalname.removeprefix("test_").replace("_", "-")
    return f"{word}-{request.node.callspec.params['client'].replace('.', '-')}"


class Scene:
    """A topic, a consumer that fails where messages tell it to, and what came."""

    def __init__(self, server: RunningServer, driver: Driver, name: str, **options: object) -> None:
        self.server, self.driver, self.topic, self.group = server, driver, name, f"G-{name}"
        # Where the retry topic is new, clients look for it again only after half a minute.
        for topic, queues in ((name, 2), (f"%RETRY%{self.group}", 1)):
            create_topic(server.namesrv_addr, server.broker_addr, topic, queues)
        driver.call("producer", name=f"P-{name}", group=f"PG-{name}")
        driver.call("steered", name=f"C-{name}", group=self.group, topic=name, **{"from": "FIRST", **options})

    def send(self, messages: Sequence[Outgoing]) -> None:
        self.driver.send(f"P-{self.topic}", self.topic, messages, threads=1)

    def attempts(self, count: int, *, timeout: float = 40) -> list[Received]:
        """All deliveries, when there are so many, and no more follow within the longest pause."""
        self.driver.wait_received(f"C-{self.topic}", count, timeout=timeout)
        return self.driver.received(f"C-{self.topic}")

    def dead_letters(self, count: int) -> list[Received]:
        """What is in the group's dead-letter topic."""
        reader, topic = f"D-{self.topic}", f"%DLQ%{self.group}"
        wait_until(
            lambda: ask(self.server.namesrv_addr, GET_ROUTE_BY_TOPIC, {"topic": topic})[0]["code"] == 0,
            timeout=60,
            what=lambda: f"there is no {topic}",
        )
        self.driver.push(reader, f"GD-{self.topic}", topic)
        return self.driver.wait_received(reader, count)

    def received(self) -> list[Received]:
        return self.driver.received(f"C-{self.topic}")

    def close(self) -> None:
        for client in ("P", "C"):
            self.driver.retire(f"{client}-{self.topic}")


StartScene = Callable[..., Scene]


@pytest.fixture
def start(server: RunningServer, client: Driver, name: str) -> Iterator[StartScene]:
    made: list[Scene] = []

    def make(**options: object) -> Scene:
        made.append(Scene(server, client, name, **options))
        return made[-1]

    yield make
    for scene in made:
        scene.close()


def failing(prefix: str, *times: int) -> list[Outgoing]:
    """Messages, each to be failed so many times."""
    return [
        Outgoing(m.body, m.tags, m.keys, {**m.properties, "fail": str(n)})
        for m, n in zip(make_messages(prefix, len(times)), times, strict=True)
    ]


def own_properties(message: Received) -> dict[str, str]:
    """What the sender gave it."""
    return {key: value for key, value in message.properties.items() if key not in SYSTEM_PROPERTIES | MARKS}


def assert_copy(message: Received, first: Received, outgoing: Outgoing, topic: str) -> None:
    """A later delivery is the first one's message, and tells where it came from."""
    got = (message.topic, message.body, message.tags, message.keys, own_properties(message), message.msg_id)
    assert got == (topic, outgoing.body, outgoing.tags, outgoing.keys, outgoing.properties, first.msg_id)
    assert message.sys_flag == first.sys_flag
    assert message.properties["ORIGIN_MESSAGE_ID"] == first.offset_msg_id


def by_key(received: Sequence[Received]) -> dict[str, list[Received]]:
    found: dict[str, list[Received]] = {}
    for message in received:
        found.setdefault(str(message.keys), []).append(message)
    return found


def assert_pauses(attempts: Sequence[Received], levels: Sequence[int]) -> None:
    """Between two attempts lies the delay of the level, and little more."""
    pauses = [(later.at - earlier.at) / 1000 for earlier, later in itertools.pairwise(attempts)]
    for pause, level in zip(pauses, levels, strict=True):
        delay = LEVELS[level - 1]
        assert delay <= pause < delay + TOLERANCE, f"pauses {pauses}, levels {list(levels)}"


def test_later_again(start: StartScene) -> None:
    """Attempts are counted, each pause is a level longer, and nothing of the message is lost on the way."""
    scene = start()
    outgoing = failing(scene.topic, 0, 1, 3, 0)
    outgoing.append(Outgoing(b"compressed by the client " * 400, "T", "long", {"fail": "2"}))
    scene.send(outgoing)
    found = by_key(scene.attempts(5 + 1 + 3 + 2))
    for message in outgoing:
        attempts = found[str(message.keys)]
        times = int(message.properties["fail"])
        assert [a.reconsume_times for a in attempts] == list(range(times + 1))
        assert_pauses(attempts, range(3, 3 + times))
        assert not MARKS & attempts[0].properties.keys()
        for later in attempts[1:]:
            assert_copy(later, attempts[0], message, scene.topic)
            # What it carried while it waited stays with it.
            marks = {key: later.properties[key] for key in MARKS - {"ORIGIN_MESSAGE_ID"}}
            assert marks == {
                "RETRY_TOPIC": scene.topic, "DELAY": str(2 + later.reconsume_times),
                "REAL_TOPIC": f"%RETRY%{scene.group}", "REAL_QID": "0",
            }  # fmt: skip


def test_dead_after_the_last_attempt(start: StartScene) -> None:
    scene = start(attempts=2)
    outgoing = failing(scene.topic, 99, 2)
    scene.send(outgoing)
    found = by_key(scene.attempts(6))
    for message in outgoing:
        assert [m.reconsume_times for m in found[str(message.keys)]] == [0, 1, 2]
    (dead,) = scene.dead_letters(1)
    first = found[str(outgoing[0].keys)][0]
    assert_copy(dead, first, outgoing[0], f"%DLQ%{scene.group}")
    assert (dead.reconsume_times, dead.queue_id, dead.queue_offset) == (3, 0, 0)
    assert dead.properties["RETRY_TOPIC"] == scene.topic
    assert len(scene.attempts(6)) == 6


def test_no_second_attempt(start: StartScene) -> None:
    """With no attempts allowed a message is dead at once."""
    scene = start(attempts=0)
    outgoing = failing(scene.topic, 99)
    scene.send(outgoing)
    (first,) = scene.attempts(1)
    (dead,) = scene.dead_letters(1)
    assert_copy(dead, first, outgoing[0], f"%DLQ%{scene.group}")
    assert dead.reconsume_times == 1


def test_a_level_of_the_consumers_choice(start: StartScene) -> None:
    scene = start(level=4)
    outgoing = failing(scene.topic, 2)
    scene.send(outgoing)
    attempts = scene.attempts(3)
    assert [m.reconsume_times for m in attempts] == [0, 1, 2]
    assert_pauses(attempts, (4, 4))


def test_a_dead_letter_of_the_consumers_choice(start: StartScene) -> None:
    scene = start(level=-1)
    outgoing = failing(scene.topic, 99)
    scene.send(outgoing)
    (first,) = scene.attempts(1)
    (dead,) = scene.dead_letters(1)
    assert_copy(dead, first, outgoing[0], f"%DLQ%{scene.group}")
    assert (dead.reconsume_times, dead.properties["RETRY_TOPIC"]) == (1, scene.topic)


def scheduled(server: RunningServer, level: int) -> int:
    """How many messages ever waited at a level."""
    header, _ = ask(server.broker_addr, MAX_OFFSET, {"topic": "SCHEDULE_TOPIC_XXXX", "queueId": str(level - 1)})
    return int(header["extFields"]["offset"])


def test_a_kill_between_two_attempts(server: RunningServer, tmp_path: Path) -> None:
    """What waits for its next attempt outlives the broker; so do attempts that were counted."""
    toolchains.require("java")
    driver = Driver(toolchains.java_client("5.4.0"), server.namesrv_addr, tmp_path)
    scene = Scene(server, driver, "kill", level=18)
    before = scheduled(server, 18)
    outgoing = failing(scene.topic, *[1] * 20)
    scene.send(outgoing)
    scene.attempts(20)
    wait_until(
        lambda: scheduled(server, 18) == before + 20, timeout=60, what=lambda: f"{scheduled(server, 18)} waited by now"
    )
    server.kill()
    server.restart()
    wait_until(
        lambda: sum(m.reconsume_times == 1 for m in scene.received()) >= 20,
        timeout=60,
        what=lambda: f"{sum(m.reconsume_times == 1 for m in scene.received())} of 20 came again",
    )
    found = by_key(scene.received())
    for message in outgoing:
        later = [m for m in found[str(message.keys)] if m.reconsume_times == 1]
        for copy in later:
            assert_copy(copy, found[str(message.keys)][0], message, scene.topic)
    driver.kill()


# --- requests as they are ---------------------------------------------------------------------------------------------


class Bare:
    """A topic with one message, and a group, asked for with bare requests."""

    def __init__(self, server: RunningServer, name: str, **group: object) -> None:
        self.address, self.namesrv, self.topic, self.group = server.broker_addr, server.namesrv_addr, name, f"G-{name}"
        create_topic(self.namesrv, self.address, name, 1)
        config = {"groupName": self.group, **group}
        assert ask(self.address, UPDATE_GROUP, body=json.dumps(config).encode())[0]["code"] == 0
        header = self.send(name, body=b"the message")
        self.offset = int(header["extFields"]["msgId"][16:], 16)

    def send(self, topic: str, *, body: bytes = b"x", **fields: str) -> dict[str, Any]:
        base = {"a": "PG", "b": topic, "c": "TBW102", "d": "4", "e": "0", "f": "0", "g": "1600000000000", "h": "7"}
        return ask(self.address, SEND_MESSAGE_V2, {**base, "i": "TAGS\x01a\x02", **fields}, body)[0]

    def back(self, offset: int | None = None, *, group: str | None = None, level: int = 0) -> tuple[int, str]:
        at = self.offset if offset is None else offset
        # Apache's broker cannot make a dead letter of a message whose consumer does not name the topic.
        fields = {
            "offset": str(at), "group": group or self.group, "delayLevel": str(level), "unitMode": "false",
            "originTopic": self.topic,
        }  # fmt: skip
        header, body = ask(self.address, SEND_BACK, fields)
        assert body == b""
        return header["code"], header.get("remark", "")

    def stored(self, topic: str, queue_id: int = 0) -> list[StoredMessage]:
        fields = {
            "consumerGroup": "Reader", "topic": topic, "queueId": str(queue_id), "queueOffset": "0", "maxMsgNums": "32",
            "sysFlag": "4", "commitOffset": "0", "suspendTimeoutMillis": "0", "subVersion": "0", "subscription": "*",
            "expressionType": "TAG",
        }  # fmt: skip
        return list(decode_messages(ask(self.address, PULL_MESSAGE, fields)[1]))

    def wait_stored(self, topic: str, count: int) -> list[StoredMessage]:
        wait_until(lambda: len(self.stored(topic)) >= count, timeout=60, what=lambda: f"no {count} messages in {topic}")
        return self.stored(topic)

    def config(self, topic: str) -> dict[str, Any]:
        header, body = ask(self.address, TOPIC_CONFIG, {"topic": topic})
        assert header["code"] == 0, header
        return dict(json.loads(body))


def test_the_groups_own_limit(server: RunningServer) -> None:
    """It counts where the consumer names none."""
    bare = Bare(server, "own-limit", retryMaxTimes=1, retryQueueNums=1)
    assert bare.back() == (0, "")
    (again,) = bare.wait_stored(f"%RETRY%{bare.group}", 1)
    assert (again.reconsume_times, again.body, again.flag) == (1, b"the message", 7)
    assert again.born_timestamp == 1600000000000
    assert bare.back(again.physical_offset) == (0, "")
    (dead,) = bare.wait_stored(f"%DLQ%{bare.group}", 1)
    told = {key: dead.properties[key] for key in ("RETRY_TOPIC", "ORIGIN_MESSAGE_ID", "DELAY", "WAIT", "TAGS")}
    assert told == {
        "RETRY_TOPIC": bare.topic, "ORIGIN_MESSAGE_ID": again.properties["ORIGIN_MESSAGE_ID"], "DELAY": "0",
        "WAIT": "false", "TAGS": "a",
    }  # fmt: skip
    assert (dead.reconsume_times, dead.body, dead.born_timestamp) == (2, b"the message", 1600000000000)
    assert len(bare.stored(f"%RETRY%{bare.group}")) == 1


def test_topics_that_are_made(server: RunningServer) -> None:
    bare = Bare(server, "made-topics", retryQueueNums=5)
    assert bare.back() == bare.back(level=-1) == (0, "")
    for topic, queues in ((f"%RETRY%{bare.group}", 5), (f"%DLQ%{bare.group}", 1)):
        config = bare.config(topic)
        assert (config["readQueueNums"], config["writeQueueNums"], config["perm"], config["order"]) == (
            queues, queues, 6, False,
        )  # fmt: skip


def test_no_retry_queues_no_retry(server: RunningServer) -> None:
    bare = Bare(server, "no-queues", retryQueueNums=0)
    assert bare.back() == (0, "")
    assert ask(bare.address, TOPIC_CONFIG, {"topic": f"%RETRY%{bare.group}"})[0]["code"] != 0


def test_what_is_refused(server: RunningServer) -> None:
    bare = Bare(server, "refused")
    assert bare.back(1 << 40) == (1, f"look message by offset failed, {1 << 40}")
    fields = {"topic": f"%RETRY%{bare.group}", "defaultTopic": "TBW102", "readQueueNums": "1", "writeQueueNums": "1",
              "perm": "4", "topicFilterType": "SINGLE_TAG", "topicSysFlag": "0", "order": "false"}
    assert ask(bare.address, UPDATE_AND_CREATE_TOPIC, fields)[0]["code"] == 0
    assert bare.back() == (16, f"the topic[%RETRY%{bare.group}] sending message is forbidden")
    assert bare.back(level=-1) == (16, f"the topic[%RETRY%{bare.group}] sending message is forbidden")
    ask(bare.address, UPDATE_BROKER_CONFIG, body=b"brokerPermission=4\n")
    try:
        assert bare.back(1 << 40) == (16, "the broker[127.0.0.1] sending message is forbidden")
        ask(bare.address, UPDATE_BROKER_CONFIG, body=b"autoCreateSubscriptionGroup=false\n")
        code, remark = bare.back(group="Nobody")
        assert (code, remark.partition("\n")[0]) == (26, "subscription group not exist, Nobody ")
    finally:
        ask(bare.address, UPDATE_BROKER_CONFIG, body=b"brokerPermission=6\nautoCreateSubscriptionGroup=true\n")


def test_a_consumer_may_send_to_its_retry_topic_itself(server: RunningServer) -> None:
    """As clients do when sending back fails."""
    bare = Bare(server, "itself", retryMaxTimes=3)
    topic = f"%RETRY%{bare.group}"
    assert bare.send(topic, j="2", l="2", body=b"again")["code"] == 0
    assert bare.send(topic, j="3", l="2", body=b"dead")["code"] == 0
    assert bare.send(topic, j="3", body=b"the group allows three")["code"] == 0
    assert bare.send(topic, j="4", body=b"and no more")["code"] == 0
    assert [(m.body, m.reconsume_times) for m in bare.stored(topic)] == [(b"again", 2), (b"the group allows three", 3)]
    dead = bare.stored(f"%DLQ%{bare.group}")
    assert [(m.body, m.reconsume_times) for m in dead] == [(b"dead", 3), (b"and no more", 4)]
    assert {m.properties["DELAY"] for m in dead} == {"-1"}


def test_a_group_that_may_not_consume(server: RunningServer) -> None:
    bare = Bare(server, "stopped", consumeEnable=False)
    fields = {
        "consumerGroup": bare.group, "topic": bare.topic, "queueId": "0", "queueOffset": "0", "maxMsgNums": "32",
        "sysFlag": "4", "commitOffset": "0", "suspendTimeoutMillis": "0", "subVersion": "0", "subscription": "*",
        "expressionType": "TAG",
    }  # fmt: skip
    header, _ = ask(bare.address, PULL_MESSAGE, fields)
    assert (header["code"], header["remark"]) == (16, f"subscription group no permission, {bare.group}")
    assert bare.back() == (0, "")
