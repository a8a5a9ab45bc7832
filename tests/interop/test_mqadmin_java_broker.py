"""Java's mqadmin on a broker's figures, limits and engines: one fixed text on every server; ours says the same.

A server of its own; the tests follow each other. The recorded scenario holds a group that consumes one topic; here are
groups of several, which our tool asks for all at once.
"""


import pytest

from tests.golden.play import OurTool
from tests.kit.apache import MqAdmin
from tests.kit.driver import wait_until
from tests.kit.frames import ask
from tests.kit.server import RunningServer

pytestmark = pytest.mark.interop

UPDATE_CONSUMER_OFFSET = 15
LIMITS = """{
	"runtimeTable":{
		
	},
	"configTable":{%s
	},
	"cgColdReadThreshold":3145728,
	"globalColdReadThreshold":104857600,
	"globalAcc":0
}
"""  # noqa: W293


@pytest.fixture(scope="module")
def mq(own: RunningServer, mq: MqAdmin) -> MqAdmin:
    """Two messages in each of two queues of Orders and Returns, which Buyers have half consumed and Sellers not yet."""
    for topic in ("Orders", "Returns"):
        mq.out("updateTopic", "-c", "DefaultCluster", "-t", topic, "-r", "2", "-w", "2")
        for queue in (0, 0, 1, 1):
            mq.out("sendMessage", "-t", topic, "-p", "body", "-b", "broker-a", "-i", str(queue))
    for group in ("Buyers", "Sellers"):
        mq.out("updateSubGroup", "-c", "DefaultCluster", "-g", group)
        mq.out("updateTopic", "-c", "DefaultCluster", "-t", f"%RETRY%{group}", "-r", "1", "-w", "1")
    commit(own, "Buyers", "Orders", 1, 2)
    commit(own, "Buyers", "Returns", 1, 0)
    commit(own, "Sellers", "Orders", 0, 0)
    return mq


def commit(own: RunningServer, group: str, topic: str, *offsets: int) -> None:
    for queue, offset in enumerate(offsets):
        fields = {"consumerGroup": group, "topic": topic, "queueId": str(queue), "commitOffset": str(offset)}
        header, _ = ask(own.broker_addr, UPDATE_CONSUMER_OFFSET, fields)
        assert header["code"] == 0, header


def both(mq: MqAdmin, ours: OurTool, *words: str) -> str:
    """What both tools print."""
    printed = mq.out(*words)
    outcome = ours.run(list(words))
    assert (outcome.exit, outcome.err) == (0, "")
    assert outcome.out == printed
    return printed


def refused(mq: MqAdmin, ours: OurTool, code: int, *words: str) -> None:
    """Both tools fail for the same reason and print nothing."""
    printed, outcome = mq.run(*words), ours.run([*words])
    assert (printed.out, outcome.out, outcome.exit) == ("", "", 1)
    assert f"CODE: {code}  DESC: " in printed.err
    assert f"answered code {code} " in outcome.err


# --- figures


def figures(text: str) -> set[tuple[str, ...]]:
    """Topic, group and messages behind of each row that is not one of the broker's own topics."""
    rows = [(line[:64].strip(), line[66:130].strip(), line[131:143].strip()) for line in text.splitlines()]
    return {row for row in rows if row[0] in {"Orders", "Returns"}}


def test_traffic_of_all_topics(mq: MqAdmin, ours: OurTool) -> None:
    expected = {("Orders", "Buyers", "1"), ("Orders", "Sellers", "4"), ("Returns", "Buyers", "3")}
    wait_until(lambda: figures(mq.out("statsAll")) == expected, timeout=30, what=lambda: mq.out("statsAll"))
    outcome = ours.run(["statsAll"])
    assert figures(outcome.out) == expected
    assert outcome.exit == 0
    assert figures(ours.run(["statsAll", "-t", "Returns"]).out) == {("Returns", "Buyers", "3")}


def test_progress_of_all_groups(mq: MqAdmin, ours: OurTool) -> None:
    row = "{:<64}  {:<6}  {:<24} {:<5}  {:<14}  {:<7}  {}".format
    expected = [row("Buyers", 0, "OFFLINE", "", "", 0, 4), row("Sellers", 0, "OFFLINE", "", "", 0, 4)]
    for printed in (mq.out("consumerProgress"), ours.run(["consumerProgress"]).out):
        # Java's tool shows topics and groups in the order of its hash set.
        assert sorted(printed.splitlines()[1:]) == expected


