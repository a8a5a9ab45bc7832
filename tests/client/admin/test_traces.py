"""Reading traces."""

from typing import Any

import pytest

from rmq.client import trace
from rmq.client.admin.errors import NoMessageError
from rmq.client.admin.traces import MalformedTraceError, TraceEvent, message_trace
from rmq.client.trace import Consumed, ConsumeReturn
from rmq.wire.errors import QueryNotFoundError
from rmq.wire.requests.message import QueryMessage, QueryMessageReply
from tests.kit.adminfake import MASTER_A, MASTER_B, FakeServers, Reply, operate, route
from tests.kit.adminstored import record

ID = "C0000202620AD5EE9B53698A4B690001"
OTHER = "C0000202620AD5EE9B53698A4B690002"
PUBLISHED = trace.published(
    {"TAGS": "TagA", "KEYS": "key"},
    time=1000,
    region="R",
    group="PID",
    topic="T",
    message_id=ID,
    broker="10.0.0.3:10911",
    length=5,
    cost=7,
    offset_id="0A00",
    success=True,
).text
ITEM = Consumed("T", ID, "key", 2)
CONSUMING = trace.consuming([ITEM, Consumed("T", OTHER, None, 0)], time=2000, region="R", group="GID", call="c1").text
CONSUMED = trace.consumed(
    [ITEM], time=3000, group="GID", call="c1", cost=9, success=False, outcome=ConsumeReturn.TIME_OUT
).text
DECIDED = trace.transaction_ended(
    {},
    time=4000,
    region="R",
    group="PID",
    topic="T",
    message_id=ID,
    broker="10.0.0.3:10911",
    transaction_id="t1",
    state="COMMIT_MESSAGE",
    checked=True,
).text
RECALL = f"Recall\x015000\x01R\x01PID\x01T\x01{ID}\x01true\x02"


def traced(*bodies: str) -> FakeServers:
    """Servers, one of which has trace messages with these bodies."""

    def found(address: str, header: QueryMessage) -> Any:
        records = b"".join(
            record(body.encode(), topic=header.topic, properties={"KEYS": f"{ID} {OTHER}", "UNIQ_KEY": f"trace{n}"})
            for n, body in enumerate(bodies)
        )
        return Reply(records, QueryMessageReply(0, 0)) if address == MASTER_B and records else QueryNotFoundError("no")

    servers = FakeServers({QueryMessage: found})
    servers.routes = {"RMQ_SYS_TRACE_TOPIC": route(), "Mine": route()}
    return servers


def events(*bodies: str, of: str = ID) -> Any:
    return operate(traced(*bodies), lambda admin: message_trace(admin, of))


def test_what_our_own_clients_tell() -> None:
    pub = {
        "region": "R",
        "topic": "T",
        "tags": "TagA",
        "keys": "key",
        "broker": "10.0.0.3:10911",
        "length": "5",
        "messageType": "0",
        "offsetMsgId": "0A00",
    }
    end = {
        "region": "R",
        "topic": "T",
        "tags": "null",
        "keys": "null",
        "broker": "10.0.0.3:10911",
        "messageType": "2",
        "transactionId": "t1",
        "state": "COMMIT_MESSAGE",
        "checked": "true",
    }
    before = {"region": "R", "call": "c1", "reconsumeTimes": "2", "keys": "key"}
    assert events(PUBLISHED + CONSUMING, CONSUMED, DECIDED + RECALL) == [
        TraceEvent("Pub", "PID", "10.1.1.1", 1000, 7, True, pub),
        TraceEvent("SubBefore", "GID", "10.1.1.1", 2000, None, None, before),
        TraceEvent("SubAfter", "GID", "10.1.1.1", 3000, 9, False, {"call": "c1", "keys": "key", "outcome": "1"}),
        TraceEvent("EndTransaction", "PID", "10.1.1.1", 4000, None, None, end),
        TraceEvent("Recall", "PID", "10.1.1.1", 5000, None, True, {"region": "R", "topic": "T"}),
    ]


def test_only_what_is_told_of_this_message() -> None:
    assert [event.kind for event in events(PUBLISHED + CONSUMING, CONSUMED, of=OTHER)] == ["SubBefore"]


def test_records_of_earlier_releases() -> None:
    fields = PUBLISHED.removesuffix("\x02").split("\x01")
    before_offset_ids = "\x01".join([*fields[:12], "false"]) + "\x02"
    [event] = events(before_offset_ids)
    assert (event.success, "offsetMsgId" in event.facts) == (False, False)
    [event] = events("\x01".join([*fields, "10.9.9.9"]))
    assert (event.success, event.facts["offsetMsgId"]) == (True, "0A00")
    after = CONSUMED.removesuffix("\x02").split("\x01")
    [event] = events("\x01".join(after[:6]))
    assert (event.group, event.time, event.cost, event.facts) == (None, 0, 9, {"call": "c1", "keys": "key"})


def test_where_and_when_is_asked() -> None:
    servers = traced(PUBLISHED)
    operate(servers, lambda admin: message_trace(admin, ID, topic="Mine", most=5, begin=1, end=2))
    assert [address for address, _ in servers.sent(QueryMessage)] == [MASTER_A, MASTER_B]
    assert servers.sent(QueryMessage)[0][1] == QueryMessage("Mine", ID, 5, 1, 2, "K")


def test_nothing_is_told() -> None:
    with pytest.raises(NoMessageError, match="query message by key finished, but no message"):
        events()
    with pytest.raises(NoMessageError, match=f"no trace in RMQ_SYS_TRACE_TOPIC tells of {OTHER}"):
        events(PUBLISHED, "an ordinary message with this key", "", of=OTHER)


@pytest.mark.parametrize(
    "body", ["Pub\x01x", PUBLISHED.replace("1000", "noon"), "SubAfter\x01", "Recall\x015", "EndTransaction\x01z"]
)
def test_a_trace_that_cannot_be_read(body: str) -> None:
    with pytest.raises(MalformedTraceError, match="trace message trace0 cannot be read: "):
        events(body)
