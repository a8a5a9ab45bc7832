"""Acknowledging popped messages, alone and together, and hiding them longer."""

from typing import Any

import pytest

from rmq.wire.bodies.pop import BatchAck, BatchAckBody, ack_bits
from rmq.wire.command import Command
from rmq.wire.requests.pop import AckMessage, BatchAckMessage, ChangeInvisibleTime
from tests.kit.broker import EPOCH, Bench, messages
from tests.kit.pops import ack, bodies, fill, handle_of, pass_time, pop, reply_of, revive_log

NOW = EPOCH * 1000


def acks(bench: Bench) -> list[bytes]:
    """What the revive log holds besides check points."""
    return [body for _, tag, body in revive_log(bench) if tag != "ck"]


def popped(bench: Bench, count: int = 3, **fields: Any) -> Command:
    bench.topic("T", 1)
    fill(bench, count)
    return pop(bench, **fields)


def ask(bench: Bench, **fields: Any) -> tuple[int, str | None]:
    """The answer to an acknowledgement of what was popped at 0, put together by hand."""
    values = {
        "consumer_group": "G", "topic": "T", "queue_id": 0, "extra_info": f"0 {NOW} 60000 0 0 broker-a 0 0",
        "offset": 0, **fields,
    }  # fmt: skip
    answer = bench.peer().ask(AckMessage(**values))
    return answer.code, answer.remark


def test_one_message(bench: Bench) -> None:
    answer = popped(bench)
    assert ack(bench, answer, messages(answer)[1]).code == 0
    assert acks(bench) == [b'{"ao":1,"bn":"broker-a","c":"G","pt":%d,"q":0,"so":0,"t":"T"}' % NOW]


def test_refusals(bench: Bench) -> None:
    popped(bench)
    assert ask(bench, topic="No")[0] == 17
    assert ask(bench, queue_id=1) == (
        13, "queueId[1] is illegal, topic:[T] topicConfig.readQueueNums:[1] consumer:[/10.0.0.1:40000]",
    )  # fmt: skip
    assert ask(bench, queue_id=-1)[0] == 13
    assert ask(bench, offset=4) == (208, "offset is illegal, key:T@0, commit:4, store:0~3")
    assert ask(bench, offset=-1)[0] == 208
    assert ask(bench, extra_info="x") == (29, "extraInfo 'x' is no handle of a popped message")
    assert ask(bench, extra_info=f"0 {NOW} 60000 8 0 broker-a 0 0") == (
        29, "there is no queue 8 of the revive log",
    )  # fmt: skip
    assert acks(bench) == []
    assert ask(bench) == (0, None)


def test_a_store_that_is_full_says_so(bench: Bench) -> None:
    answer = popped(bench)
    bench.store._set_disk_full(True)
    assert ack(bench, answer, messages(answer)[0]).code == 14


def batch(answer: Command, *distances: int, **fields: Any) -> BatchAck:
    reply = reply_of(answer)
    values = {"retry": "0", "revive_queue_id": reply.revive_qid, "pop_time": reply.pop_time, **fields}
    return BatchAck("G", "T", invisible_time=reply.invisible_time, bits=ack_bits(distances), **values)


def test_several_messages(bench: Bench) -> None:
    answer = popped(bench, 5)
    body = BatchAckBody("broker-a", [batch(answer, 0, 3, 77), batch(answer), batch(answer, 1, retry="1")])
    assert bench.peer().ask(BatchAckMessage(), body).code == 0
    assert acks(bench) == [b'{"ao":-1,"aol":[0,3],"bn":"broker-a","c":"G","pt":%d,"q":0,"so":0,"t":"T"}' % NOW]
    pass_time(bench, 70)
    assert bodies(pop(bench)) == [b"1", b"2", b"4"]


def test_batches_that_are_refused(bench: Bench) -> None:
    answer = popped(bench)

    def refused(*batches: BatchAck) -> int:
        return bench.peer().ask(BatchAckMessage(), BatchAckBody("broker-a", list(batches))).code

    assert refused() == 208
    assert bench.peer().ask(BatchAckMessage()).code == 208
    assert refused(batch(answer, 0, retry="9")) == 29
    assert refused(batch(answer, 0, revive_queue_id=8)) == 29
    assert refused(*[batch(answer, 0)] * 1025) == 29
    assert acks(bench) == []


def test_ordered_pops(bench: Bench) -> None:
    answer = popped(bench, 4, order=True)
    assert ask(bench, offset=3, extra_info=f"0 {NOW - 1} 60000 999 0 broker-a 0 3") == (0, None)
    assert bench.offsets.queues("G", "T") == {0: 0}
    assert ask(bench, offset=4, extra_info=f"0 {NOW} 60000 999 0 broker-a 0 4") == (
        13, "offset is illegal, key:T@G@0, old:0, commit:4, next:-1, /10.0.0.1:40000",
    )  # fmt: skip
    body = BatchAckBody("broker-a", [batch(answer, 0, 1, 3)])
    assert bench.peer().ask(BatchAckMessage(), body).code == 0
    assert bench.offsets.queues("G", "T") == {0: 2}
    assert ack(bench, answer, messages(answer)[0]).code == 0
    assert ack(bench, answer, messages(answer)[2]).code == 0
    assert bench.offsets.queues("G", "T") == {0: 4}
    assert acks(bench) == []


def test_a_reset_outdoes_acknowledgements(bench: Bench) -> None:
    answer = popped(bench, 4, order=True)
    bench.offsets.reset("G", "T", 0, 1)
    assert ack(bench, answer, messages(answer)[1]).code == 0
    assert bench.offsets.query("G", "T", 0) == 1