def test_progress_of_a_broker(mq: MqAdmin, ours: OurTool, own: RunningServer) -> None:
    lines = both(mq, ours, "brokerConsumeStats", "-b", own.broker_addr).splitlines()
    rows = sorted(line.split()[:7] for line in lines[1:-2])
    # Queues of which nothing was consumed are left out.
    assert rows == [
        ["Orders", "Buyers", "broker-a", "0", "2", "1", "1"],
        ["Orders", "Buyers", "broker-a", "1", "2", "2", "0"],
        ["Returns", "Buyers", "broker-a", "0", "2", "1", "1"],
    ]
    assert lines[-2:] == ["", "Diff Total: 8"]
    level = both(mq, ours, "brokerConsumeStats", "-b", own.broker_addr, "-l", "1").splitlines()
    assert len(level) == len(lines) - 1


def test_replication_and_entries(mq: MqAdmin, ours: OurTool, own: RunningServer) -> None:
    assert both(mq, ours, "haStatus", "-c", "DefaultCluster").startswith(f"\n#MasterAddr\t{own.broker_addr}\n")
    assert "idx: 1\nConsumeQueueData{physicOffset=" in both(mq, ours, "queryCq", "-t", "Orders", "-q", "1", "-i", "1")
    both(mq, ours, "producer", "-b", own.broker_addr)


# --- limits and engines


def test_limits_for_old_data(mq: MqAdmin, ours: OurTool, own: RunningServer) -> None:
    broker = own.broker_addr
    words = ("updateColdDataFlowCtrGroupConfig", "-b", broker)
    assert mq.out(*words, "-g", "Buyers", "-v", "7") == f"{words[0]} success, {broker}\n"
    assert mq.out(*words, "-g", "Sellers", "-v", "x") == f"{words[0]} success, {broker}\n"
    shown = both(mq, ours, "getColdDataFlowCtrInfo", "-c", "DefaultCluster")
    assert shown == f" ============Master: {broker}============\n" + LIMITS % '\n\t\t"Buyers":7'
    removed = mq.out("removeColdDataFlowCtrGroupConfig", "-b", broker, "-g", "Buyers")
    assert removed == f"remove broker cold read threshold success, {broker}\n"
    assert both(mq, ours, "getColdDataFlowCtrInfo", "-b", broker) == (
        f" ============{broker}============\n" + LIMITS % "\n\t\t"
    )


def test_reading_ahead(mq: MqAdmin, ours: OurTool, own: RunningServer) -> None:
    for mode, shown in (("1", "false"), ("0", "true")):
        assert both(mq, ours, "setCommitLogReadAheadMode", "-b", own.broker_addr, "-m", mode) == (
            f" ============{own.broker_addr}============\n"
            f"commitLog set readAhead mode rstStrset commitlog readahead mode success, mode: {mode}\n"
        )
        settings = mq.out("getBrokerConfig", "-b", own.broker_addr)
        assert f"{'dataReadAheadEnable':<50}=  {shown}\n" in settings


def test_engines(mq: MqAdmin, ours: OurTool, own: RunningServer) -> None:
    assert both(mq, ours, "switchTimerEngine", "-c", "DefaultCluster", "-e", "F") == (
        f"switchTimerEngine to FILE_TIME_WHEEL success, {own.broker_addr}\n"
    )
    refused(mq, ours, 29, "switchTimerEngine", "-b", own.broker_addr, "-e", "R")
    assert both(mq, ours, "resetMasterFlushOffset", "-b", own.broker_addr, "-o", "5") == (
        "reset master flush offset to 5 success\n"
    )


def test_what_needs_a_controller_or_a_container(mq: MqAdmin, ours: OurTool, own: RunningServer) -> None:
    refused(mq, ours, 1, "getBrokerEpoch", "-b", "broker-a")
    refused(mq, ours, 3, "getControllerMetaData", "-a", own.namesrv_addr)
    refused(mq, ours, 3, "getControllerConfig", "-a", own.namesrv_addr)
    refused(mq, ours, 3, "addBroker", "-c", own.broker_addr, "-b", "/tmp/b.conf")
