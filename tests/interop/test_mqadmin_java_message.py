"""Java's mqadmin and ours look at the same messages on the chosen server, and print the same, byte for byte.

Beside the golden scenario: several queues, tags, charsets, times, traces of several groups, and a compaction file.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rmq.client import trace
from rmq.client.trace import Consumed, ConsumeReturn
from tests.golden.play import OurTool
from tests.kit import toolchains
from tests.kit.adminstored import record
from tests.kit.apache import MqAdmin
from tests.kit.driver import Driver, wait_until
from tests.kit.frames import create_topic
from tests.kit.server import BROKER_NAME, RunningServer

pytestmark = pytest.mark.interop

TOPIC, TRACES, GROUP = "Message-Looks", "Message-Traces", "Message-Group"
IDS = re.compile(r"[0-9A-F]{32}")
"""Ids of senders, and of brokers."""


class Tools:
    """Both, against one server."""

    def __init__(self, server: RunningServer, java: MqAdmin, home: Path) -> None:
        self._java = java
        self._ours = OurTool(server.namesrv_addr, home)

    def ours(self, *words: str, exit: int = 0) -> str:
        """What ours prints."""
        outcome = self._ours.run(words)
        assert outcome.exit == exit, outcome.err
        return outcome.out

    def same(self, *words: str, exit: int = 0, masked: Callable[[str], str] = str) -> str:
        """What both print."""
        printed = masked(self.ours(*words, exit=exit))
        assert printed == masked(self._java.run(*words).out)
        return printed


@pytest.fixture(scope="module")
def tools(server: RunningServer, admin: MqAdmin, tmp_path_factory: pytest.TempPathFactory) -> Tools:
    return Tools(server, admin, tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def ids(server: RunningServer, tools: Tools) -> list[str]:
    """Ids of ten messages in queue 1 of a topic with six queues; the third is the only one with TagB."""
    create_topic(server.namesrv_addr, server.broker_addr, TOPIC, 6)
    found = []
    for number in range(10):
        words = ["sendMessage", "-t", TOPIC, "-b", BROKER_NAME, "-i", "1", "-k", f"order-{number % 2} all"]
        words += ["-p", f"消息 {number}", "-c", "TagB" if number == 2 else "TagA"]
        found += IDS.findall(tools.ours(*words))
    wait_until(
        lambda: tools.ours("queryMsgByKey", "-t", TOPIC, "-k", "all").count("@all@") == 10,
        timeout=60,
        what=lambda: "the index is behind",
    )
    return found


@pytest.mark.parametrize(
    "line",
    [
        ("printMsg", "-t", TOPIC),
        ("printMsg", "-t", TOPIC, "-s", "TagB || TagC", "-d", "false"),
        ("printMsg", "-t", TOPIC, "-e", "2001-01-01#00:00:00:000"),
        ("printMsgByQueue", "-t", TOPIC, "-a", BROKER_NAME, "-i", "1", "-p", "true", "-d", "true", "-c", "GBK"),
        ("printMsgByQueue", "-t", TOPIC, "-a", BROKER_NAME, "-i", "1", "-f", "true", "-b", "0"),
        ("queryMsgByOffset", "-t", TOPIC, "-b", BROKER_NAME, "-i", "1", "-o", "2", "-f", "UTF-8"),
        ("queryMsgByKey", "-t", TOPIC, "-k", "order-1", "-m", "3"),
        ("queryMsgByKey", "-t", TOPIC, "-k", "TagB", "-p", "T"),
    ],
    ids=lambda line: " ".join((line[0], *line[3:])),
)
@pytest.mark.usefixtures("ids")
def test_looking_at_messages(tools: Tools, line: tuple[str, ...]) -> None:
    assert tools.same(*line)


def test_looking_at_a_message_by_its_id(tools: Tools, ids: list[str]) -> None:
    assert "\nKeys:                [order-0 all]\n" in tools.same(
        "queryMsgByUniqueKey", "-t", TOPIC, "-i", ids[2], "-a"
    )
    offset_id = IDS.findall(tools.same("queryMsgById", "-t", TOPIC, "-i", ids[3], "-f", "UTF-8"))[0]
    assert "\nMessage Body:        消息 3\n" in tools.same("queryMsgById", "-t", TOPIC, "-i", offset_id, "-f", "UTF-8")


def test_messages_of_a_time(tools: Tools, ids: list[str]) -> None:
    between = re.findall(r"storeTimestamp=(\d+)", tools.ours("printMsg", "-t", TOPIC))[5]
    line = ("printMsgByQueue", "-t", TOPIC, "-a", BROKER_NAME, "-i", "1", "-p", "true")
    later = tools.same(*line, "-b", between)
    assert ids[4] not in later
    assert later.count("\n") == 5
    earlier = tools.ours(*line, "-e", between)
    assert ids[5] not in earlier, "Apache's prints what its last pull has brought, to the end"
    assert earlier.count("\n") == 5


def test_a_message_pushed_to_a_consumer(
    tools: Tools, ids: list[str], shared_drivers: Callable[[toolchains.Program], Driver]
) -> None:
    driver = shared_drivers(toolchains.java_client("5.4.0"))
    client = driver.push(GROUP, GROUP, TOPIC)
    try:
        driver.wait_received(GROUP, len(ids))
        push = ("-t", TOPIC, "-i", ids[7], "-g", GROUP, "-d", client)
        for command in ("queryMsgById", "queryMsgByUniqueKey"):
            printed = tools.same(command, *push, masked=lambda text: re.sub(r"spentTimeMills=\d+", "", text))
            assert "consumeResult=CR_SUCCESS" in printed
        assert [message.msg_id for message in driver.wait_received(GROUP, len(ids) + 4)[-4:]] == [ids[7]] * 4
        nobody = ("-t", TOPIC, "-i", ids[7], "-g", GROUP, "-d", "nobody")
        assert tools.same("queryMsgById", *nobody, exit=1) == ""
        assert tools.same("queryMsgByUniqueKey", *nobody, exit=1).startswith("get consumer runtime info for nobody ")
    finally:
        driver.retire(GROUP)


def test_traces(server: RunningServer, tools: Tools) -> None:
    message_id, now = "C0000202620AD5EE9B53698A4B690001", time.time_ns() // 1_000_000
    item = [Consumed("T", message_id, "key", 0)]

    def consumed(group: str, *, success: bool) -> str:
        outcome = ConsumeReturn.SUCCESS if success else ConsumeReturn.EXCEPTION
        before = trace.consuming(item, time=now, region="R", group=group, call="c1").text
        after = trace.consumed(item, time=now, group=group, call="c1", cost=4, success=success, outcome=outcome)
        return before + after.text

    sent = trace.published(
        {"TAGS": "TagA"},
        time=now,
        region="R",
        group="PID",
        topic="T",
        message_id=message_id,
        broker=server.broker_addr,
        length=5,
        cost=7,
        offset_id="7F000001000027740000000000000000",
        success=True,
    ).text
    create_topic(server.namesrv_addr, server.broker_addr, TRACES, 1)
    for text in (sent + consumed("GID_b", success=True), consumed("GID_a", success=False) + sent):
        tools.ours("sendMessage", "-t", TRACES, "-k", message_id, "-p", text)
    line = ("queryMsgTraceById", "-i", message_id, "-t", TRACES)
    wait_until(lambda: tools.ours(*line).count("Pub ") == 2, timeout=60, what=lambda: "the index is behind")
    assert re.findall(r"^Sub +(\w+) .* (\w+) +$", tools.same(*line), re.MULTILINE) == [
        ("GID_a", "failed"),
        ("GID_b", "success"),
    ]


def test_timed_sends(server: RunningServer, tools: Tools) -> None:
    create_topic(server.namesrv_addr, server.broker_addr, "Message-Times", 3)
    printed = tools.same(
        "checkMsgSendRT",
        "-t",
        "Message-Times",
        "-a",
        "4",
        masked=lambda text: re.sub(r"[\d.]+$", "N", text, flags=re.M),
    )
    assert [line.split()[1:3] for line in printed.splitlines()[1:5]] == [[str(n), "true"] for n in (0, 1, 2, 0)]
    varying = re.compile(r"rt=\d+|[0-9A-F]{32,}|queueOffset=\d+")
    assert tools.same("sendMsgStatus", "-b", BROKER_NAME, "-c", "2", masked=lambda text: varying.sub("N", text))


def test_a_compaction_file(tools: Tools, tmp_path: Path) -> None:
    path = tmp_path / "00000000000000000000"
    content = record(b"one", properties={"KEYS": "k1", "TAGS": "TagA"}) + record(b"two", queue_offset=9)
    path.write_bytes(content + bytes(64))
    assert tools.same("dumpCompactionLog", "-f", str(path)).count("body=null") == 2
