"""Java's own mqadmin: what it prints against the chosen server is, but for addresses, times and rates, one fixed text.

A server of its own, so that its topics and groups are exactly those made here. The tests follow each other: what an
earlier one creates, a later one lists.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import toolchains
from tests.kit.apache import MqAdmin
from tests.kit.driver import Driver, Outgoing, wait_until
from tests.kit.server import RunningServer

pytestmark = pytest.mark.interop

SYSTEM_TOPICS = {
    "BenchmarkTest",
    "DefaultCluster",
    "DefaultCluster_REPLY_TOPIC",
    "OFFSET_MOVED_EVENT",
    "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
    "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
    "RMQ_SYS_TRANS_HALF_TOPIC",
    "RMQ_SYS_TRANS_OP_HALF_TOPIC",
    "SCHEDULE_TOPIC_XXXX",
    "SELF_TEST_TOPIC",
    "TBW102",
    "broker-a",
    "rmq_sys_REVIVE_LOG_DefaultCluster",
    "rmq_sys_SYNC_BROKER_MEMBER_broker-a",
    "rmq_sys_wheel_timer",
}

GROUP_TAIL = (
    "consumeFromMinEnable=false, consumeBroadcastEnable=false, consumeMessageOrderly=false, retryQueueNums={queues}, "
    "retryMaxTimes={times}, groupRetryPolicy=GroupRetryPolicy{{type=CUSTOMIZED, exponentialRetryPolicy=null, "
    "customizedRetryPolicy=null}}, brokerId=0, whichBrokerWhenConsumeSlowly=1, notifyConsumerIdsChangedEnable=true, "
    "groupSysFlag=0, consumeTimeoutMinute=15, subscriptionDataSet=null, attributes={{}}}}"
)

BROKER_STATUS_KEYS = {
    "EndTransactionQueueSize",
    "EndTransactionThreadPoolQueueCapacity",
    "ackThreadPoolQueueCapacity",
    "ackThreadPoolQueueHeadWaitTimeMills",
    "ackThreadPoolQueueSize",
    "bootTimestamp",
    "brokerActive",
    "brokerVersionDesc",
    "commitLogDirCapacity",
    "commitLogDiskRatio",
    "commitLogDiskRatio_STORE/commitlog",
    "commitLogMaxOffset",
    "commitLogMinOffset",
    "consumeQueueDiskRatio",
    "dispatchBehindBytes",
    "dispatchMaxBuffer",
    "earliestMessageTimeStamp",
    "getFoundTps",
    "getMessageEntireTimeMax",
    "getMissTps",
    "getTotalTps",
    "getTransferredTps",
    "litePullThreadPoolQueueCapacity",
    "litePullThreadPoolQueueHeadWaitTimeMills",
    "litePullThreadPoolQueueSize",
    "msgGetTotalTodayMorning",
    "msgGetTotalTodayNow",
    "msgGetTotalYesterdayMorning",
    "msgPutTotalTodayMorning",
    "msgPutTotalTodayNow",
    "msgPutTotalYesterdayMorning",
    "pageCacheLockTimeMills",
    "pullThreadPoolQueueCapacity",
    "pullThreadPoolQueueHeadWaitTimeMills",
    "pullThreadPoolQueueSize",
    "putLatency99",
    "putLatency999",
    "putMessageAverageSize",
    "putMessageDistributeTime",
    "putMessageEntireTimeMax",
    "putMessageFailedTimes",
    "putMessageSizeTotal",
    "putMessageTimesTotal",
    "putTps",
    "queryThreadPoolQueueCapacity",
    "queryThreadPoolQueueHeadWaitTimeMills",
    "queryThreadPoolQueueSize",
    "remainHowManyDataToFlush",
    "remainTransientStoreBufferNumbs",
    "runtime",
    "sendThreadPoolQueueCapacity",
    "sendThreadPoolQueueHeadWaitTimeMills",
    "sendThreadPoolQueueSize",
    "startAcceptSendRequestTimeStamp",
    "timerCongestNum",
    "timerDequeueTps",
    "timerEnqueueTps",
    "timerOffsetBehind",
    "timerReadBehind",
}


@pytest.fixture(scope="module")
def client(own: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A producer PX that sent 20 messages to Orders, and a consumer CX of group Buyers that has consumed them."""
    driver = Driver(toolchains.java_client("5.4.0"), own.namesrv_addr, tmp_path_factory.mktemp("client"))
    yield driver
    driver.kill()


