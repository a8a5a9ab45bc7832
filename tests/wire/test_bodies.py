"""Bodies against the JSON and the printed form that Apache 5.4.0 makes of the same objects."""

import zlib
from typing import Any

import pytest

from rmq.wire.bodies import assignment, broker, connection, consume, group, lock, mapping, offset, registration, running
from rmq.wire.bodies.heartbeat import (
    ConsumeFromWhere,
    ConsumerData,
    ConsumerIdList,
    ConsumeType,
    HeartbeatData,
    MessageModel,
    ProducerData,
    SubscriptionData,
)
from rmq.wire.bodies.route import (
    BrokerData,
    BrokerMemberGroup,
    BrokerMemberGroupReply,
    ClusterInfo,
    MessageQueue,
    QueueData,
    TopicRouteData,
)
from rmq.wire.bodies.topic import (
    CreateTopicListRequestBody,
    TopicConfig,
    TopicConfigAndMappingSerializeWrapper,
    TopicConfigAndQueueMapping,
    TopicFilterType,
    TopicList,
    TopicOffset,
    TopicStatsTable,
    perm_text,
)
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import decode_body, encode_body
from rmq.wire.errors import InvalidFieldError

QUEUE = MessageQueue("t", "b", 0)
SUBSCRIPTION = SubscriptionData("t", "TagA || TagB", {"TagA", "TagB"}, {2598919, 2598920}, 5)
SUBSCRIPTION_JSON = (
    '{"classFilterMode":false,"codeSet":[2598919,2598920],"expressionType":"TAG","subString":"TagA || TagB",'
    '"subVersion":5,"tagsSet":["TagA","TagB"],"topic":"t"}'
)
BROKER = BrokerData("b", "c", {0: "a:1", 1: "b:2"})
BROKER_JSON = '{"brokerAddrs":{0:"a:1",1:"b:2"},"brokerName":"b","cluster":"c","enableActingMaster":false}'
TOPIC = TopicConfig("t", 8, 4, 7, attributes={"message.type": "FIFO"})
TOPIC_JSON = (
    '{"attributes":{"message.type":"FIFO"},"order":false,"perm":7,"readQueueNums":8,"topicFilterType":"SINGLE_TAG",'
    '"topicName":"t","topicSysFlag":0,"writeQueueNums":4}'
)
PROCESS_QUEUE_JSON = (
    '{"cachedMsgCount":0,"cachedMsgMaxOffset":0,"cachedMsgMinOffset":0,"cachedMsgSizeInMiB":0,"commitOffset":0,'
    '"droped":false,"lastConsumeTimestamp":0,"lastLockTimestamp":0,"lastPullTimestamp":0,"locked":false,'
    '"transactionMsgCount":0,"transactionMsgMaxOffset":0,"transactionMsgMinOffset":0,"tryUnlockTimes":0}'
)
GROUP = group.SubscriptionGroupConfig(
    "G",
    group_retry_policy=group.GroupRetryPolicy(
        group.GroupRetryPolicyType.EXPONENTIAL,
        group.ExponentialRetryPolicy(),
        group.CustomizedRetryPolicy([1000, 5000]),
    ),
    subscription_data_set=[group.SimpleSubscriptionData("t", "TAG", "*", 3)],
    attributes={"a": "b"},
)
REGISTRATION = registration.RegisterBrokerBody(
    TopicConfigAndMappingSerializeWrapper(
        {"t": TOPIC}, DataVersion(timestamp=5), mapping_data_version=DataVersion(timestamp=6)
    ),
    ["f:1"],
)

