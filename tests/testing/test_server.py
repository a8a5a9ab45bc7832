"""A running RocketMQ in a thread: quick, on its own reactor, complete, and gone without a trace."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from rmq.testing.server import RocketMQ
from tests.kit.frames import ask, wait_for_broker

GET_BROKER_CLUSTER_INFO = 106


def test_the_session_has_one_that_answers(rocketmq: RocketMQ) -> None:
    wait_for_broker(rocketmq.namesrv_addr, rocketmq.broker_addr, timeout=5)
    assert (rocketmq.store_dir / "lock").exists()


def test_each_made_one_is_its_own_and_goes_away(rocketmq_factory: Any) -> None:
    first, second = rocketmq_factory(), rocketmq_factory()
    assert len({first.namesrv_addr, second.namesrv_addr, first.broker_addr, second.broker_addr}) == 4
    _, cluster = ask(first.namesrv_addr, GET_BROKER_CLUSTER_INFO)
    assert second.broker_addr.encode() not in cluster
    threads = threading.active_count()
    first.stop()
    first.stop()
    assert threading.active_count() < threads
    assert not first.store_dir.exists()
    wait_for_broker(second.namesrv_addr, second.broker_addr, timeout=5)


def test_a_directory_of_ones_own_stays_and_can_be_used_again(rocketmq_factory: Any, tmp_path: Path) -> None:
    rocketmq_factory(tmp_path).stop()
    assert (tmp_path / "store" / "checkpoint").exists()
    assert not (tmp_path / "store" / "abort").exists()
    again = rocketmq_factory(tmp_path, {"brokerName": "other"})
    _, cluster = ask(again.namesrv_addr, GET_BROKER_CLUSTER_INFO)
    assert b'"other"' in cluster


def test_what_keeps_it_from_starting_is_raised(rocketmq_factory: Any, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file, not a directory")
    with pytest.raises(Exception, match="store"):
        rocketmq_factory(tmp_path)
    with pytest.raises(Exception, match="brokerRole"):
        rocketmq_factory(tmp_path / "x", {"brokerRole": "SOMETHING"})


def test_it_runs_beside_asyncio(tmp_path: Path) -> None:
    program = (
        "import asyncio\n"
        "from rmq.testing.server import RocketMQ\n"
        "from rmq.remoting.aio import AsyncioClient\n"
        "from rmq.wire.requests.route import GetBrokerClusterInfo\n"
        "async def main():\n"
        "    with RocketMQ() as running:\n"
        "        client = AsyncioClient()\n"
        "        answer = await client.call(running.namesrv_addr, GetBrokerClusterInfo())\n"
        "        assert running.broker_addr.encode() in answer.body\n"
        "        await client.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