def trimmed(text: str) -> list[str]:
    """The lines without the blanks that pad their last column."""
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


def columns(line: str) -> list[str]:
    return re.split(r" {2,}", line.strip())


def test_update_topic(mq: MqAdmin, own: RunningServer) -> None:
    config = (
        "TopicConfig [topicName={}, readQueueNums={}, writeQueueNums={}, perm={}, topicFilterType=SINGLE_TAG, "
        "topicSysFlag=0, order={}, attributes={{}}]"
    )
    assert trimmed(mq.out("updateTopic", "-c", "DefaultCluster", "-t", "Orders", "-r", "2", "-w", "2")) == [
        f"create topic to {own.broker_addr} success.",
        config.format("Orders", 2, 2, "RW-", "false"),
    ]
    assert trimmed(mq.out("updateTopic", "-b", own.broker_addr, "-t", "ReadOnly", "-r", "4", "-w", "4", "-p", "4")) == [
        f"create topic to {own.broker_addr} success.",
        config.format("ReadOnly", 4, 4, "R--", "false"),
    ]
    assert trimmed(mq.out("updateTopic", "-c", "DefaultCluster", "-t", "InOrder", "-o", "true")) == [
        f"create topic to {own.broker_addr} success.",
        "set cluster orderConf. isOrder=true, orderConf=[broker-a:8]",
        config.format("InOrder", 8, 8, "RW-", "true"),
    ]


def test_update_sub_group(mq: MqAdmin, own: RunningServer) -> None:
    assert trimmed(mq.out("updateSubGroup", "-c", "DefaultCluster", "-g", "Plain")) == [
        f"create subscription group to {own.broker_addr} success.",
        "SubscriptionGroupConfig{groupName=Plain, consumeEnable=true, " + GROUP_TAIL.format(queues=1, times=16),
    ]
    assert trimmed(
        mq.out("updateSubGroup", "-b", own.broker_addr, "-g", "Closed", "-s", "false", "-r", "3", "-q", "2")
    ) == [
        f"create subscription group to {own.broker_addr} success.",
        "SubscriptionGroupConfig{groupName=Closed, consumeEnable=false, " + GROUP_TAIL.format(queues=2, times=3),
    ]


def test_topic_list(mq: MqAdmin) -> None:
    names = trimmed(mq.out("topicList"))
    assert sorted(names) == sorted(SYSTEM_TOPICS | {"Orders", "ReadOnly", "InOrder"})
    rows = trimmed(mq.out("topicList", "-c"))
    assert rows[0] == f"{'#Cluster Name':<20}  {'#Topic':<48}  #Consumer Group"
    assert sorted(rows[1:]) == sorted(f"{'DefaultCluster':<20}  {name}" for name in names)


