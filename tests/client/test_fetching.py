"""Pull loops that an answer brings no further: they look for the master, and neither ask without a pause nor for long
in the wrong place."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.client.config import PushConfig
from rmq.client.push import PushConsumer
from rmq.wire.bodies.heartbeat import ConsumeFromWhere
from rmq.wire.bodies.route import BrokerData, MessageQueue, TopicRouteData
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.declare import decode_body, encode_body, encode_header
from rmq.wire.errors import SubscriptionNotExistError
from rmq.wire.requests.client import Heartbeat
from rmq.wire.requests.pull import PullMessage, PullMessageReply
from rmq.wire.requests.route import GetRouteInfoByTopic
from tests.kit.cluster import Call, MemoryCluster

MASTER, SLAVE = "10.0.0.1:10911", "10.0.0.7:10911"


class Replicated(MemoryCluster):
    """A broker with a slave that has none of its master's messages.

    Attributes:
        listed: whether the route names the master.
        answer: code of the slave's answers.
        corrected: the offset that they name; that of the pull when None.
    """

    def __init__(self) -> None:
        super().__init__()
        self.listed = True
        self.answer = ResponseCode.PULL_RETRY_IMMEDIATELY
        self.corrected: int | None = None
        self._answered = 0
        self.queues_of_t = self.create("T", 4)
        for queue in self.queues_of_t:
            self.store(queue, "old", "older")
            self.offsets["G", queue] = 2

    def _broker(self, address: str) -> str:
        return "broker-a" if address == SLAVE else super()._broker(address)

    def _GetRouteInfoByTopic(self, call: Call, body: object) -> Command:
        route = decode_body(TopicRouteData, super()._GetRouteInfoByTopic(call, body).body)
        addresses = {0: MASTER, 1: SLAVE} if self.listed else {1: SLAVE}
        route.broker_datas[0] = BrokerData("broker-a", "DefaultCluster", addresses)
        return Command(0, body=encode_body(route))

    def _PullMessage(self, call: Call, body: object) -> Command | Deferred[Command]:
        header: PullMessage = call.header
        if header.topic != "T" or call.address != SLAVE:
            return super()._PullMessage(call, body)
        self._answered += 1
        if self._answered > 500:
            # Or loops without a pause would never come to an end here.
            raise AssertionError("a slave is asked without a pause")
        offset = header.queue_offset if self.corrected is None else self.corrected
        return Command(int(self.answer), encode_header(PullMessageReply(0, offset, 0, 1)))

    def pulls(self, address: str) -> int:
        """How often a broker was asked for messages of the topic."""
        return len([
            call for call in self.calls
            if call.address == address and type(call.header) is PullMessage and call.header.topic == "T"
        ])  # fmt: skip


def running(cluster: Replicated) -> tuple[PushConsumer, list[str]]:
    bodies: list[str] = []

    def listen(messages: list[Any], context: object) -> None:
        bodies.extend(message.body.decode() for message in messages)

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    consumer = PushConsumer(cluster.clock, "G", listen, instance=cluster.instance(), config=config)
    consumer.subscribe("T")
    consumer.start()
    cluster.advance(0.5)
    return consumer, bodies


def routes_asked(cluster: Replicated) -> int:
    return len([header for header in cluster.asked(GetRouteInfoByTopic) if header.topic == "T"])


def test_a_slave_that_sends_clients_to_a_master_which_no_route_names_is_asked_once_a_second() -> None:
    cluster = Replicated()
    cluster.listed = False
    running(cluster)
    pulls, routes = cluster.pulls(SLAVE), routes_asked(cluster)
    cluster.advance(10)
    assert 36 <= cluster.pulls(SLAVE) - pulls <= 44
    # Once for all four queues.
    assert 9 <= routes_asked(cluster) - routes <= 12


def test_when_the_route_names_the_master_again_all_queues_go_there_within_two_seconds() -> None:
    cluster = Replicated()
    cluster.listed = False
    _, bodies = running(cluster)
    cluster.advance(3)
    known: set[str] = set()

    def forgotten(call: Call) -> SubscriptionNotExistError | None:
        # The master was restarted.
        return None if call.address == SLAVE or call.address in known else SubscriptionNotExistError("not exist")

    cluster.failures[PullMessage] = forgotten
    cluster.failures[Heartbeat] = lambda call: known.add(call.address)
    cluster.listed = True
    cluster.advance(2)
    pulls = cluster.pulls(SLAVE)
    for queue in cluster.queues_of_t:
        cluster.store(queue, f"new {queue.queue_id}")
    cluster.advance(0.1)
    assert sorted(bodies) == [f"new {number}" for number in range(4)]
    cluster.advance(5)
    assert cluster.pulls(SLAVE) == pulls


def test_where_the_route_names_the_master_it_is_asked_at_once() -> None:
    cluster = Replicated()
    consumer, bodies = running(cluster)
    for queue in cluster.queues_of_t:
        consumer.fetcher._puller._replica[queue] = 1
        consumer.fetcher.restart(queue, 2)
        cluster.store(queue, "new")
    cluster.advance(0.1)
    assert (cluster.pulls(SLAVE), bodies) == (4, ["new"] * 4)


@pytest.mark.parametrize("corrected", [0, 1])
def test_offsets_that_are_said_not_to_exist_again_and_again_are_asked_for_once_a_second(corrected: int) -> None:
    cluster = Replicated()
    cluster.listed = False
    cluster.answer, cluster.corrected = ResponseCode.PULL_OFFSET_MOVED, corrected
    consumer, _ = running(cluster)
    queue = MessageQueue("T", "broker-a", 0)
    # The first correction is followed at once.
    assert cluster.pulls(SLAVE) == 8
    cluster.advance(10)
    assert 44 <= cluster.pulls(SLAVE) <= 52
    assert consumer.offsets.get(queue) == corrected
    asked = cluster.pulls(SLAVE)
    consumer.shutdown()
    cluster.advance(3)
    assert cluster.pulls(SLAVE) == asked
