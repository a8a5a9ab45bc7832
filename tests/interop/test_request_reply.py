"""Request-reply with the official Java clients: an answer comes to the producer that asked, and to it alone."""

import re
from collections.abc import Callable

import pytest

from rmq.wire.message import StoredMessage, decode_message, parse_offset_message_id
from tests.kit.driver import CommandFailedError, Driver, Outgoing, Received, wait_until
from tests.kit.frames import UPDATE_BROKER_CONFIG, ask, create_topic
from tests.kit.server import CLUSTER_NAME, RunningServer
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]

SEND_REPLY_MESSAGE, SEND_REPLY_MESSAGE_V2 = 324, 325
VIEW_MESSAGE_BY_ID = 33
REPLY_TOPIC = f"{CLUSTER_NAME}_REPLY_TOPIC"
LONG = 60_000
"""ms that a request may take where it is not the time that is tested."""
SHORT = 5000
"""ms after which a request that nobody answers is given up; sending it takes only a small part of them."""


@pytest.fixture(scope="module")
def program(java_program: Program) -> Program:
    return Program((*java_program.command[:-1], "interop.Requests"), java_program.class_path)


@pytest.fixture
def answers(program: Program, shared_drivers: StartDriver) -> Driver:
    """The process of those who answer."""
    return shared_drivers(program)


@pytest.fixture
def asks(program: Program, start_driver: StartDriver) -> Driver:
    """Another process, of those who ask."""
    return start_driver(program)


@pytest.fixture
def name(program: Program, request: pytest.FixtureRequest) -> str:
    release = "v5" if "5.4.0" in program.class_path else "v4"
    words = re.sub(r"[^a-z]+", "-", request.node.name.removeprefix("test_"))
    return f"Requests-{words}{release}"


@pytest.fixture
def topic(name: str, server: RunningServer) -> str:
    """A topic of this test; consumers would learn of one that is made later only after half a minute."""
    create_topic(server.namesrv_addr, server.broker_addr, name, 4)
    return name


def begin_answering(driver: Driver, topic: str, *, prefix: bytes = b"re: ", delay: int = 0) -> None:
    """Somebody who answers."""
    driver.call(
        "answerer", name=f"A-{topic}", group=f"G-{topic}", topic=topic, delay=delay,
        prefix=Outgoing(prefix).as_command()["body"],
    )  # fmt: skip


def request(
    driver: Driver, topic: str, message: Outgoing, *, mode: str = "sync", timeout: int = LONG, name: str = "Q"
) -> Received:
    """The answer to a request of an asker."""
    return Received.of(
        driver.begin(
            "request", name=name, topic=topic, mode=mode, millis=timeout, queue=1, messages=[message.as_command()]
        ).result(LONG / 1000 + 30)
    )


def warm_up(driver: Driver, topic: str) -> None:
    """The asker Q finds the topic and makes its connections, which a short limit would not leave time for."""
    assert driver.call("tell", name="Q", topic=topic, messages=[Outgoing(b"nothing").as_command()])[0] == "SEND_OK"


def outcomes(driver: Driver, topic: str, count: int) -> list[object]:
    """What became of so many answers."""
    wait_until(
        lambda: len(driver.call("outcomes", name=f"A-{topic}")) >= count,
        timeout=60,
        what=lambda: str(driver.call("outcomes", name=f"A-{topic}")),
    )
    found: list[object] = driver.call("outcomes", name=f"A-{topic}")
    return found


def stored(server: RunningServer, offset_msg_id: str) -> StoredMessage:
    """A stored message by its offset id."""
    _, offset = parse_offset_message_id(offset_msg_id)
    header, body = ask(server.broker_addr, VIEW_MESSAGE_BY_ID, {"offset": str(offset)})
    assert header["code"] == 0, header
    return decode_message(body)


def configure(server: RunningServer, key: str, value: str) -> None:
    header, _ = ask(server.broker_addr, UPDATE_BROKER_CONFIG, body=f"{key}={value}\n".encode())
    assert header["code"] == 0, header


