"""Forms that messages come in: compressed, of a namespace, over IPv6, as large as allowed, traced."""

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rmq.wire.message import StoredMessage, decode_messages
from rmq.wire.sysflag import BORN_HOST_V6, COMPRESSION_LZ4, COMPRESSION_ZLIB, COMPRESSION_ZSTD, STORE_HOST_V6
from tests.kit import apache as apache_module
from tests.kit import server as server_module
from tests.kit import toolchains
from tests.kit.apache import MqAdmin
from tests.kit.driver import FIRST, CommandFailedError, Driver, Outgoing, Received, Sent, wait_until
from tests.kit.frames import ask, create_topic, wait_for_broker
from tests.kit.server import RunningServer, chosen_kind, maker
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]

QUERY_MESSAGE, VIEW_MESSAGE_BY_ID, GET_CONSUMER_CONNECTIONS = 12, 33, 203
TRACE_TOPIC = "RMQ_SYS_TRACE_TOPIC"
MIB = 1024 * 1024
COMPRESSED = 1
TRACED = ("Pub", "SubBefore", "SubAfter")
FIELD, RECORD = "\x01", "\x02"
"""Separators of trace records."""


def forms(version: str) -> Program:
    toolchains.require("java")
    made = toolchains.java_client(version)
    return Program((*made.command[:-1], "interop.Forms"), made.class_path)


@pytest.fixture
def java(shared_drivers: StartDriver) -> Driver:
    return shared_drivers(forms("5.4.0"))


