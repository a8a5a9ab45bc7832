"""The Java client on static topics: it sees logical queues, whose messages lie in one physical queue after another.

On the one broker that there is, a queue moves from one of its physical queues to another. The last test has a broker of
each kind, between which queues move there and back.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rmq.admin.cli import main
from rmq.wire import fastjson
from tests.kit import toolchains
from tests.kit.apache import ApacheCluster
from tests.kit.driver import Driver, Outgoing, wait_until
from tests.kit.frames import ask, wait_for_broker
from tests.kit.ports import free_block
from tests.kit.process import Child
from tests.kit.server import BASE_CONFIG, RunningServer, write_config
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]

TOPIC, GROUP = "Static-moved", "G-static-moved"
GET_ROUTE, GET_TOPIC_CONFIG, QUERY_CONSUMER_OFFSET = 105, 351, 14
GET_MAX_OFFSET, GET_MIN_OFFSET = 30, 31


@pytest.fixture
def client(shared_drivers: StartDriver) -> Driver:
    toolchains.require("java")
    return shared_drivers(toolchains.java_client("5.4.0"))


def offset(server: RunningServer, code: int, **fields: Any) -> int:
    words = {"topic": TOPIC, "queueId": "0", **{key: str(value) for key, value in fields.items()}}
    header, _ = ask(server.broker_addr, code, words)
    assert header["code"] == 0, header
    return int(header["extFields"]["offset"])


def wait_for_mapping(server: RunningServer) -> None:
    def known() -> bool:
        header, body = ask(server.namesrv_addr, GET_ROUTE, {"topic": TOPIC})
        return header["code"] == 0 and b"topicQueueMappingByBroker" in body

    wait_until(known, timeout=60, what=lambda: "no mapping in the route")


def move(server: RunningServer, directory: Path) -> None:
    """The queue goes on at 10000 in the broker's other physical queue."""
    _, body = ask(server.broker_addr, GET_TOPIC_CONFIG, {"topic": TOPIC, "lo": "true"})
    share = fastjson.loads(body)
    detail = share["mappingDetail"]
    detail["epoch"] += 1000
    (items,) = detail["hostedQueues"].values()
    detail["hostedQueues"] = {"0": [*items, {**items[-1], "gen": 1, "queueId": 1, "logicOffset": 10000}]}
    detail["currIdMap"] = {}
    share["readQueueNums"] = share["writeQueueNums"] = 2
    plan = {"topic": TOPIC, "type": "REMAPPING", "epoch": detail["epoch"], "brokerConfigMap": {detail["bname"]: share}}
    path = directory / "plan.json"
    path.write_text(json.dumps(plan))
    words = ["-b", "broker-a", "-t", TOPIC, "-mf", str(path), "-n", server.namesrv_addr]
    assert main(["remappingStaticTopic", *words]) == 0


def send(client: Driver, numbers: range) -> list[tuple[int, int]]:
    """Queue and offset of each, as the client is told."""
    sent = client.send("P-static", TOPIC, [Outgoing(b"%d" % number) for number in numbers], threads=1)
    return [(one.queue_id, one.queue_offset) for one in sent]


def received(client: Driver, count: int) -> list[tuple[int, int]]:
    """Queue and offset of each message that a consumer got, in order."""
    messages = client.wait_received("C-static", count)
    return sorted((message.queue_id, message.queue_offset) for message in messages)