def test_topic_route(mq: MqAdmin, own: RunningServer) -> None:
    assert mq.out("topicRoute", "-t", "Orders") == (
        '{\n\t"brokerDatas":[\n\t\t{\n\t\t\t"brokerAddrs":{\n\t\t\t\t0:"' + own.broker_addr + '"\n\t\t\t},\n'
        '\t\t\t"brokerName":"broker-a",\n\t\t\t"cluster":"DefaultCluster",\n\t\t\t"enableActingMaster":false\n\t\t}\n\t],\n'
        '\t"filterServerTable":{\n\t\t\n\t},\n\t"queueDatas":[\n\t\t{\n\t\t\t"brokerName":"broker-a",\n\t\t\t"perm":6,\n'
        '\t\t\t"readQueueNums":2,\n\t\t\t"topicSysFlag":0,\n\t\t\t"writeQueueNums":2\n\t\t}\n\t]\n}\n'
    )
    assert trimmed(mq.out("topicRoute", "-t", "Orders", "-l")) == [
        f"{'#ClusterName':<45} {'#BrokerName':<32} {'#BrokerAddrs':<50} {'#ReadQueue':<10} {'#WriteQueue':<11} #Perm",
        f"{'DefaultCluster':<45} {'broker-a':<32} {'{0=' + own.broker_addr + '}':<50} {2:<10} {2:<11} 6",
        "-" * 158,
        f"{'Total:':<45} {1:<32} {'':<50} {2:<10} 2",
    ]
    route = mq.out("topicRoute", "-t", "InOrder")
    assert "orderTopicConf" not in route, "the name server adds it only with orderMessageEnable=true"
    assert '"readQueueNums":8' in route
    absent = mq.run("topicRoute", "-t", "Absent")
    assert absent.out == ""
    lines = absent.err.split("\n")
    assert lines[0] == "org.apache.rocketmq.tools.command.SubCommandException: TopicRouteSubCommand command failed"
    cause = lines.index(next(line for line in lines if line.startswith("Caused by: ")))
    assert lines[cause : cause + 2] == [
        "Caused by: org.apache.rocketmq.client.exception.MQClientException: CODE: 17  DESC: "
        "No topic route info in name server for the topic: Absent",
        "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.",
    ]


def test_topic_cluster_list(mq: MqAdmin) -> None:
    assert mq.out("topicClusterList", "-t", "Orders") == "DefaultCluster\n"


STATUS_HEAD = f"{'#Broker Name':<32}  {'#QID':<4}  {'#Min Offset':<20}  {'#Max Offset':<20}    #Last Updated"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"


def test_topic_status_of_an_empty_topic(mq: MqAdmin) -> None:
    assert trimmed(mq.out("topicStatus", "-t", "Orders")) == [
        STATUS_HEAD,
        f"{'broker-a':<32}  {0:<4}  {0:<20}  0",
        f"{'broker-a':<32}  {1:<4}  {0:<20}  0",
        "",
        "Topic Put TPS: 0.0",
    ]


MESSAGE_ID = "[0-9A-F]{32}"


def sent_id(printed: str, queue: str) -> str:
    """The identifier in what sendMessage prints."""
    head, row = trimmed(printed)
    assert head == f"{'#Broker Name':<32}  {'#QID':<4}  {'#Send Result':<20}    #MsgId"
    found = re.fullmatch(rf"{'broker-a':<32}  {queue:<4}  {'SEND_OK':<20}    ({MESSAGE_ID})", row)
    assert found, row
    return found[1]


def consumed(
    msg_id: str, offset: int, size: int, commit_offset: int, crc: int, properties: str, body: bytes, own: RunningServer
) -> str:
    """What consumeMessage prints of a message, its times, ports and the order of its properties left open."""
    port = int(own.broker_addr.rsplit(":", 1)[1])
    return (
        f"MSGID: {msg_id} MessageExt [brokerName=broker-a, queueId=1, storeSize={size}, queueOffset={offset}, "
        f"sysFlag=0, bornTimestamp=N, bornHost=/127.0.0.1:P, storeTimestamp=N, storeHost=/{own.broker_addr}, "
        f"msgId=7F000001{port:08X}{commit_offset:016X}, commitLogOffset={commit_offset}, bodyCRC={crc}, "
        f"reconsumeTimes=0, preparedTransactionOffset=0, toString()=Message{{topic='Orders', flag=0, "
        f"properties={{{properties}}}, "
        f"body={list(body)}, transactionId='null'}}] BODY: {body.decode()}"
    )


