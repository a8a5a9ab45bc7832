"""What a topic's type of messages and a group's settings forbid or tell; what they merely note."""

import json
from collections.abc import Callable

import pytest

from tests.kit import toolchains
from tests.kit.driver import Driver, Outgoing
from tests.kit.frames import UPDATE_AND_CREATE_TOPIC, UPDATE_BROKER_CONFIG, ask, create_topic
from tests.kit.server import RunningServer
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop

SEND_MESSAGE_V2, PULL_MESSAGE, UPDATE_GROUP, TOPIC_CONFIG, GET_CONSUMER_CONNECTIONS = 310, 11, 200, 351, 203
StartDriver = Callable[[Program], Driver]


@pytest.fixture
def java(shared_drivers: StartDriver) -> Driver:
    toolchains.require("java")
    return shared_drivers(toolchains.java_client("5.4.0"))


def make_topic(server: RunningServer, topic: str, attributes: str) -> tuple[int, str]:
    fields = {
        "topic": topic, "defaultTopic": "TBW102", "readQueueNums": "1", "writeQueueNums": "1", "perm": "6",
        "topicFilterType": "SINGLE_TAG", "topicSysFlag": "0", "order": "false", "attributes": attributes,
    }  # fmt: skip
    header, _ = ask(server.broker_addr, UPDATE_AND_CREATE_TOPIC, fields)
    return header["code"], str(header.get("remark"))


def attributes(server: RunningServer, topic: str) -> dict[str, str]:
    return dict(json.loads(ask(server.broker_addr, TOPIC_CONFIG, {"topic": topic})[1])["attributes"])


def configure_broker(server: RunningServer, text: str) -> None:
    assert ask(server.broker_addr, UPDATE_BROKER_CONFIG, body=text.encode())[0]["code"] == 0


@pytest.mark.parametrize("kind", ["NORMAL", "FIFO", "DELAY", "TRANSACTION"])
def test_a_broker_notes_the_type_of_messages_and_takes_all_types(server: RunningServer, kind: str) -> None:
    """Only the proxy of RocketMQ 5 refuses others."""
    topic = f"Settings-{kind}"
    assert make_topic(server, topic, f"+message.type={kind}")[0] == 0
    assert attributes(server, topic) == {"message.type": kind}
    fields = {"a": "PG", "b": topic, "c": "TBW102", "d": "1", "e": "0", "f": "0", "g": "1", "h": "0"}
    for properties in ("", "__SHARDINGKEY\x01k\x02", "DELAY\x011\x02", "TRAN_MSG\x01true\x02PGROUP\x01PG\x02"):
        assert ask(server.broker_addr, SEND_MESSAGE_V2, {**fields, "i": properties}, b"x")[0]["code"] == 0
    assert make_topic(server, topic, "+message.type=NORMAL")[0] == 0
    assert attributes(server, topic) == {"message.type": "NORMAL"}


def test_types_that_are_refused(server: RunningServer) -> None:
    assert make_topic(server, "Settings-mixed", "+message.type=MIXED") == (29, "MIXED message type is not supported.")
    for text in ("+message.type=PARCEL", "message.type=NORMAL", "+message.kind=NORMAL", "-message.type"):
        assert make_topic(server, "Settings-refused", text)[0] != 0, text
        assert ask(server.broker_addr, TOPIC_CONFIG, {"topic": "Settings-refused"})[0]["code"] == 17


def pull(server: RunningServer, group: str, topic: str, *, subscribed: bool = True, offset: int = 0) -> dict[str, str]:
    fields = {
        "consumerGroup": group, "topic": topic, "queueId": "0", "queueOffset": str(offset), "maxMsgNums": "32",
        "sysFlag": "4" if subscribed else "0", "commitOffset": "0", "suspendTimeoutMillis": "0", "subVersion": "0",
        "subscription": "*", "expressionType": "TAG",
    }  # fmt: skip
    header, _ = ask(server.broker_addr, PULL_MESSAGE, fields)
    return {"code": str(header["code"]), "remark": str(header.get("remark")), **header.get("extFields", {})}


def configure_group(server: RunningServer, name: str, **config: object) -> None:
    body = json.dumps({"groupName": name, **config}).encode()
    assert ask(server.broker_addr, UPDATE_GROUP, body=body)[0]["code"] == 0


def test_the_broker_that_a_group_is_sent_to(server: RunningServer) -> None:
    """It is the master unless replicas may be read."""
    create_topic(server.namesrv_addr, server.broker_addr, "Settings-replica", 1)
    configure_group(server, "Settings-replica", brokerId=3, whichBrokerWhenConsumeSlowly=2)
    assert pull(server, "Settings-replica", "Settings-replica")["suggestWhichBrokerId"] == "0"
    configure_broker(server, "slaveReadEnable=true\n")
    try:
        assert pull(server, "Settings-replica", "Settings-replica")["suggestWhichBrokerId"] == "3"
    finally:
        configure_broker(server, "slaveReadEnable=false\n")


def test_a_group_may_be_held_up_and_let_go(java: Driver, server: RunningServer) -> None:
    """What a consumer does not get while its group may not consume, it gets afterwards."""
    topic = group = "Settings-held"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 1)
    configure_group(server, group, consumeEnable=False)
    java.call("producer", name="P-settings", group="PG")
    messages = [Outgoing(b"%d" % n) for n in range(20)]
    java.send("P-settings", topic, messages, threads=1)
    java.push("C-settings", group, topic)
    refusal = pull(server, group, topic)
    assert (refusal["code"], refusal["remark"]) == ("16", f"subscription group no permission, {group}")
    assert java.received("C-settings") == []
    configure_group(server, group, consumeEnable=True)
    received = java.wait_received("C-settings", 20, timeout=40)
    assert sorted(m.body for m in received) == sorted(message.body for message in messages)
    for client in ("C-settings", "P-settings"):
        java.retire(client)


def test_a_group_that_may_not_broadcast(java: Driver, server: RunningServer) -> None:
    topic = group = "Settings-broadcast"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 1)
    configure_group(server, group, consumeBroadcastEnable=False)
    java.push("C-broadcast", group, topic, model="BROADCASTING")
    refusal = pull(server, group, topic, subscribed=False)
    assert (refusal["code"], refusal["remark"].partition(",")[0]) == (
        "16", f"the consumer group[{group}] can not consume by broadcast way",
    )  # fmt: skip
    java.retire("C-broadcast")