def test_a_queue_that_moves(
    server: RunningServer, client: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    words = ["-b", "broker-a", "-t", TOPIC, "-qn", "1", "-n", server.namesrv_addr]
    assert main(["updateStaticTopic", *words]) == 0
    wait_for_mapping(server)
    client.call("producer", name="P-static", group="PG-static")
    assert send(client, range(5)) == [(0, number) for number in range(5)]
    client.push("C-static", GROUP, TOPIC)
    client.wait_received("C-static", 5)
    move(server, tmp_path)
    assert send(client, range(5, 8)) == [(0, 10000 + number) for number in range(3)]
    assert received(client, 8) == [(0, number) for number in (*range(5), *range(10000, 10003))]
    assert (offset(server, GET_MIN_OFFSET), offset(server, GET_MAX_OFFSET)) == (0, 10003)
    wait_until(
        lambda: offset(server, QUERY_CONSUMER_OFFSET, consumerGroup=GROUP) == 10003,
        timeout=60,
        what=lambda: f"committed {offset(server, QUERY_CONSUMER_OFFSET, consumerGroup=GROUP)}",
    )
    # Below, both physical queues are what they are.
    ends = [offset(server, GET_MAX_OFFSET, queueId=number, lo="false") for number in range(2)]
    assert ends == [5, 3]


# --- two brokers ---------------------------------------------------------------------------------------------------


@pytest.fixture
def both(tmp_path: Path) -> Iterator[ApacheCluster]:
    """Apache's servers with broker-a, and broker-b of ours."""
    toolchains.require("java")
    apache = ApacheCluster(tmp_path)
    own = None
    try:
        port = free_block(-2, 0, 1)
        names = {"brokerName": "broker-b", "listenPort": str(port), "namesrvAddr": apache.namesrv_addr}
        path = write_config(tmp_path / "b.conf", {**BASE_CONFIG, **names, "storePathRootDir": str(tmp_path / "b")})
        environment = {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
        own = Child([sys.executable, "-m", "rmq", "broker", "-c", str(path)], cwd=tmp_path, env=environment)
        own.wait_line("boot success", timeout=30)
        wait_for_broker(apache.namesrv_addr, f"127.0.0.1:{port}")
        yield apache
    finally:
        if own is not None:
            own.kill()
        apache.kill()


@pytest.mark.long
def test_queues_move_between_brokers_of_both_kinds(
    both: ApacheCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each client begins after a move: one that has a route asks for another only after half a minute."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    clients: list[Driver] = []

    def begin() -> Driver:
        client = Driver(toolchains.java_client("5.4.0"), both.namesrv_addr, tmp_path)
        clients.append(client)
        client.call("producer", name="P-static", group="PG-static")
        return client

    def leaders(expected: dict[str, list[int]]) -> None:
        def now() -> dict[str, list[int]]:
            header, body = ask(both.namesrv_addr, GET_ROUTE, {"topic": TOPIC})
            mapping = fastjson.loads(body).get("topicQueueMappingByBroker", {}) if header["code"] == 0 else {}
            return {name: sorted(map(int, share["currIdMap"])) for name, share in mapping.items()}

        wait_until(lambda: now() == expected, timeout=60, what=lambda: f"led are {now()}")

    def manage(command: str, brokers: str, *words: str) -> None:
        assert main([command, "-b", brokers, "-t", TOPIC, *words, "-n", both.namesrv_addr]) == 0

    try:
        manage("updateStaticTopic", "broker-a", "-qn", "2")
        leaders({"broker-a": [0, 1], "broker-b": []})
        assert sorted(send(begin(), range(6))) == [(queue, number) for queue in range(2) for number in range(3)]
        manage("remappingStaticTopic", "broker-b")
        leaders({"broker-a": [], "broker-b": [0, 1]})
        # Ours fetches from Apache's what lay there before.
        client = begin()
        assert sorted(send(client, range(4))) == [(queue, 10000 + number) for queue in range(2) for number in range(2)]
        client.push("C-static", "G-first", TOPIC)
        expected = [(queue, number) for queue in range(2) for number in (0, 1, 2, 10000, 10001)]
        assert received(client, len(expected)) == expected
        manage("remappingStaticTopic", "broker-a,broker-b")
        leaders({"broker-a": [1], "broker-b": [0]})
        # And Apache's from ours.
        client = begin()
        assert sorted(send(client, range(4))) == [(0, 10002), (0, 10003), (1, 20000), (1, 20001)]
        client.push("C-static", "G-second", TOPIC)
        expected = sorted([*expected, (0, 10002), (0, 10003), (1, 20000), (1, 20001)])
        assert received(client, len(expected)) == expected
    finally:
        for client in clients:
            client.kill()
