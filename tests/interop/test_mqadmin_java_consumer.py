"""Java's mqadmin on consumer groups and their offsets: one fixed text on every server; ours says the same.

A server of its own; the tests follow each other. The recorded scenario holds what a broker does that keeps offsets;
here is the broker that lets clients move, whose offline groups are moved from outside. A consumer of our client is what
is looked into.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmq.client import ClientConfig, ConsumeFromWhere, Message, PushConfig, blocking
from tests.golden.play import OurTool
from tests.kit.apache import MqAdmin
from tests.kit.driver import wait_until
from tests.kit.frames import ask
from tests.kit.server import RunningServer

pytestmark = pytest.mark.interop

UPDATE_CONSUMER_OFFSET = 15
QUERY_CONSUMER_OFFSET = 14
NOT_FOUND = 22
OWN_CONFIG = {"useServerSideResetOffset": "false"}
"""Clients are told to move, instead of being moved."""
SIX = "{:<20}  {:<20}  {:<20}  {:<20}  {:<20}  {:<20}\n".format


@pytest.fixture(scope="module")
def mq(mq: MqAdmin) -> MqAdmin:
    """Three messages in each of two queues of Orders."""
    mq.out("updateTopic", "-c", "DefaultCluster", "-t", "Orders", "-r", "2", "-w", "2")
    for queue in (0, 1):
        for body in range(3):
            mq.out("sendMessage", "-t", "Orders", "-p", str(body), "-b", "broker-a", "-i", str(queue))
    return mq


def commit(own: RunningServer, group: str, *offsets: int, topic: str = "Orders") -> None:
    for queue, offset in enumerate(offsets):
        fields = {"consumerGroup": group, "topic": topic, "queueId": str(queue), "commitOffset": str(offset)}
        header, _ = ask(own.broker_addr, UPDATE_CONSUMER_OFFSET, fields)
        assert header["code"] == 0, header


def committed(own: RunningServer, group: str) -> list[int | None]:
    """The group's offsets in the two queues of Orders."""
    found: list[int | None] = []
    for queue in (0, 1):
        fields = {"consumerGroup": group, "topic": "Orders", "queueId": str(queue), "setZeroIfNotFound": "false"}
        header, _ = ask(own.broker_addr, QUERY_CONSUMER_OFFSET, fields)
        assert header["code"] in {0, NOT_FOUND}, header
        found.append(None if header["code"] else int(header["extFields"]["offset"]))
    return found


