"""Finding commands."""

from pathlib import Path
from typing import Any

import pytest

from rmq.admin import messages
from rmq.admin.errors import CommandLineError
from rmq.wire.bodies.connection import Connection, ConsumerConnection
from rmq.wire.bodies.consume import ConsumeStats, GroupList, OffsetWrapper
from rmq.wire.bodies.heartbeat import ConsumeType, MessageModel, SubscriptionData
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult, ConsumeResult, ConsumerRunningInfo
from rmq.wire.errors import ConsumerNotOnlineError, QueryNotFoundError, RemotingError, SystemBusyError
from rmq.wire.requests.client import Heartbeat
from rmq.wire.requests.consumer import (
    ConsumeMessageDirectly,
    GetConsumerConnectionList,
    GetConsumerRunningInfo,
    GetConsumeStats,
    QueryTopicConsumeByWho,
)
from rmq.wire.requests.message import QueryMessage, QueryMessageReply, ViewMessageById
from rmq.wire.requests.pull import PullMessage, PullMessageReply
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


def test_by_key_tells_of_a_broker_that_failed_when_another_has_found_something(servers: FakeServers) -> None:
    servers.down = {MASTER_A}
    made = report(servers, "queryMsgByKey", "-t", "T", "-k", "k1")
    assert [item["msgId"] for item in made.members["messages"]] == [ID]
    assert [failure.address for failure in made.failures] == [MASTER_A]


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
    assert tracks[0] == {"group": "done", "trackType": "CONSUMED", "exceptionDesc": None}


def test_send_again(servers: FakeServers) -> None:
    servers.answers[SendMessageV2] = Reply(header=SendMessageReply("0B", 0, 9))
    assert text(servers, "queryMsgById", "-t", "T", "-i", ID, "-s", "true", "-u", "unit") == (
        f"prepare resend msg. originalMsgId={ID}SendResult [sendStatus=SEND_OK, msgId={ID}, offsetMsgId=0B, "
        "messageQueue=MessageQueue [topic=T, brokerName=broker-a, queueId=0], queueOffset=9, recallHandle=null]"
    )
    assert [address for address, _ in servers.sent(SendMessageV2)] == [MASTER_A]
    assert text(servers, "queryMsgById", "-t", "T", "-i", ID, "-s", "false").startswith("OffsetID:")


NO_PUSH = "c@1 is no push consumer: messages cannot be pushed to it"


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
        assert [failure.remark for failure in made.failures] == [NO_PUSH]
        assert servers.sent(ConsumeMessageDirectly) == []
        return
    assert made.render("text") == (
        "ConsumeMessageDirectlyResult [order=false, autoCommit=true, consumeResult=CR_SUCCESS, remark=null,"
        " spentTimeMills=3]"
    )
    assert servers.sent(ConsumeMessageDirectly) == [
        (MASTER_B, ConsumeMessageDirectly("G", "c@1", OFFSET_ID, topic="T"))
    ]
    assert made.members["pushed"] == [{"msgId": ID, "consumeResult": "CR_SUCCESS", "remark": None, "spentTimeMills": 3}]


def test_push_that_the_consumer_does_not_take_is_a_failure(servers: FakeServers) -> None:
    servers.routes["%RETRY%G"] = route()
    servers.answers |= {
        GetConsumerRunningInfo: ConsumerRunningInfo({"PROP_CONSUME_TYPE": "CONSUME_PASSIVELY"}),
        ConsumeMessageDirectly: ConsumeMessageDirectlyResult(False, True, ConsumeResult.CR_THROW_EXCEPTION, "no", 3),
    }
    made = report(servers, "queryMsgById", "-t", "T", "-i", ID, "-g", "G", "-d", "c@1")
    assert "consumeResult=CR_THROW_EXCEPTION, remark=no" in made.render("text")
    assert [failure.remark for failure in made.failures] == [f"c@1 did not consume {ID}: CR_THROW_EXCEPTION"]


def test_a_rehearsal_writes_no_file(servers: FakeServers, tmp_path: Path) -> None:
    report(servers, "queryMsgById", "-t", "T", "-i", ID, "--dry-run")
    assert list(tmp_path.iterdir()) == []


# --- queryMsgByUniqueKey -------------------------------------------------------------------------------------------


def test_by_unique_key(servers: FakeServers, tmp_path: Path) -> None:
    again = record(b"again", queue_offset=7, properties=PROPERTIES, stored_at=STORED_AT - 5)
    servers.answers[QueryMessage] = lambda address, header: (
        Reply(STORED + again, QueryMessageReply(0, 0)) if address == MASTER_B else QueryNotFoundError("no")
    )
    made = report(servers, "queryMsgByUniqueKey", "-t", "T", "-i", ID)
    assert blocks(made.render("text"), tmp_path) == (
        BLOCK.partition("\n")[2].replace("Queue Offset:        4", "Queue Offset:        7").replace("400", "700")
        + "\n\nWARN: No Consumer"
    )
    assert (tmp_path / ID).read_bytes() == b"again"
    assert servers.sent(QueryMessage)[0][1] == QueryMessage(
        "T", ID, 32, NOW - 36 * 3_600_000, NOW + 36 * 3_600_000, "U", unique_key=True
    )
    made = report(servers, "queryMsgByUniqueKey", "-t", "T", "-i", ID, "-a", "-s", "0")
    assert [member["body"] for member in made.members["messages"]] == ["again", "hello"]
    assert (tmp_path / f"{ID}_1").read_bytes() == b"hello"
    assert servers.sent(QueryMessage)[-1][1].begin_timestamp == 0