CASES: dict[str, tuple[Any, str]] = {
    "MessageQueue": (MessageQueue("t", "b", 3), '{"brokerName":"b","queueId":3,"topic":"t"}'),
    "DataVersion": (DataVersion(1, 2, 3), '{"counter":2,"stateVersion":1,"timestamp":3}'),
    "BrokerData": (BROKER, BROKER_JSON),
    "BrokerMemberGroupReply": (
        BrokerMemberGroupReply(BrokerMemberGroup("c", "b", {0: "a:1", 1: "b:2"})),
        '{"brokerMemberGroup":{"brokerAddrs":{0:"a:1",1:"b:2"},"brokerName":"b","cluster":"c"}}',
    ),
    "TopicRouteData": (
        TopicRouteData([BROKER], [QueueData("b", 8, 8, 6)]),
        f'{{"brokerDatas":[{BROKER_JSON}],"filterServerTable":{{}},'
        '"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}',
    ),
    "ClusterInfo": (
        ClusterInfo({"b": BROKER}, {"c": ["b"]}),
        f'{{"brokerAddrTable":{{"b":{BROKER_JSON}}},"clusterAddrTable":{{"c":["b"]}}}}',
    ),
    "TopicConfig": (TOPIC, TOPIC_JSON),
    "TopicConfigAndQueueMapping": (
        TopicConfigAndQueueMapping(**{n: getattr(TOPIC, n) for n in TOPIC.__slots__}),
        TOPIC_JSON,
    ),
    "CreateTopicListRequestBody": (CreateTopicListRequestBody([TOPIC]), f'{{"topicConfigList":[{TOPIC_JSON}]}}'),
    "TopicList": (TopicList(["x"]), '{"topicList":["x"]}'),
    "TopicStatsTable": (
        TopicStatsTable({QUEUE: TopicOffset(0, 7)}, 1.5),
        '{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"t"}:{"lastUpdateTimestamp":0,"maxOffset":7,'
        '"minOffset":0}},"topicPutTps":1.5}',
    ),
    "SubscriptionData": (SUBSCRIPTION, SUBSCRIPTION_JSON),
    "HeartbeatData": (
        HeartbeatData(
            "10.0.0.1@1",
            [ProducerData("P")],
            [
                ConsumerData(
                    "C",
                    ConsumeType.CONSUME_PASSIVELY,
                    MessageModel.CLUSTERING,
                    ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET,
                    [SUBSCRIPTION],
                )
            ],
        ),
        '{"clientID":"10.0.0.1@1","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",'
        '"consumeType":"CONSUME_PASSIVELY","groupName":"C","messageModel":"CLUSTERING",'
        f'"subscriptionDataSet":[{SUBSCRIPTION_JSON}],"unitMode":false}}],"heartbeatFingerprint":0,'
        '"producerDataSet":[{"groupName":"P"}],"withoutSub":false}',
    ),
    "SubscriptionGroupConfig": (
        GROUP,
        '{"attributes":{"a":"b"},"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,'
        '"consumeFromMinEnable":true,"consumeMessageOrderly":false,"consumeTimeoutMinute":15,"groupName":"G",'
        '"groupRetryPolicy":{"customizedRetryPolicy":{"next":[1000,5000]},"exponentialRetryPolicy":{"initial":5000,'
        '"max":7200000,"multiplier":2},"type":"EXPONENTIAL"},"groupSysFlag":0,"notifyConsumerIdsChangedEnable":true,'
        '"retryMaxTimes":16,"retryQueueNums":1,"subscriptionDataSet":[{"expression":"*","expressionType":"TAG",'
        '"topic":"t","version":3}],"whichBrokerWhenConsumeSlowly":1}',
    ),
    "SubscriptionGroupWrapper": (
        group.SubscriptionGroupWrapper(data_version=DataVersion(timestamp=5)),
        '{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":5},"forbiddenTable":{},"subscriptionGroupTable":{}}',
    ),
    "ConsumerRunningInfo": (
        running.ConsumerRunningInfo({"k": "v"}, [SUBSCRIPTION], {QUEUE: running.ProcessQueueInfo()}),
        '{"mqPopTable":{},"mqTable":{{"brokerName":"b","queueId":0,"topic":"t"}:'
        f'{PROCESS_QUEUE_JSON}}},"properties":{{"k":"v"}},"statusTable":{{}},"subscriptionSet":[{SUBSCRIPTION_JSON}],'
        '"userConsumerInfo":{}}',
    ),
    "ConsumeStatus": (
        running.ConsumeStatus(),
        '{"consumeFailedMsgs":0,"consumeFailedTPS":0.0,"consumeOKTPS":0.0,"consumeRT":0.0,"pullRT":0.0,"pullTPS":0.0}',
    ),
    "PopProcessQueueInfo": (
        running.PopProcessQueueInfo(),
        '{"droped":false,"lastPopTimestamp":0,"waitAckCount":0}',
    ),
    "ConsumeMessageDirectlyResult": (
        running.ConsumeMessageDirectlyResult(consume_result=running.ConsumeResult.CR_SUCCESS, spent_time_mills=1),
        '{"autoCommit":true,"consumeResult":"CR_SUCCESS","order":false,"spentTimeMills":1}',
    ),
    "ConsumeStats": (
        consume.ConsumeStats({QUEUE: consume.OffsetWrapper(4, 3, 2, 1)}, 0.5),
        '{"consumeTps":0.5,"offsetTable":{{"brokerName":"b","queueId":0,"topic":"t"}:{"brokerOffset":4,'
        '"consumerOffset":3,"lastTimestamp":1,"pullOffset":2}}}',
    ),
    "ConsumeStatsList": (
        consume.ConsumeStatsList([{"g": [consume.ConsumeStats()]}], "b:1", 3, 4),
        '{"brokerAddr":"b:1","consumeStatsList":[{"g":[{"consumeTps":0.0,"offsetTable":{}}]}],"totalDiff":3,'
        '"totalInflightDiff":4}',
    ),
    "ConsumeQueueContent": (
        consume.ConsumeQueueContent(queue_data=[consume.ConsumeQueueData()]),
        '{"maxQueueIndex":0,"minQueueIndex":0,"queueData":[{"eval":false,"physicOffset":0,"physicSize":0,"tagsCode":0}]}',
    ),
    "CorrectionOffsets": (consume.CorrectionOffsets({0: 5}), '{"correctionOffsets":{0:5}}'),
    "ResetOffsetBody": (
        offset.ResetOffsetBody({QUEUE: 5}),
        '{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"t"}:5}}',
    ),
    "ResetOffsetList": (
        offset.ResetOffsetList([offset.MessageQueueOffset("t", "b", 0, 5)]),
        '{"offsetTable":[{"brokerName":"b","offset":5,"queueId":0,"topic":"t"}]}',
    ),
    "ConsumerStatus": (
        offset.ConsumerStatus({}, {"c@1": {QUEUE: 5}}),
        '{"consumerTable":{"c@1":{{"brokerName":"b","queueId":0,"topic":"t"}:5}},"messageQueueTable":{}}',
    ),
    "ConsumerOffsetWrapper": (
        offset.ConsumerOffsetWrapper({"t@g": {0: 5, 1: 6}}, DataVersion(0, 1, 2)),
        '{"dataVersion":{"counter":1,"stateVersion":0,"timestamp":2},"offsetTable":{"t@g":{0:5,1:6}}}',
    ),
    "ConsumerIdList": (ConsumerIdList(["a", "b"]), '{"consumerIdList":["a","b"]}'),
    "Connection": (
        connection.ConsumerConnection([connection.Connection("c", "1.2.3.4:5", "GO", 317)]),
        '{"connectionSet":[{"clientAddr":"1.2.3.4:5","clientId":"c","language":"GO","version":317}],'
        '"subscriptionTable":{}}',
    ),
    "ProducerTableInfo": (
        connection.ProducerTableInfo({"g": [connection.ProducerInfo("c", "r", "GO", 3, 4)]}),
        '{"data":{"g":[{"clientId":"c","language":"GO","lastUpdateTimestamp":4,"remoteIP":"r","version":3}]}}',
    ),
    "LockBatchBody": (
        lock.LockBatchBody("g", "c", mq_set=[QUEUE]),
        '{"clientId":"c","consumerGroup":"g","mqSet":[{"brokerName":"b","queueId":0,"topic":"t"}],"onlyThisBroker":false}',
    ),
    "LockBatchReply": (lock.LockBatchReply(), '{"lockOKMQSet":[]}'),
    "KVTable": (broker.KVTable({"k": "v"}), '{"table":{"k":"v"}}'),
    "BrokerStatsData": (
        broker.BrokerStatsData(broker.BrokerStatsItem(1, 2.0, 3.0)),
        '{"statsMinute":{"avgpt":3.0,"sum":1,"tps":2.0}}',
    ),
    "HARuntimeInfo": (
        broker.HARuntimeInfo(),
        '{"haClientRuntimeInfo":{"lastReadTimestamp":0,"lastWriteTimestamp":0,"masterFlushOffset":0,"maxOffset":0,'
        '"transferredByteInSecond":0},"haConnectionInfo":[],"inSyncSlaveNums":0,"master":false,'
        '"masterCommitLogMaxOffset":0}',
    ),
    "HAConnectionRuntimeInfo": (
        broker.HAConnectionRuntimeInfo(),
        '{"diff":0,"inSync":false,"slaveAckOffset":0,"transferFromWhere":0,"transferredByteInSecond":0}',
    ),
    "TopicQueueMappingDetail": (
        mapping.TopicQueueMappingDetail("t", bname="b", hosted_queues={0: [mapping.LogicQueueMappingItem()]}),
        '{"bname":"b","currIdMap":{},"dirty":false,"epoch":0,"hostedQueues":{0:[{"endOffset":-1,"gen":0,"logicOffset":0,'
        '"queueId":0,"startOffset":0,"timeOfEnd":-1,"timeOfStart":-1}]},"scope":"__global__","topic":"t","totalQueues":0}',
    ),
    "MessageRequestModes": (
        assignment.MessageRequestModes({"t": {"g": assignment.MessageRequestModeBody("t", "g")}}),
        '{"messageRequestModeMap":{"t":{"g":{"consumerGroup":"g","mode":"PULL","popShareQueueNum":0,"topic":"t"}}}}',
    ),
    "RegisterBrokerBody": (
        REGISTRATION,
        '{"filterServerList":["f:1"],"topicConfigSerializeWrapper":{"dataVersion":{"counter":0,"stateVersion":0,'
        '"timestamp":5},"mappingDataVersion":{"counter":0,"stateVersion":0,"timestamp":6},"topicConfigTable":'
        f'{{"t":{TOPIC_JSON}}},"topicQueueMappingDetailMap":{{}},"topicQueueMappingInfoMap":{{}}}}}}',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_written_as_apache_writes(name: str) -> None:
    value, text = CASES[name]
    assert encode_body(value).decode() == text


@pytest.mark.parametrize("name", CASES)
def test_read_again(name: str) -> None:
    value, text = CASES[name]
    assert decode_body(type(value), text.encode()) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (MessageQueue("t", "b", 3), "MessageQueue [topic=t, brokerName=b, queueId=3]"),
        (
            TOPIC,
            "TopicConfig [topicName=t, readQueueNums=8, writeQueueNums=4, perm=RWX, topicFilterType=SINGLE_TAG, "
            "topicSysFlag=0, order=false, attributes={message.type=FIFO}]",
        ),
        (
            group.SubscriptionGroupConfig("G", consume_from_min_enable=False, consume_broadcast_enable=False),
            "SubscriptionGroupConfig{groupName=G, consumeEnable=true, consumeFromMinEnable=false"
            ", consumeBroadcastEnable=false, consumeMessageOrderly=false, retryQueueNums=1, retryMaxTimes=16"
            ", groupRetryPolicy=GroupRetryPolicy{type=CUSTOMIZED, exponentialRetryPolicy=null"
            ", customizedRetryPolicy=null}, brokerId=0, whichBrokerWhenConsumeSlowly=1"
            ", notifyConsumerIdsChangedEnable=true, groupSysFlag=0, consumeTimeoutMinute=15"
            ", subscriptionDataSet=null, attributes={}}",
        ),
        (
            GROUP,
            "SubscriptionGroupConfig{groupName=G, consumeEnable=true, consumeFromMinEnable=true"
            ", consumeBroadcastEnable=true, consumeMessageOrderly=false, retryQueueNums=1, retryMaxTimes=16"
            ", groupRetryPolicy=GroupRetryPolicy{type=EXPONENTIAL"
            ", exponentialRetryPolicy=ExponentialRetryPolicy{initial=5000, max=7200000, multiplier=2}"
            ", customizedRetryPolicy=CustomizedRetryPolicy{next=[1000, 5000]}}, brokerId=0"
            ", whichBrokerWhenConsumeSlowly=1, notifyConsumerIdsChangedEnable=true, groupSysFlag=0"
            ", consumeTimeoutMinute=15, subscriptionDataSet=[SimpleSubscriptionData{topic=t, expressionType=TAG"
            ", expression=*, version=3}], attributes={a=b}}",
        ),
        (
            running.ConsumeMessageDirectlyResult(consume_result=running.ConsumeResult.CR_SUCCESS, spent_time_mills=1),
            "ConsumeMessageDirectlyResult [order=false, autoCommit=true, consumeResult=CR_SUCCESS, remark=null, "
            "spentTimeMills=1]",
        ),
        (
            consume.ConsumeQueueData(1),
            "ConsumeQueueData{physicOffset=1, physicSize=0, tagsCode=0, extendDataJson='null', bitMap='null', "
            "eval=false, msg='null'}",
        ),
        (
            consume.ConsumeQueueData(1, extend_data_json="{}", bit_map="b", eval=True, msg="m"),
            "ConsumeQueueData{physicOffset=1, physicSize=0, tagsCode=0, extendDataJson='{}', bitMap='b', "
            "eval=true, msg='m'}",
        ),
        (
            connection.ProducerInfo("c", "r", "GO", 3, 4),
            "clientId=c,remoteIP=r, language=GO, version=3, lastUpdateTimestamp=4",
        ),
        (DataVersion(1, 2, 3), "DataVersion[timestamp=3, counter=2]"),
    ],
)
def test_printed_as_apache_prints(value: object, text: str) -> None:
    assert str(value) == text


