"""Popping: order of checks, waiting and waking, expressions, and what asks about pops."""

from pathlib import Path
from typing import Any

import pytest

from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.command import Command
from rmq.wire.declare import encode_header
from rmq.wire.requests.pop import Notification, PeekMessage, PollingInfo
from tests.kit.broker import Bench, messages, send_header, text_of
from tests.kit.peer import MemoryPeer
from tests.kit.pops import ack, bodies, fill, pass_time, pop, pop_header, start_pop


def send(bench: Bench, body: bytes, queue_id: int = 0, **properties: str) -> None:
    answer = bench.peer().ask(send_header("T", queue_id, properties=text_of(**properties) or None), body)
    assert answer.code == 0, answer.remark
    bench.clock.advance(0)


# --- checks ---------------------------------------------------------------------------------------------------------


def test_order_of_checks(bench: Bench) -> None:
    """Everything is wrong at first, and is put right one after the other."""
    broker = bench.settings.broker
    broker.auto_create_subscription_group = False
    bench.settings.store.timer_wheel_enable = False
    broker.broker_permission = 2

    def refused(**fields: Any) -> tuple[int, str]:
        values = {"queue_id": 4, "max_msg_nums": 33, "invisible_time": -1, "exp": "||", **fields}
        answer = pop(bench, **values)
        return answer.code, answer.remark or ""

    assert refused() == (29, "the broker[127.0.0.1] pop message's num is greater than 32")
    assert refused(max_msg_nums=32) == (
        1, "the broker[127.0.0.1] pop message is forbidden because timerWheelEnable is false",
    )  # fmt: skip
    bench.settings.store.timer_wheel_enable = True
    assert refused(max_msg_nums=32) == (29, "invisibleTime[-1] is illegal, 0 to 259200000 ms are possible")
    good: dict[str, Any] = {"max_msg_nums": 32, "invisible_time": 1000}
    assert refused(**good) == (16, "the broker[127.0.0.1] pop message is forbidden")
    broker.broker_permission = 6
    code, remark = refused(**good)
    assert (code, remark[:39]) == (17, "topic[T] not exist, apply first please!")
    bench.topic("T", perm=2)
    assert refused(**good) == (16, "the topic[T] peeking message is forbidden")
    bench.topic("T")
    assert refused(**good) == (
        29, "queueId[4] is illegal, topic:[T] topicConfig.readQueueNums:[4] consumer:[/10.0.0.1:40000]",
    )  # fmt: skip
    assert refused(**good, queue_id=-2)[0] == 29
    code, remark = refused(**good, queue_id=-1)
    assert (code, remark[:41]) == (26, "subscription group [G] does not exist, \nS")
    bench.groups.put(SubscriptionGroupConfig("G", consume_enable=False))
    assert refused(**good, queue_id=-1) == (16, "subscription group no permission, G")
    bench.groups.put(SubscriptionGroupConfig("G"))
    assert refused(**good, queue_id=-1)[0] == 23
    assert refused(**good, queue_id=-1, exp="*")[0] == 210


def test_expressions(bench: Bench) -> None:
    bench.topic("T", 1)
    for number in range(6):
        send(bench, b"%d" % number, TAGS="ab"[number % 2], number=str(number))
    assert bodies(pop(bench, exp="b", max_msg_nums=1)) == [b"1"]
    assert bodies(pop(bench, exp="number > 3", exp_type="SQL92")) == [b"4", b"5"]
    assert pop(bench, exp="number >", exp_type="SQL92").code == 23
    assert pop(bench, exp="x", exp_type="XPATH").code == 23


# --- waiting --------------------------------------------------------------------------------------------------------


def test_a_pop_waits_for_a_message(bench: Bench) -> None:
    bench.topic("T", 2)
    peer = bench.peer()
    assert start_pop(peer) == []
    bench.clock.advance(2)
    send(bench, b"now", queue_id=1)
    (answer,) = peer.answers()
    assert (answer.opaque, answer.code, bodies(answer)) == (7, 0, [b"now"])
    assert answer.ext["popTime"] == str(bench.now())


