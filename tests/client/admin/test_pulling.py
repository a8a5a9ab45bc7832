"""Reading queues."""

from typing import Any

import pytest

from rmq.client.admin.errors import MalformedAnswerError
from rmq.client.admin.pulling import Pulled, PullStatus, Reader, readable_queues
from rmq.client.admin.session import Admin
from rmq.wire.bodies.route import BrokerData, MessageQueue, QueueData, TopicRouteData
from rmq.wire.errors import SubscriptionParseError
from rmq.wire.requests.pull import PullMessage, PullMessageReply
from tests.kit.adminfake import FakeServers, Reply, operate, route
from tests.kit.adminstored import record


def numbers(route_data: TopicRouteData, topic: str) -> list[tuple[str, int]]:
    return [(queue.broker_name, queue.queue_id) for queue in readable_queues(route_data, topic)]


def test_queues_are_in_javas_order() -> None:
    one = TopicRouteData([BrokerData("broker-a", "C", {0: "x:1"})], [QueueData("broker-a", 2, 0, 4)])
    assert numbers(one, "T_two") == [("broker-a", 1), ("broker-a", 0)]
    many = route(QueueData("broker-b", 2, 2, 4), QueueData("broker-a", 8, 8, 6), QueueData("broker-a", 9, 9, 2))
    found = numbers(many, "T")
    assert sorted(found) == [*(("broker-a", number) for number in range(8)), ("broker-b", 0), ("broker-b", 1)]


def read(answers: Any, first: int, last: int, expression: str = "*", topic: str = "T") -> list[Pulled]:
    servers = FakeServers({PullMessage: answers})

    async def run(admin: Admin) -> list[Pulled]:
        reader = Reader(admin, route(), topic)
        queue = MessageQueue(topic, "broker-b", 1)
        return [pulled async for pulled in reader.read(queue, first, last, expression)]

    made: list[Pulled] = operate(servers, run)
    return made


def ten(address: str, header: PullMessage) -> Reply:
    """Ten messages at a time, whatever is asked for."""
    begin = header.queue_offset
    body = b"".join(record(b"m", queue_offset=number) for number in range(begin, begin + 10))
    return Reply(body, PullMessageReply(0, begin + 10, 0, 1000))


def test_reads_a_range() -> None:
    parts = read(ten, 5, 27)
    assert [message.queue_offset for part in parts for message in part.messages] == list(range(5, 27))
    assert [part.next_offset for part in parts] == [15, 25, 35]
    assert read(ten, 5, 5) == []


def test_asks_for_no_more_than_brokers_give() -> None:
    asked = []

    def answer(address: str, header: PullMessage) -> Reply:
        asked.append(header.max_msg_nums)
        return ten(address, header)

    read(answer, 0, 40)
    assert asked == [32, 30, 20, 10]


def test_messages_of_an_lmq_topic_have_other_offsets() -> None:
    parts = read(
        lambda address, header: Reply(record(b"m", queue_offset=900), PullMessageReply(0, 1, 0, 1)), 0, 1, "*", "%LMQ%x"
    )
    assert [len(part.messages) for part in parts] == [1]


@pytest.mark.parametrize(("code", "status"), [(19, PullStatus.NO_NEW_MSG), (21, PullStatus.OFFSET_ILLEGAL)])
def test_where_reading_ends(code: int, status: PullStatus) -> None:
    parts = read(Reply(header=PullMessageReply(0, 3, 0, 3), code=code), 0, 9)
    assert [(part.status, part.next_offset) for part in parts] == [(status, 3)]


@pytest.mark.parametrize("code", [0, 20])
def test_a_broker_that_goes_round_in_circles(code: int) -> None:
    with pytest.raises(MalformedAnswerError, match="what comes after offset 4 is at 4"):
        read(Reply(header=PullMessageReply(0, 4, 0, 9), code=code), 4, 9)


def test_tags_are_compared_once_more() -> None:
    body = (
        record(b"a", properties={"TAGS": "TagA"})
        + record(b"b", properties={"TAGS": "Other"})
        + record(b"c", properties={})
    )
    answer = Reply(body, PullMessageReply(0, 3, 0, 3))
    assert [message.body for message in read(answer, 0, 3, "TagA || TagB")[0].messages] == [b"a"]
    assert [message.body for message in read(answer, 0, 3)[0].messages] == [b"a", b"b", b"c"]
    with pytest.raises(SubscriptionParseError):
        read(answer, 0, 3, "||")


def test_an_sql_expression_is_left_to_the_broker() -> None:
    servers = FakeServers({PullMessage: Reply(b"", PullMessageReply(0, 5, 0, 5), 20)})

    async def run(admin: Admin) -> list[Pulled]:
        reader = Reader(admin, route(), "T")
        return [item async for item in reader.read(MessageQueue("T", "broker-b", 1), 0, 5, "a > 1", "SQL92")]

    assert [item.messages for item in operate(servers, run)] == [[]]
    asked = [(header.subscription, header.expression_type) for _, header in servers.sent(PullMessage)]
    assert asked == [("a > 1", "SQL92")]
