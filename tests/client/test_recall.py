"""Taking back delayed messages."""

import base64
from typing import Any

from twisted.internet.defer import Deferred

from rmq.client.errors import BrokerNotExistError, ClientError
from rmq.client.producer import Producer
from rmq.wire.requests.send import RecallMessage
from tests.kit.cluster import MemoryCluster


def handle(*parts: str) -> str:
    return base64.urlsafe_b64encode(" ".join(parts).encode()).decode()


def outcome(result: Deferred[Any]) -> Any:
    outcomes: list[Any] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


def test_recall_asks_the_broker_that_the_handle_names() -> None:
    cluster = MemoryCluster(brokers=2)
    cluster.create("T", 1)
    producer = Producer(cluster.clock, "PG", instance=cluster.instance())
    producer.start()
    text = handle("v1", "T", "broker-b", "1", "id")
    assert outcome(producer.recall("T", text)) == "recalled"
    assert cluster.calls[-1].address == "10.0.0.2:10911"
    assert cluster.asked(RecallMessage) == [RecallMessage("T", text, "PG")]
    assert isinstance(outcome(producer.recall("T", handle("v1", "T", "nobody", "1", "id"))), BrokerNotExistError)
    refused = outcome(producer.recall("T", "nonsense"))
    assert isinstance(refused, ClientError)
    assert "recall handle is invalid" in str(refused)
    for topic in ("%RETRY%G", "%DLQ%G"):
        assert "topic is not supported" in str(outcome(producer.recall(topic, text)))
