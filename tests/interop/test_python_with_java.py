"""Our own client and the official Java client in one group: each takes over what the other began."""

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rmq.client import (
    ClientConfig,
    ConsumeContext,
    ConsumeFromWhere,
    ConsumeStatus,
    Message,
    MessageExt,
    OrderlyContext,
    PushConfig,
    TransactionState,
    blocking,
    reply_to,
    select_by_hash,
)
from tests.kit import toolchains
from tests.kit.apache import MqAdmin
from tests.kit.driver import Driver, Outgoing, wait_until
from tests.kit.frames import ask, create_topic
from tests.kit.server import RunningServer, chosen_kind, maker
from tests.kit.toolchains import Program

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

SETTINGS = {
    "messageDelayLevel": "1s 2s 3s 4s 5s 6s 7s 8s 9s 10s 11s 12s 13s 14s 15s 16s 17s 18s",
    "transactionTimeOut": "1000",
    "transactionCheckInterval": "1000",
    "transactionOpBatchInterval": "200",
    "traceTopicEnable": "true",
}
QUERY_CONSUMER_OFFSET, GET_MAX_OFFSET = 14, 30
PUSH = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    toolchains.require("java")
    running = maker(chosen_kind())(tmp_path_factory.mktemp("mixed"), extra=SETTINGS)
    yield running
    running.kill()


@pytest.fixture(params=toolchains.JAVA_CLIENT_VERSIONS)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def java(
    release: str, server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Driver]]:
    """Starts a Java program by the name of its class."""
    started: list[Driver] = []

    def start(main: str) -> Driver:
        program = toolchains.java_client(release)
        words = (*program.command[:-1], f"interop.{main}")
        driver = Driver(Program(words, program.class_path), server.namesrv_addr, tmp_path_factory.mktemp("java"))
        started.append(driver)
        return driver

    yield start
    for driver in started:
        driver.kill()


class Received:
    """What Python listeners got."""

    def __init__(self, answer: Callable[[MessageExt], object] = lambda message: None) -> None:
        self.messages: list[tuple[float, MessageExt, int]] = []
        self._lock = threading.Lock()
        self._answer = answer

    def __call__(self, messages: list[MessageExt], context: ConsumeContext | OrderlyContext) -> object:
        with self._lock:
            self.messages += [(time.time() * 1000, message, message.reconsume_times) for message in messages]
        return self._answer(messages[0])

    def wait(self, count: int) -> list[MessageExt]:
        wait_until(lambda: len(self.messages) >= count, timeout=60, what=lambda: f"{len(self.messages)} of {count}")
        return [message for _, message, _ in self.messages]


def test_transactions_are_decided_by_the_other(
    server: RunningServer, java: Callable[[str], Driver], release: str
) -> None:
    topic, group = f"Mixed-transaction-{release[0]}", f"PG-mixed-{release[0]}"
    asked: list[str] = []

    def check(message: MessageExt) -> TransactionState:
        asked.append(str(message.keys))
        return TransactionState.ROLLBACK if message.keys == "java-1" else TransactionState.COMMIT

    def undecided(message: Message, arg: object) -> None:
        return None

    def outgoing(number: int, local: str) -> Outgoing:
        properties = {"local": local, "check": "COMMIT", "number": str(number)}
        return Outgoing(b"from Java", "T", f"java-{number}", properties)

    received = Received()
    dies = java("Transactions")
    dies.call("transactional", name="P", group=group)
    dies.call(
        "sendInTransactions", name="P", topic=topic, messages=[outgoing(i, "UNKNOW").as_command() for i in range(3)]
    )
    dies.kill()
    place = {"namesrv_addr": server.namesrv_addr}
    consumer = blocking.PushConsumer(f"G-{topic}", received, config=PUSH, **place)  # type: ignore[arg-type]
    consumer.subscribe(topic)
    with consumer:
        with blocking.TransactionProducer(group, check, **place) as producer:  # type: ignore[arg-type]
            producer.send_in_transaction(
                Message(topic, "decided", keys="python-0"), lambda message, arg: TransactionState.COMMIT
            )
            assert sorted(str(message.keys) for message in received.wait(3)) == ["java-0", "java-2", "python-0"]
            wait_until(lambda: len(set(asked)) == 3, timeout=30, what=lambda: f"asked about {asked}")
            for i in (1, 2):
                message = Message(topic, "undecided", keys=f"python-{i}", properties={"check": "COMMIT"})
                assert producer.send_in_transaction(message, undecided).state is TransactionState.UNKNOWN
        # The Java producer becomes known to the broker by what it sends itself.
        stays = java("Transactions")
        stays.call("transactional", name="P", group=group)
        stays.call("sendInTransactions", name="P", topic=topic, messages=[outgoing(9, "COMMIT").as_command()])
        keys = sorted(str(message.keys) for message in received.wait(6))
    assert keys == ["java-0", "java-2", "java-9", "python-0", "python-1", "python-2"]


