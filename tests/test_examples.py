"""Every program in `examples/` runs as it stands and prints what its first lines promise."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmq.testing.server import RocketMQ

EXAMPLES = Path(__file__).parents[1] / "examples"

SETTINGS = {
    "enablePropertyFilter": True,
    "recallMessageEnable": True,
    # So that the broker asks soon what became of a transaction.
    "transactionTimeOut": 1000,
    "transactionCheckInterval": 500,
}

OUTPUTS = {
    "asynchronous": "sent 100 messages to 4 queues\nreceived 100 messages, the sum of their numbers is 4950\n",
    "batch": r"10000 messages went in \d+ batches\nreceived 10000 messages\n",
    "broadcast": "first: reload 1\nfirst: reload 2\nsecond: reload 1\nsecond: reload 2\n",
    "delay": "level 0 after 0 s\nlevel 1 after 1 s\nlevel 2 after 5 s\n",
    "lite_pull": "polled 0 to 19\nagain from 15: 15 16 17 18 19\ncommitted 20\n",
    "oneway": "sent 1000 lines without an answer\nthe topic holds 1000 lines more\n",
    "order": "".join(f"order {i}: create -> pay -> push -> finish\n" for i in range(1, 6)),
    "pause_resume": (
        "consumed before the pause: 5\nconsumed during the pause: at most 4 more\nconsumed after the pause: 105\n"
    ),
    "request_reply": r"6 \* 7 = 42\nnobody answered in time\n",
    "simple": "".join(f"sent {i}: SEND_OK\n" for i in range(3)) + "".join(f"received hello {i}\n" for i in range(3)),
    "sql_filter": "Kiel: 30 degrees\nRome: 35 degrees\n",
    "tag_filter": "paid: order 1\nshipped: order 1\n",
    "test_with_rocketmq": r"\.\. +\[100%\]\n2 passed in .*\n",
    "timer": "recalled: never\nin three seconds\nat a time\n",
    "trace": "Pub example_trace_producer true\nSubBefore example_trace retry 0\nSubAfter example_trace true\n",
    "transaction": (
        "order 1: COMMIT_MESSAGE\norder 2: ROLLBACK_MESSAGE\norder 3: UNKNOW\ndelivered: order 1\n"
        "the broker asks about order 3\ndelivered: order 3\n"
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[RocketMQ]:
    with RocketMQ(settings=SETTINGS) as running:
        yield running


def programs() -> list[str]:
    return sorted(path.stem for path in EXAMPLES.glob("*.py"))


def test_every_example_is_known() -> None:
    assert programs() == sorted(OUTPUTS)


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_it_prints_what_it_says(name: str, server: RocketMQ, tmp_path: Path) -> None:
    path = EXAMPLES / f"{name}.py"
    words = [str(path)]
    if name.startswith("test_"):
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(path)]
    # Options meant for this very run of the tests are none of the example's.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    environment = {"NAMESRV_ADDR": server.namesrv_addr, "HOME": str(tmp_path), "PYTHONPATH": str(EXAMPLES.parent)}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(OUTPUTS[name], done.stdout)


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_it_is_short_and_says_how_to_run_it(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert f"examples/{name}.py\n" in text.split('"""')[1]
    assert "prints " in text.split('"""')[1]
