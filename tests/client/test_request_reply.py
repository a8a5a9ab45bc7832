"""Requests and their answers."""

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from rmq.client.errors import NoRequestError, NotRunningError, RequestTimeoutError
from rmq.client.inbound import ClientProcessor
from rmq.client.message import Message
from rmq.client.producer import Producer
from rmq.client.request_reply import pushed_answer, reply_to
from rmq.remoting.dispatch import Dispatcher
from rmq.wire.errors import SystemBusyError
from rmq.wire.message import parse_properties
from rmq.wire.requests.client import Heartbeat
from rmq.wire.requests.reply import PushReplyMessageToClient, SendReplyMessageV2
from rmq.wire.requests.send import SendMessageV2
from rmq.wire.sysflag import COMPRESSED, COMPRESSION_ZLIB
from tests.kit.cluster import START, MemoryCluster
from tests.kit.peer import MemoryPeer


class Asker:
    """A producer, and a broker's end of a connection to it."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster()
        self.cluster.create("T", 1)
        self.producer = Producer(self.cluster.clock, "PG", instance=self.cluster.instance())
        self.producer.start()
        self.broker = MemoryPeer(Dispatcher([ClientProcessor(self.producer.instance)]), self.cluster.clock)

    def asked(self) -> dict[str, str]:
        """The properties of the newest request."""
        return parse_properties(self.cluster.asked(SendMessageV2)[-1].properties)

    def push(self, correlation_id: str, body: bytes = b"42") -> int:
        """An answer comes; gives the code that the broker is told."""
        properties = f"MSG_TYPE\x01reply\x02CORRELATION_ID\x01{correlation_id}\x02"
        return int(self.broker.ask(pushed(properties), body).code)


def pushed(properties: str, **more: Any) -> PushReplyMessageToClient:
    facts: dict[str, Any] = {
        "producer_group": "AG",
        "topic": "DefaultCluster_REPLY_TOPIC",
        "default_topic": "TBW102",
        "default_topic_queue_nums": 4,
        "queue_id": 3,
        "sys_flag": 0,
        "born_timestamp": START,
        "flag": 7,
        "born_host": "/10.2.2.2:4000",
        "store_host": "host/10.0.0.1:10911",
        "store_timestamp": START + 1,
        "properties": properties,
    }
    return PushReplyMessageToClient(**{**facts, **more})


def outcome(result: Deferred[Any]) -> Any:
    outcomes: list[Any] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


def test_a_request_and_its_answer() -> None:
    asker = Asker()
    asking = asker.producer.request(Message("T", "6 * 7"), timeout=5)
    properties = asker.asked()
    assert (properties["REPLY_TO_CLIENT"], properties["TTL"]) == (asker.producer.instance.client_id, "5000")
    kinds = [type(call.header) for call in asker.cluster.calls]
    assert kinds.index(Heartbeat) < kinds.index(SendMessageV2)
    assert not asking.called
    assert asker.push("another") == 0
    assert asker.push(properties["CORRELATION_ID"]) == 0
    answer = outcome(asking)
    assert (answer.body, answer.queue_id, answer.flag, answer.properties["MSG_TYPE"]) == (b"42", 3, 7, "reply")
    assert (answer.born_host, answer.store_host) == ("10.2.2.2:4000", "10.0.0.1:10911")
    assert len(asker.producer.instance.requests) == 0
    asker.cluster.advance(6)


def test_requests_know_their_own_answers() -> None:
    asker = Asker()
    first = asker.producer.request(Message("T", "1"))
    first_id = asker.asked()["CORRELATION_ID"]
    second = asker.producer.request(Message("T", "2"))
    asker.push(asker.asked()["CORRELATION_ID"], b"two")
    asker.push(first_id, b"one")
    assert (outcome(first).body, outcome(second).body) == (b"one", b"two")


def test_nobody_answers() -> None:
    asker = Asker()
    asking = asker.producer.request(Message("T", "x"), timeout=2)
    asker.cluster.advance(1.9)
    assert not asking.called
    asker.cluster.advance(0.2)
    error = outcome(asking)
    assert (type(error), error.code) == (RequestTimeoutError, 10006)
    assert error.remark == "send request message to <T> OK, but wait reply message timeout, 2000 ms."
    assert asker.push(asker.asked()["CORRELATION_ID"]) == 0


def test_requests_that_end_otherwise() -> None:
    asker = Asker()
    asker.cluster.failures[SendMessageV2] = SystemBusyError("busy")
    assert "busy" in str(outcome(asker.producer.request(Message("T", "x"))))
    asker.cluster.failures.clear()
    given_up = asker.producer.request(Message("T", "x"))
    given_up.cancel()
    assert isinstance(outcome(given_up), CancelledError)
    waiting = asker.producer.request(Message("T", "x"))
    outcome(asker.producer.shutdown())
    assert isinstance(outcome(waiting), NotRunningError)
    assert len(asker.producer.instance.requests) == 0
    assert asker.cluster.clock.getDelayedCalls() == []


def test_an_answer_is_sent_as_one() -> None:
    asker = Asker()
    request = Message("T", "x")
    request.properties |= {"CLUSTER": "C1", "REPLY_TO_CLIENT": "me", "CORRELATION_ID": "77", "TTL": "3000", "KEYS": "k"}
    answer = reply_to(request, "yes")
    outcome(asker.producer.send(answer))
    (sent,) = asker.cluster.asked(SendReplyMessageV2)
    properties = parse_properties(sent.properties)
    properties.pop("UNIQ_KEY")
    assert (sent.topic, properties) == (
        "C1_REPLY_TOPIC",
        {"WAIT": "true", "MSG_TYPE": "reply", "CORRELATION_ID": "77", "REPLY_TO_CLIENT": "me", "TTL": "3000"},
    )


@pytest.mark.parametrize("missing", ["CLUSTER", "REPLY_TO_CLIENT", "CORRELATION_ID"])
def test_what_is_no_request_has_no_answer(missing: str) -> None:
    request = Message("T", "x")
    request.properties |= {"CLUSTER": "C1", "REPLY_TO_CLIENT": "me", "CORRELATION_ID": "77"}
    del request.properties[missing]
    with pytest.raises(NoRequestError) as caught:
        reply_to(request, "yes")
    assert caught.value.code == 10007


def test_answers_as_brokers_push_them() -> None:
    import zlib

    packed = pushed("", sys_flag=COMPRESSED | COMPRESSION_ZLIB, born_host="[::1]:5000", store_host="nonsense")
    answer = pushed_answer(packed, zlib.compress(b"long " * 1000), START + 9)
    assert (answer.body, answer.born_host, answer.store_host) == (b"long " * 1000, "[::1]:5000", "0.0.0.0:0")
    assert (answer.properties, answer.reconsume_times) == ({"ARRIVE_TIME": str(START + 9)}, 0)
