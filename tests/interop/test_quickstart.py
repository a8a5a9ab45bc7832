"""The quickstart programs as processes: what they print, and that they end as they should."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.server import RunningServer

pytestmark = pytest.mark.interop

SENT = re.compile(
    r"SendResult \[sendStatus=SEND_OK, msgId=([0-9A-F]{32}|[0-9A-F]{56}), offsetMsgId=7F000001[0-9A-F]{24}, "
    r"messageQueue=MessageQueue \[topic=TopicTest, brokerName=broker-a, queueId=([0-3])\], queueOffset=\d+, "
    r"recallHandle=null\]"
)
RECEIVED = re.compile(
    r"ConsumeMessageThread_please_rename_unique_group_name_4_\d+ Receive New Messages: \[MessageExt \["
    r"brokerName=broker-a, queueId=[0-3], storeSize=\d+, queueOffset=\d+, sysFlag=0, bornTimestamp=\d+, "
    r"bornHost=/127\.0\.0\.1:\d+, storeTimestamp=\d+, storeHost=/127\.0\.0\.1:\d+, msgId=7F000001[0-9A-F]{24}, "
    r"commitLogOffset=\d+, bodyCRC=\d+, reconsumeTimes=0, preparedTransactionOffset=0, "
    r"toString\(\)=Message\{topic='TopicTest', flag=0, properties=\{CONSUME_START_TIME=\d+, MSG_REGION=DefaultRegion, "
    r"UNIQ_KEY=([0-9A-F]+), CLUSTER=DefaultCluster, MIN_OFFSET=0, TAGS=TagA, WAIT=true, TRACE_ON=true, "
    r"MAX_OFFSET=\d+\}, body=\[72, 101, 108, 108, 111, 32, [-\d, ]+\], transactionId='null'\}\]\] "
)


def words(program: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "rmq", "quickstart", program, *options]


def run(server: RunningServer, program: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words(program, *options),
        env={"NAMESRV_ADDR": server.namesrv_addr},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_thousand_messages_as_in_the_guides(server: RunningServer, tmp_path: Path) -> None:
    sent = run(server, "producer")
    assert (sent.returncode, sent.stderr) == (0, "")
    matches = [SENT.fullmatch(line) for line in sent.stdout.splitlines()]
    assert len(matches) == 1000
    assert all(matches)
    assert sorted(match[2] for match in matches[:4] if match) == ["0", "1", "2", "3"]
    output = tmp_path / "consumer"
    with output.open("w") as file:
        consumer = subprocess.Popen(
            words("consumer"), env={"NAMESRV_ADDR": server.namesrv_addr}, stdout=file, stderr=subprocess.PIPE
        )
        try:
            deadline = 1200
            while output.read_text().count("\n") < 1001 and deadline:
                deadline -= 1
                assert consumer.poll() is None
                try:
                    consumer.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            consumer.send_signal(signal.SIGINT)
            _, errors = consumer.communicate(timeout=30)
    assert (consumer.returncode, errors) == (0, b"")
    first, *lines = output.read_text().splitlines()
    assert first == "Consumer Started."
    received = [RECEIVED.fullmatch(line) for line in lines]
    assert all(received), next(line for line, match in zip(lines, received, strict=True) if not match)
    assert {match[1] for match in received if match} == {match[1] for match in matches if match}
    assert len(received) == 1000


def test_options_for_scripts(server: RunningServer) -> None:
    topic = ("-t", "Quick-script")
    sent = run(
        server,
        "producer",
        *topic,
        "-c",
        "5",
        "--body",
        "number {i}",
        "--key",
        "k{i}",
        "--tag",
        "T",
        "--json",
        "--rate",
        "100",
    )
    assert sent.returncode == 0, sent.stderr
    results = [json.loads(line) for line in sent.stdout.splitlines()]
    assert [result["sendStatus"] for result in results] == ["SEND_OK"] * 5
    consume = (*topic, "-g", "Quick-group", "--json", "--tag", "T", "--timeout", "60")
    parts = [run(server, "consumer", *consume, "-c", count) for count in ("2", "3")]
    assert [part.returncode for part in parts] == [0, 0], parts
    messages = [json.loads(line) for part in parts for line in part.stdout.splitlines()]
    assert sorted(m["body"] for m in messages) == [f"number {i}" for i in range(5)]
    assert {(m["msgId"], m["queueId"], m["queueOffset"]) for m in messages} == {
        (result["msgId"], result["queueId"], result["queueOffset"]) for result in results
    }
    assert sorted(m["keys"] for m in messages) == [f"k{i}" for i in range(5)]
    late = run(server, "consumer", *topic, "-g", "Quick-group", "-c", "1", "--timeout", "0.5")
    assert (late.returncode, late.stdout) == (1, "Consumer Started.\n")
