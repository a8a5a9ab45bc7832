"""What was not acknowledged comes again: reading the revive log, and what is kept over restarts."""

import json
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from rmq.server.broker.pop import revive
from rmq.server.broker.pop.inflight import InflightCounter
from rmq.server.broker.pop.revive import ReviveQueue, Reviver
from rmq.server.broker.pop.revivelog import ReviveLog
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.store.api import PutStatus
from rmq.wire.bodies.pop import AckRecord, PopCheckPoint
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.declare import Declared, encode_body
from rmq.wire.message import StoredMessage, decode_messages
from tests.kit.broker import EPOCH, HOST, Bench, messages
from tests.kit.pops import (
    REVIVE_GROUP,
    REVIVE_TOPIC,
    ack,
    bodies,
    committed,
    fill,
    pass_time,
    pop,
    revive_log,
    start_pop,
)

NOW = EPOCH * 1000
RETRY = "%RETRY%G_T"


def retried(bench: Bench, topic: str = RETRY, queue_id: int = 0) -> list[StoredMessage]:
    result = bench.store.get(topic, queue_id, 0, 32)
    return list(decode_messages(b"".join(result.chunks)))


# --- the whole way --------------------------------------------------------------------------------------------------


def test_what_is_not_acknowledged_in_time_comes_again(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 4)
    answer = pop(bench, invisible_time=5000)
    for number in (1, 3):
        assert ack(bench, answer, messages(answer)[number]).code == 0
    pass_time(bench, 6.5)
    assert retried(bench) == []
    pass_time(bench, 3)
    first, second = retried(bench)
    assert (first.body, second.body) == (b"0", b"2")
    assert (first.topic, first.queue_id, first.reconsume_times, first.flag) == (RETRY, 0, 1, 7)
    assert (first.born_timestamp, first.born_host) == (1_600_000_000_000, HOST)
    assert first.properties == {"TAGS": "a", "1ST_POP_TIME": str(NOW), "ORIGIN_GROUP": "G"}
    assert bench.topics.configs[RETRY].read_queue_nums == 1
    assert committed(bench, RETRY) == {0: 0}
    again = pop(bench, invisible_time=5000)
    assert bodies(again) == [b"0", b"2"]
    second_time = bench.now()
    pass_time(bench, 10)
    assert [(m.body, m.reconsume_times, m.properties["1ST_POP_TIME"]) for m in retried(bench)[2:]] == [
        (b"0", 2, str(NOW)), (b"2", 2, str(NOW)),
    ]  # fmt: skip
    assert second_time > NOW


def test_a_waiting_pop_gets_it_at_once(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 1)
    pop(bench, invisible_time=5000)
    peer = bench.peer()
    assert start_pop(peer, poll_time=30_000) == []
    pass_time(bench, 10)
    (answer,) = peer.answers()
    assert bodies(answer) == [b"0"]


def test_a_delay_is_not_waited_for_again(bench: Bench) -> None:
    bench.topic("T", 1)
    properties = {"DELAY": "5", "TIMER_DELAY_SEC": "600"}
    MessagePutter(bench.store).put(MessageInner("T", 0, b"late", properties, 0, 0, 0, HOST))
    pop(bench, invisible_time=5000)
    pass_time(bench, 10)
    (message,) = retried(bench)
    assert message.properties == {**properties, "1ST_POP_TIME": str(NOW), "ORIGIN_GROUP": "G"}


def test_queues_of_their_own(bench: Bench) -> None:
    bench.topic("T", 3)
    bench.settings.broker.use_separate_retry_queue = True
    bench.settings.broker.enable_retry_topic_v2 = True
    for queue_id in (0, 2):
        fill(bench, 1, queue_id=queue_id)
    pop(bench, invisible_time=5000)
    pass_time(bench, 10)
    assert [len(retried(bench, "%RETRY%G+T", queue_id)) for queue_id in range(3)] == [1, 0, 1]


