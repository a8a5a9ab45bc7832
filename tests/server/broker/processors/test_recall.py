"""Recalls."""

import base64
from typing import Any

import pytest

from rmq.wire.requests.send import RecallMessage
from tests.kit.broker import EPOCH, Bench, messages, pull_header, send_header, text_of

NOW = EPOCH * 1000
TIMER = "rmq_sys_wheel_timer"


@pytest.fixture
def bench(tmp_path: Any) -> Bench:
    bench = Bench(tmp_path, recallMessageEnable="true")
    bench.topic("T")
    return bench


def handle(*parts: str) -> str:
    return base64.urlsafe_b64encode(" ".join(parts).encode()).decode()


def valid(**changes: str) -> str:
    parts = {"version": "v1", "topic": "T", "broker": "broker-a", "time": str(NOW + 5001), "id": "U", **changes}
    return handle(*parts.values())


def run(bench: Bench, seconds: float) -> None:
    bench.clock.pump([0.1] * round(seconds * 10))


def test_a_recalled_message_does_not_come(bench: Bench) -> None:
    peer = bench.peer()
    handles = []
    for number in range(3):
        text = text_of(UNIQ_KEY=f"U{number}", TIMER_DELAY_MS="4000")
        handles.append(peer.ask(send_header("T", properties=text), b"%d" % number).ext["recallHandle"])
    answer = peer.ask(RecallMessage("T", handles[1], "PG"))
    assert (answer.code, answer.ext) == (0, {"msgId": "U1", "MSG_REGION": "DefaultRegion"})
    run(bench, 6)
    assert [message.body for message in messages(peer.ask(pull_header("T")))] == [b"0", b"2"]


def test_what_a_recall_stores(bench: Bench) -> None:
    peer = bench.peer()
    assert peer.ask(RecallMessage("T", valid(), "PG")).code == 0
    assert peer.ask(RecallMessage("T", valid())).code == 0
    bench.settings.store.append_topic_for_timer_delete_key = True
    assert peer.ask(RecallMessage("T", valid())).code == 0
    first, second, third = messages(peer.ask(pull_header(TIMER)))
    assert (first.body, first.flag, first.sys_flag) == (b"0", 0, 0)
    assert first.properties == {
        "TIMER_DEL_UNIQKEY": "U", "UNIQ_KEY": "U", "TIMER_DELIVER_MS": str(NOW + 5001), "TAGS": "_RECALL_TAG_",
        "BORN_TIMESTAMP": str(NOW), "PGROUP": "PG", "TIMER_OUT_MS": str(NOW + 5000), "REAL_TOPIC": "T", "REAL_QID": "0",
    }  # fmt: skip
    assert "PGROUP" not in second.properties
    assert third.properties["TIMER_DEL_UNIQKEY"] == "T+U"
    assert bench.stats.put_total == 3


@pytest.mark.parametrize(
    ("topic", "given", "code", "remark"),
    [
        ("T", "abc", 604, "recall handle is invalid"),
        ("X", "abc", 17, "recall failed, the topic[X] not exist"),
        ("T", valid(topic="T2"), 604, "recall failed, topic not match"),
        ("T", valid(broker="broker-b"), 604, "recall failed, broker service not available"),
        ("T", valid(time=str(NOW)), 604, "recall failed, timestamp invalid"),
        ("T", valid(time="x"), 604, "recall failed, timestamp invalid"),
        ("T", valid(time=str(NOW + 259_200_000)), 604, "recall failed, timestamp invalid"),
    ],
)
def test_refusals(bench: Bench, topic: str, given: str, code: int, remark: str) -> None:
    answer = bench.peer().ask(RecallMessage(topic, given))
    assert (answer.code, answer.remark) == (code, remark)
    assert bench.store.max_offset(TIMER, 0) == 0


def test_recalls_are_allowed_by_the_settings(bench: Bench) -> None:
    peer, broker = bench.peer(), bench.settings.broker
    broker.recall_message_enable = False
    answer = peer.ask(RecallMessage("T", valid()))
    assert (answer.code, answer.remark) == (16, "recall failed, operation is forbidden")
    broker.recall_message_enable = True
    broker.broker_permission = 4
    assert peer.ask(RecallMessage("T", valid())).code == 0
    broker.allow_recall_when_broker_not_writeable = False
    answer = peer.ask(RecallMessage("T", valid()))
    assert (answer.code, answer.remark) == (14, "recall failed, broker service not available")
    broker.broker_permission = 6
    broker.start_accept_send_request_time_stamp = NOW + 1
    assert peer.ask(RecallMessage("T", valid())).code == 14


def test_nobody_sends_into_the_timer_by_himself(bench: Bench) -> None:
    for topic in (TIMER, "SCHEDULE_TOPIC_XXXX"):
        text = text_of(TIMER_OUT_MS="1", REAL_TOPIC="../x", REAL_QID="0")
        answer = bench.peer().ask(send_header(topic, properties=text), b"x")
        assert (answer.code, answer.remark) == (16, f"Sending message to topic[{topic}] is forbidden.")