def opened(line: str) -> str:
    """The same line with times and ports replaced, and its properties sorted."""
    line = re.sub(r"(bornTimestamp|storeTimestamp)=\d+", r"\1=N", line)
    line = re.sub(r"bornHost=/127\.0\.0\.1:\d+", "bornHost=/127.0.0.1:P", line)
    return re.sub(r"properties=\{(.*?)\}", lambda m: "properties={" + ", ".join(sorted(m[1].split(", "))) + "}", line)


def test_send_message_and_all_that_shows_it(mq: MqAdmin, own: RunningServer) -> None:
    first = sent_id(
        mq.out(
            "sendMessage", "-t", "Orders", "-p", "hello body", "-k", "key1", "-c", "TagA", "-b", "broker-a", "-i", "1"
        ),
        "1",
    )
    second = sent_id(mq.out("sendMessage", "-t", "Orders", "-p", "hello two", "-b", "broker-a", "-i", "1"), "1")
    status = trimmed(mq.out("topicStatus", "-t", "Orders"))
    assert status[1] == f"{'broker-a':<32}  {0:<4}  {0:<20}  0"
    assert re.fullmatch(rf"{'broker-a':<32}  {1:<4}  {0:<20}  {2:<20}    {TIME}", status[2])

    stamped = (
        "CLUSTER=DefaultCluster{}, MAX_OFFSET=2, MIN_OFFSET=0, MSG_REGION=DefaultRegion{}, "
        "TRACE_ON=true, UNIQ_KEY={}, WAIT=true"
    )
    one = consumed(
        first, 0, 241, 0, 1049836889, stamped.format(", KEYS=key1", ", TAGS=TagA", first), b"hello body", own
    )
    two = consumed(second, 1, 220, 241, 2135059627, stamped.format("", "", second), b"hello two", own)
    printed = [opened(line) for line in trimmed(mq.out("consumeMessage", "-t", "Orders"))]
    queue = (
        "MessageQueue [topic=Orders, brokerName=broker-a, queueId={}] print msg finished. status=NO_NEW_MSG, offset={}"
    )
    assert sorted(printed) == sorted(["Consume ok", one, two, queue.format(0, 0), queue.format(1, 2)])
    assert printed.index(one) + 1 == printed.index(two)
    printed = [
        opened(line)
        for line in trimmed(mq.out("consumeMessage", "-t", "Orders", "-b", "broker-a", "-i", "1", "-o", "0", "-c", "1"))
    ]
    assert printed == ["The oldler 1 message will be provided", "Consume ok", one]

    port = int(own.broker_addr.rsplit(":", 1)[1])
    offset_id = f"7F000001{port:08X}{0:016X}"
    wait_until(
        lambda: first in mq.run("queryMsgByKey", "-t", "Orders", "-k", "key1").out,
        timeout=60,
        what=lambda: "key1 is in no index",
    )
    head, row = trimmed(mq.out("queryMsgByKey", "-t", "Orders", "-k", "key1"))
    assert columns(head)[:3] == ["#Message ID", "#QID", "#Offset #IndexKey"]
    assert columns(row)[:2] == [first, "1"]
    assert re.fullmatch(rf"0 \d+@Orders@K@key1@{first}@0", columns(row)[2])
    for identifier in (first, offset_id):
        described(mq.out("queryMsgById", "-t", "Orders", "-i", identifier), own, first, offset_id)