def test_or_for_the_end_of_its_time(bench: Bench) -> None:
    bench.topic("T", 2)
    peer = bench.peer()
    start_pop(peer)
    pass_time(bench, 4.9)
    assert peer.answers() == []
    pass_time(bench, 0.5)
    (answer,) = peer.answers()
    assert (answer.code, answer.remark, answer.ext["restNum"]) == (210, "NO_MESSAGE_IN_QUEUE", "0")


def test_each_message_wakes_as_many_as_it_takes(bench: Bench) -> None:
    bench.topic("T", 1)
    peers = [bench.peer() for _ in range(3)]
    for peer in peers:
        start_pop(peer, max_msg_nums=1)
    fill(bench, 2)
    bench.clock.advance(0)
    bench.clock.advance(0)
    bench.clock.advance(0)
    assert [[bodies(answer) for answer in peer.answers()] for peer in peers] == [[[b"0"]], [[b"1"]], []]


def test_messages_of_no_interest_leave_it_waiting(bench: Bench) -> None:
    bench.topic("T", 1)
    peer = bench.peer()
    start_pop(peer, exp="wanted")
    send(bench, b"no", TAGS="other")
    assert peer.answers() == []
    send(bench, b"yes", TAGS="wanted")
    (answer,) = peer.answers()
    assert bodies(answer) == [b"yes"]


def test_many_messages_of_no_interest_are_passed_over_soon(bench: Bench) -> None:
    """One look passes over so many; it goes on until it finds the one of interest."""
    bench.topic("T", 1)
    fill(bench, 1000, tags="a")
    fill(bench, 1, tags="b")
    peer = bench.peer()
    found = start_pop(peer, exp="b")
    for _ in range(5):
        bench.clock.advance(0)
        found += peer.answers()
    assert [bodies(answer) for answer in found] == [[b"0"]]


def test_too_many_wait(bench: Bench) -> None:
    bench.settings.broker.pop_polling_size = 1
    bench.topic("T", 1)
    assert [start_pop(bench.peer()) for _ in range(2)] == [[], []]
    (answer,) = start_pop(bench.peer())
    assert (answer.code, answer.remark) == (209, "NO_MESSAGE_IN_QUEUE")
    assert start_pop(bench.peer(), queue_id=0) == []


def test_who_wants_no_answer_does_not_wait(bench: Bench) -> None:
    bench.topic("T", 1)
    peer = bench.peer()
    peer.send(Command(200050, encode_header(pop_header(poll_time=5000)), flag=2))
    assert peer.answers() == []
    assert bench.pops._hold.count == 0


def test_a_pop_that_goes_wrong_while_it_waits(bench: Bench) -> None:
    bench.topic("T", 1)
    peer = bench.peer()
    start_pop(peer)
    bench.topics.remove("T")
    pass_time(bench, 6)
    assert [answer.code for answer in peer.answers()] == [17]


# --- ordered --------------------------------------------------------------------------------------------------------


def test_ordered_pops(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 4)
    first = pop(bench, order=True, max_msg_nums=2, attempt_id="one")
    assert (bodies(first), first.ext["reviveQid"], first.ext["orderCountInfo"]) == ([b"0", b"1"], "999", "0 0 0")
    assert bench.offsets.queues("G", "T") == {0: 0}
    waiting = bench.peer()
    assert start_pop(waiting, order=True, max_msg_nums=2, attempt_id="two", poll_time=90_000) == []
    bench.clock.advance(5)
    assert ack(bench, first, messages(first)[0]).code == 0
    bench.clock.advance(0)
    assert waiting.answers() == []
    assert bench.offsets.queues("G", "T") == {0: 1}
    assert ack(bench, first, messages(first)[1]).code == 0
    bench.clock.advance(0)
    (answer,) = waiting.answers()
    assert bodies(answer) == [b"2", b"3"]
    pass_time(bench, 61)
    again = pop(bench, order=True, attempt_id="three")
    assert (bodies(again), again.ext["orderCountInfo"]) == ([b"2", b"3"], "0 qo0%2 1;0 qo0%3 1;0 0 1")


def test_a_waiting_ordered_pop_goes_on_when_messages_are_visible_again(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 2)
    pop(bench, order=True, max_msg_nums=1, invisible_time=10_000)
    peer = bench.peer()
    start_pop(peer, order=True, poll_time=60_000)
    pass_time(bench, 9.9)
    assert peer.answers() == []
    pass_time(bench, 0.2)
    assert [bodies(answer) for answer in peer.answers()] == [[b"0", b"1"]]