def committed(server: RunningServer, group: str, topic: str) -> str | None:
    """The offset that a group has committed in the only queue."""
    header, _ = ask(
        server.broker_addr, QUERY_CONSUMER_OFFSET, {"consumerGroup": group, "topic": topic, "queueId": "0"}
    )
    return header["extFields"].get("offset") if header["code"] == 0 else None


def pending(server: RunningServer, level: int) -> int:
    """How many messages were ever delayed by that level."""
    header, _ = ask(server.broker_addr, GET_MAX_OFFSET, {"topic": "SCHEDULE_TOPIC_XXXX", "queueId": str(level - 1)})
    return int(header["extFields"]["offset"])


def test_failed_messages_are_tried_again_by_the_other(
    server: RunningServer, java: Callable[[str], Driver], release: str
) -> None:
    topic = f"Mixed-retry-{release[0]}"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 1)
    group, driver = f"G-{topic}", java("Driver")
    with blocking.Producer("P", namesrv_addr=server.namesrv_addr) as producer:
        producer.send(Message(topic, "Java fails", tags="A", keys="k", properties={"fail": "1"}))
        before = pending(server, 4)
        driver.call("steered", name="J1", group=group, topic=topic, level=4)
        (first,) = driver.wait_received("J1", 1)
        wait_until(lambda: pending(server, 4) == before + 1, timeout=60, what=lambda: "nothing was given back")
        # A client that stops before it has heard that this was done leaves the message to the next one.
        wait_until(
            lambda: driver.call("ask", name="J1", what="persist") and committed(server, group, topic) == "1",
            timeout=60,
            what=lambda: "nothing was committed",
        )
        driver.call("stop", name="J1")
        received = Received(lambda message: None if message.reconsume_times else ConsumeStatus.RECONSUME_LATER)
        consumer = blocking.PushConsumer(group, received, config=PUSH, namesrv_addr=server.namesrv_addr)
        consumer.subscribe(topic)
        with consumer:
            (again,) = received.wait(1)
            assert (again.topic, again.body, again.tags, again.keys, again.reconsume_times) == (
                topic, b"Java fails", "A", "k", 1
            )  # fmt: skip
            assert (again.msg_id, again.properties["ORIGIN_MESSAGE_ID"]) == (first.msg_id, first.offset_msg_id)
            producer.send(Message(topic, "Python fails", tags="B"))
            failed = received.wait(2)[1]
    # Level 3, as it is the first failure: after three seconds.
    driver.call("steered", name="J2", group=group, topic=topic)
    (taken,) = driver.wait_received("J2", 1)
    assert (taken.topic, taken.body, taken.tags, taken.reconsume_times) == (topic, b"Python fails", "B", 1)
    assert taken.properties["ORIGIN_MESSAGE_ID"] == failed.offset_msg_id
    driver.retire("J2")