# --- invisible time -------------------------------------------------------------------------------------------------


def change(bench: Bench, answer: Command, number: int, millis: int, **fields: Any) -> Command:
    message = messages(answer)[number]
    handle = handle_of(answer, message).text()
    values = {"queue_id": 0, "offset": message.queue_offset, **fields}
    return bench.peer().ask(
        ChangeInvisibleTime("G", "T", extra_info=handle, invisible_time=millis, **values)
    )


def test_hiding_longer(bench: Bench) -> None:
    answer = popped(bench, 2, invisible_time=5000)
    bench.clock.advance(2)
    changed = change(bench, answer, 1, 20_000)
    assert (changed.code, changed.ext) == (
        0, {"popTime": str(NOW + 2000), "invisibleTime": "20000", "reviveQid": "0"},
    )  # fmt: skip
    assert [tag for _, tag, _ in revive_log(bench)] == ["ck", "ck", "ack"]
    assert revive_log(bench)[1][2] == (
        b'{"bm":0,"bn":"broker-a","c":"G","d":[0],"it":20000,"n":1,"pt":%d,"q":0,"reviveTime":%d,"ro":0,"so":1,"t":"T"}'
        % (NOW + 2000, NOW + 22_000)
    )
    pass_time(bench, 10)
    assert bodies(pop(bench, invisible_time=200_000)) == [b"0"]
    pass_time(bench, 16)
    assert bodies(pop(bench, invisible_time=200_000)) == [b"1"]


def test_a_message_that_was_hidden_longer_is_acknowledged_by_its_new_handle(bench: Bench) -> None:
    answer = popped(bench, 1, invisible_time=5000)
    changed = change(bench, answer, 0, 20_000)
    handle = f"0 {changed.ext['popTime']} 20000 {changed.ext['reviveQid']} 0 broker-a 0 0"
    assert ask(bench, extra_info=handle) == (0, None)
    pass_time(bench, 40)
    assert pop(bench).code == 210


def test_changes_that_are_refused(bench: Bench) -> None:
    answer = popped(bench)
    assert change(bench, answer, 0, 1000, queue_id=1).code == 13
    assert change(bench, answer, 0, 1000, offset=3).code == 208
    assert change(bench, answer, 0, -1).code == 29
    bench.store._set_disk_full(True)
    assert change(bench, answer, 0, 1000).code == 14


@pytest.mark.parametrize(("millis", "until"), [(30_000, 32), (1000, 10)])
def test_ordered_messages_hidden_for_another_time(bench: Bench, millis: int, until: int) -> None:
    answer = popped(bench, 2, order=True, invisible_time=10_000)
    bench.clock.advance(2)
    changed = change(bench, answer, 1, millis)
    assert changed.ext == {"popTime": str(NOW), "invisibleTime": str(2000 + millis), "reviveQid": "999"}
    ack(bench, answer, messages(answer)[0])
    pass_time(bench, 0.5)
    if millis == 1000:
        pass_time(bench, 0.6)
        assert bodies(pop(bench, order=True)) == [b"1"]
        return
    pass_time(bench, until - 2.6)
    assert pop(bench, order=True).code == 210
    pass_time(bench, 0.2)
    assert bodies(pop(bench, order=True)) == [b"1"]


def test_an_ordered_message_that_is_done_is_not_hidden(bench: Bench) -> None:
    answer = popped(bench, 2, order=True)
    ack(bench, answer, messages(answer)[0])
    changed = change(bench, answer, 0, 1000)
    assert (changed.code, changed.ext) == (0, {"popTime": "0", "invisibleTime": "0", "reviveQid": "0"})


def test_hiding_a_message_longer_at_the_moment_of_its_pop(bench: Bench) -> None:
    """The new check point is another one than the pop's, though both begin at the same message."""
    answer = popped(bench, 3, invisible_time=5000)
    assert change(bench, answer, 0, 5000).ext["popTime"] == str(NOW + 1)
    pass_time(bench, 10)
    assert sorted(bodies(pop(bench))) == [b"0", b"1", b"2"]


@pytest.mark.parametrize(
    "fields", [{"consumer_group": "G\x02TIMER_DEL_UNIQKEY\x01k"}, {"extra_info": f"0 {NOW} 60000 0 0 b\x02A\x01b 0 0"}]
)
def test_names_that_would_be_properties_are_refused(bench: Bench, fields: dict[str, str]) -> None:
    popped(bench)
    assert ask(bench, **fields)[0] == 29
    group = fields.get("consumer_group", "G")
    broker = fields.get("extra_info", "0 0 0 0 0 broker-a").split(" ")[5]
    body = BatchAckBody(broker, [BatchAck(group, "T", pop_time=NOW, invisible_time=60_000, bits=ack_bits([0]))])
    assert bench.peer().ask(BatchAckMessage(), body).code == 29
    assert acks(bench) == []


@pytest.mark.parametrize("revive_queue", [0, 999])
@pytest.mark.parametrize(("topic", "queue_id"), [("No", 0), ("T", 1), ("T", -1)])
def test_batches_of_queues_that_are_none_are_passed_over(
    bench: Bench, topic: str, queue_id: int, revive_queue: int
) -> None:
    popped(bench)
    none = BatchAck("G", topic, "0", 0, queue_id, revive_queue, NOW, 60_000, ack_bits([0]))
    assert bench.peer().ask(BatchAckMessage(), BatchAckBody("broker-a", [none])).code == 0
    assert (acks(bench), bench.offsets.topics_of("G"), bench.offsets.queues("G", "T")) == ([], ["T"], {0: 3})
