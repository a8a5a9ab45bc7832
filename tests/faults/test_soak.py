"""Every kind of message at once, while the broker is killed again and again: nothing acknowledged is lost.

By hand for ten minutes:

    RMQ_SOAK_SECONDS=600 RMQ_SOAK_KILL_EVERY=45 python -m pytest -s tests/faults/test_soak.py
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import toolchains
from tests.kit.frames import ask, create_topic
from tests.kit.load import Channel, stored
from tests.kit.server import RunningServer, chosen_kind, maker
from tests.kit.soak import GROUPS, KEPT, Evidence, missing, summary, wrong

SECONDS = int(os.environ.get("RMQ_SOAK_SECONDS", "60"))
KILL_EVERY = int(os.environ.get("RMQ_SOAK_KILL_EVERY", "20"))
DRAIN = 120
"""Seconds that what is still under way may take after the last send."""
QUIET = 5
"""Seconds in which what must not come could still come."""
QUEUES = 4
LEVELS = (1, 2, 3, 5)
"""Seconds; a first retry comes after the third, a second one after the fourth."""
CONFIG = {
    "messageDelayLevel": " ".join(f"{seconds}s" for seconds in LEVELS + (5,) * 14),
    "enablePropertyFilter": "true",
    # Ends are noted long before anybody is asked: Apache asks about what has ended and is not noted yet.
    "transactionOpBatchInterval": "200",
    "transactionTimeOut": "5000",
    "transactionCheckInterval": "1000",
    "transactionCheckMax": "100",
    "mappedFileSizeCommitLog": str(16 * 1024 * 1024),
}
TOPICS = ("SoakPlain", "SoakOrdered", "SoakDelayed", "SoakTransaction", "SoakRetry", "SoakRequest")
DEAD_LETTERS, GIVEN_UP = "%DLQ%retrying", "TRANS_CHECK_MAX_TIME_TOPIC"
SET_MESSAGE_REQUEST_MODE, UPDATE_GROUP, GET_TOPIC_CONFIG = 401, 200, 351


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    toolchains.require("java")
    running = maker(chosen_kind())(tmp_path, extra=CONFIG)
    for topic in TOPICS:
        create_topic(running.namesrv_addr, running.broker_addr, topic, QUEUES)
    group = json.dumps({"groupName": "popping", "retryQueueNums": 1, "retryMaxTimes": 16}).encode()
    assert ask(running.broker_addr, UPDATE_GROUP, {}, group)[0]["code"] == 0
    mode = json.dumps({"topic": "SoakPlain", "consumerGroup": "popping", "mode": "POP", "popShareQueueNum": 0}).encode()
    assert ask(running.broker_addr, SET_MESSAGE_REQUEST_MODE, {}, mode)[0]["code"] == 0
    yield running
    running.kill()


class SoakProgram:
    """The Java program, and what it has written so far."""

    def __init__(self, namesrv_addr: str, home: Path) -> None:
        class_path = toolchains.java_client("5.4.0").class_path
        # A lock that is held no longer, and a queue without a consumer, show within seconds.
        flags = (
            "-Xmx512m", f"-Duser.home={home}", "-Drocketmq.client.rebalance.lockInterval=2000",
            "-Drocketmq.client.rebalance.waitInterval=2000",
        )  # fmt: skip
        self._file = home / "soak.tsv"
        words = toolchains.java(class_path, "interop.Soak", *flags)
        levels = ",".join(map(str, LEVELS))
        self._stderr = (home / "stderr").open("wb")
        self._process = subprocess.Popen(
            [*words, namesrv_addr, str(self._file), str(SECONDS), levels],
            cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr,
        )  # fmt: skip
        self._position = 0
        self.evidence = Evidence()

    def read(self) -> Evidence:
        """With everything up to now."""
        if self._file.exists():
            with self._file.open(encoding="utf-8") as file:
                file.seek(self._position)
                content = file.read()
            whole = content.rpartition("\n")[0]
            if whole:
                self._position += len(whole.encode()) + 1
                self.evidence.read(whole.split("\n"))
        return self.evidence

    def wait_sending(self) -> None:
        deadline = time.monotonic() + 60
        while not self.read().acknowledged:
            assert time.monotonic() < deadline, "nothing was acknowledged"
            assert self._process.poll() is None, "the program ended"
            time.sleep(0.2)

    def wait_sent(self) -> None:
        """Until everything is sent; the program tries for 20 seconds more than it was told."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"sent\n"

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._stderr.close()