def described(text: str, own: RunningServer, msg_id: str, offset_id: str) -> None:
    """queryMsgById of the first message."""
    lines = trimmed(text)
    facts = dict(re.split(r": +", line, maxsplit=1) for line in lines[:15])
    assert re.fullmatch(TIME, facts.pop("Born Timestamp"))
    assert re.fullmatch(TIME, facts.pop("Store Timestamp"))
    assert re.fullmatch(r"127\.0\.0\.1:\d+", facts.pop("Born Host"))
    properties = facts.pop("Properties")
    assert sorted(properties.strip("{}").split(", ")) == [
        "CLUSTER=DefaultCluster",
        "KEYS=key1",
        "MSG_REGION=DefaultRegion",
        "TAGS=TagA",
        "TRACE_ON=true",
        f"UNIQ_KEY={msg_id}",
        "WAIT=true",
    ]
    assert facts == {
        "OffsetID": offset_id,
        "Topic": "Orders",
        "Tags": "[TagA]",
        "Keys": "[key1]",
        "Queue ID": "1",
        "Queue Offset": "0",
        "CommitLog Offset": "0",
        "Reconsume Times": "0",
        "Store Host": own.broker_addr,
        "System Flag": "0",
        "Message Body Path": f"/tmp/rocketmq/msgbodys/{msg_id}",
    }
    assert lines[15:] == ["", "", "WARN: No Consumer"]
    assert Path(f"/tmp/rocketmq/msgbodys/{msg_id}").read_bytes() == b"hello body"


def test_query_of_what_is_not_there(mq: MqAdmin) -> None:
    absent = mq.run("queryMsgByKey", "-t", "Orders", "-k", "no such key")
    assert absent.out.count("\n") <= 1
    assert "CODE: 208  DESC: query message by key finished, but no message." in absent.err
    absent = mq.run("queryMsgById", "-t", "Orders", "-i", "7F000001000027740000000000FFFFFF")
    assert absent.out == ""
    assert absent.err.startswith(
        "org.apache.rocketmq.tools.command.SubCommandException: QueryMsgByIdSubCommand command failed\n"
    )


@pytest.fixture(scope="module")
def group(client: Driver) -> tuple[str, str]:
    """Twenty more messages from a producer of Sellers, consumed by a consumer of Buyers; their clientIds."""
    producer = client.call("producer", name="PX", group="Sellers")["clientId"]
    client.send("PX", "Orders", [Outgoing(b"x", properties={"number": str(i)}) for i in range(20)], threads=1, queue=0)
    consumer = client.push("CX", "Buyers", "Orders")
    client.wait_received("CX", 22)
    client.call("ask", name="CX", what="persist")
    return producer, consumer


def progress_head(client_ip: bool) -> str:
    middle = f"{'#Client IP':<20}  " if client_ip else ""
    # The last two heads touch: the blank between them is missing in the original.
    return (
        f"{'#Topic':<64}  {'#Broker Name':<32}  {'#QID':<4}  {'#Broker Offset':<20}  "
        f"{'#Consumer Offset':<20}  {middle}{'#Diff':<20} " + (f"{'#Inflight':<20}#LastTime")
    )


def test_consumer_progress(mq: MqAdmin, group: tuple[str, str]) -> None:
    def committed() -> bool:
        return "Consume Diff Total: 0" in mq.run("consumerProgress", "-g", "Buyers").out

    wait_until(committed, timeout=60, what=lambda: mq.run("consumerProgress", "-g", "Buyers").out)
    lines = trimmed(mq.out("consumerProgress", "-g", "Buyers"))
    assert lines[0] == progress_head(client_ip=False)
    for line, queue, offset in ((lines[1], 0, 20), (lines[2], 1, 2)):
        row = f"{'Orders':<64}  {'broker-a':<32}  {queue:<4}  {offset:<20}  {offset:<20}  {0:<20} {0:<20} "
        assert line.startswith(row)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line[len(row) :])
    assert lines[3] == ""
    assert re.fullmatch(r"Consume TPS: \d+\.\d\d", lines[4])
    assert lines[5:] == ["Consume Diff Total: 0", "Consume Inflight Total: 0"]

    rows = [columns(line) for line in trimmed(mq.out("consumerProgress", "-g", "Buyers", "-s", "true"))[1:3]]
    owner = group[1].split("@")[0]
    assert [row[:6] for row in rows] == [
        ["Orders", "broker-a", str(q), str(o), str(o), owner] for q, o in ((0, 20), (1, 2))
    ]

    lines = trimmed(mq.out("consumerProgress"))
    assert lines[0].split() == ["#Group", "#Count", "#Version", "#Type", "#Model", "#TPS", "#Diff", "Total"]
    buyers = next(line for line in lines if line.startswith("Buyers"))
    assert re.fullmatch(rf"{'Buyers':<64}  {1:<6}  {'V5_4_0':<24} {'PUSH':<5}  {'CLUSTERING':<14}  \d+ +0", buyers)


