"""Topic commands."""

import pytest

from rmq.wire.bodies.consume import GroupList
from rmq.wire.bodies.route import MessageQueue, QueueData
from rmq.wire.bodies.topic import TopicList, TopicOffset, TopicStatsTable
from rmq.wire.errors import InvalidParameterError, QueryNotFoundError, RemotingError
from rmq.wire.requests.consumer import QueryTopicConsumeByWho
from rmq.wire.requests.kv import GetKVConfig, GetKVConfigReply, PutKVConfig
from rmq.wire.requests.namesrv import DeleteTopicInNamesrv, GetAllTopicListFromNameserver
from rmq.wire.requests.topic import DeleteTopicInBroker, GetTopicStatsInfo, UpdateAndCreateTopic
from tests.kit.adminfake import MASTER_A, MASTER_B, NAMESRV, FakeServers, Reply, report, route, text

T_LINE = (
    "TopicConfig [topicName=T, readQueueNums=8, writeQueueNums=8, perm=RW-, topicFilterType=SINGLE_TAG, "
    "topicSysFlag=0, order={order}, attributes={attributes}]\n"
)


def test_topic_list() -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList(["B", "%RETRY%G", "A"])})
    assert text(servers, "topicList") == "B\n%RETRY%G\nA\n"
    assert report(servers, "topicList").members == {"topics": ["B", "%RETRY%G", "A"]}


def test_topic_list_with_groups() -> None:
    def groups(address: str, header: QueryTopicConsumeByWho) -> GroupList:
        return GroupList(["G1", "G2"] if header.topic == "A" else [])

    servers = FakeServers(
        {
            GetAllTopicListFromNameserver: TopicList(["A", "%RETRY%G1", "B", "%DLQ%G1", "gone"]),
            QueryTopicConsumeByWho: groups,
        }
    )
    servers.routes = {"A": route(), "B": route()}
    row = "{:<20}  {:<64}  {:<64}\n".format
    assert text(servers, "topicList", "-c") == (
        f"{'#Cluster Name':<20}  {'#Topic':<48}  {'#Consumer Group':<48}\n"
        + row("C1", "A", "G1")
        + row("C1", "A", "G2")
        + row("C1", "B", "")
        + row("", "gone", "")
    )


def test_topic_list_with_groups_tells_of_brokers_that_are_down() -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList(["A"])})
    servers.routes = {"A": route()}
    servers.down = {MASTER_A}
    made = report(servers, "topicList", "-c")
    assert [failure.address for failure in made.failures] == [MASTER_A]
    assert made.members["topicGroups"] == [{"cluster": "C1", "topic": "A", "group": None}]


def test_topic_route() -> None:
    servers = FakeServers()
    servers.routes = {"T": route(QueueData("broker-b", 4, 2, 6))}
    lines = text(servers, "topicRoute", "-t", "T").splitlines()
    assert lines[:6] == [
        "{",
        '\t"brokerDatas":[',
        "\t\t{",
        '\t\t\t"brokerAddrs":{',
        f'\t\t\t\t0:"{MASTER_B}"',
        "\t\t\t},",
    ]
    assert lines[-1] == "}"
    route_member = report(servers, "topicRoute", "-t", "T").members["route"]
    assert route_member["brokerDatas"][0]["brokerAddrs"] == {"0": MASTER_B}


def test_topic_route_as_a_table() -> None:
    servers = FakeServers()
    servers.routes = {"T": route(QueueData("broker-b", 4, 2, 6), QueueData("broker-a", 1, 3, 4))}
    row = "{:<45} {:<32} {:<50} {:<10} {:<11} {:<5}\n".format
    assert text(servers, "topicRoute", "-t", "T", "-l") == (
        row("#ClusterName", "#BrokerName", "#BrokerAddrs", "#ReadQueue", "#WriteQueue", "#Perm")
        + row("C1", "broker-a", "{0=10.0.0.1:10911, 1=10.0.0.2:10911}", 1, 3, 4)
        + row("C1", "broker-b", "{0=10.0.0.3:10911}", 4, 2, 6)
        + "-" * 158
        + "\n"
        + row("Total:", 2, "", 5, 5, "")
    )


