"""Priorities and the queues that they lead to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rmq.server.broker.priority import apply_priority
from rmq.server.broker.putting import MessageInner
from tests.kit.broker import Bench, messages, pull_header, send_header, text_of


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def placed(properties: dict[str, str]) -> tuple[int, dict[str, str]]:
    message = MessageInner("T", 1, b"", dict(properties), 0, 0, 0, b"\x7f\0\0\1\0\0\0\1")
    apply_priority(message, 4)
    return message.queue_id, message.properties


@pytest.mark.parametrize(
    ("text", "queue_id"),
    [("0", 0), ("2", 2), ("3", 3), ("4", 3), ("2147483647", 3), ("2147483648", 1), ("-1", 1), ("x", 1)],
)
def test_the_priority_is_the_queue(text: str, queue_id: int) -> None:
    assert placed({"_SYS_MSG_PRIORITY_": text}) == (queue_id, {"_SYS_MSG_PRIORITY_": text})


def test_messages_without_one_stay() -> None:
    assert placed({"DELAY": "3"}) == (1, {"DELAY": "3"})


@pytest.mark.parametrize(
    "other",
    [{"TRAN_MSG": "true"}, {"DELAY": "3"}, {"TIMER_DELAY_MS": "5"}, {"__SHARDINGKEY": "k"}],
)
def test_other_kinds_of_messages_lose_it(other: dict[str, str]) -> None:
    assert placed({"_SYS_MSG_PRIORITY_": "3", **other}) == (1, other)


def test_over_the_wire(bench: Bench) -> None:
    bench.topic("T", 4)
    peer = bench.peer()
    answer = peer.ask(send_header("T", 0, properties=text_of(_SYS_MSG_PRIORITY_="2")), b"urgent")
    assert (answer.code, answer.ext["queueId"], answer.ext["queueOffset"]) == (0, "2", "0")
    (message,) = messages(peer.ask(pull_header("T", queue_id=2)))
    assert (message.body, message.properties["_SYS_MSG_PRIORITY_"]) == (b"urgent", "2")
