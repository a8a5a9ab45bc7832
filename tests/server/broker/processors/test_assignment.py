"""Dividing queues on the broker, and modes of groups."""

import pytest

from rmq.wire.bodies.assignment import (
    MessageRequestMode,
    MessageRequestModeBody,
    MessageRequestModes,
    QueryAssignmentBody,
    QueryAssignmentReply,
)
from rmq.wire.bodies.heartbeat import MessageModel
from rmq.wire.command import Command
from rmq.wire.declare import decode_body
from rmq.wire.requests.assignment import GetAllMessageRequestMode, QueryAssignment, SetMessageRequestMode
from tests.kit.broker import Bench, beat, heartbeat

POP = MessageRequestModeBody("T", "G", MessageRequestMode.POP, 0)


def query(
    bench: Bench, client: str = "c1", *, strategy: str = "AVG", model: str = "CLUSTERING", topic: str = "T"
) -> Command:
    body = QueryAssignmentBody(topic, "G", client, strategy, MessageModel(model))
    return bench.peer().ask(QueryAssignment(), body)


def queues(answer: Command) -> list[tuple[int, str]] | None:
    reply = decode_body(QueryAssignmentReply, answer.body)
    if reply.message_queue_assignments is None:
        return None
    return [(each.message_queue.queue_id, each.mode) for each in reply.message_queue_assignments if each.message_queue]


def join(bench: Bench, *clients: str) -> None:
    for client in clients:
        beat(bench.peer(), heartbeat(client, "G", {"T": "*"}))


def test_a_group_that_pulls(bench: Bench) -> None:
    bench.topic("T")
    join(bench, "c2", "c1")
    assert query(bench).body == (
        b'{"messageQueueAssignments":['
        b'{"messageQueue":{"brokerName":"broker-a","queueId":0,"topic":"T"},"mode":"PULL"},'
        b'{"messageQueue":{"brokerName":"broker-a","queueId":1,"topic":"T"},"mode":"PULL"}]}'
    )
    assert queues(query(bench, "c2")) == [(2, "PULL"), (3, "PULL")]
    assert queues(query(bench, "c2", strategy="AVG_BY_CIRCLE")) == [(1, "PULL"), (3, "PULL")]
    assert queues(query(bench, "stranger")) == []


def test_a_group_that_pops(bench: Bench) -> None:
    bench.topic("T")
    join(bench, "c1", "c2", "c3")
    assert bench.peer().ask(SetMessageRequestMode(), POP).code == 0
    assert queues(query(bench)) == [(-1, "POP")]
    shared = MessageRequestModeBody("T", "G", MessageRequestMode.POP, 1)
    bench.peer().ask(SetMessageRequestMode(), shared)
    assert queues(query(bench)) == [(0, "POP"), (1, "POP"), (2, "POP")]


def test_clients_that_are_to_leave_things_as_they_are(bench: Bench) -> None:
    assert query(bench).body == b"{}"
    bench.topic("T")
    assert queues(query(bench)) is None
    join(bench, "c1")
    assert queues(query(bench, strategy="MINE")) is None
    assert queues(query(bench, topic="Unknown")) is None


def test_everything_for_everybody(bench: Bench) -> None:
    bench.topic("T", 2)
    assert queues(query(bench, model="BROADCASTING")) == [(0, "PULL"), (1, "PULL")]
    bench.settings.broker.server_load_balancer_enable = False
    assert queues(query(bench)) == [(0, "PULL"), (1, "PULL")]


@pytest.mark.parametrize(
    ("topic", "code", "remark"),
    [
        ("%RETRY%G", 16, "retry topic is not allowed to set mode"),
        ("Unknown", 17, "topic[Unknown] not exist"),
        ("T", 26, "subscription group does not exist"),
    ],
)
def test_modes_that_are_refused(bench: Bench, topic: str, code: int, remark: str) -> None:
    bench.settings.broker.auto_create_subscription_group = False
    bench.topic("T")
    answer = bench.peer().ask(SetMessageRequestMode(), MessageRequestModeBody(topic, "G"))
    assert (answer.code, answer.remark) == (code, remark)


def test_modes_are_told(bench: Bench) -> None:
    bench.topic("T")
    bench.peer().ask(SetMessageRequestMode(), POP)
    answer = bench.peer().ask(GetAllMessageRequestMode())
    assert decode_body(MessageRequestModes, answer.body) == MessageRequestModes({"T": {"G": POP}})
    assert "messageRequestMode.json" in bench.files.files


def test_a_disk_that_is_full(bench: Bench) -> None:
    bench.topic("T")
    bench.groups.find("G")
    bench.files.refuse = OSError(28, "No space left on device")
    answer = bench.peer().ask(SetMessageRequestMode(), POP)
    assert (answer.code, answer.remark) == (
        14, "the mode cannot be kept on the disk now: [Errno 28] No space left on device",
    )  # fmt: skip


def test_bodies_that_are_too_long(bench: Bench) -> None:
    peer = bench.peer()
    peer.send(Command(400, body=b" " * 20_000))
    (answer,) = peer.answers()
    assert (answer.code, answer.remark) == (1, "body of 20000 bytes is longer than 16384")
