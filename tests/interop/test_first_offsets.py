"""Where new groups begin in queues whose first messages are gone, and what a reader is told who asks for those.

A group that has no offset asks the broker. While a queue has all its messages the broker answers 0, see
`test_reset_and_lookup`; of these queues it knows no offset for a new group, and the client begins where its program
wants to.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from rmq.wire.message import StoredMessage, decode_messages
from tests.kit import toolchains
from tests.kit.driver import Driver, Outgoing, Received, wait_until
from tests.kit.frames import ask, create_topic
from tests.kit.server import RunningServer, chosen_kind, maker
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop

PULL_MESSAGE, QUERY_CONSUMER_OFFSET, SEARCH_OFFSET, MAX_OFFSET, MIN_OFFSET, EARLIEST = 11, 14, 29, 30, 31, 32
TOPIC, QUEUES = "Old", 2
FILE = 256 * 1024
ORIGINS = {
    "first": {"consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET"},
    "last": {"consumeFromWhere": "CONSUME_FROM_LAST_OFFSET"},
    "half an hour ago": {"consumeFromWhere": "CONSUME_FROM_TIMESTAMP"},
    "between": {"consumeFromWhere": "CONSUME_FROM_TIMESTAMP"},
    "tomorrow": {"consumeFromWhere": "CONSUME_FROM_TIMESTAMP"},
}


def members(version: str) -> Program:
    """A client whose offset was wrong gives the queue back, and looks for queues without an owner every second."""
    made = toolchains.java_client(version)
    words = ("java", "-Drocketmq.client.rebalance.waitInterval=1000", *made.command[1:-1], "interop.Members")
    return Program(words, made.class_path)


@dataclass
class Old:
    """A topic whose first messages are gone."""

    server: RunningServer
    sender: Driver
    stored: list[list[StoredMessage]]
    """What is left, by queue."""
    between: float
    """A full second between the older and the newer part of it, in seconds since the epoch."""
    bodies: dict[tuple[int, int], bytes]
    """What was sent, by queue and offset."""

    def send(self, count: int, size: int = 16 * 1024) -> None:
        for queue in range(QUEUES):
            # Nothing that becomes shorter when a client compresses it.
            messages = [Outgoing(b"%d-%d " % (queue, n) + random.Random(n).randbytes(size)) for n in range(count)]
            for message, report in zip(
                messages, self.sender.send("P", TOPIC, messages, threads=1, queue=queue), strict=True
            ):
                self.bodies[queue, report.queue_offset] = message.body

    def ask(self, code: int, queue: int, **fields: object) -> dict[str, str]:
        """The answer's header fields, and its code among them."""
        asked = {"topic": TOPIC, "queueId": queue, **fields}
        header, _ = ask(self.server.broker_addr, code, {key: str(value) for key, value in asked.items()})
        return {"code": str(header["code"]), **header.get("extFields", {})}

    def pull(self, queue: int, offset: int) -> tuple[dict[str, str], list[StoredMessage]]:
        fields = {
            "consumerGroup": "Reader", "topic": TOPIC, "queueId": str(queue), "queueOffset": str(offset),
            "maxMsgNums": "32", "sysFlag": "4", "commitOffset": "0", "suspendTimeoutMillis": "0", "subVersion": "0",
            "subscription": "*", "expressionType": "TAG",
        }  # fmt: skip
        header, body = ask(self.server.broker_addr, PULL_MESSAGE, fields)
        return {"code": str(header["code"]), **header["extFields"]}, list(decode_messages(body))

    def read(self) -> None:
        """Takes down what is left."""
        self.stored = []
        for queue in range(QUEUES):
            found: list[StoredMessage] = []
            offset, end = (int(self.ask(code, queue)["offset"]) for code in (MIN_OFFSET, MAX_OFFSET))
            while offset < end:
                found += self.pull(queue, offset)[1]
                offset = found[-1].queue_offset + 1
            self.stored.append(found)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Old]:
    """The first file of the log has gone while the broker was down."""
    toolchains.require("java")
    home = tmp_path_factory.mktemp("old")
    server = maker(chosen_kind())(home, extra={"mappedFileSizeCommitLog": str(FILE)})
    sender = Driver(toolchains.java_client("5.4.0"), server.namesrv_addr, home / "sender")
    try:
        made = Old(server, sender, [], 0.0, {})
        create_topic(server.namesrv_addr, server.broker_addr, TOPIC, QUEUES)
        sender.call("producer", name="P", group="PG")
        made.send(12)
        made.send(4)
        time.sleep(1.2 - time.time() % 1)
        made.between = float(int(time.time()))
        made.send(4)
        server.kill()
        first, *others = sorted((server.store_dir / "commitlog").iterdir())
        assert (first.name, len(others) > 1) == ("0" * 20, True)
        first.unlink()
        server.restart()
        made.read()
        yield made
    finally:
        sender.kill()
        server.kill()


