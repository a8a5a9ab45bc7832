"""Transactional messages with the official clients: every outcome, whoever answers, across restarts and brokers.

What becomes of a message stands in its own properties (see the programs): `local` is the outcome of the local
transaction, `check` the answers to the broker's questions.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rmq.wire.message import StoredMessage, decode_messages
from tests.kit import toolchains
from tests.kit.driver import Driver, Outgoing, Received, wait_until
from tests.kit.frames import UPDATE_BROKER_CONFIG, ask
from tests.kit.messages import SYSTEM_PROPERTIES
from tests.kit.server import RunningServer, chosen_kind, maker
from tests.kit.toolchains import Program

pytestmark = [pytest.mark.interop, pytest.mark.timeout(240)]

TIME_OUT = 2000
CHECK_MAX = 3
CONFIG = {
    "transactionTimeOut": str(TIME_OUT),
    "transactionCheckInterval": "1000",
    "transactionCheckMax": str(CHECK_MAX),
    # Apache asks again about what has ended but is not noted yet.
    "transactionOpBatchInterval": "200",
}
PATIENT = {**CONFIG, "transactionCheckMax": "100"}
HANDOVERS = [("rmq", "apache"), ("apache", "rmq")] if chosen_kind() == "rmq" else [("apache", "apache")]

PULL, RESUME_CHECK_HALF_MESSAGE = 11, 323
GIVEN_UP = "TRANS_CHECK_MAX_TIME_TOPIC"

Open = Callable[[RunningServer], Driver]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with short times."""
    toolchains.require("java")
    running = maker(chosen_kind())(tmp_path_factory.mktemp("transactions"), extra=CONFIG)
    yield running
    running.kill()


def java_transactions(version: str) -> Program:
    """The program around the official Java client's transactional producer."""
    toolchains.require("java")
    class_path = toolchains.java_client(version).class_path
    words = toolchains.java(class_path, "interop.Transactions", "-Xmx256m", "-XX:TieredStopAtLevel=1")
    return Program(words, class_path)


def go_transactions(_: str) -> Program:
    """The Go program knows transactions too."""
    toolchains.require("go")
    return toolchains.go_client()


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Program, RunningServer], Driver]]:
    """Starts client programs at a server; they end with the test."""
    started: list[Driver] = []

    def start(program: Program, server: RunningServer) -> Driver:
        driver = Driver(program, server.namesrv_addr, tmp_path_factory.mktemp("client"))
        started.append(driver)
        return driver

    yield start
    for driver in started:
        driver.kill()


Start = Callable[[Program, RunningServer], Driver]


def message(number: int, local: str, check: str = "UNKNOWN", **properties: str) -> Outgoing:
    """A message whose transaction ends like this."""
    body = f"transaction {number} ".encode() + bytes(range(256))
    properties = {"number": str(number), "local": local, "check": check, "city": "Zürich 杭州", **properties}
    return Outgoing(body, f"Tag{number % 3}", f"key-{number}", properties)


def begin(driver: Driver, name: str, topic: str, messages: list[Outgoing]) -> list[int]:
    """Sends in transactions; the half-queue offsets."""
    items = [each.as_command() for each in messages]
    sent = driver.call("sendInTransactions", name=name, topic=topic, messages=items)
    assert {facts[0] for facts in sent} == {"SEND_OK"}
    offsets = [facts[5] for facts in sent]
    assert offsets == sorted(offsets)
    return offsets


def assert_delivered(received: Received, outgoing: Outgoing, topic: str, group: str, checks: int) -> None:
    """A committed message is the one that was sent, and its marks are Apache's."""
    own = dict(received.properties)
    system = {name: own.pop(name) for name in list(own) if name in SYSTEM_PROPERTIES}
    marks = {"TRAN_MSG": "true", "PGROUP": group, "__transactionId__": system["UNIQ_KEY"]}
    if checks:
        marks["TRANSACTION_CHECK_TIMES"] = str(checks)
    assert own == {**outgoing.properties, **marks}
    assert (received.topic, received.body, received.tags, received.keys) == (
        topic,
        outgoing.body,
        outgoing.tags,
        outgoing.keys,
    )
    assert (received.sys_flag, received.reconsume_times) == (8, 0)


def given_up(server: RunningServer) -> list[StoredMessage]:
    """What the broker has given up, in order."""
    fields = {
        "consumerGroup": "Operators", "topic": GIVEN_UP, "queueId": "0", "queueOffset": "0", "maxMsgNums": "32",
        "sysFlag": "4", "commitOffset": "0", "suspendTimeoutMillis": "0", "subscription": "*", "subVersion": "0",
        "expressionType": "TAG",
    }  # fmt: skip
    header, body = ask(server.broker_addr, PULL, fields)
    return list(decode_messages(body)) if header["code"] == 0 else []


