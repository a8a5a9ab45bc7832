"""Timing sends."""

from typing import Any

import pytest

from rmq.client.admin.probing import Probe, average, probe
from rmq.client.admin.session import Admin
from rmq.client.errors import NoRouteError
from rmq.client.results import SendResult
from rmq.wire.bodies.route import MessageQueue, QueueData
from rmq.wire.errors import RemotingError, SystemBusyError
from rmq.wire.requests.route import GetRouteInfoByTopic
from rmq.wire.requests.send import SendMessageReply, SendMessageV2
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, Reply, operate, route


def sent(address: str, header: SendMessageV2) -> Any:
    if address == MASTER_A:
        return SystemBusyError("busy")
    return Reply(header=SendMessageReply("0A", header.queue_id, 7))


def servers() -> FakeServers:
    fake = FakeServers({SendMessageV2: sent})
    fake.routes = {"T": route(QueueData("broker-b", 2, 2, 6), QueueData("broker-a", 1, 1, 6))}
    return fake


def probes(fake: FakeServers, topic: str, *bodies: bytes) -> list[Probe]:
    async def run(admin: Admin) -> list[Probe]:
        return [each async for each in probe(admin, "PID", topic, bodies)]

    made: list[Probe] = operate(fake, run)
    return made


def test_queues_take_turns_and_a_failure_ends_nothing() -> None:
    fake = servers()
    made = probes(fake, "T", b"1", b"2", b"3", b"4")
    queues = [MessageQueue("T", "broker-a", 0), MessageQueue("T", "broker-b", 0), MessageQueue("T", "broker-b", 1)]
    assert [each.queue for each in made] == [*queues, queues[0]]
    assert [type(each.outcome) for each in made] == [SystemBusyError, SendResult, SendResult, SystemBusyError]
    assert [(address, body) for address, header, body in fake.calls if isinstance(header, SendMessageV2)] == [
        (MASTER_A, b"1"),
        (MASTER_B, b"2"),
        (MASTER_B, b"3"),
        (MASTER_A, b"4"),
    ], "a send that fails is not tried elsewhere"
    assert len(fake.sent(GetRouteInfoByTopic)) == 1, "looking up the route is not part of a send"


def test_a_topic_that_takes_no_messages() -> None:
    fake = servers()
    fake.routes["Full"] = route(QueueData("broker-b", 2, 2, 4))
    with pytest.raises(NoRouteError, match="No route info of this topic: Full"):
        probes(fake, "Full", b"1")
    with pytest.raises(NoRouteError, match="No route info of this topic: nope"):
        probes(fake, "nope", b"1")


def test_average_leaves_out_the_first() -> None:
    queue = MessageQueue("T", "b", 0)
    times = [Probe(queue, millis, RemotingError("x")) for millis in (1000, 4, 5)]
    assert average(times) == 4.5
    assert average(times[:1]) == 1000.0, "the only one counts"
    assert average([]) == 0.0
