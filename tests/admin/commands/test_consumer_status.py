"""What the running clients of a consumer group hold."""

from pathlib import Path
from typing import Any

import pytest

from rmq.wire.bodies.connection import Connection, ConsumerConnection
from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumerRunningInfo, ConsumeStatus, PopProcessQueueInfo, ProcessQueueInfo
from rmq.wire.errors import RemotingError, SystemBusyError
from rmq.wire.requests.consumer import GetConsumerConnectionList, GetConsumerRunningInfo
from tests.kit.adminfake import MASTER_A, MASTER_B, NOW, FakeServers, report, route, text

QUEUE = MessageQueue("T", "broker-a", 3)

DUMP = """\
#Consumer Properties#
PROP_CONSUMER_START_TIMESTAMP           : 0
PROP_CONSUME_TYPE                       : CONSUME_PASSIVELY
alpha                                   : 1


#Consumer Subscription#
001 Topic: A                                        ClassFilter: true     SubExpression: null
002 Topic: T                                        ClassFilter: false    SubExpression: TagA


#Consumer Offset#
#Topic                                                            #Broker Name                      #QID  #Consumer Offset    
T                                 broker-a                          3     42                  


#Consumer MQ Detail#
#Topic                                                            #Broker Name                      #QID  #ProcessQueueInfo   
T                                                                 broker-a                          3     ProcessQueueInfo \
[commitOffset=42, cachedMsgMinOffset=1, cachedMsgMaxOffset=2, cachedMsgCount=2, cachedMsgSizeInMiB=0, \
transactionMsgMinOffset=0, transactionMsgMaxOffset=0, transactionMsgCount=0, locked=true, tryUnlockTimes=0, \
lastLockTimestamp=19700101000000000, droped=false, lastPullTimestamp=20261118094640007, \
lastConsumeTimestamp=20261118094500000]


#Consumer Pop Detail#
#Topic                            #Broker Name                      #QID  #ProcessQueueInfo   
T                                 broker-a                          3     PopProcessQueueInfo [waitAckCount:5, \
droped:false, lastPopTimestamp:7]


#Consumer RT&TPS#
#Topic                                                                  #Pull RT      #Pull TPS    #Consume RT \
#ConsumeOK TPS #ConsumeFailed TPS  #ConsumeFailedMsgsInHour
T                                          22.50           0.05           0.13           1.00               2.00 \
                        9


#User Consume Info#
mine                                    : yes
"""  # noqa: E501, W291