@pytest.mark.parametrize("gone", ["topic", "group"])
def test_what_belongs_to_nobody_is_passed_over(bench: Bench, gone: str) -> None:
    bench.topic("T", 1)
    fill(bench, 1)
    pop(bench, invisible_time=5000)
    if gone == "topic":
        bench.topics.remove("T")
    else:
        bench.groups.remove("G")
    pass_time(bench, 10)
    assert (retried(bench), bench.offsets.queues(REVIVE_GROUP, REVIVE_TOPIC)) == ([], {0: 0})


def test_messages_that_are_gone_are_passed_over(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 1)
    pop(bench, invisible_time=5000)
    bench.store.destroy_topic("T")
    pass_time(bench, 10)
    assert (retried(bench), bench.offsets.queues(REVIVE_GROUP, REVIVE_TOPIC)) == ([], {0: 0})


def test_a_store_that_is_full_loses_nothing(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 3)
    pop(bench, invisible_time=5000)
    pass_time(bench, 6.5)
    bench.store._set_disk_full(True)
    pass_time(bench, 10)
    assert (retried(bench), bench.offsets.queues(REVIVE_GROUP, REVIVE_TOPIC)) == ([], {})
    bench.store._set_disk_full(False)
    pass_time(bench, 2)
    assert [m.body for m in retried(bench)] == [b"0", b"1", b"2"]
    assert bench.offsets.queues(REVIVE_GROUP, REVIVE_TOPIC) == {0: 0}


def test_a_message_that_was_tried_too_often_comes_again(bench: Bench) -> None:
    """A peer may send any reconsume count; it must not keep the others' messages away."""
    bench.topic("T", 1)
    most = 2**31 - 1
    MessagePutter(bench.store).put(MessageInner("T", 0, b"often", {}, 0, 0, 0, HOST, reconsume_times=most))
    fill(bench, 1)
    pop(bench, invisible_time=5000)
    pass_time(bench, 10)
    assert [(m.body, m.reconsume_times) for m in retried(bench)] == [(b"often", most), (b"0", 1)]


def test_a_message_that_cannot_come_again_now_is_put_off(bench: Bench) -> None:
    """Nobody waits for it: it gets a check point of its own, later and later."""
    bench.topic("T", 1)
    long = {"KEYS": "k" * (32767 - 6 - 20)}
    assert MessagePutter(bench.store).put(MessageInner("T", 0, b"long", long, 0, 0, 0, HOST)).status is PutStatus.PUT_OK
    fill(bench, 1)
    pop(bench, invisible_time=5000)
    pass_time(bench, 10)
    assert [m.body for m in retried(bench)] == [b"0"]
    assert bench.offsets.queues(REVIVE_GROUP, REVIVE_TOPIC) == {0: 0}
    later = json.loads(revive_log(bench)[-1][2])
    assert (later["so"], later["n"], later["d"], later["it"], later["rp"]) == (0, 1, [0], 10_000, "1")
    pass_time(bench, 20)
    again = json.loads(revive_log(bench)[-1][2])
    assert (len(revive_log(bench)), again["so"], again["it"], again["rp"]) == (3, 0, 20_000, "2")