@pytest.fixture
def old_java(shared_drivers: StartDriver) -> Driver:
    return shared_drivers(forms("4.9.8"))


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A word for the topic, group and clients of this test."""
    return "Forms-" + re.sub(r"[^A-Za-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")


def producer(java: Driver, name: str, **settings: object) -> None:
    java.call("producer", name=f"P-{name}", group=f"PG-{name}", set=settings)


def send(java: Driver, name: str, topic: str, message: Outgoing) -> Sent:
    (facts,) = java.call("send", name=f"P-{name}", topic=topic, messages=[message.as_command()])
    return Sent(*facts)


def consume(java: Driver, client: str, group: str, topic: str, *, trace: bool = False, **settings: object) -> None:
    java.call("push", name=client, group=group, topic=topic, trace=trace, set={"consumeFromWhere": FIRST, **settings})


def wait_in_order(java: Driver, client: str, count: int) -> list[Received]:
    """What came, in the order of the queue: listeners run side by side."""
    return sorted(java.wait_received(client, count), key=lambda message: message.queue_offset)


def view(server: RunningServer, offset_msg_id: str | None) -> StoredMessage:
    """A stored message by its offset id."""
    assert offset_msg_id is not None
    header, body = ask(server.broker_addr, VIEW_MESSAGE_BY_ID, {"offset": str(int(offset_msg_id[-16:], 16))})
    assert header["code"] == 0, header
    (message,) = decode_messages(body)
    return message


# --- compression --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "bits"), [("ZLIB", COMPRESSION_ZLIB), ("LZ4", COMPRESSION_LZ4), ("ZSTD", COMPRESSION_ZSTD)]
)
def test_compressed_bodies_pass_through(java: Driver, server: RunningServer, name: str, kind: str, bits: int) -> None:
    create_topic(server.namesrv_addr, server.broker_addr, name, 1)
    producer(java, name, compressType=kind, compressMsgBodyOverHowmuch=100)
    long, short = Outgoing(b"much of the same " * 5000, "T", "k", {"a": "b"}), Outgoing(b"short")
    reports = [send(java, name, name, message) for message in (long, short)]
    kept = [view(server, report.offset_msg_id) for report in reports]
    assert kept[0].sys_flag == COMPRESSED | bits
    assert len(kept[0].body) < len(long.body) // 10
    assert (kept[1].sys_flag, kept[1].body) == (0, b"short")
    consume(java, name, name, name)
    received = wait_in_order(java, name, 2)
    assert [message.body for message in received] == [long.body, short.body]
    assert (received[0].tags, received[0].keys, received[0].properties["a"]) == ("T", "k", "b")
    java.retire(name)


def test_an_old_client_compresses_without_saying_how(
    java: Driver, old_java: Driver, server: RunningServer, name: str
) -> None:
    create_topic(server.namesrv_addr, server.broker_addr, name, 1)
    producer(old_java, name, compressMsgBodyOverHowmuch=100)
    body = b"much of the same " * 5000
    kept = view(server, send(old_java, name, name, Outgoing(body)).offset_msg_id)
    assert (kept.sys_flag & COMPRESSED, len(kept.body) < len(body)) == (COMPRESSED, True)
    for driver in (java, old_java):
        consume(driver, name, f"{name}-{'old' if driver is old_java else 'new'}", name)
        (received,) = driver.wait_received(name, 1)
        assert received.body == body
        driver.retire(name)


# --- namespaces ---------------------------------------------------------------------------------------------------


def test_a_namespace_is_part_of_the_names_on_the_wire(java: Driver, server: RunningServer, name: str) -> None:
    full = f"ns1%{name}"
    create_topic(server.namesrv_addr, server.broker_addr, full, 1)
    producer(java, name, namespace="ns1")
    producer(java, f"{name}-2", namespace="ns2")
    report = send(java, name, name, Outgoing(b"of ns1", "T"))
    send(java, f"{name}-2", name, Outgoing(b"of ns2", "T"))
    assert view(server, report.offset_msg_id).topic == full
    consume(java, name, "G-ns", name, namespace="ns1")
    consume(java, f"{name}-bare", "G-bare", full)
    (received,) = java.wait_received(name, 1)
    assert (received.topic, received.body) == (name, b"of ns1")
    (received,) = java.wait_received(f"{name}-bare", 1)
    assert (received.topic, received.body) == (full, b"of ns1")
    header, body = ask(server.broker_addr, GET_CONSUMER_CONNECTIONS, {"consumerGroup": "ns1%G-ns"})
    assert header["code"] == 0, header
    assert b'"%RETRY%ns1%G-ns"' in body
    for client in (name, f"{name}-bare"):
        java.retire(client)


def test_a_namespace_of_the_second_kind_leaves_names_alone(java: Driver, server: RunningServer, name: str) -> None:
    """It travels in header fields of its own, which this kind of broker passes over."""
    create_topic(server.namesrv_addr, server.broker_addr, name, 1)
    producer(java, name, namespaceV2="ns1")
    report = send(java, name, name, Outgoing(b"hello", "T"))
    assert view(server, report.offset_msg_id).topic == name
    consume(java, name, name, name, namespaceV2="ns1")
    (received,) = java.wait_received(name, 1)
    assert (received.topic, received.body) == (name, b"hello")
    java.retire(name)


# --- sizes --------------------------------------------------------------------------------------------------------


def test_bodies_up_to_the_limit_are_taken_and_larger_ones_refused(
    java: Driver, server: RunningServer, name: str
) -> None:
    create_topic(server.namesrv_addr, server.broker_addr, name, 1)
    producer(java, name, maxMessageSize=64 * MIB, compressMsgBodyOverHowmuch=64 * MIB)
    largest = os.urandom(4 * MIB)
    send(java, name, name, Outgoing(largest))
    with pytest.raises(CommandFailedError, match="CODE: 13 "):
        send(java, name, name, Outgoing(largest + b"x"))
    with pytest.raises(CommandFailedError, match="CODE: 13 "):
        send(java, name, name, Outgoing(b"x", properties={"long": "v" * 33_000}))
    # A frame that is longer than any may be ends the connection, and the next message is taken again.
    with pytest.raises(CommandFailedError, match="Exception"):
        send(java, name, name, Outgoing(os.urandom(17 * MIB)))
    send(java, name, name, Outgoing(b"still here"))
    consume(java, name, name, name)
    assert [message.body for message in wait_in_order(java, name, 2)] == [largest, b"still here"]
    java.retire(name)


# --- IPv6 ---------------------------------------------------------------------------------------------------------


def test_clients_over_ipv6(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Server and client speak IPv6 only with each other; hosts of stored messages and their ids are longer then."""
    for module in (server_module, apache_module):
        monkeypatch.setattr(module, "wait_for_broker", _wait_for_ipv6)
    monkeypatch.setenv("_JAVA_OPTIONS", "-Djava.net.preferIPv4Stack=false")
    server = maker(chosen_kind())(tmp_path, extra={"brokerIP1": "::1", "bindAddress": "::"})
    driver = None
    try:
        create_topic(server.namesrv_addr, server.broker_addr, name, 1)
        port = server.namesrv_addr.rpartition(":")[2]
        driver = Driver(forms("5.4.0"), f"127.0.0.1:{port}", tmp_path / "client")
        producer(driver, name)
        report = send(driver, name, name, Outgoing(b"over six", "T", "k"))
        assert report.offset_msg_id is not None
        assert len(report.offset_msg_id) == 56
        kept = view(server, report.offset_msg_id)
        assert kept.sys_flag == BORN_HOST_V6 | STORE_HOST_V6
        assert (kept.born_host[:16], kept.store_host[:16]) == (b"\0" * 15 + b"\1",) * 2
        consume(driver, name, name, name)
        (received,) = driver.wait_received(name, 1)
        assert (received.body, received.tags, received.keys) == (b"over six", "T", "k")
        assert received.offset_msg_id == report.offset_msg_id
    finally:
        if driver is not None:
            driver.kill()
        server.kill()


