"""The blocking facade: calls from any thread, and a thread that ends."""

import threading

import pytest

from rmq.client import blocking
from rmq.client.errors import ClientError, NotRunningError
from rmq.client.message import Message
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.bodies.route import MessageQueue
from tests.kit.ports import free_port


def test_calls_come_back_with_what_happened() -> None:
    before = threading.active_count()
    with blocking.Producer("a", namesrv_addr=f"127.0.0.1:{free_port()}") as producer:
        assert threading.active_count() == before + 1
        with pytest.raises(ConnectFailedError):
            producer.send(Message("T", b"x"))
    assert threading.active_count() == before
    producer.shutdown()


def test_it_starts_once() -> None:
    consumer = blocking.LitePullConsumer("G", namesrv_addr=f"127.0.0.1:{free_port()}")
    consumer.subscribe("T")
    with consumer:
        with pytest.raises(NotRunningError):
            consumer.start()
        assert consumer.poll(0.01) == []


def test_before_the_start() -> None:
    """What needs no server works at once, from the thread that makes it."""
    addr = f"127.0.0.1:{free_port()}"
    consumer = blocking.LitePullConsumer("G", namesrv_addr=addr)
    consumer.assign([MessageQueue("T", "broker-a", 0)])
    with pytest.raises(ClientError, match="mutually exclusive"):
        consumer.subscribe("T")
    assert (consumer.assignment(), consumer.running) == ([], False)
    with pytest.raises(NotRunningError):
        blocking.Producer("P", namesrv_addr=addr).send(Message("T", b"x"))