def test_topic_status() -> None:
    def stats(address: str, header: GetTopicStatsInfo) -> TopicStatsTable:
        name = "broker-a" if address == MASTER_A else "broker-b"
        return TopicStatsTable({MessageQueue("T", name, 0): TopicOffset(1, 5, 0 if name == "broker-a" else 1)})

    servers = FakeServers({GetTopicStatsInfo: stats})
    servers.routes = {"T": route(QueueData("broker-b"), QueueData("broker-a"))}
    lines = text(servers, "topicStatus", "-t", "T").split("\n")
    assert lines[0] == f"{'#Broker Name':<32}  #QID  {'#Min Offset':<20}  {'#Max Offset':<20}    #Last Updated"
    assert lines[1] == f"{'broker-a':<32}  0     {1:<20}  {5:<20}    "
    assert lines[2].startswith(f"{'broker-b':<32}  0     {1:<20}  {5:<20}    1970-01-01 ")
    assert lines[3:] == ["", "Topic Put TPS: 0.0", ""]


def test_topic_status_of_nothing() -> None:
    servers = FakeServers({GetTopicStatsInfo: TopicStatsTable()})
    servers.routes = {"T": route()}
    with pytest.raises(RemotingError, match="Not found the topic stats info"):
        text(servers, "topicStatus", "-t", "T")
    # With the route of another topic, an empty table is an answer.
    assert text(servers, "topicStatus", "-t", "%LMQ%x", "-c", "T").endswith("\n\nTopic Put TPS: 0.0\n")


def test_topic_cluster_list() -> None:
    servers = FakeServers()
    servers.routes = {"T": route()}
    assert text(servers, "topicClusterList", "-t", "T") == "C1\n"


def test_update_topic_on_a_broker() -> None:
    servers = FakeServers()
    words = ("updateTopic", "-b", MASTER_A, "-t", "T", "-a", "+x=1,-y", "-u", "TRUE", "-s", "true")
    printed = T_LINE.format(order="false", attributes="{+x=1, -y=}").replace("topicSysFlag=0", "topicSysFlag=3")
    assert text(servers, *words) == f"create topic to {MASTER_A} success.\n{printed}"
    [(address, header)] = servers.sent(UpdateAndCreateTopic)
    assert address == MASTER_A
    assert header == UpdateAndCreateTopic("T", "TBW102", 8, 8, 6, "SINGLE_TAG", 3, False, "+x=1,-y")


@pytest.mark.parametrize(
    ("known", "stored"), [(None, "broker-a:8"), ("broker-b:4;broker-a:1", "broker-b:4;broker-a:8")]
)
def test_update_topic_keeps_the_order_of_other_brokers(known: str | None, stored: str) -> None:
    before = QueryNotFoundError("no") if known is None else Reply(header=GetKVConfigReply(known))
    servers = FakeServers({GetKVConfig: before})
    assert text(servers, "updateTopic", "-b", MASTER_A, "-t", "T", "-o", "true") == (
        "set broker orderConf. isOrder=true, orderConf=[broker-a:8]\n"
        f"create topic to {MASTER_A} success.\n" + T_LINE.format(order="true", attributes="{}")
    )
    assert servers.sent(PutKVConfig) == [(NAMESRV, PutKVConfig("ORDER_TOPIC_CONFIG", "T", stored))]


def test_update_topic_on_a_cluster() -> None:
    servers = FakeServers()
    made = report(servers, "updateTopic", "-c", "C1", "-t", "T", "-o", "true")
    assert made.render("text") == (
        f"create topic to {MASTER_A} success.\ncreate topic to {MASTER_B} success.\n"
        "set cluster orderConf. isOrder=true, orderConf=[broker-a:8;broker-b:8]\n"
        + T_LINE.format(order="true", attributes="{}")
    )
    assert made.members["brokers"] == [MASTER_A, MASTER_B]
    assert made.members["orderConf"] == "broker-a:8;broker-b:8"
    assert made.members["topic"] == made.members["config"]["topicName"] == "T"


