"""Finding commands."""

from pathlib import Path
from typing import Any

import pytest

from rmq.admin import messages
from rmq.wire.bodies.connection import Connection, ConsumerConnection
from rmq.wire.bodies.consume import ConsumeStats, GroupList, OffsetWrapper
from rmq.wire.bodies.heartbeat import ConsumeType, MessageModel, SubscriptionData
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult, ConsumeResult, ConsumerRunningInfo
from rmq.wire.errors import ConsumerNotOnlineError, QueryNotFoundError, RemotingError, SystemBusyError
from rmq.wire.requests.consumer import (
    ConsumeMessageDirectly,
    GetConsumerConnectionList,
    GetConsumerRunningInfo,
    GetConsumeStats,
    QueryTopicConsumeByWho,
)
from rmq.wire.requests.message import QueryMessage, QueryMessageReply, ViewMessageById
from rmq.wire.requests.send import SendMessageReply, SendMessageV2
from tests.kit.adminfake import MASTER_A, MASTER_B, NOW, FakeServers, Reply, report, route, text
from tests.kit.adminstored import STORED_AT, record

ID = "C0000202620AD5EE9B53698A4B690001"
OFFSET_ID = "0A00000300002A9F0000000000000190"
PROPERTIES = {"UNIQ_KEY": ID, "KEYS": "k1 k2", "TAGS": "TagA"}
STORED = record(b"hello", queue_offset=4, properties=PROPERTIES)


def found(address: str, header: QueryMessage) -> Any:
    if address != MASTER_B:
        return QueryNotFoundError("no")
    return Reply(STORED, QueryMessageReply(0, 0))


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServers:
    monkeypatch.setattr(messages, "BODY_DIRECTORY", str(tmp_path))
    fake = FakeServers({QueryMessage: found, QueryTopicConsumeByWho: GroupList()})
    fake.routes = {"T": route()}
    return fake


def test_by_key(servers: FakeServers) -> None:
    hour = STORED_AT - STORED_AT % 3_600_000
    assert text(servers, "queryMsgByKey", "-t", "T", "-k", "k2", "-m", "5", "-l", "x") == (
        f"{'#Message ID':<50} #QID {'#Offset':>40} {'#IndexKey':<200}\n"
        f"{ID:<50}    1 {4:>40} {f'{hour}@T@K@k2@{ID}@400':<200}\n"
    )
    [(_, header), _] = servers.sent(QueryMessage)
    assert header == QueryMessage("T", "k2", 5, 0, (1 << 63) - 1, "K", "x")


