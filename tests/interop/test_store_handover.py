"""A store written by one server and opened by the other: Apache's broker goes on where ours stopped, and the reverse.

RMQ_TEST_SERVER=apache hands from Apache to Apache: it proves this test itself.
"""

from pathlib import Path

import pytest

from tests.interop.scenarios import wait_for_shares
from tests.kit import toolchains
from tests.kit.apache import MqAdmin
from tests.kit.driver import Driver, Outgoing, Received, Sent, wait_until
from tests.kit.messages import assert_contiguous, assert_received_once, assert_reported, make_messages
from tests.kit.server import RunningServer, chosen_kind, maker

pytestmark = pytest.mark.interop

DIRECTIONS = [("rmq", "apache"), ("apache", "rmq")] if chosen_kind() == "rmq" else [("apache", "apache")]
TOPIC, GROUP = "Handed-over", "Readers"
QUEUES, TOTAL, READ = 8, 2000, 1200

# Small enough for the messages to fill several files.
CONFIG = {"mappedFileSizeCommitLog": str(4 * 1024 * 1024)}


def outgoing() -> list[Outgoing]:
    """Every fourth body is long: 12 MB in all."""
    messages = make_messages("handed", TOTAL)
    return [
        Outgoing(m.body + (bytes(range(256)) * 94 if i % 4 == 0 else b""), m.tags, m.keys, m.properties)
        for i, m in enumerate(messages)
    ]


class Handover:
    """Both ends with their clients."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path
        self.store_dir = tmp_path / "store"
        self.open: list[RunningServer | MqAdmin | Driver] = []

    def start(self, kind: str, name: str) -> tuple[RunningServer, MqAdmin, Driver]:
        home = self.tmp_path / name
        home.mkdir()
        server = maker(kind)(home, store_dir=self.store_dir, extra=CONFIG)
        self.open.append(server)
        admin = MqAdmin(server.namesrv_addr, home)
        self.open.append(admin)
        # A body that the client would compress stays as it is: the files are to fill.
        driver = Driver(toolchains.java_client("5.4.0"), server.namesrv_addr, home / "client")
        self.open.append(driver)
        driver.call("producer", name="P", group="Writers", compressOver=4_000_000)
        return server, admin, driver

    def close(self) -> None:
        for one in reversed(self.open):
            if isinstance(one, MqAdmin):
                one.close()
            else:
                one.kill()


def shown(admin: MqAdmin) -> dict[str, str]:
    """What mqadmin shows of the store, all of which must outlive the change of servers."""
    return {
        "status": admin.out("topicStatus", "-t", TOPIC),
        "keys": "".join(admin.out("queryMsgByKey", "-t", TOPIC, "-k", f"handed-{i}") for i in (0, 1, 999, READ - 1)),
        "progress": "\n".join(
            line
            for line in admin.out("consumerProgress", "-g", GROUP, "-t", TOPIC).split("\n")
            if not line.startswith("Consume TPS")
        ),
        "group": admin.out("getConsumerConfig", "-g", "Careful"),
        "read only": admin.out("topicRoute", "-t", "Read-only", "-l")
        .replace(" ", "")
        .split("broker-a")[1]
        .split("}")[1],
    }


def each_once(text: str) -> list[str]:
    """The lines, without those that were there before."""
    return list(dict.fromkeys(text.splitlines()))


def write(server: RunningServer, admin: MqAdmin, driver: Driver) -> list[Sent]:
    """Topics, a group, 1,200 messages that group Readers has consumed, and 800 that it has not."""
    messages = outgoing()
    admin.out("updateTopic", "-c", "DefaultCluster", "-t", TOPIC, "-r", str(QUEUES), "-w", str(QUEUES))
    admin.out("updateTopic", "-c", "DefaultCluster", "-t", "Read-only", "-r", "3", "-w", "3", "-p", "4")
    admin.out("updateSubGroup", "-c", "DefaultCluster", "-g", "Careful", "-r", "5", "-q", "3", "-s", "false")
    driver.push("reader", GROUP, TOPIC)
    wait_for_shares(lambda: [driver.queues("reader")], [QUEUES], QUEUES)
    sent = driver.send("P", TOPIC, messages[:READ])
    assert_received_once(driver.wait_received("reader", READ), messages[:READ], TOPIC)
    driver.call("stop", name="reader")
    sent += driver.send("P", TOPIC, messages[READ:])
    wait_until(
        lambda: f"handed-{TOTAL - 1}@" in admin.run("queryMsgByKey", "-t", TOPIC, "-k", f"handed-{TOTAL - 1}").out,
        timeout=60,
        what=lambda: "the last key is in no index",
    )
    return sent


def check_messages(driver: Driver, sent: list[Sent]) -> None:
    """All that was written is there, byte for byte, and the queues go on where they ended."""
    driver.push("fresh", "Fresh", TOPIC)
    received = assert_received_once(driver.wait_received("fresh", TOTAL), outgoing(), TOPIC)
    assert_reported(sent, received)
    counts = assert_contiguous(received)
    more = make_messages("after", 80)
    later = driver.send("P", TOPIC, more)
    arrived: list[Received] = driver.wait_received("fresh", TOTAL + 80)[TOTAL:]
    assert_reported(later, assert_received_once(arrived, more, TOPIC))
    assert sum(assert_contiguous(driver.received("fresh")).values()) == sum(counts.values()) + 80


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("writer_kind", "heir_kind"), DIRECTIONS)
def test_clean_handover(writer_kind: str, heir_kind: str, tmp_path: Path) -> None:
    toolchains.require("java")
    both = Handover(tmp_path)
    try:
        server, admin, driver = both.start(writer_kind, "writer")
        sent = write(server, admin, driver)
        before = shown(admin)
        driver.kill()
        server.stop()
        assert len(list((both.store_dir / "commitlog").iterdir())) >= 3

        _, admin, driver = both.start(heir_kind, "heir")
        after = shown(admin)
        assert after == before
        driver.push("reader", GROUP, TOPIC)
        rest = driver.wait_received("reader", TOTAL - READ)
        wanted = {message.keys for message in outgoing()[READ:]}
        assert {message.keys for message in rest} == wanted
        assert len(rest) == len(wanted)
        driver.call("stop", name="reader")
        check_messages(driver, sent)
    finally:
        both.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("writer_kind", "heir_kind"), DIRECTIONS)
def test_handover_after_kill(writer_kind: str, heir_kind: str, tmp_path: Path) -> None:
    """The writer is killed: offsets of the last seconds may be gone, messages, topics, groups and index may not."""
    toolchains.require("java")
    both = Handover(tmp_path)
    try:
        server, admin, driver = both.start(writer_kind, "writer")
        sent = write(server, admin, driver)
        before = shown(admin)
        driver.kill()
        server.kill()
        _, admin, driver = both.start(heir_kind, "heir")
        check_messages(driver, sent)
        after = shown(admin)
        assert [after[part] for part in ("group", "read only")] == [before[part] for part in ("group", "read only")]
        # Apache's broker indexes the newest message that the index's header names once more (IndexService.buildIndex).
        assert each_once(after["keys"]) == each_once(before["keys"])
    finally:
        both.close()