def test_consumer_connection(mq: MqAdmin, group: tuple[str, str]) -> None:
    lines = trimmed(mq.out("consumerConnection", "-g", "Buyers"))
    assert lines[0] == f"{'#ClientId':<36} {'#ClientAddr':<22} {'#Language':<10} #Version"
    assert re.fullmatch(rf"{group[1]:<36} 127\.0\.0\.1:\d{{4,5}} +JAVA       V5_4_0", lines[1])
    assert lines[2:4] == ["", "Below is subscription:"]
    assert [columns(line) for line in lines[4:5]] == [["#Topic", "#SubExpression"]]
    assert sorted(columns(line) for line in lines[5:7]) == [["%RETRY%Buyers", "*"], ["Orders", "*"]]
    assert lines[7:] == [
        "",
        "ConsumeType: CONSUME_PASSIVELY",
        "MessageModel: CLUSTERING",
        "ConsumeFromWhere: CONSUME_FROM_FIRST_OFFSET",
    ]
    absent = mq.run("consumerConnection", "-g", "Nobody")
    assert absent.out == ""
    assert "CODE: 17  DESC: No topic route info in name server for the topic: %RETRY%Nobody\n" in absent.err


def test_producer_connection(mq: MqAdmin, group: tuple[str, str]) -> None:
    (line,) = trimmed(mq.out("producerConnection", "-g", "Sellers", "-t", "Orders"))
    assert re.fullmatch(rf"0001  {group[0]:<32} 127\.0\.0\.1:\d{{4,5}} +JAVA     V5_4_0", line)


def test_cluster_list(mq: MqAdmin, own: RunningServer) -> None:
    head, row = trimmed(mq.out("clusterList"))
    assert re.sub(r" {2,}", " | ", head) == (
        "#Cluster Name | #Broker Name | #BID | #Addr | #Version | #InTPS(LOAD) | #OutTPS(LOAD) | #Timer(Progress) | "
        "#PCWait(ms) | #Hour | #SPACE | #ACTIVATED"
    )
    pattern = (
        rf"{'DefaultCluster':<22}  {'broker-a':<22}  {0:<4}  {own.broker_addr:<21}  {'V5_4_0':<16} +"
        r"\d+\.\d\d\(0,\d+ms\) +\d+\.\d\d\(0,\d+ms\|0,\d+ms\)  0-0\(0\.0w, 0\.0, 0\.0\) +0  \d+\.\d\d +0\.\d{4} +true"
    )
    assert re.fullmatch(pattern, row), row
    head, row = trimmed(mq.out("clusterList", "-m"))
    assert columns(head) == [
        "#Cluster Name",
        "#Broker Name",
        "#InTotalYest",
        "#OutTotalYest",
        "#InTotalToday #OutTotalToday",
    ]
    assert columns(row)[:5] == ["DefaultCluster", "broker-a", "0", "0", "22"]


