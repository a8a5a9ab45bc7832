"""`queryMsgTraceById`."""

from typing import Any

import pytest

from rmq.admin.output import seconds
from rmq.client import trace
from rmq.client.trace import Consumed, ConsumeReturn
from rmq.wire.errors import QueryNotFoundError, RemotingError
from rmq.wire.requests.message import QueryMessage, QueryMessageReply
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, Reply, report, route, text
from tests.kit.adminstored import record

ID = "C0000202620AD5EE9B53698A4B690001"
SENT_AT = 1_794_999_000_000


def published(*, success: bool = True) -> str:
    return trace.published(
        {},
        time=SENT_AT,
        region="R",
        group="PID",
        topic="T",
        message_id=ID,
        broker=MASTER_B,
        length=5,
        cost=7,
        offset_id="0A00",
        success=success,
    ).text


def consumed(group: str, cost: int, *, success: bool = True) -> str:
    item = Consumed("T", ID, None, 0)
    before = trace.consuming([item], time=SENT_AT, region="R", group=group, call="c1").text
    outcome = ConsumeReturn.SUCCESS if success else ConsumeReturn.FAILED
    return (
        before
        + trace.consumed(
            [item], time=SENT_AT + 9, group=group, call="c1", cost=cost, success=success, outcome=outcome
        ).text
    )


def servers(*bodies: str) -> FakeServers:
    def found(address: str, header: QueryMessage) -> Any:
        records = (record(body.encode(), topic=header.topic, properties={"KEYS": ID}) for body in bodies)
        return Reply(b"".join(records), QueryMessageReply(0, 0)) if address == MASTER_B else QueryNotFoundError("no")

    fake = FakeServers({QueryMessage: found})
    fake.routes = {"RMQ_SYS_TRACE_TOPIC": route(), "Mine": route()}
    return fake


def test_a_broker_that_cannot_look_is_told_of() -> None:
    made = servers(published())
    made.down = {MASTER_A}
    found = report(made, "queryMsgTraceById", "-i", ID)
    assert len(found.members["published"]) == 1
    assert [failure.address for failure in found.failures] == [MASTER_A]


ROW = "{:<10} {:<20} {:<20} {:<20} {:<10} {:<10}\n"
PUB = ROW.format("#Type", "#ProducerGroup", "#ClientHost", "#SendTime", "#CostTimes", "#Status")
SUB = ROW.format("#Type", "#ConsumerGroup", "#ClientHost", "#ConsumerTime", "#CostTimes", "#Status")


def test_the_way_of_a_message() -> None:
    at = seconds(SENT_AT)
    fake = servers(published() + consumed("GID_b", 1), published(success=False), consumed("GID_a", 3, success=False))
    made = report(fake, "queryMsgTraceById", "-i", ID)
    assert made.render("text") == (
        PUB
        + ROW.format("Pub", "PID", "10.1.1.1", at, "7ms", "success")
        + "\n"
        + PUB
        + ROW.format("Pub", "PID", "10.1.1.1", at, "7ms", "failed")
        + "\n"
        + SUB
        + ROW.format("Sub", "GID_a", "10.1.1.1", at, "3ms", "failed")
        + "\n"
        + SUB
        + ROW.format("Sub", "GID_b", "10.1.1.1", at, "1ms", "success")
        + "\n"
    ), "groups in the order of Java's HashMap"


def test_as_json() -> None:
    members = report(servers(published() + consumed("GID", 1)), "queryMsgTraceById", "-i", ID).members
    assert members["published"] == [
        {"type": "Pub", "group": "PID", "clientHost": "10.1.1.1", "time": SENT_AT, "costTime": 7, "success": True}
    ]
    assert members["consumed"] == [
        {"type": "Sub", "group": "GID", "clientHost": "10.1.1.1", "time": SENT_AT + 9, "costTime": 1, "success": True}
    ]
    assert [event["type"] for event in members["events"]] == ["Pub", "SubBefore", "SubAfter"]
    assert members["events"][1]["costTime"] is None
    assert members["events"][2]["outcome"] == "0"


def test_options() -> None:
    fake = servers(published())
    report(fake, "QUERYMSGTRACEBYID", "-i", ID, "-t", "Mine", "-b", "5", "-e", "6", "-c", "7")
    assert fake.sent(QueryMessage)[0][1] == QueryMessage("Mine", ID, 7, 5, 6, "K")


def test_no_trace() -> None:
    with pytest.raises(RemotingError, match=r"The topic\[nope\] not matched route info"):
        text(servers(), "queryMsgTraceById", "-i", ID, "-t", "nope")
    with pytest.raises(RemotingError, match="no message"):
        text(servers(), "queryMsgTraceById", "-i", ID)