@pytest.mark.parametrize(
    ("perm", "text"), [(0, "---"), (1, "--X"), (2, "-W-"), (4, "R--"), (6, "RW-"), (7, "RWX"), (14, "RW-")]
)
def test_permissions(perm: int, text: str) -> None:
    assert perm_text(perm) == text


def test_versions_are_ordered_as_apache_compares_them() -> None:
    oldest, older, old, new = DataVersion(0, 1, 9), DataVersion(0, 2, 3), DataVersion(0, 2, 4), DataVersion(1, 0, 0)
    assert sorted([new, older, oldest, old]) == [oldest, older, old, new]
    assert DataVersion(7, 1, 9).next(10) == DataVersion(7, 2, 10)


@pytest.mark.parametrize(("times", "delay"), [(-1, 10_000), (0, 10_000), (1, 30_000), (15, 7_200_000), (99, 7_200_000)])
def test_delays_by_default(times: int, delay: int) -> None:
    assert group.GroupRetryPolicy().policy.delay(times) == delay


@pytest.mark.parametrize(("times", "delay"), [(-1, 5000), (0, 5000), (3, 40_000), (11, 7_200_000), (10**9, 7_200_000)])
def test_growing_delays(times: int, delay: int) -> None:
    policy = group.GroupRetryPolicy(group.GroupRetryPolicyType.EXPONENTIAL, group.ExponentialRetryPolicy())
    assert policy.policy.delay(times) == delay