def content(server: RunningServer, topic: str, queues: int = QUEUES) -> dict[tuple[str, int, int], str]:
    """What the broker holds at each place of a topic."""
    channel = Channel(server.broker_addr)
    try:
        return {
            (topic, queue_id, message.queue_offset): message.body.decode()
            for queue_id in range(queues)
            for message in stored(channel, topic, queue_id)
        }
    finally:
        channel.close()


def dead_letters(server: RunningServer) -> list[str]:
    return list(made_by_broker(server, DEAD_LETTERS).values())


def given_up(server: RunningServer) -> list[str]:
    """Transactions that nobody knew an outcome of."""
    return [f"{name} was given up" for name in made_by_broker(server, GIVEN_UP).values()]


def made_by_broker(server: RunningServer, topic: str) -> dict[tuple[str, int, int], str]:
    """The content of a topic of one queue, which the broker makes when it needs it."""
    if ask(server.broker_addr, GET_TOPIC_CONFIG, {"topic": topic})[0]["code"] != 0:
        return {}
    return content(server, topic, 1)


def kill_again_and_again(server: RunningServer, program: SoakProgram) -> None:
    """At least once; the last time early enough that what follows is under load too."""
    end = time.monotonic() + SECONDS
    while not program.evidence.kills or time.monotonic() + KILL_EVERY < end:
        time.sleep(min(KILL_EVERY, max(SECONDS / 2, 5)))
        server.kill()
        program.evidence.kills.append(int(time.time() * 1000))
        server.restart()
        program.read()


@pytest.mark.interop
@pytest.mark.timeout(SECONDS + DRAIN + 180)
def test_everything_at_once(server: RunningServer, tmp_path: Path) -> None:
    program = SoakProgram(server.namesrv_addr, tmp_path)
    try:
        program.wait_sending()
        kill_again_and_again(server, program)
        program.wait_sent()
        deadline = time.monotonic() + DRAIN
        while missing(program.read(), dead_letters(server)) and time.monotonic() < deadline:
            time.sleep(1)
        time.sleep(QUIET)
        program.end()
        evidence, dead = program.read(), dead_letters(server)
    finally:
        program.kill()
    print(f"\n{summary(evidence, dead)}", flush=True)
    held = {place: name for topic in KEPT for place, name in content(server, topic).items()}
    problems = missing(evidence, dead) + wrong(evidence, dead, held) + given_up(server)
    assert not problems, f"{len(problems)} problems:\n" + "\n".join(problems[:50])
    happened = {evidence.sent[name].kind for name in (*evidence.acknowledged, *evidence.answered)}
    assert happened == set(GROUPS)
    assert evidence.kills
    assert dead


# --- whether the check sees anything at all ---------------------------------------------------------------------------

GOOD = """\
S sync-1 sync 1000 0 a3
A sync-1 SoakPlain 0 0 1005
C all sync-1 SoakPlain 0 0 0 1004 1010
C tags sync-1 SoakPlain 0 0 0 1004 1010
C sql sync-1 SoakPlain 0 0 0 1004 1010
C popping sync-1 SoakPlain 0 0 0 1004 1010
S ordered-0-0 ordered 1000 0 0
A ordered-0-0 SoakOrdered 0 0 1001
C ordered ordered-0-0 SoakOrdered 0 0 0 1001 1002
S ordered-0-1 ordered 1000 0 0
A ordered-0-1 SoakOrdered 0 1 1001
C ordered ordered-0-1 SoakOrdered 0 1 0 1001 1002
S level-1 level 1000 3000 2
A level-1 SoakDelayed 0 0 1001
C delays level-1 SoakDelayed 1 0 0 3001 3002
S transaction-0 transaction 1000 0 commit
A transaction-0 SoakTransaction 0 0 1001
T transaction-0 COMMIT_MESSAGE 1001
C transactions transaction-0 SoakTransaction 0 0 0 1002 1003
S transaction-1 transaction 1000 0 rollback
A transaction-1 SoakTransaction 0 1 1001
T transaction-1 ROLLBACK_MESSAGE 1001
S retry-3 retry 1000 0 3
A retry-3 SoakRetry 0 0 1001
C retrying retry-3 SoakRetry 0 0 0 1001 1002
C retrying retry-3 SoakRetry 0 0 1 4002 4003
C retrying retry-3 SoakRetry 0 1 2 9003 9004
"""
HELD = {
    ("SoakPlain", 0, 0): "sync-1",
    ("SoakOrdered", 0, 0): "ordered-0-0",
    ("SoakOrdered", 0, 1): "ordered-0-1",
    ("SoakRetry", 0, 0): "retry-3",
}