@pytest.mark.parametrize("mode", ["sync", "async", "selected"])
def test_a_request_is_answered(asks: Driver, answers: Driver, server: RunningServer, topic: str, mode: str) -> None:
    message = Outgoing("is it so? ünï ✓".encode(), "Tag", "key", {"number": "0", "city": "Zürich"})
    client_id = asks.call("asker", name="Q", group="PQ")["clientId"]
    begin_answering(answers, topic)
    answer = request(asks, topic, message, mode=mode)
    (received,) = answers.wait_received(f"A-{topic}", 1)
    assert received.properties["REPLY_TO_CLIENT"] == client_id
    assert received.properties["TTL"] == str(LONG)
    correlation = received.properties["CORRELATION_ID"]
    own = {name: value for name, value in received.properties.items() if name in message.properties}
    assert (received.body, received.tags, received.keys, own) == (
        message.body, message.tags, message.keys, message.properties,
    )  # fmt: skip
    if mode == "selected":
        assert received.queue_id == 1

    assert (answer.topic, answer.body) == (REPLY_TOPIC, b"re: " + message.body)
    expected = {
        "CORRELATION_ID": correlation, "REPLY_TO_CLIENT": client_id, "TTL": str(LONG), "MSG_TYPE": "reply",
        "answered": "yes",
    }  # fmt: skip
    assert {name: answer.properties[name] for name in expected} == expected
    pushed, arrived = int(answer.properties["PUSH_REPLY_TIME"]), int(answer.properties["ARRIVE_TIME"])
    assert received.store_timestamp <= pushed <= arrived + 1000
    assert answer.store_timestamp == pushed or abs(answer.store_timestamp - pushed) < 5000

    (outcome,) = outcomes(answers, topic, 1)
    assert isinstance(outcome, list)
    status, _, offset_msg_id, broker, queue_id, queue_offset = outcome
    assert (status, broker) == ("SEND_OK", "broker-a")
    kept = stored(server, offset_msg_id)
    assert (kept.topic, kept.queue_id, kept.queue_offset, kept.body) == (
        REPLY_TOPIC, queue_id, queue_offset, b"re: " + message.body,
    )  # fmt: skip
    assert {name: kept.properties[name] for name in expected} == expected
    assert "PUSH_REPLY_TIME" not in kept.properties


def test_answers_find_their_requests_and_askers(
    asks: Driver, answers: Driver, program: Program, start_driver: StartDriver, topic: str
) -> None:
    """Two processes ask at the same time; each gets its own answers."""
    other = start_driver(program)
    begin_answering(answers, topic)
    for number, driver in enumerate((asks, other)):
        driver.call("asker", name=f"Q{number}", group="PQ")
        # One by one while everything is new.
        assert request(driver, topic, Outgoing(b"first"), name=f"Q{number}").body == b"re: first"
    begun = {
        (number, i): driver.begin(
            "request", name=f"Q{number}", topic=topic, mode="sync", millis=LONG,
            messages=[Outgoing(f"{number} {i}".encode()).as_command()],
        )
        for i in range(50)
        for number, driver in enumerate((asks, other))
    }  # fmt: skip
    for (number, i), answer in begun.items():
        assert Received.of(answer.result(LONG / 1000 + 30)).body == f"re: {number} {i}".encode()
    assert [outcome for outcome in outcomes(answers, topic, 102) if not isinstance(outcome, list)] == []


def test_a_long_answer_is_compressed_by_its_sender_and_read_by_the_asker(
    asks: Driver, answers: Driver, topic: str
) -> None:
    begin_answering(answers, topic, prefix=b"long " * 20_000)
    asks.call("asker", name="Q", group="PQ")
    answer = request(asks, topic, Outgoing(b"tell me"))
    assert answer.body == b"long " * 20_000 + b"tell me"


def test_an_answer_that_comes_too_late_is_taken_and_dropped(asks: Driver, answers: Driver, topic: str) -> None:
    begin_answering(answers, topic, delay=SHORT + 3000)
    asks.call("asker", name="Q", group="PQ")
    warm_up(asks, topic)
    with pytest.raises(CommandFailedError, match="RequestTimeoutException"):
        request(asks, topic, Outgoing(b"quick!"), timeout=SHORT)
    (outcome,) = outcomes(answers, topic, 1)
    assert isinstance(outcome, list)
    assert outcome[0] == "SEND_OK"