def _wait_for_ipv6(namesrv_addr: str, broker_addr: str, *, timeout: float = 60.0) -> None:
    """Until the broker is known under its IPv6 address, which Apache's broker writes without brackets."""
    port = broker_addr.rpartition(":")[2]
    deadline = time.monotonic() + timeout
    while True:
        for text in (f"::1:{port}", f"[::1]:{port}"):
            try:
                return wait_for_broker(namesrv_addr, text, timeout=0.25)
            except TimeoutError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not known as {text}: {error}") from None


# --- trace --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tracing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a topic for traces."""
    running = maker(chosen_kind())(tmp_path_factory.mktemp("tracing"), extra={"traceTopicEnable": "true"})
    yield running
    running.kill()


def traces(server: RunningServer, key: str) -> list[StoredMessage]:
    """Messages of the trace topic with a key."""
    fields = {"topic": TRACE_TOPIC, "key": key, "maxNum": "32", "beginTimestamp": "0", "endTimestamp": str(1 << 62)}
    header, body = ask(server.broker_addr, QUERY_MESSAGE, fields)
    assert header["code"] in {0, 22}, header
    return list(decode_messages(body))


def records(messages: list[StoredMessage], kind: str, msg_id: str) -> list[list[str]]:
    """Trace records of one kind about a message, each as its fields."""
    texts = [text for message in messages for text in message.body.decode().split(RECORD)]
    found = [text.split(FIELD) for text in texts if text]
    return [fields for fields in found if fields[0] == kind and msg_id in fields]


def test_what_became_of_a_message_can_be_looked_up(tracing: RunningServer, tmp_path: Path, name: str) -> None:
    driver = Driver(forms("5.4.0"), tracing.namesrv_addr, tmp_path / "client")
    admin = MqAdmin(tracing.namesrv_addr, tmp_path)
    try:
        create_topic(tracing.namesrv_addr, tracing.broker_addr, name, 1)
        driver.call("producer", name=f"P-{name}", group="PG-trace", trace=True)
        report = send(driver, name, name, Outgoing(b"traced", "T", "order-7"))
        consume(driver, name, "G-trace", name, trace=True)
        driver.wait_received(name, 1)
        assert report.msg_id is not None
        msg_id = report.msg_id
        for key in (msg_id, "order-7"):
            wait_until(
                lambda k=key: all(records(traces(tracing, k), kind, msg_id) for kind in TRACED),
                timeout=30,
                what=lambda k=key: f"traces of {k}: {[message.body for message in traces(tracing, k)]}",
            )
        (sent,) = records(traces(tracing, msg_id), "Pub", msg_id)
        assert sent[2:8] == ["DefaultRegion", "PG-trace", name, msg_id, "T", "order-7"]
        assert sent[12:14] == [report.offset_msg_id, "true"]
        (taken,) = records(traces(tracing, msg_id), "SubBefore", msg_id)
        assert taken[2:4] == ["DefaultRegion", "G-trace"]
        printed = admin.out("queryMsgTraceById", "-i", msg_id)
        assert re.search(r"^Pub\s+PG-trace\s.*success", printed, re.MULTILINE), printed
        assert re.search(r"^Sub\s+G-trace\s.*success", printed, re.MULTILINE), printed
    finally:
        admin.close()
        driver.kill()


def test_the_trace_topic_is_there_only_if_it_is_wanted(server: RunningServer, tracing: RunningServer) -> None:
    for running, code in ((server, 17), (tracing, 0)):
        header, _ = ask(running.broker_addr, 351, {"topic": TRACE_TOPIC})
        assert header["code"] == code, header