@pytest.mark.parametrize(("words", "addresses"), [(("-b", MASTER_A), [MASTER_A]), (("-c", "C1"), [MASTER_A, MASTER_B])])
def test_update_topic_whose_order_is_refused(words: tuple[str, ...], addresses: list[str]) -> None:
    servers = FakeServers({PutKVConfig: RemotingError("no room"), GetKVConfig: QueryNotFoundError("no")})
    made = report(servers, "updateTopic", *words, "-t", "T", "-o", "true")
    assert made.render("text") == "".join(f"create topic to {address} success.\n" for address in addresses)
    assert made.members["brokers"] == addresses
    assert "orderConf" not in made.members
    assert [failure.remark for failure in made.failures] == ["no room"]


def test_update_topic_on_an_unknown_cluster() -> None:
    servers = FakeServers()
    made = report(servers, "updateTopic", "-c", "nope", "-t", "T")
    assert made.render("text").startswith("[error] Make sure the specified clusterName exists or the name server")
    assert [str(failure.remark) for failure in made.failures] == ["the cluster nope does not exist"]
    assert servers.sent(UpdateAndCreateTopic) == []


def test_update_topic_refused() -> None:
    servers = FakeServers({UpdateAndCreateTopic: InvalidParameterError("The specified topic is blank.")})
    with pytest.raises(InvalidParameterError):
        text(servers, "updateTopic", "-b", MASTER_A, "-t", "")
    with pytest.raises(RemotingError, match="topicPermission value: 9 is invalid"):
        text(servers, "updateTopic", "-b", MASTER_A, "-t", "T", "-p", "9")


def test_delete_topic() -> None:
    servers = FakeServers()
    assert text(servers, "deleteTopic", "-c", "C1", "-t", "T") == (
        "delete topic [T] from cluster [C1] success.\ndelete topic [T] from NameServer success.\n"
    )
    assert [address for address, _ in servers.sent(DeleteTopicInBroker)] == [MASTER_A, MASTER_B]
    assert servers.sent(DeleteTopicInNamesrv) == [(NAMESRV, DeleteTopicInNamesrv("T", "C1"))]


def test_delete_topic_from_an_unknown_cluster_deletes_nothing() -> None:
    servers = FakeServers()
    made = report(servers, "deleteTopic", "-c", "nope", "-t", "T")
    assert "success" not in made.render("text")
    assert len(made.failures) == 1
    assert servers.sent(DeleteTopicInNamesrv) == []


@pytest.mark.parametrize("line", ["updateTopic -c C1 -t T -o true", "deleteTopic -c C1 -t T"])
def test_the_other_masters_are_not_left_out(line: str) -> None:
    servers = FakeServers()
    servers.down = {MASTER_A}
    made = report(servers, *line.split())
    assert made.members["brokers"] == [MASTER_B]
    assert [failure.address for failure in made.failures] == [MASTER_A]
    assert made.render("text") == (f"create topic to {MASTER_B} success.\n" if "update" in line else "")
    assert servers.sent(PutKVConfig) == servers.sent(DeleteTopicInNamesrv) == []


def test_delete_topic_where_a_name_server_is_down() -> None:
    servers = FakeServers()
    servers.nameservers, servers.down = (NAMESRV, "10.0.0.8:9876"), {NAMESRV}
    made = report(servers, "deleteTopic", "-c", "C1", "-t", "T")
    assert made.render("text") == "delete topic [T] from cluster [C1] success.\n"
    assert made.members["nameServers"] == ["10.0.0.8:9876"]
    assert [failure.address for failure in made.failures] == [NAMESRV]