def test_one_queue_that_fails_does_not_hold_up_the_others(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.topic("T", 1)
    fill(bench, 2)
    for _ in range(2):
        pop(bench, invisible_time=5000, max_msg_nums=1)
    whole = ReviveQueue.read

    def broken(queue: ReviveQueue) -> None:
        if queue.queue_id == 0:
            raise ValueError("damaged")
        whole(queue)

    monkeypatch.setattr(ReviveQueue, "read", broken)
    failures: list[str] = []
    monkeypatch.setattr(revive.log, "failure", lambda text, **facts: failures.append(text.format(**facts)))
    pass_time(bench, 10)
    assert [m.body for m in retried(bench)] == [b"1"]
    assert set(failures) == {"queue 0 of the revive log failed and is tried again"}


def test_many_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is done in steps, and all of it soon."""
    monkeypatch.setattr(revive, "_RETURNS_A_STEP", 8)
    bench.topic("T", 1)
    fill(bench, 30)
    for _ in range(6):
        pop(bench, invisible_time=5000, max_msg_nums=5)
    pass_time(bench, 10)
    assert sorted(m.body for m in retried(bench)) == sorted(b"%d" % number for number in range(30))


def test_a_restart_goes_on_behind_what_is_settled(tmp_path: Path) -> None:
    bench = Bench(tmp_path, reviveQueueNum="1")
    bench.topic("T", 1)
    fill(bench, 4)
    answers = [pop(bench, invisible_time=millis, max_msg_nums=2) for millis in (5000, 20_000)]
    ack(bench, answers[1], messages(answers[1])[0])
    pass_time(bench, 10)
    assert [m.body for m in retried(bench)] == [b"0", b"1"]
    assert bench.offsets.queues(REVIVE_GROUP, REVIVE_TOPIC) == {0: 0}
    reviver = second_reviver(bench)
    pass_time(bench, 15)
    reviver.run()
    assert [m.body for m in retried(bench)] == [b"0", b"1", b"3"]
    bench.close()


def second_reviver(bench: Bench) -> Reviver:
    """One that takes over from the bench's own."""
    bench.pops._reviver.stop()
    reviver = Reviver(
        bench.settings, REVIVE_TOPIC, HOST, bench.topics, bench.groups, bench.offsets, bench.store, bench.putter,
        revive_log_of(bench), InflightCounter(bench.now), bench.clock, lambda: bench.delays.delivered_until,
    )  # fmt: skip
    reviver.start()
    return reviver


def revive_log_of(bench: Bench) -> ReviveLog:
    return ReviveLog(bench.putter, REVIVE_TOPIC, HOST, bench.now)


# --- one queue of the log -------------------------------------------------------------------------------------------


class Log:
    """A queue of the revive log that is written by hand, and its reader."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.queue = ReviveQueue(bench.store, REVIVE_TOPIC, 2, -1, "broker-a")

    def put(self, tag: str, record: Declared | bytes, deliver: int = NOW) -> None:
        body = record if isinstance(record, bytes) else encode_body(record)
        properties = {"TAGS": tag, "TIMER_DELIVER_MS": str(deliver)}
        MessagePutter(self.bench.store).put(MessageInner(REVIVE_TOPIC, 2, body, properties, 0, 0, NOW, HOST))

    def point(self, start: int, **fields: Any) -> PopCheckPoint:
        values = {"num": 2, "queue_offset_diff": [0, 1], "broker_name": "broker-a", **fields}
        point = PopCheckPoint(start, NOW, 60_000, topic="T", group="G", **values)
        self.put("ck", point, point.revive_time - 1000)
        return point

    def ack(self, start: int, *offsets: int, broker: str | None = "broker-a") -> None:
        listed = None if len(offsets) == 1 else list(offsets)
        record = AckRecord(offsets[0], start, "G", "T", 0, NOW, broker, listed)
        self.put("ack" if listed is None else "bAck", record, NOW + 60_000)

    def due(self, horizon: int = NOW + 70_000) -> list[tuple[int, int]]:
        """Start and acknowledged bits of what is due, settling it."""
        self.queue.read()
        found = []
        while (pending := self.queue.due(horizon)) is not None:
            found.append((pending.point.start_offset, pending.bits))
            self.queue.settle(pending)
        return found


@pytest.fixture
def log(bench: Bench) -> Log:
    bench.pops._reviver.stop()
    return Log(bench)


def test_acknowledgements_meet_their_check_points(log: Log) -> None:
    for start in (0, 2, 4, 6):
        log.point(start)
    log.ack(0, 1)
    log.ack(2, 2, 3)
    log.ack(4, 99)
    log.ack(6, 6, broker=None)
    assert log.due() == [(0, 2), (4, 0), (6, 1)]


def test_nothing_is_due_early(log: Log) -> None:
    log.point(0)
    assert log.due(NOW + 62_000) == []
    assert log.due(NOW + 62_001) == [(0, 0)]


def test_the_horizon(log: Log) -> None:
    """What follows may still hold acknowledgements: before everything is read, only what was delivered counts."""
    for start in range(0, 80, 2):
        log.point(start)
    log.queue.read()
    assert (log.queue.at_end, log.queue.horizon(NOW + 99_000)) == (False, NOW + 59_000)
    log.queue.read()
    assert (log.queue.at_end, log.queue.horizon(NOW + 99_000)) == (True, NOW + 99_000)


def test_what_is_settled(log: Log) -> None:
    assert log.queue.settled == -1
    for start in (0, 2, 4):
        log.point(start)
    log.queue.read()
    assert log.queue.settled == -1
    log.ack(2, 2, 3)
    log.queue.read()
    assert log.queue.settled == -1
    log.ack(0, 0, 1)
    log.queue.read()
    assert log.queue.settled == 1
    log.due()
    assert log.queue.settled == 4


def test_entries_that_are_none(log: Log) -> None:
    log.put("ck", b"no JSON")
    log.put("ack", b"[]")
    log.put("what", b"{}")
    log.put("ck", PopCheckPoint(num=1))
    log.put("ck", PopCheckPoint(topic="T", group="G", num=3, queue_offset_diff=[0]))
    log.put("ck", PopCheckPoint(topic="T", group="G", num=0))
    log.point(8)
    assert log.due() == [(8, 0)]
    assert log.queue.settled == 6


def test_too_many_check_points_are_due_early(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revive, "MOST_CHECK_POINTS", 32)
    for start in range(0, 80, 2):
        log.point(start)
    assert len(log.due(NOW)) == 1
    assert log.queue.settled == 0


def test_only_as_many_are_due_early_as_must_be(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a long pause everything read is old; the acknowledgements are yet to be read."""
    monkeypatch.setattr(revive, "MOST_CHECK_POINTS", 32)
    for start in range(0, 80, 2):
        log.point(start)
    log.queue.read()
    log.queue.due(log.queue.horizon(NOW + 999_000))
    assert log.queue.horizon(NOW + 999_000) == NOW + 59_000


def test_entries_that_are_too_big(log: Log) -> None:
    """Clients may write into the log; nothing of theirs may take long."""
    log.point(0, num=127, queue_offset_diff=list(range(2000)))
    for name in ("topic", "group", "broker_name"):
        fields = {"num": 1, "queue_offset_diff": [0], "topic": "T", "group": "G", name: "n" * 300}
        log.put("ck", PopCheckPoint(**fields))
    log.point(2, num=1, queue_offset_diff=[5, 6])
    log.ack(2, 8)
    log.point(4)
    log.ack(4, *[4] * 129)
    log.queue.read()
    assert [pending.point.queue_offset_diff for pending in log.queue._pending.values()] == [[5], [0, 1]]
    assert log.due() == [(2, 0), (4, 0)]


def test_a_log_that_lost_its_end(log: Log) -> None:
    log.point(0)
    log.queue = ReviveQueue(log.bench.store, REVIVE_TOPIC, 2, 50, "broker-a")
    log.queue.read()
    assert (log.queue.next, log.queue.settled) == (1, 0)
    log.point(2)
    assert log.due() == [(2, 0)]


def test_a_stopped_reviver_does_nothing(bench: Bench) -> None:
    clock = Clock()
    reviver = Reviver(
        bench.settings, REVIVE_TOPIC, HOST, bench.topics, bench.groups, bench.offsets, bench.store, bench.putter,
        revive_log_of(bench), InflightCounter(bench.now), clock, lambda: 0,
    )  # fmt: skip
    reviver.start()
    reviver.stop()
    assert clock.getDelayedCalls() == []


def test_the_retry_topics_offset_is_kept(bench: Bench) -> None:
    """A group that has been there before goes on where it was."""
    bench.topic("T", 1)
    bench.topics.put(TopicConfig(RETRY, read_queue_nums=1, write_queue_nums=1))
    bench.offsets.commit("G", RETRY, 0, 5)
    fill(bench, 1)
    pop(bench, invisible_time=5000)
    bench.offsets.commit("G", RETRY, 0, 0)
    pass_time(bench, 10)
    assert len(retried(bench)) == 1
    assert committed(bench, RETRY) == {0: 0}