pytestmark = pytest.mark.usefixtures("utc", "place")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written here."""
    monkeypatch.chdir(tmp_path)


def info(wanted: str = "TagA", jstack: str | None = None) -> ConsumerRunningInfo:
    held = ProcessQueueInfo(42, 1, 2, 2, locked=True)
    held.last_pull_timestamp, held.last_consume_timestamp = 1_794_995_200_007, 1_794_995_100_000
    return ConsumerRunningInfo(
        {"alpha": "1", "PROP_CONSUMER_START_TIMESTAMP": "0", "PROP_CONSUME_TYPE": "CONSUME_PASSIVELY"},
        [SubscriptionData("T", wanted, {"B", "A"}), SubscriptionData("A", class_filter_mode=True)],
        {QUEUE: held},
        {QUEUE: PopProcessQueueInfo(5, False, 7)},
        {"T": ConsumeStatus(22.5, 0.05, 0.125, 1, 2, 9)},
        {"mine": "yes"},
        jstack,
    )


def servers(**infos: Any) -> FakeServers:
    """A group G with these clients."""
    clients = ConsumerConnection([Connection(name, "x:1", "JAVA", 493) for name in infos])
    made = FakeServers(
        {GetConsumerConnectionList: clients, GetConsumerRunningInfo: lambda _, header: infos[header.client_id]}
    )
    made.routes = {"%RETRY%G": route()}
    return made


def test_one_client() -> None:
    made = servers(one=info())
    result = report(made, "consumerStatus", "-g", "G", "-i", "one")
    assert result.render("text") == DUMP
    members = result.members
    assert members["properties"]["alpha"] == "1"
    assert [item["topic"] for item in members["subscriptions"]] == ["T", "A"]
    assert members["subscriptions"][0]["tagsSet"] == ["A", "B"]
    [queue], [popped] = members["queues"], members["popQueues"]
    assert (queue["topic"], queue["brokerName"], queue["queueId"], queue["commitOffset"]) == ("T", "broker-a", 3, 42)
    assert (popped["queueId"], popped["waitAckCount"]) == (3, 5)
    assert members["rates"]["T"]["consumeFailedMsgs"] == 9
    assert result.render("json").startswith("{")
    assert made.sent(GetConsumerRunningInfo) == [(MASTER_A, GetConsumerRunningInfo("G", "one", False))]


def test_one_client_with_its_threads() -> None:
    made = servers(one=info(jstack="main\n  at x"))
    result = report(made, "consumerStatus", "-g", "G", "-i", "one", "-s", "-b", MASTER_B)
    assert result.render("text") == f"{DUMP}\n\n#Consumer jstack#\nmain\n  at x"
    assert result.members["jstack"] == "main\n  at x"
    assert made.sent(GetConsumerRunningInfo) == [(MASTER_B, GetConsumerRunningInfo("G", "one", True))]


def row(number: object, client: str, version: str, file: str) -> str:
    return f"{number:<10} {client:<40} {version:<20} {file}\n"


HEAD = row("#Index", "#ClientId", "#Version", "#ConsumerRunningInfoFile")


def test_all_clients(tmp_path: Path) -> None:
    calm, busy = info(), info()
    calm.mq_table = {}
    result = report(servers(two=busy, one=calm), "consumerStatus", "-g", "G")
    age = NOW - busy.mq_table[QUEUE].last_consume_timestamp
    trouble = f"two {QUEUE} can't consume for a while, maybe blocked, {age}ms"
    assert result.render("text") == (
        HEAD
        + row(1, "two", "V5_4_0", f"{NOW}/two")
        + row(2, "one", "V5_4_0", f"{NOW}/one")
        + f"\n\nSame subscription in the same group of consumer\n\nRebalance OK\n{trouble}\n"
    )
    assert (tmp_path / str(NOW) / "two").read_text() == DUMP
    assert result.members["clients"][1] == {"index": 2, "clientId": "one", "version": "V5_4_0", "file": f"{NOW}/one"}
    assert (result.members["sameSubscription"], result.members["troubles"]) == (True, [trouble])


def test_clients_at_odds() -> None:
    result = report(servers(one=info(), two=info("TagB")), "consumerStatus", "-g", "G")
    assert result.render("text").endswith("\n\n\nWARN: Different subscription in the same group of consumer!!!")
    assert result.members["sameSubscription"] is False


def test_a_client_that_does_not_answer() -> None:
    result = report(servers(one=SystemBusyError("busy"), two=info()), "consumerStatus", "-g", "G")
    assert result.render("text").startswith(HEAD + row(1, "two", "V5_4_0", f"{NOW}/two"))
    assert [failure.remark for failure in result.failures] == ["busy"]


def test_no_client_answers() -> None:
    result = report(servers(one=SystemBusyError("busy")), "consumerStatus", "-g", "G")
    assert result.render("text") == HEAD
    assert "sameSubscription" not in result.members


@pytest.mark.parametrize(
    ("client", "name"), [("../../x", ".._.._x"), ("..", "__"), ("a\\b", "a_b"), ("10.0.0.1@7#9", "10.0.0.1@7#9")]
)
def test_no_file_is_written_elsewhere(tmp_path: Path, client: str, name: str) -> None:
    text(servers(**{client: info()}), "consumerStatus", "-g", "G")
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()] == [Path(str(NOW), name)]


def test_a_group_that_nobody_knows() -> None:
    made = servers()
    made.routes = {}
    with pytest.raises(RemotingError, match="for the topic: %RETRY%G"):
        text(made, "consumerStatus", "-g", "G")