# --- asking ---------------------------------------------------------------------------------------------------------


def test_peeking(bench: Bench) -> None:
    bench.topic("T", 2)
    for queue_id in range(2):
        fill(bench, 3, queue_id=queue_id)
    answer = bench.peer().ask(PeekMessage("T", 1, 2, "G"))
    assert (answer.code, answer.remark, bodies(answer)) == (0, "FOUND", [b"0", b"1"])
    assert answer.ext == {"popTime": "0", "invisibleTime": "0", "reviveQid": "0", "restNum": "3"}
    assert len(bodies(bench.peer().ask(PeekMessage("T", -1, 32, "G")))) == 6
    pop(bench)
    answer = bench.peer().ask(PeekMessage("T", -1, 32, "G"))
    assert (answer.code, answer.remark, answer.ext["restNum"]) == (19, "NO_MESSAGE_IN_QUEUE", "0")
    assert bench.peer().ask(PeekMessage("No", -1, 32, "G")).code == 17


def notify(peer: MemoryPeer, **fields: Any) -> list[Command]:
    values = {"poll_time": 2000, "born_time": 0, "queue_id": -1, **fields}
    peer.send(Command(200054, encode_header(Notification("G", "T", **values)), opaque=9))
    return peer.answers()


def test_notifications(bench: Bench) -> None:
    bench.topic("T", 1)
    peer = bench.peer()
    assert notify(peer) == []
    send(bench, b"x")
    (answer,) = peer.answers()
    assert (answer.code, answer.ext) == (0, {"hasMsg": "true", "pollingFull": "false"})
    assert [answer.ext["hasMsg"] for answer in notify(peer)] == ["true"]
    pop(bench)
    assert notify(peer) == []
    pass_time(bench, 2.5)
    assert [answer.ext["hasMsg"] for answer in peer.answers()] == ["false"]
    bench.settings.broker.pop_polling_size = -1
    assert [answer.ext for answer in notify(peer)] == [{"hasMsg": "false", "pollingFull": "true"}]


def test_notifications_of_ordered_pops(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 2)
    pop(bench, order=True, max_msg_nums=1, invisible_time=3000)
    peer = bench.peer()
    assert notify(peer, order=True, poll_time=60_000) == []
    pass_time(bench, 3.5)
    assert [answer.ext["hasMsg"] for answer in peer.answers()] == ["true"]


def test_polling_info(bench: Bench) -> None:
    bench.topic("T", 1)
    for _ in range(3):
        start_pop(bench.peer())
    start_pop(bench.peer(), queue_id=0)
    found = [bench.peer().ask(PollingInfo("G", "T", queue_id)).ext for queue_id in (-1, 0)]
    assert found == [{"pollingNum": "3"}, {"pollingNum": "1"}]


@pytest.mark.parametrize("name", ["queueId", "invisibleTime", "consumerGroup"])
def test_headers_that_lack_something(bench: Bench, name: str) -> None:
    ext = encode_header(pop_header())
    del ext[name]
    peer = bench.peer()
    peer.send(Command(200050, ext))
    (answer,) = peer.answers()
    assert (answer.code, answer.remark) == (1, f"the custom field <{name}> is null")


def test_who_gives_up_its_places_is_answered(tmp_path: Path) -> None:
    bench = Bench(tmp_path, maxPopPollingSize="4")
    bench.topic("T", 1)
    greedy, modest = bench.peer(), bench.peer()
    for opaque in range(4):
        assert start_pop(greedy, opaque) == []
    assert start_pop(modest) == []
    assert [(answer.opaque, answer.code) for answer in greedy.answers()] == [(each, 210) for each in range(4)]
    assert (bench.pops._hold.count, modest.answers()) == (1, [])
    bench.close()


def test_without_an_expression_everything_is_wanted(bench: Bench) -> None:
    bench.topic("T", 1)
    fill(bench, 2, tags="ab")
    assert bodies(pop(bench, exp_type="SQL92", exp="")) == [b"0", b"1"]