def test_a_policy_that_is_not_given_is_the_default() -> None:
    assert group.GroupRetryPolicy(group.GroupRetryPolicyType.EXPONENTIAL).policy == group.CustomizedRetryPolicy()
    assert group.CustomizedRetryPolicy([]).delay(3) == 0


# --- compressed registration ----------------------------------------------------------------------------------------

APACHES_REGISTRATION = bytes.fromhex(
    "78da636060d0a9564ace2fcd2b492d52b232d0512a2e492c490d4b2d2acecccf030b9464e6a60205730b94ac4c6b191818188158ab44c142c144c1"
    "5c21d8d3cfddc7353ec4d15da15a09a8ae38313d55afa4b22055c94ac9cdd3cd5f09a4833d5a29cdca502916c864000019ed1dcd"
)
"""`REGISTRATION` as RegisterBrokerBody.encode(true) wrote it, but for the version of the mappings."""

APACHES_CRC = 1853378400


def compressed(value: registration.RegisterBrokerBody) -> registration.RegisterBrokerBody:
    wrapper = value.topic_config_serialize_wrapper
    return registration.RegisterBrokerBody(
        TopicConfigAndMappingSerializeWrapper(wrapper.topic_config_table, wrapper.data_version),
        value.filter_server_list,
    )


def test_apaches_compressed_registration_is_read() -> None:
    assert registration.body_crc(APACHES_REGISTRATION) == APACHES_CRC
    decoded = registration.decode_registration(APACHES_REGISTRATION, compressed=True, version=493)
    assert decoded == compressed(REGISTRATION)