def test_broker_status(mq: MqAdmin, own: RunningServer) -> None:
    lines = trimmed(mq.out("brokerStatus", "-b", own.broker_addr))
    facts = dict(re.fullmatch(r"(\S+?) *:(?: (.*))?", line).groups() for line in lines)  # type: ignore[union-attr]
    keys = [key.replace(str(own.store_dir), "STORE") for key in facts]
    assert set(keys) == BROKER_STATUS_KEYS
    # A key shorter than 32 characters is padded to that width.
    assert all(line[32:33] == ":" for line in lines if re.match(r"\S{1,32} ", line))
    exact = {
        "brokerActive": "true",
        "brokerVersionDesc": "V5_4_0",
        "commitLogMinOffset": "0",
        "dispatchBehindBytes": "0",
        "msgPutTotalTodayNow": "22",
        "msgPutTotalTodayMorning": "0",
        "msgPutTotalYesterdayMorning": "0",
        "putMessageFailedTimes": "0",
        "putMessageTimesTotal": "22",
        "startAcceptSendRequestTimeStamp": "0",
    }
    assert {key: facts[key] for key in exact} == exact
    assert int(facts["commitLogMaxOffset"]) == int(facts["putMessageSizeTotal"]) > 22 * 91
    assert re.fullmatch(r"Total : \d+(\.\d+)? [GTM]iB, Free : \d+(\.\d+)? [GTM]iB\.", facts["commitLogDirCapacity"])
    assert re.fullmatch(r"\[ 0 days, 0 hours, \d+ minutes, \d+ seconds \]", facts["runtime"])
    assert re.fullmatch(r"\d+\.\d+ \d+\.\d+ \d+\.\d+", facts["getTotalTps"])
    of_cluster = trimmed(mq.out("brokerStatus", "-c", "DefaultCluster"))
    assert [line[: line.index(":", 30)].split()[1] for line in of_cluster] == [
        line.split()[0].rstrip(":") for line in lines
    ]
    assert {line.split()[0] for line in of_cluster} == {own.broker_addr}


def test_get_broker_config(mq: MqAdmin, own: RunningServer) -> None:
    lines = trimmed(mq.out("getBrokerConfig", "-b", own.broker_addr))
    assert lines[0] == f"============{own.broker_addr}============"
    facts = dict(re.fullmatch(r"(\S+) *=(?:  (.*))?", line).groups() for line in lines[1:])  # type: ignore[union-attr]
    port = own.broker_addr.rsplit(":", 1)[1]
    exact = {
        "brokerClusterName": "DefaultCluster",
        "brokerName": "broker-a",
        "brokerId": "0",
        "brokerRole": "ASYNC_MASTER",
        "flushDiskType": "ASYNC_FLUSH",
        "listenPort": port,
        "namesrvAddr": own.namesrv_addr,
        "brokerIP1": "127.0.0.1",
        "storePathRootDir": str(own.store_dir),
        "storePathCommitLog": f"{own.store_dir}/commitlog",
        "deleteWhen": "04",
        "fileReservedTime": "72",
        "defaultTopicQueueNums": "8",
        "autoCreateTopicEnable": "true",
        "autoCreateSubscriptionGroup": "true",
        "enablePropertyFilter": "false",
        "maxMessageSize": "4194304",
        "messageDelayLevel": "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
        "transactionTimeOut": "6000",
        "transactionCheckMax": "15",
        "transactionCheckInterval": "30000",
        "mappedFileSizeCommitLog": str(64 * 1024 * 1024),
        "brokerPermission": "6",
        "longPollingEnable": "true",
        "haListenPort": str(int(port) + 1),
    }
    assert {key: facts.get(key) for key in exact} == exact
    assert all(line[50] == "=" for line in lines[1:] if re.match(r"\S{1,50} ", line))


def test_delete_topic(mq: MqAdmin) -> None:
    assert trimmed(mq.out("deleteTopic", "-c", "DefaultCluster", "-t", "InOrder")) == [
        "delete topic [InOrder] from cluster [DefaultCluster] success.",
        "delete topic [InOrder] from NameServer success.",
    ]
    assert "InOrder" not in trimmed(mq.out("topicList"))
    assert "CODE: 17 " in mq.run("topicRoute", "-t", "InOrder").err