def test_order_is_kept_when_a_queue_goes_to_the_other(
    server: RunningServer, java: Callable[[str], Driver], release: str
) -> None:
    topic, sent = f"Mixed-order-{release[0]}", itertools.count()
    create_topic(server.namesrv_addr, server.broker_addr, topic, 2)
    driver = java("Driver")
    received = Received(lambda message: time.sleep(0.01))
    consumer = blocking.OrderlyPushConsumer(
        f"G-{topic}", received, config=PUSH, namesrv_addr=server.namesrv_addr  # type: ignore[arg-type]
    )
    consumer.subscribe(topic)
    with blocking.Producer("P", namesrv_addr=server.namesrv_addr) as producer, consumer:

        def send(count: int) -> None:
            for i in itertools.islice(sent, count):
                producer.send(Message(topic, str(i)), selector=select_by_hash, arg=i)

        send(300)
        received.wait(20)
        driver.call("steered", name="J", group=f"G-{topic}", topic=topic, orderly=True, work=5)
        # There is always something to do while the queue changes hands, however long that takes.
        wait_until(
            lambda: send(10) or bool(driver.received("J")),
            timeout=60,
            what=lambda: f"Java got none, Python {len(received.messages)}",
        )
        send(50)
        count = next(sent)
        wait_until(
            lambda: len({m.body for _, m, _ in received.messages} | {m.body for m in driver.received("J")}) == count,
            timeout=90,
            what=lambda: f"{len(received.messages)} and {len(driver.received('J'))} of {count}",
        )
    driver.retire("J")
    handed = [(at, m.queue_id, m.queue_offset) for at, m, _ in received.messages]
    handed += [(m.at, m.queue_id, m.queue_offset) for m in driver.received("J")]
    for queue in (0, 1):
        offsets = [offset for _, queue_id, offset in sorted(handed) if queue_id == queue]
        assert sorted(set(offsets)) == list(range(count // 2))
        assert offsets == sorted(offsets)


def test_requests_are_answered_by_the_other(
    server: RunningServer, java: Callable[[str], Driver], release: str
) -> None:
    asked, answered = f"Mixed-asked-{release[0]}", f"Mixed-answered-{release[0]}"
    for topic in (asked, answered):
        create_topic(server.namesrv_addr, server.broker_addr, topic, 1)
    driver, place = java("Requests"), {"namesrv_addr": server.namesrv_addr}
    with blocking.Producer("P", namesrv_addr=server.namesrv_addr) as producer:
        received = Received(lambda message: producer.send(reply_to(message, b"Python: " + message.body)) and None)
        consumer = blocking.PushConsumer(f"G-{asked}", received, config=PUSH, **place)  # type: ignore[arg-type]
        consumer.subscribe(asked)
        with consumer:
            driver.call("asker", name="Q", group="PQ")
            item = Outgoing(b"who are you?").as_command()
            line = driver.call("request", name="Q", topic=asked, mode="sync", millis=20_000, messages=[item])
            assert line["body"] == Outgoing(b"Python: who are you?").as_command()["body"]
        prefix = Outgoing(b"Java: ").as_command()["body"]
        driver.call("answerer", name="A", group=f"G-{answered}", topic=answered, delay=0, prefix=prefix)
        assert producer.request(Message(answered, "who are you?"), timeout=30).body == b"Java: who are you?"


def test_java_reads_our_traces(server: RunningServer, tmp_path: Path) -> None:
    topic, traced = "Mixed-trace", ClientConfig(namesrv_addr=server.namesrv_addr, enable_trace=True)
    received = Received()
    consumer = blocking.PushConsumer(f"G-{topic}", received, config=PUSH, client_config=traced)  # type: ignore[arg-type]
    consumer.subscribe(topic)
    with consumer, blocking.Producer("PG-traced", client_config=traced) as producer:
        sent = producer.send(Message(topic, "x", tags="T", keys="k"))
        received.wait(1)
    admin = MqAdmin(server.namesrv_addr, tmp_path)
    try:
        wait_until(
            lambda: f"G-{topic}" in admin.out("queryMsgTraceById", "-i", sent.msg_id),
            timeout=30,
            what=lambda: admin.out("queryMsgTraceById", "-i", sent.msg_id),
        )
        printed = admin.out("queryMsgTraceById", "-i", sent.msg_id)
    finally:
        admin.close()
    assert re.search(r"^Pub\s+PG-traced\s.*success", printed, re.MULTILINE), printed
    assert re.search(rf"^Sub\s+G-{topic}\s.*success", printed, re.MULTILINE), printed