def test_the_compressed_registration_is_apaches() -> None:
    ours = registration.encode_registration(REGISTRATION, compressed=True)
    assert zlib.decompress(ours) == zlib.decompress(APACHES_REGISTRATION)


def test_a_plain_registration_is_json() -> None:
    data = registration.encode_registration(REGISTRATION, compressed=False)
    assert data.decode() == CASES["RegisterBrokerBody"][1]
    assert registration.decode_registration(data, compressed=False, version=493) == REGISTRATION


def test_an_old_broker_registers_its_topics_alone() -> None:
    data = encode_body(REGISTRATION.topic_config_serialize_wrapper)
    decoded = registration.decode_registration(data, compressed=False, version=36)
    assert decoded.topic_config_serialize_wrapper == REGISTRATION.topic_config_serialize_wrapper
    assert decoded.filter_server_list == []


def test_an_old_broker_has_no_mappings() -> None:
    data = zlib.compress(zlib.decompress(APACHES_REGISTRATION)[:-4])
    assert registration.decode_registration(data, compressed=True, version=412) == compressed(REGISTRATION)
    with pytest.raises(InvalidFieldError, match="is cut"):
        registration.decode_registration(data, compressed=True, version=413)


def test_mappings_travel_too() -> None:
    value = compressed(REGISTRATION)
    info = mapping.TopicQueueMappingInfo("s", total_queues=2, bname="b", epoch=3, curr_id_map={0: 0, 1: 1})
    value.topic_config_serialize_wrapper.topic_queue_mapping_info_map = {"s": info}
    data = registration.encode_registration(value, compressed=True)
    assert registration.decode_registration(data, compressed=True, version=493) == value


