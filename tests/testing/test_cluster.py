"""A cluster for tests: members go and come back, and nothing is left behind."""

from pathlib import Path
from typing import Any

import pytest

from rmq.server.clusters import UnknownModeError
from rmq.server.members import MemberError
from rmq.testing.cluster import RocketMQCluster
from rmq.wire.codes import ResponseCode
from tests.kit.frames import ask, create_topic, wait_for_broker

SEND_MESSAGE_V2 = 310
GET_MAX_OFFSET = 30
MIB = 1024 * 1024


def send(address: str, body: bytes) -> int:
    """Sends to queue 0 of T; the answer's code."""
    keys = {"a": "g", "b": "T", "c": "TBW102", "d": "1", "e": "0", "f": "0", "g": "0", "h": "0", "i": "", "j": "0"}
    return int(ask(address, SEND_MESSAGE_V2, keys, body)[0]["code"])


def length(address: str) -> int:
    """The number of messages in queue 0 of T."""
    return int(ask(address, GET_MAX_OFFSET, {"topic": "T", "queueId": "0"})[0]["extFields"]["offset"])


def test_masters_and_slaves_go_and_come_back(rocketmq_cluster: Any) -> None:
    cluster: RocketMQCluster = rocketmq_cluster("2m-2s-sync", settings={"slaveTimeout": 200})
    assert list(cluster.members) == ["namesrv-1", "broker-a", "broker-a-s", "broker-b", "broker-b-s"]
    master, slave = cluster.members["broker-a"], cluster.members["broker-a-s"]
    create_topic(cluster.namesrv_addr, master.address, "T", 1)
    assert send(master.address, b"one") == ResponseCode.SUCCESS
    assert (slave.store_dir / "commitlog" / f"{0:020}").stat().st_size == 16 * MIB
    slave.stop()
    assert send(master.address, b"two") == ResponseCode.FLUSH_SLAVE_TIMEOUT
    slave.start()
    cluster.wait_in_step()
    master.kill()
    assert (master.exit_code, length(slave.address)) == (-9, 2)
    master.start()
    cluster.wait_in_step()
    assert (send(master.address, b"three"), length(slave.address)) == (ResponseCode.SUCCESS, 3)


def test_a_directory_of_ones_own_stays_and_one_that_was_made_goes(rocketmq_cluster: Any, tmp_path: Path) -> None:
    own, made = rocketmq_cluster("single", tmp_path, name_servers=2), rocketmq_cluster("single")
    for name_server in own.namesrv_addr.split(";"):
        wait_for_broker(name_server, own.members["broker"].address, timeout=5)
    made_directory = made.members["broker"].directory.parent
    own.stop()
    made.stop()
    made.stop()
    assert [member.exit_code for cluster in (own, made) for member in cluster.members.values()] == [0] * 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broker", "cluster.lock", "namesrv-1", "namesrv-2"]
    assert not made_directory.exists()
    rocketmq_cluster("single", tmp_path)


def test_what_keeps_it_from_starting_is_raised_and_the_rest_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(UnknownModeError, match="the modes are single"):
        RocketMQCluster("3m")
    (tmp_path / "broker-b").mkdir()
    (tmp_path / "broker-b" / "store").write_text("a file, not a directory")
    with pytest.raises(MemberError, match=r"^broker-b cannot start, it ended with exit code 253: .*store"):
        RocketMQCluster("2m-noslave", tmp_path)
    assert "stopped" in (tmp_path / "broker-a" / "logs" / "broker.log").read_text()
    assert "stopped" in (tmp_path / "namesrv-1" / "logs" / "namesrv.log").read_text()