def problems_of(text: str, *, dead: tuple[str, ...] = ("retry-3",), kills: tuple[int, ...] = ()) -> list[str]:
    evidence = Evidence(kills=list(kills))
    evidence.read(line.replace(" ", "\t") for line in text.splitlines())
    return missing(evidence, dead) + wrong(evidence, dead, HELD)


def test_nothing_is_wrong() -> None:
    assert problems_of(GOOD) == []
    assert problems_of(GOOD, dead=()) == ["retry-3 has failed for good and is no dead letter"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("C all sync-1 SoakPlain 0 0 0 1004 1010", "sync-1 was acknowledged and did not come to all"),
        ("C sql sync-1 SoakPlain 0 0 0 1004 1010", "sync-1 was acknowledged and did not come to sql"),
        ("C ordered ordered-0-1 SoakOrdered 0 1 0 1001 1002",
         "ordered-0-1 was acknowledged and did not come to ordered"),
        ("C ordered ordered-0-0 SoakOrdered 0 0 0 1001 1002", "ordered-0-1 came when key 0 was at -1"),
        ("C delays level-1 SoakDelayed 1 0 0 3001 3002", "level-1 was acknowledged and did not come to delays"),
        ("C transactions transaction-0 SoakTransaction 0 0 0 1002 1003",
         "transaction-0 was acknowledged and did not come to transactions"),
        ("C retrying retry-3 SoakRetry 0 0 1 4002 4003", "retry-3 is to fail 3 times and was tried as [0, 2]"),
    ],
)  # fmt: skip
def test_what_is_lost_shows(line: str, problem: str) -> None:
    assert line in GOOD
    assert problem in problems_of(GOOD.replace(f"{line}\n", ""))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("A sync-1 SoakPlain 0 7 1005", "sync-1 was acknowledged at ('SoakPlain', 0, 7), where None is"),
        ("C transactions transaction-1 SoakTransaction 0 1 0 1002 1003",
         "transaction-1 (rollback) came to transactions"),
        ("T transaction-1 COMMIT_MESSAGE 1001", "transaction-1 was told to be committed and rolled back"),
        ("C delays level-1 SoakDelayed 1 0 0 2900 2901", "level-1 came 99 ms too early"),
        ("C ordered ordered-0-0 SoakOrdered 0 2 0 1001 1002", "ordered-0-0 went back, and its place is new"),
        ("C all sync-2 SoakPlain 0 1 0 1004 1010", "sync-2 came to all and was never sent"),
        ("S sync-2 sync 1000 0 c9\nC tags sync-2 SoakPlain 0 1 0 1004 1010", "sync-2 (c9) came to tags"),
    ],
)  # fmt: skip
def test_what_may_not_be_shows(line: str, problem: str) -> None:
    assert problem in problems_of(f"{GOOD}{line}\n")


def test_duplicates_need_a_reason() -> None:
    again = f"{GOOD}C all sync-1 SoakPlain 0 0 0 1004 5000\n"
    (problem,) = problems_of(again)
    assert problem.startswith("sync sync-1 to all at ")
    assert problems_of(again, kills=(3000,)) == []
    assert len(problems_of(again, kills=(6000,))) == 1
    copied = f"{GOOD}C all sync-1 SoakPlain 0 5 0 4999 5000\n"
    assert len(problems_of(copied)) == 1
    assert problems_of(f"S sync-1 sync 900 0 a3\n{copied}") == []
    handed_over = f"{GOOD}C ordered ordered-0-1 SoakOrdered 0 1 0 1001 9000\n"
    assert problems_of(handed_over, kills=(500,)) == []
    assert len(problems_of(handed_over)) == 1