def test_a_registration_cut_anywhere_is_refused() -> None:
    inflated = zlib.decompress(APACHES_REGISTRATION)
    for end in range(len(inflated)):
        with pytest.raises(InvalidFieldError):
            registration.decode_registration(zlib.compress(inflated[:end]), compressed=True, version=493)


def part(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    ("inflated", "reason"),
    [
        (b"\xff\xff\xff\xff", "is cut"),
        (part(b"[]"), "DataVersion: object expected"),
        (part(b"{}") + b"\xff\xff\xff\xff", "parts do not fit"),
        (part(b"{}") + b"\0\0\0\1" + part(b"t 8 8"), "less than 5 words"),
        (part(b"{}") + b"\0\0\0\1" + part(b"t 8 8 x SINGLE_TAG"), "'x' is no integer"),
        (part(b"{}") + b"\0\0\0\1" + part(b"t 8 8 6 DOUBLE_TAG"), "'DOUBLE_TAG' is not a valid"),
        (part(b"{}") + b"\0\0\0\0" + part(b"{}") + b"\0\0\0\0", "filter servers: array expected"),
        (part(b"{}") + b"\0\0\0\0" + part(b"[") + b"\0\0\0\0", "filter servers: "),
    ],
)
def test_a_wrong_registration_is_refused(inflated: bytes, reason: str) -> None:
    with pytest.raises(InvalidFieldError, match=reason):
        registration.decode_registration(zlib.compress(inflated), compressed=True, version=493)


def test_what_is_not_compressed_is_refused() -> None:
    with pytest.raises(InvalidFieldError, match="compressed registration: "):
        registration.decode_registration(b"{}", compressed=True, version=493)


def test_a_registration_that_inflates_too_far_is_refused() -> None:
    bomb = zlib.compress(bytes(registration.MAX_INFLATED + 1), 9)
    assert len(bomb) < 100_000
    with pytest.raises(InvalidFieldError, match="inflates to more than"):
        registration.decode_registration(bomb, compressed=True, version=493)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ('t 8 4 7 SINGLE_TAG {"message.type":"FIFO"}', TOPIC),
        ("t 8 4 7 MULTI_TAG", TopicConfig("t", 8, 4, 7, TopicFilterType.MULTI_TAG)),
        ("t 8 4 7 SINGLE_TAG {}", TopicConfig("t", 8, 4, 7)),
        ("t 8 4 7 SINGLE_TAG {broken", TopicConfig("t", 8, 4, 7)),
        ('t 8 4 7 SINGLE_TAG {"a":"b c"}', TopicConfig("t", 8, 4, 7, attributes={"a": "b c"})),
    ],
)
def test_the_text_of_a_topic(text: str, topic: TopicConfig) -> None:
    assert registration.decode_topic(text) == topic


def test_the_text_of_a_topic_is_apaches() -> None:
    assert registration.encode_topic(TOPIC) == 't 8 4 7 SINGLE_TAG {"message.type":"FIFO"}'