def test_what_is_left(old: Old) -> None:
    """Queues begin with the first message of the log that is left; who asks for less is sent there."""
    kept = [len(found) for found in old.stored]
    assert 0 < sum(kept) < 2 * 20
    for queue, found in enumerate(old.stored):
        first = found[0].queue_offset
        assert [m.queue_offset for m in found] == list(range(first, 20))
        assert all(m.physical_offset >= FILE for m in found)
        assert old.ask(MIN_OFFSET, queue)["offset"] == str(first)
        assert old.ask(EARLIEST, queue)["timestamp"] == str(found[0].store_timestamp)
        asked = {"consumerGroup": "Nobody"}
        assert old.ask(QUERY_CONSUMER_OFFSET, queue, **asked)["code"] == ("22" if first else "0")
        for time_, boundary, expected in (
            (0, "lower", first), (found[-1].store_timestamp, "lower", found_at(found, found[-1].store_timestamp)),
            (found[-1].store_timestamp + 1, "lower", 20), (int(old.between * 1000), "lower", 16),
        ):  # fmt: skip
            answer = old.ask(SEARCH_OFFSET, queue, timestamp=time_, boundaryType=boundary)
            assert (time_, answer["offset"]) == (time_, str(expected))
    assert old.stored[0][0].queue_offset > 0
    queue = 0
    first = old.stored[queue][0].queue_offset
    for offset, code, goes_on in ((0, "21", first), (first - 1, "21", first), (20, "19", 20), (21, "21", 20)):
        answer, messages = old.pull(queue, offset)
        facts = (answer["code"], answer["nextBeginOffset"], answer["minOffset"], answer["maxOffset"])
        assert (offset, *facts) == (offset, code, str(goes_on), str(first), "20")
        assert messages == []


def found_at(found: list[StoredMessage], moment: int) -> int:
    """The offset of the first message of a moment."""
    return next(m.queue_offset for m in found if m.store_timestamp >= moment)


def consume_timestamp(old: Old, origin: str) -> dict[str, str]:
    """The client's setting, in its local time."""
    moments = {"between": old.between, "tomorrow": time.time() + 86400}
    if origin not in moments:
        return {}
    return {"consumeTimestamp": time.strftime("%Y%m%d%H%M%S", time.localtime(moments[origin]))}


@pytest.fixture(scope="module")
def start(old: Old, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Program], Driver]]:
    """Starts client programs that end with the module."""
    started: list[Driver] = []

    def one(program: Program) -> Driver:
        started.append(Driver(program, old.server.namesrv_addr, tmp_path_factory.mktemp("client")))
        return started[-1]

    yield one
    for driver in started:
        driver.kill()


def places(received: list[Received]) -> list[tuple[int, int]]:
    return sorted((m.queue_id, m.queue_offset) for m in received)


@pytest.mark.long
def test_a_new_group_begins_where_it_wants(old: Old, start: Callable[[Program], Driver]) -> None:
    """Both releases with each setting; what comes later comes to all."""
    old.read()
    ends = [found[-1].queue_offset + 1 for found in old.stored]
    left = {(m.queue_id, m.queue_offset): m for found in old.stored for m in found}
    # A queue that has all its messages is read from its beginning whatever the client wants.
    whole = {place for place in left if old.stored[place[0]][0].queue_offset == 0}
    wanted = {
        "first": set(left), "half an hour ago": set(left), "last": whole, "tomorrow": whole,
        "between": whole | {place for place, m in left.items() if m.store_timestamp >= old.between * 1000},
    }  # fmt: skip
    assert len(wanted["between"] - whole) in range(4, 9)
    started: dict[str, tuple[Driver, str]] = {}
    for version in toolchains.JAVA_CLIENT_VERSIONS:
        driver = start(members(version))
        for origin, setting in ORIGINS.items():
            name = f"{origin.replace(' ', '-')}-{version.replace('.', '-')}"
            driver.call("push", name=name, group=f"G-{name}", topic=TOPIC, set=setting | consume_timestamp(old, origin))
            wait_until(
                lambda d=driver, n=name: len(d.call("queues", name=n, topic=TOPIC)) == QUEUES,
                timeout=60,
                what=lambda n=name: f"{n} has not all queues",
            )
            started[name] = (driver, origin)
    for name, (driver, origin) in started.items():
        received = driver.wait_received(name, len(wanted[origin]))
        assert (name, places(received)) == (name, sorted(wanted[origin]))
        for message in received:
            assert message.body == old.bodies[message.queue_id, message.queue_offset]
    old.send(2, size=10)
    later = [(queue, end + n) for queue, end in enumerate(ends) for n in range(2)]
    for name, (driver, origin) in started.items():
        received = driver.wait_received(name, len(wanted[origin]) + len(later))
        assert (name, places(received)) == (name, sorted([*wanted[origin], *later]))