@pytest.mark.parametrize(
    ("make", "version"),
    [(java_transactions, "5.4.0"), (java_transactions, "4.9.8"), (go_transactions, "2")],
    ids=["java5", "java4", "go"],
)
def test_every_outcome(make: Callable[[str], Program], version: str, server: RunningServer, opened: Start) -> None:
    topic, group = f"Outcomes-{make.__name__}-{version[0]}", f"PG-{make.__name__}-{version[0]}"
    driver = opened(make(version), server)
    driver.call("transactional", name="P", group=group)
    kinds: list[tuple[str, str, int, bool]] = [  # local, check, checks until the end, delivered
        ("COMMIT", "COMMIT", 0, True),
        ("ROLLBACK", "ROLLBACK", 0, False),
        ("UNKNOWN", "COMMIT", 1, True),
        ("UNKNOWN", "ROLLBACK", 1, False),
        ("UNKNOWN", "UNKNOWN,COMMIT", 2, True),
    ]
    outgoing = [message(i, *kinds[i % 5][:2]) for i in range(50)]
    begun = time.time() * 1000
    begin(driver, "P", topic, outgoing)
    driver.push("C", f"G-{topic}", topic)
    wanted = {i: kinds[i % 5][2] for i in range(50) if kinds[i % 5][3]}
    driver.wait_received("C", len(wanted))
    checks = Counter({i: kinds[i % 5][2] for i in range(50) if kinds[i % 5][2]})
    driver.wait_received("P.check", checks.total())
    # Two more rounds: nothing is asked twice, nothing comes twice.
    time.sleep(2.5)
    received = driver.received("C")
    assert Counter(int(each.properties["number"]) for each in received) == Counter(wanted.keys())
    for each in received:
        number = int(each.properties["number"])
        assert_delivered(each, outgoing[number], topic, group, wanted[number])
        if wanted[number]:
            assert each.store_timestamp - begun >= TIME_OUT
    asked = driver.received("P.check")
    assert Counter(int(each.properties["number"]) for each in asked) == checks
    for each in asked:
        assert (each.topic, each.body) == (topic, outgoing[int(each.properties["number"])].body)
        assert each.properties["REAL_TOPIC"] == topic
    places = {each.properties["number"]: each.properties["REAL_QID"] for each in asked}
    for each in received:
        assert places.get(each.properties["number"], str(each.queue_id)) == str(each.queue_id)


def test_never_answered_is_given_up_and_can_be_resumed(server: RunningServer, opened: Start) -> None:
    topic = "Given-up"
    driver = opened(java_transactions("5.4.0"), server)
    driver.call("transactional", name="P", group="PG-given-up")
    outgoing = [message(i, "UNKNOWN") for i in range(3)]
    begin(driver, "P", topic, outgoing)

    def lost() -> list[StoredMessage]:
        return [each for each in given_up(server) if each.properties["REAL_TOPIC"] == topic]

    wait_until(lambda: len(lost()) == 3, timeout=30, what=lambda: f"{len(lost())} given up")
    asked = driver.received("P.check")
    assert Counter((each.properties["number"], each.properties["TRANSACTION_CHECK_TIMES"]) for each in asked) == {
        (str(number), str(times)): 1 for number in range(3) for times in range(1, CHECK_MAX + 1)
    }
    for each, sent in zip(lost(), outgoing, strict=True):
        assert (each.topic, each.queue_id, each.body, each.sys_flag) == (GIVEN_UP, 0, sent.body, 0)
        assert each.properties.items() >= sent.properties.items()
        assert each.properties["TRANSACTION_CHECK_TIMES"] == str(CHECK_MAX)
    fields = {"topic": GIVEN_UP, "msgId": lost()[1].offset_id}
    assert ask(server.broker_addr, RESUME_CHECK_HALF_MESSAGE, fields)[0]["code"] == 0
    # It may have been asked for the second time already.
    again = driver.wait_received("P.check", 3 * CHECK_MAX + 1)[3 * CHECK_MAX]
    assert (again.properties["number"], again.properties["TRANSACTION_CHECK_TIMES"]) == ("1", "1")


@pytest.fixture
def patient(server: RunningServer) -> Iterator[None]:
    """Apache counts what is put off as checked, and would give it up."""
    ask(server.broker_addr, UPDATE_BROKER_CONFIG, body=b"transactionCheckMax=100\n")
    yield
    ask(server.broker_addr, UPDATE_BROKER_CONFIG, body=f"transactionCheckMax={CHECK_MAX}\n".encode())


@pytest.mark.usefixtures("patient")
def test_immunity_from_checks(server: RunningServer, opened: Start) -> None:
    """A message may ask for more time: it is checked when that is over."""
    topic = "Immune"
    driver = opened(java_transactions("5.4.0"), server)
    driver.call("transactional", name="P", group="PG-immune")
    begun = time.time() * 1000
    begin(driver, "P", topic, [message(0, "UNKNOWN", "COMMIT", CHECK_IMMUNITY_TIME_IN_SECONDS="3")])
    driver.push("C", "G-immune", topic)
    (received,) = driver.wait_received("C", 1)
    assert received.store_timestamp - begun >= 3000
    assert received.properties["TRAN_PREPARED_QUEUE_OFFSET"].isdigit()
    time.sleep(2.5)
    assert len(driver.received("C")) == 1
    assert len(driver.received("P.check")) == 1