def test_by_tag(servers: FakeServers) -> None:
    assert "@T@T@TagA@" in text(servers, "queryMsgByKey", "-t", "T", "-k", "TagA", "-p", "T")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-t", "T", "-k", "k"), "query message by key finished, but no message"),
        (("-t", "nope", "-k", "k1"), r"The topic\[nope\] not matched route info"),
        (("-t", "T", "-k", "k1", "-c", "other"), r"The topic\[T\] not matched route info"),
    ],
)
def test_by_key_finds_nothing(servers: FakeServers, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(RemotingError, match=message):
        text(servers, "queryMsgByKey", *words)


def test_by_key_does_not_hide_a_broker_that_failed(servers: FakeServers) -> None:
    servers.answers[QueryMessage] = SystemBusyError("busy")
    with pytest.raises(SystemBusyError):
        text(servers, "queryMsgByKey", "-t", "T", "-k", "k1")


BLOCK = f"""\
OffsetID:            {OFFSET_ID}
Topic:               T
Tags:                [TagA]
Keys:                [k1 k2]
Queue ID:            1
Queue Offset:        4
CommitLog Offset:    400
Reconsume Times:     0
Born Timestamp:      <time>
Store Timestamp:     <time>
Born Host:           10.1.1.1:55000
Store Host:          10.0.0.3:10911
System Flag:         0
Properties:          {{UNIQ_KEY={ID}, TAGS=TagA, KEYS=k1 k2}}
Message Body Path:   <path>/{ID}
"""


def blocks(printed: str, path: Path) -> str:
    from rmq.admin.output import millis

    for moment in (STORED_AT, STORED_AT - 5):
        printed = printed.replace(millis(moment), "<time>")
    return printed.replace(str(path), "<path>")


def test_by_the_senders_id(servers: FakeServers, tmp_path: Path) -> None:
    made = report(servers, "queryMsgById", "-t", "T", "-i", f"{ID}, {ID}", "-f", "utf8")
    block = BLOCK + "Message Body:        hello\n\n\nWARN: No Consumer"
    assert blocks(made.render("text"), tmp_path) == block * 2
    assert (tmp_path / ID).read_bytes() == b"hello"
    assert servers.sent(QueryMessage)[0][1] == QueryMessage(
        "T", ID, 32, NOW - 3 * 86_400_000, (1 << 63) - 1, "U", unique_key=True
    )
    member = made.members["messages"][0]
    assert (member["msgId"], member["offsetMsgId"], member["body"], member["tracks"]) == (ID, OFFSET_ID, "hello", [])


def test_by_the_brokers_id(servers: FakeServers, tmp_path: Path) -> None:
    servers.answers[ViewMessageById] = STORED
    assert blocks(text(servers, "queryMsgById", "-t", "T", "-i", OFFSET_ID), tmp_path).startswith(BLOCK)
    assert servers.sent(ViewMessageById) == [(MASTER_B, ViewMessageById(400, "T"))]
    assert servers.sent(QueryMessage) == []


def test_ids_that_are_not_there(servers: FakeServers) -> None:
    made = report(servers, "queryMsgById", "-t", "T", "-i", f"nonsense,{ID}")
    assert [failure.code for failure in made.failures] == [208]
    assert len(made.members["messages"]) == 1


def test_an_id_that_is_a_path_names_no_file_elsewhere(servers: FakeServers, tmp_path: Path) -> None:
    evil = record(b"x", queue_offset=4, properties={"UNIQ_KEY": "../../evil"})
    servers.answers[ViewMessageById] = evil
    assert f"Message Body Path:   {tmp_path}/{OFFSET_ID}\n" in text(servers, "queryMsgById", "-t", "T", "-i", OFFSET_ID)


def test_a_link_in_the_way_is_not_followed(servers: FakeServers, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / ID).symlink_to(precious)
    with pytest.raises(OSError, match=ID):
        text(servers, "queryMsgById", "-t", "T", "-i", ID)
    assert precious.read_text() == "kept"


def connection(kind: ConsumeType, tags: set[str]) -> ConsumerConnection:
    wanted = {"T": SubscriptionData("T", "x", tags)}
    return ConsumerConnection([Connection("c", "10.1.1.1:5", "JAVA", 493)], wanted, kind, MessageModel.CLUSTERING)


def test_tracks(servers: FakeServers) -> None:
    groups: dict[str, Any] = {
        "done": connection(ConsumeType.CONSUME_PASSIVELY, set()),
        "filtered": connection(ConsumeType.CONSUME_PASSIVELY, {"TagB"}),
        "pulls": connection(ConsumeType.CONSUME_ACTIVELY, set()),
        "pops": connection(ConsumeType.CONSUME_POP, set()),
        "behind": connection(ConsumeType.CONSUME_PASSIVELY, set()),
        "off": ConsumerNotOnlineError("not online"),
        "odd": RemotingError("broken"),
    }

    def stats(address: str, header: GetConsumeStats) -> ConsumeStats:
        consumed = 4 if header.consumer_group == "behind" else 5
        return ConsumeStats({MessageQueue("T", "broker-b", 1): OffsetWrapper(9, consumed)})

    servers.answers |= {
        QueryTopicConsumeByWho: GroupList(list(groups)),
        GetConsumerConnectionList: lambda address, header: groups[header.consumer_group],
        GetConsumeStats: stats,
    }
    for group in groups:
        servers.routes[f"%RETRY%{group}"] = route()
    made = report(servers, "queryMsgById", "-t", "T", "-i", ID)
    assert made.render("text").split("\n\n\n")[1] == "".join(
        f"MessageTrack [consumerGroup={group}, trackType={kind}, exceptionDesc={described}]\n"
        for group, kind, described in (
            ("done", "CONSUMED", "null"),
            ("filtered", "CONSUMED_BUT_FILTERED", "null"),
            ("pulls", "PULL", "null"),
            ("pops", "UNKNOWN", "null"),
            ("behind", "NOT_CONSUME_YET", "null"),
            ("off", "NOT_ONLINE", "CODE:206 DESC:not online"),
            ("odd", "UNKNOWN", "CODE:1 DESC:broken"),
        )
    )
    tracks = made.members["messages"][0]["tracks"]
    assert tracks[0] == {"consumerGroup": "done", "trackType": "CONSUMED", "exceptionDesc": None}


def test_send_again(servers: FakeServers) -> None:
    servers.answers[SendMessageV2] = Reply(header=SendMessageReply("0B", 0, 9))
    assert text(servers, "queryMsgById", "-t", "T", "-i", ID, "-s", "true", "-u", "unit") == (
        f"prepare resend msg. originalMsgId={ID}SendResult [sendStatus=SEND_OK, msgId={ID}, offsetMsgId=0B, "
        "messageQueue=MessageQueue [topic=T, brokerName=broker-a, queueId=0], queueOffset=9, recallHandle=null]"
    )
    assert [address for address, _ in servers.sent(SendMessageV2)] == [MASTER_A]
    assert text(servers, "queryMsgById", "-t", "T", "-i", ID, "-s", "false") == ""


@pytest.mark.parametrize("kind", ["CONSUME_PASSIVELY", "CONSUME_ACTIVELY"])
def test_push(servers: FakeServers, kind: str) -> None:
    servers.routes["%RETRY%G"] = route()
    servers.answers |= {
        GetConsumerRunningInfo: ConsumerRunningInfo({"PROP_CONSUME_TYPE": kind}),
        ConsumeMessageDirectly: ConsumeMessageDirectlyResult(False, True, ConsumeResult.CR_SUCCESS, None, 3),
    }
    made = report(servers, "queryMsgById", "-t", "T", "-i", ID, "-g", "G", "-d", "c@1")
    if kind == "CONSUME_ACTIVELY":
        assert made.render("text") == "this c@1 client is not push consumer ,not support direct push \n"
        assert servers.sent(ConsumeMessageDirectly) == []
        return
    assert made.render("text") == (
        "ConsumeMessageDirectlyResult [order=false, autoCommit=true, consumeResult=CR_SUCCESS, remark=null,"
        " spentTimeMills=3]"
    )
    assert servers.sent(ConsumeMessageDirectly) == [
        (MASTER_B, ConsumeMessageDirectly("G", "c@1", OFFSET_ID, topic="T"))
    ]