def test_nobody_answers(asks: Driver, topic: str) -> None:
    asks.call("asker", name="Q", group="PQ")
    warm_up(asks, topic)
    with pytest.raises(CommandFailedError, match="RequestTimeoutException"):
        request(asks, topic, Outgoing(b"hello?"), timeout=SHORT)


def test_the_asker_is_gone(asks: Driver, answers: Driver, topic: str) -> None:
    begin_answering(answers, topic, delay=5000)
    client_id = asks.call("asker", name="Q", group="PQ")["clientId"]
    asks.begin("request", name="Q", topic=topic, mode="sync", millis=LONG, messages=[Outgoing(b"bye").as_command()])
    answers.wait_received(f"A-{topic}", 1)
    asks.kill()
    (outcome,) = outcomes(answers, topic, 1)
    assert "CODE: 1 " in str(outcome)
    assert f"push reply message fail, channel of <{client_id}> not found." in str(outcome)


def test_answers_that_are_not_stored(asks: Driver, answers: Driver, server: RunningServer, topic: str) -> None:
    begin_answering(answers, topic)
    asks.call("asker", name="Q", group="PQ")
    configure(server, "storeReplyMessageEnable", "false")
    try:
        assert request(asks, topic, Outgoing(b"a")).body == b"re: a"
        (outcome,) = outcomes(answers, topic, 1)
    finally:
        configure(server, "storeReplyMessageEnable", "true")
    assert isinstance(outcome, list)
    status, _, offset_msg_id, _, queue_id, queue_offset = outcome
    assert (status, offset_msg_id, queue_id, queue_offset) == ("SEND_OK", "0", 0, 0)


LONG_NAMES = {
    "producerGroup": "P", "topic": REPLY_TOPIC, "defaultTopic": "TBW102", "defaultTopicQueueNums": "4",
    "queueId": "0", "sysFlag": "0", "bornTimestamp": "1700000000000", "flag": "3", "reconsumeTimes": "0",
    "unitMode": "false",
}  # fmt: skip
SHORT_NAMES = dict(zip("abcdefghjk", LONG_NAMES.values(), strict=True))


@pytest.mark.parametrize(
    ("code", "fields", "properties"),
    [(SEND_REPLY_MESSAGE, LONG_NAMES, "properties"), (SEND_REPLY_MESSAGE_V2, SHORT_NAMES, "i")],
)
def test_both_requests_are_understood(
    server: RunningServer, code: int, fields: dict[str, str], properties: str
) -> None:
    header, _ = ask(server.broker_addr, code, {**fields, properties: "a\x01b\x02"}, b"answer")
    assert (header["code"], header["remark"]) == (1, "reply message properties[REPLY_TO_CLIENT] is null")
    text = "REPLY_TO_CLIENT\x01nobody@1\x02"
    header, _ = ask(server.broker_addr, code, {**fields, properties: text}, b"answer")
    assert (header["code"], header["remark"]) == (1, "push reply message fail, channel of <nobody@1> not found.")
    kept = stored(server, header["extFields"]["msgId"])
    stamps = {"MSG_REGION": "DefaultRegion", "TRACE_ON": "true"}
    assert (kept.topic, kept.flag, kept.body) == (REPLY_TOPIC, 3, b"answer")
    assert kept.properties == {"REPLY_TO_CLIENT": "nobody@1", **stamps}


def test_refused_like_a_send(server: RunningServer) -> None:
    for topic, code in (("no/such", 29), ("SELF_TEST_TOPIC", 16), ("Requests-nowhere", 17)):
        fields = {**LONG_NAMES, "topic": topic, "defaultTopic": "none"}
        header, _ = ask(server.broker_addr, SEND_REPLY_MESSAGE, fields, b"answer")
        assert header["code"] == code, (topic, header)
    header, _ = ask(server.broker_addr, SEND_REPLY_MESSAGE, {**LONG_NAMES, "queueId": "9"}, b"answer")
    assert header["code"] == 29, header