@pytest.mark.parametrize("version", toolchains.JAVA_CLIENT_VERSIONS)
def test_another_producer_of_the_group_answers(version: str, server: RunningServer, opened: Start) -> None:
    topic, group = f"Heirs-{version[0]}", f"PG-heirs-{version[0]}"
    dies, stays = (opened(java_transactions(version), server) for _ in range(2))
    for driver in (dies, stays):
        driver.call("transactional", name="P", group=group)
        begin(driver, "P", topic, [message(100, "ROLLBACK", "ROLLBACK")])
    outgoing = [message(i, "UNKNOWN", "COMMIT" if i % 2 else "ROLLBACK") for i in range(20)]
    begin(dies, "P", topic, outgoing)
    dies.kill()
    stays.push("C", f"G-{topic}", topic)
    stays.wait_received("C", 10)
    stays.wait_received("P.check", 20)
    time.sleep(2.5)
    received = stays.received("C")
    assert sorted(int(each.properties["number"]) for each in received) == list(range(1, 20, 2))
    for each in received:
        assert_delivered(each, outgoing[int(each.properties["number"])], topic, group, 1)
    assert sorted(int(each.properties["number"]) for each in stays.received("P.check")) == list(range(20))


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_pending_across_a_restart(way: str, tmp_path: Path, opened: Start) -> None:
    running = maker(chosen_kind())(tmp_path, extra=PATIENT)
    try:
        driver = opened(java_transactions("5.4.0"), running)
        driver.call("transactional", name="P", group="PG")
        outgoing = [message(i, *_KINDS[i % 4]) for i in range(40)]
        begin(driver, "P", "Restarted", outgoing)
        (running.stop if way == "stop" else running.kill)()
        running.restart()
        _assert_ended(driver, "P", outgoing, exactly=way == "stop")
    finally:
        running.kill()


_KINDS = [("COMMIT", "COMMIT"), ("ROLLBACK", "ROLLBACK"), ("UNKNOWN", "COMMIT"), ("UNKNOWN", "ROLLBACK")]


def _assert_ended(driver: Driver, producer: str, outgoing: list[Outgoing], *, exactly: bool) -> None:
    """Committed ones come, once where that is promised; rolled back ones never do."""
    driver.push("C", "G-restarted", "Restarted")
    wanted = {i for i in range(len(outgoing)) if i % 2 == 0}
    unknown = {i for i in range(len(outgoing)) if i % 4 >= 2}

    def numbers(name: str) -> Counter[int]:
        return Counter(int(each.properties["number"]) for each in driver.received(name))

    wait_until(lambda: numbers("C").keys() >= wanted, timeout=60, what=lambda: f"received {sorted(numbers('C'))}")
    asked = f"{producer}.check"
    wait_until(lambda: numbers(asked).keys() >= unknown, timeout=60, what=lambda: f"asked {sorted(numbers(asked))}")
    time.sleep(2.5)
    assert numbers("C").keys() == wanted
    for each in driver.received("C"):
        sent = outgoing[int(each.properties["number"])]
        assert (each.body, each.tags, each.keys) == (sent.body, sent.tags, sent.keys)
    if exactly:
        assert set(numbers("C").values()) == {1}


@pytest.mark.long
@pytest.mark.parametrize(("writer_kind", "heir_kind"), HANDOVERS)
def test_pending_handed_to_the_other_broker(
    writer_kind: str, heir_kind: str, tmp_path: Path, opened: Start
) -> None:
    """Half messages that one broker stored, and had checked once, are ended under the other."""
    store = tmp_path / "store"
    outgoing = [message(i, *_KINDS[i % 4]) for i in range(40)]
    for each in outgoing:
        if each.properties["local"] == "UNKNOWN":
            each.properties["check"] = f"UNKNOWN,{each.properties['check']}"
    homes = [tmp_path / name for name in ("writer", "heir")]
    for home in homes:
        home.mkdir()
    # The writer asks once within this time, and no second time.
    writer = maker(writer_kind)(homes[0], store_dir=store, extra={**PATIENT, "transactionCheckInterval": "6000"})
    try:
        driver = opened(java_transactions("5.4.0"), writer)
        driver.call("transactional", name="P", group="PG")
        begin(driver, "P", "Restarted", outgoing)
        driver.wait_received("P.check", 20)
        driver.kill()
        writer.stop()
    finally:
        writer.kill()
    heir = maker(heir_kind)(homes[1], store_dir=store, extra=PATIENT)
    try:
        driver = opened(java_transactions("5.4.0"), heir)
        driver.call("transactional", name="P", group="PG")
        # A producer makes itself known to the brokers of topics that it has sent to.
        begin(driver, "P", "Restarted", [message(100, "ROLLBACK", "ROLLBACK")])
        _assert_ended(driver, "P", outgoing, exactly=True)
        # The heir goes on counting; it asked nobody until the producer was there, and counted that too.
        assert min(int(each.properties["TRANSACTION_CHECK_TIMES"]) for each in driver.received("P.check")) >= 2
    finally:
        heir.kill()
