"""Locking queues over the wire."""

import json

from rmq.wire.bodies.lock import LockBatchBody
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.requests.lock import LockBatchMq, UnlockBatchMq
from tests.kit.broker import Bench

QUEUES = [MessageQueue("T", "broker-a", number) for number in range(2)]


def ask(bench: Bench, header: LockBatchMq | UnlockBatchMq, client: str) -> bytes:
    answer = bench.peer().ask(header, LockBatchBody("G", client, mq_set=QUEUES))
    assert (answer.code, answer.remark, answer.ext) == (0, None, {})
    return answer.body


def test_lock_and_unlock(bench: Bench) -> None:
    held = json.loads(ask(bench, LockBatchMq(), "one"))
    assert held == {
        "lockOKMQSet": [
            {"brokerName": "broker-a", "queueId": 0, "topic": "T"},
            {"brokerName": "broker-a", "queueId": 1, "topic": "T"},
        ]
    }
    assert ask(bench, LockBatchMq(), "two") == b'{"lockOKMQSet":[]}'
    assert ask(bench, UnlockBatchMq(), "one") == b""
    assert json.loads(ask(bench, LockBatchMq(), "two")) == held


def test_strict_mode_is_the_same_without_replicas(bench: Bench) -> None:
    queue = {"brokerName": "b", "queueId": 3, "topic": "T"}
    body = {"consumerGroup": "G", "clientId": "one", "onlyThisBroker": True, "mqSet": [queue]}
    answer = bench.peer().ask(LockBatchMq(), json.dumps(body).encode())
    assert json.loads(answer.body) == {"lockOKMQSet": [queue]}


def test_a_body_that_is_none_is_refused(bench: Bench) -> None:
    answer = bench.peer().ask(LockBatchMq(), b'{"consumerGroup":"G"}')
    assert (answer.code, "clientId" in (answer.remark or "")) == (1, True)