def test_groups_of_a_file(mq: MqAdmin, ours: OurTool, own: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "groups.json"
    groups = [{"groupName": f"G{i}", "retryMaxTimes": i, "consumeFromMinEnable": False} for i in range(1, 4)]
    path.write_text(json.dumps(groups))
    assert mq.out("updateSubGroupList", "-b", own.broker_addr, "-f", str(path)) == (
        f"submit batch of group config to {own.broker_addr} success, please check the result later.\n"
    )
    shown = mq.out("getConsumerConfig", "-g", "G2")
    head, *lines = shown.splitlines()
    assert head == "=============================DefaultCluster:broker-a============================="
    fields = dict(re.split(r" *=  ", line, maxsplit=1) for line in lines)
    assert (fields["groupName"], fields["retryMaxTimes"], fields["consumeFromMinEnable"]) == ("G2", "2", "false")
    assert ours.run(["getConsumerConfig", "-g", "G2"]).out == shown


@pytest.mark.parametrize("tool", ["java", "ours"])
def test_an_offline_group_is_moved(mq: MqAdmin, ours: OurTool, own: RunningServer, tool: str) -> None:
    commit(own, "G1", 1, 2)
    words = ["resetOffsetByTime", "-g", "G1", "-t", "Orders", "-s"]

    def run(*more: str) -> str:
        """The output with its rows in order."""
        lines = (mq.out(*more) if tool == "java" else ours.run(more).out).splitlines(keepends=True)
        start = next(index for index, line in enumerate(lines) if line.startswith("#")) + 1
        return "".join([*lines[:start], *sorted(lines[start:])])

    intro = "reset consumer offset by specified consumerGroup[G1], topic[Orders], force[{}], timestamp(string)[{}], "
    head = ("#brokerName", "#queueId", "#brokerOffset", "#consumerOffset", "#timestampOffset")
    assert run(*words, "1000", "-f", "false") == (
        intro.format("false", 1000)
        + "timestamp(long)[1000]\n"
        + SIX(*head, "#resetOffset")
        + SIX("broker-a", 0, 3, 1, 0, 0)
        + SIX("broker-a", 1, 3, 2, 0, 0)
    )
    assert committed(own, "G1") == [0, 0]
    assert run(*words, "-1", "-f", "false") == (
        intro.format("false", -1)
        + "timestamp(long)[-1]\n"
        + SIX(*head, "#resetOffset")
        + SIX("broker-a", 0, 3, 0, 3, 0)
        + SIX("broker-a", 1, 3, 0, 3, 0)
    )
    assert committed(own, "G1") == [0, 0]
    assert run("skipAccumulatedMessage", "-g", "G1", "-t", "Orders") == (
        SIX(*head, "#rollbackOffset") + SIX("broker-a", 0, 3, 0, 3, 3) + SIX("broker-a", 1, 3, 0, 3, 3)
    )
    assert committed(own, "G1") == [3, 3]


def test_one_queue_of_an_offline_group(mq: MqAdmin, ours: OurTool, own: RunningServer) -> None:
    """Java's command goes on to a request that moves all queues; ours leaves the others alone."""
    words = ["resetOffsetByTime", "-g", "G1", "-t", "Orders", "-s", "0", "-b", own.broker_addr, "-q", "1", "-o", "2"]
    text = (
        f"start reset consumer offset by specified, group[G1], topic[Orders], queueId[1], broker[{own.broker_addr}], "
        "timestamp(string)[0], timestamp(long)[0]\nreset consumer offset to 2\n"
    )
    commit(own, "G1", 3, 3)
    assert ours.run(words).out == text
    assert committed(own, "G1") == [3, 2]
    commit(own, "G1", 3, 3)
    java = mq.run(*words)
    assert java.out == text
    assert "CODE: 206  DESC: Consumer not online, so can not reset offset" in java.err
    assert committed(own, "G1") == [3, 2]
    outside = ours.run([*words[:-1], "9"])
    assert (outside.exit, committed(own, "G1")) == (1, [3, 2])
    assert outside.err.startswith("mqadmin resetOffsetByTime: Target offset 9 not in consume queue range [0-3]")


def test_offsets_are_cloned(mq: MqAdmin, ours: OurTool, own: RunningServer) -> None:
    for topic in ("Other", "%RETRY%G1"):
        mq.out("updateTopic", "-c", "DefaultCluster", "-t", topic, "-r", "1", "-w", "1")
    commit(own, "G1", 1, 2)
    commit(own, "G1", 0, topic="Other")
    success = "clone group offset success. srcGroup[G1], destGroup=[{}], topic[Orders]"
    assert mq.out("cloneGroupOffset", "-s", "G1", "-d", "G2", "-t", "Orders") == success.format("G2")
    assert ours.run(["cloneGroupOffset", "-s", "G1", "-d", "G3", "-t", "Orders"]).out == success.format("G3")
    assert committed(own, "G2") == committed(own, "G3") == [1, 2]


def test_a_group_goes_with_its_topics_and_offsets(mq: MqAdmin, own: RunningServer) -> None:
    mq.out("updateTopic", "-c", "DefaultCluster", "-t", "%DLQ%G1", "-r", "1", "-w", "1")
    assert mq.out("deleteSubGroup", "-c", "DefaultCluster", "-g", "G1", "-r", "true") == (
        f"delete subscription group [G1] from broker [{own.broker_addr}] in cluster [DefaultCluster] success.\n"
    )
    assert mq.out("getConsumerConfig", "-g", "G1") == ""
    assert committed(own, "G1") == [None, None]
    assert not {"%RETRY%G1", "%DLQ%G1"} & set(mq.out("topicList").splitlines())


@pytest.fixture(scope="module")
def consumer(own: RunningServer) -> Iterator[str]:
    """The id of a consumer of Watched that has consumed all of Orders, and has said so."""
    received: list[Message] = []
    member = blocking.PushConsumer(
        "Watched",
        lambda messages, _: received.extend(messages),
        config=PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET),
        client_config=ClientConfig(
            namesrv_addr=own.namesrv_addr,
            client_ip="10.1.2.3",
            instance_name="watched",
            persist_consumer_offset_interval=0.5,
        ),
    )
    member.subscribe("Orders", "*")
    with member:
        wait_until(
            lambda: len(received) == 6 and committed(own, "Watched") == [3, 3],
            timeout=30,
            what=lambda: f"{len(received)} received, at {committed(own, 'Watched')}",
        )
        yield "10.1.2.3@watched"


def settled(text: str) -> list[str]:
    """A client's state without what passes, its settings in order."""
    text = re.sub(r"(?<=Timestamp=)\d{17}", "<time>", text)
    text = re.sub(r"(?<= )\d+\.\d\d(?= |$)", "<rate>", text)
    sections = text.split("\n\n\n")
    head, *settings = sections[0].splitlines()
    return [head, *sorted(settings), *sections[1:]]


def test_what_a_consumer_holds(mq: MqAdmin, ours: OurTool, consumer: str, tmp_path: Path) -> None:
    shown = mq.out("consumerStatus", "-g", "Watched", "-i", consumer)
    assert settled(ours.run(["consumerStatus", "-g", "Watched", "-i", consumer]).out) == settled(shown)
    assert "002 Topic: Orders                                   ClassFilter: false    SubExpression: *\n" in shown
    assert f"{'Orders':<32}  {'broker-a':<32}  {1:<4}  {3:<20}\n" in shown
    assert "\n#Consumer jstack#\n" in mq.out("consumerStatus", "-g", "Watched", "-i", consumer, "-s")

    listed = mq.out("consumerStatus", "-g", "Watched")
    stamp = re.compile(r"\d{13}(?=/)")
    assert stamp.sub("<ms>", ours.run(["consumerStatus", "-g", "Watched"]).out) == stamp.sub("<ms>", listed)
    assert listed.endswith("\n\n\nSame subscription in the same group of consumer\n\nRebalance OK\n")
    (file,) = (path for path in tmp_path.glob("*/*") if path.is_file())
    assert settled(file.read_text(encoding="utf-8")) == settled(shown)


def test_watching_all_groups(ours: OurTool, consumer: str) -> None:
    found = json.loads(ours.run(["startMonitoring", "--rounds", "1", "-f", "json"]).out)
    assert ("Watched", "Orders", 0) in [(row["group"], row["topic"], row["total"]) for row in found["undone"]]
    assert (found["notices"], found["deleted"]) == ([], [])