def test_by_unique_key_finds_nothing(servers: FakeServers) -> None:
    with pytest.raises(RemotingError, match="no message"):
        text(servers, "queryMsgByUniqueKey", "-t", "T", "-i", "nonsense")


def test_tracks_by_unique_key_stand_on_one_line(servers: FakeServers) -> None:
    servers.answers |= {
        QueryTopicConsumeByWho: GroupList(["a", "b"]),
        GetConsumerConnectionList: ConsumerNotOnlineError("not online"),
    }
    servers.routes |= {"%RETRY%a": route(), "%RETRY%b": route()}
    track = "MessageTrack [consumerGroup={}, trackType=NOT_ONLINE, exceptionDesc=CODE:206 DESC:not online]"
    assert text(servers, "queryMsgByUniqueKey", "-t", "T", "-i", ID).endswith(
        f"/{ID}\n\n\n{track.format('a')}{track.format('b')}"
    )


NO_DIRECT_PUSH = "get consumer info failed or this c@1 client is not push consumer, not support direct push \n"


def test_push_by_unique_key(servers: FakeServers) -> None:
    servers.routes["%RETRY%G"] = route()
    servers.answers |= {
        GetConsumerRunningInfo: ConsumerRunningInfo({"PROP_CONSUME_TYPE": "CONSUME_PASSIVELY"}),
        ConsumeMessageDirectly: ConsumeMessageDirectlyResult(False, True, ConsumeResult.CR_SUCCESS, None, 3),
    }
    line = ("queryMsgByUniqueKey", "-t", "T", "-i", ID, "-g", "G", "-d", "c@1")
    assert text(servers, *line).startswith("ConsumeMessageDirectlyResult [order=false, ")
    assert servers.sent(ConsumeMessageDirectly) == [
        (MASTER_B, ConsumeMessageDirectly("G", "c@1", OFFSET_ID, topic="T"))
    ]
    servers.answers[GetConsumerRunningInfo] = ConsumerRunningInfo({"PROP_CONSUME_TYPE": "CONSUME_ACTIVELY"})
    made = report(servers, *line)
    assert (made.render("text"), [failure.remark for failure in made.failures]) == (NO_DIRECT_PUSH, [NO_PUSH])
    servers.answers[GetConsumerRunningInfo] = RemotingError("The Consumer <G> <c@1> not online")
    made = report(servers, *line)
    assert made.render("text") == "get consumer runtime info for c@1 client failed \n" + NO_DIRECT_PUSH
    assert [failure.remark for failure in made.failures] == ["The Consumer <G> <c@1> not online"]
    assert len(servers.sent(ConsumeMessageDirectly)) == 1


# --- queryMsgByOffset ----------------------------------------------------------------------------------------------


def test_by_offset(servers: FakeServers, tmp_path: Path) -> None:
    servers.answers[PullMessage] = Reply(STORED, PullMessageReply(0, 5, 0, 5))
    made = report(servers, "queryMsgByOffset", "-t", "T", "-b", "broker-b", "-i", "1", "-o", "4", "-f", "UTF-8")
    block = BLOCK.replace("KEYS=k1 k2}", "KEYS=k1 k2, MAX_OFFSET=5}").replace(" TAGS=", " MIN_OFFSET=0, TAGS=")
    assert blocks(made.render("text"), tmp_path) == block + "Message Body:        hello\n\n\nWARN: No Consumer"
    [(address, header)] = servers.sent(PullMessage)
    assert (address, header.queue_id, header.queue_offset, header.max_msg_nums) == (MASTER_B, 1, 4, 1)
    assert servers.sent(Heartbeat) == [], "looking at a message makes nobody a member of a group"


def test_by_offset_finds_nothing(servers: FakeServers) -> None:
    servers.answers[PullMessage] = Reply(header=PullMessageReply(0, 5, 0, 5), code=21)
    made = report(servers, "queryMsgByOffset", "-t", "T", "-b", "broker-b", "-i", "1", "-o", "99")
    assert made.render("text") == ""
    assert made.members["messages"] == []
    assert [failure.remark for failure in made.failures] == [
        "there is no message at offset 99 of MessageQueue [topic=T, brokerName=broker-b, queueId=1]: OFFSET_ILLEGAL"
    ]
    with pytest.raises(RemotingError, match=r"The broker\[nope\] not exist"):
        text(servers, "queryMsgByOffset", "-t", "T", "-b", "nope", "-i", "0", "-o", "0")
    with pytest.raises(RemotingError, match="No topic route info in name server for the topic: nope"):
        text(servers, "queryMsgByOffset", "-t", "nope", "-b", "broker-a", "-i", "0", "-o", "0")


@pytest.mark.parametrize("name", ["nonsense", "hex", "undefined", "idna"])
@pytest.mark.parametrize("command", [("queryMsgById", "-i", ID), ("queryMsgByOffset", "-b", "b", "-i", "0", "-o", "0")])
def test_unknown_charset(servers: FakeServers, command: tuple[str, ...], name: str) -> None:
    with pytest.raises(CommandLineError, match=f"charset {name} is unknown"):
        text(servers, command[0], "-t", "T", *command[1:], "-f", name)
