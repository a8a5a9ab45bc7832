"""Pulling: order of checks, where to go on, waiting and waking."""

from typing import Any

import pytest

from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.heartbeat import MessageModel
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.command import Command
from rmq.wire.declare import encode_header
from rmq.wire.message import BatchMessage, encode_batch
from rmq.wire.requests.pull import LitePullMessage
from rmq.wire.requests.send import SendBatchMessage
from tests.kit.broker import Bench, beat, heartbeat, messages, pull_header, send_header, text_of
from tests.kit.peer import MemoryPeer

WAIT = 4 | 2


def fill(bench: Bench, *tags: str, topic: str = "T", queue_id: int = 0) -> None:
    peer = bench.peer()
    for number, tag in enumerate(tags):
        answer = peer.ask(send_header(topic, queue_id, properties=text_of(TAGS=tag) if tag else None), b"%d" % number)
        assert answer.code == 0, answer.remark


def send_pull(peer: MemoryPeer, opaque: int, topic: str = "T", offset: int = 0, **fields: Any) -> list[Command]:
    header = pull_header(topic, offset, **{"sys_flag": WAIT, **fields})
    peer.send(Command(11, encode_header(header), opaque=opaque))
    return peer.answers()


def place(answer: Command) -> tuple[int, str | None, int, int, int]:
    ext = answer.ext
    assert ext["suggestWhichBrokerId"] == "0"
    return answer.code, answer.remark, int(ext["nextBeginOffset"]), int(ext["minOffset"]), int(ext["maxOffset"])


# --- checks ---------------------------------------------------------------------------------------------------------


def test_order_of_checks(bench: Bench) -> None:
    """Everything is wrong at first, and is put right one after the other."""
    peer = bench.peer()
    broker = bench.settings.broker
    broker.broker_permission = 2
    broker.auto_create_subscription_group = False

    def refused(**fields: Any) -> tuple[int, str | None]:
        answer = peer.ask(pull_header("T", queue_id=4, sys_flag=0, **fields))
        return answer.code, answer.remark

    assert refused() == (16, "the broker[127.0.0.1] pulling message is forbidden")
    broker.broker_permission = 6
    code, remark = refused()
    assert (code, (remark or "")[:44]) == (26, "subscription group [G] does not exist, \nSee ")
    bench.groups.put(SubscriptionGroupConfig("G", consume_enable=False))
    assert refused() == (16, "subscription group no permission, G")
    bench.groups.put(SubscriptionGroupConfig("G", consume_broadcast_enable=False))
    code, remark = refused()
    assert (code, (remark or "")[:39]) == (17, "topic[T] not exist, apply first please!")
    bench.topic("T", perm=2)
    assert refused() == (16, "the topic[T] pulling message is forbidden")
    bench.topic("T")
    assert refused() == (
        29,
        "queueId[4] is illegal, topic:[T] topicConfig.readQueueNums:[4] consumer:[/10.0.0.1:40000]",
    )
    bench.topic("T", 5)
    code, remark = refused()
    assert (code, (remark or "")[:35]) == (24, "the consumer's group info not exist")
    member = bench.peer()
    beat(member, heartbeat("m", "G", {"U": "*"}, model=MessageModel.BROADCASTING))
    assert refused() == (16, "the consumer group[G] can not consume by broadcast way")
    beat(member, heartbeat("m", "G", {"U": "*"}))
    bench.groups.set_forbidden("G", "T", 2, True)
    assert refused() == (16, "the consumer group[G] is forbidden for topic[T]")
    bench.groups.set_forbidden("G", "T", 2, False)
    code, remark = refused()
    assert (code, (remark or "")[:37]) == (24, "the consumer's subscription not exist")
    beat(member, heartbeat("m", "G", {"T": "*"}, version=5))
    assert refused(sub_version=6) == (25, "the consumer's subscription not latest")
    assert refused(sub_version=5)[0] == 19


def test_a_group_makes_itself_by_pulling(bench: Bench) -> None:
    bench.topic("T")
    assert bench.peer().ask(pull_header("T", group="New")).code == 19
    assert "New" in bench.groups.configs
    assert bench.peer().ask(pull_header("T", group="../x")).code == 26
    assert "../x" not in bench.groups.configs


@pytest.mark.parametrize("queue_id", [-1, 4, 1 << 31])
def test_queues_that_are_not_there(bench: Bench, queue_id: int) -> None:
    bench.topic("T")
    assert bench.peer().ask(pull_header("T"), ext={"queueId": str(queue_id)}).code == 29


@pytest.mark.parametrize(
    ("expression", "kind", "code", "remark"),
    [
        ("||", "TAG", 23, None),
        ("a > 1", "SQL92", 1, "The broker does not support consumer to filter message by SQL92"),
        ("", "SQL92", 23, None),
        ("", "TAG", 19, "NO_MATCHED_LOGIC_QUEUE"),
    ],
)
def test_expressions(bench: Bench, expression: str, kind: str, code: int, remark: str | None) -> None:
    bench.topic("T")
    answer = bench.peer().ask(pull_header("T", subscription=expression, expression_type=kind))
    assert answer.code == code
    if remark is not None:
        assert answer.remark == remark


def test_lite_pulls_can_be_switched_off(bench: Bench) -> None:
    bench.topic("T")
    fields = encode_header(pull_header("T"))
    header = LitePullMessage("G", "T", 0, 0, 32, 4, 0, 0, 0, "*", "TAG")
    assert bench.peer().ask(header, ext=fields).code == 19
    bench.settings.broker.lite_pull_message_enable = False
    answer = bench.peer().ask(header)
    assert (answer.code, answer.remark) == (16, "the broker[127.0.0.1] for lite pull consumer is forbidden")


@pytest.mark.parametrize(
    ("field", "value", "remark"),
    [
        ("queueOffset", None, "the custom field <queueOffset> is null"),
        ("subVersion", None, "the custom field <subVersion> is null"),
        ("maxMsgNums", "x", "header field maxMsgNums: 'x' is no integer"),
        ("commitOffset", str(1 << 63), f"header field commitOffset: {1 << 63} does not fit into 64 bits"),
    ],
)
def test_headers_that_cannot_be_read(bench: Bench, field: str, value: str | None, remark: str) -> None:
    bench.topic("T")
    ext = encode_header(pull_header("T"))
    if value is None:
        del ext[field]
    else:
        ext[field] = value
    peer = bench.peer()
    peer.send(Command(11, ext))
    (answer,) = peer.answers()
    assert (answer.code, answer.remark) == (1, remark)


# --- where to go on -------------------------------------------------------------------------------------------------


def test_places_of_a_queue_that_was_never_written(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    assert place(peer.ask(pull_header("T", 0))) == (19, "NO_MATCHED_LOGIC_QUEUE", 0, 0, 0)
    assert place(peer.ask(pull_header("T", 5))) == (21, "NO_MATCHED_LOGIC_QUEUE", 0, 0, 0)


def test_places_of_a_queue(bench: Bench) -> None:
    bench.topic("T")
    fill(bench, "a", "b", "a")
    peer = bench.peer()
    found = peer.ask(pull_header("T", 1))
    assert place(found) == (0, None, 3, 0, 3)
    assert [message.body for message in messages(found)] == [b"1", b"2"]
    assert place(peer.ask(pull_header("T", 3))) == (19, "OFFSET_OVERFLOW_ONE", 3, 0, 3)
    assert place(peer.ask(pull_header("T", 4))) == (21, "OFFSET_OVERFLOW_BADLY", 3, 0, 3)
    assert place(peer.ask(pull_header("T", -1))) == (21, "OFFSET_TOO_SMALL", 0, 0, 3)
    assert place(peer.ask(pull_header("T", 0, subscription="zzz"))) == (20, "NO_MATCHED_MESSAGE", 3, 0, 3)
    matched = peer.ask(pull_header("T", 0, subscription="b || c"))
    assert [message.body for message in messages(matched)] == [b"1"]
    assert all(not answer.body for answer in (peer.ask(pull_header("T", 3)), peer.ask(pull_header("T", 9))))


@pytest.mark.parametrize(("wanted", "got"), [(1, 1), (2, 2), (0, 1), (-5, 1), (1 << 30, 3)])
def test_how_many_messages_a_pull_gets(bench: Bench, wanted: int, got: int) -> None:
    bench.topic("T")
    fill(bench, "a", "a", "a")
    assert len(messages(bench.peer().ask(pull_header("T", max_msg_nums=wanted)))) == got


def test_max_bytes_is_kept_but_one_message_always_comes(bench: Bench) -> None:
    bench.topic("T")
    fill(bench, "a", "a", "a")
    assert len(messages(bench.peer().ask(pull_header("T", max_msg_bytes=1)))) == 1
    assert len(messages(bench.peer().ask(pull_header("T", max_msg_bytes=1 << 20)))) == 3


def test_flags_of_topic_and_group_come_along(bench: Bench) -> None:
    bench.topic("T", topic_sys_flag=3)
    bench.groups.put(SubscriptionGroupConfig("G", group_sys_flag=5, broker_id=7))
    ext = bench.peer().ask(pull_header("T")).ext
    assert (ext["topicSysFlag"], ext["groupSysFlag"], ext["suggestWhichBrokerId"]) == ("3", "5", "0")
    bench.settings.broker.slave_read_enable = True
    assert bench.peer().ask(pull_header("T")).ext["suggestWhichBrokerId"] == "7"


def test_a_group_that_is_far_behind_is_sent_where_it_was_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.topic("T")
    fill(bench, "a")
    bench.groups.put(SubscriptionGroupConfig("G", broker_id=7, which_broker_when_consume_slowly=3))
    read = bench.store.get
    monkeypatch.setattr(bench.store, "get", lambda *arguments: read(*arguments)._replace(suggest_slave=True))
    assert bench.peer().ask(pull_header("T")).ext["suggestWhichBrokerId"] == "0"
    bench.settings.broker.slave_read_enable = True
    assert bench.peer().ask(pull_header("T")).ext["suggestWhichBrokerId"] == "3"


def test_a_reset_is_told_once_and_then_over(bench: Bench) -> None:
    bench.topic("T")
    fill(bench, "a", "a", "a")
    bench.groups.find("G")
    bench.offsets.reset("G", "T", 0, 1)
    peer = bench.peer()
    moved = peer.ask(pull_header("T", 3))
    assert (moved.code, moved.ext["nextBeginOffset"], moved.ext["maxOffset"], moved.body) == (21, "1", "3", b"")
    assert len(messages(peer.ask(pull_header("T", 1)))) == 2


def test_a_pull_that_learns_of_a_reset_does_not_commit_what_was_before(bench: Bench) -> None:
    bench.topic("T")
    fill(bench, "a", "a", "a")
    bench.groups.find("G")
    bench.offsets.reset("G", "T", 0, 1)
    peer = bench.peer()
    assert peer.ask(pull_header("T", 3, sys_flag=5, commit_offset=3)).code == 21
    assert bench.offsets.query("G", "T", 0) == 1
    peer.ask(pull_header("T", 1, sys_flag=5, commit_offset=2))
    assert bench.offsets.query("G", "T", 0) == 2


def test_a_reset_that_does_not_count(bench: Bench) -> None:
    bench.settings.set("useServerSideResetOffset", False)
    bench.topic("T")
    fill(bench, "a", "a", "a")
    bench.groups.find("G")
    bench.offsets.reset("G", "T", 0, 1)
    assert len(messages(bench.peer().ask(pull_header("T", 2)))) == 1


def test_messages_of_queues_taken_from_writing_stay_readable_until_they_are_taken_from_reading(bench: Bench) -> None:
    bench.topic("T", 16)
    fill(bench, "a", queue_id=15)
    bench.topics.put(TopicConfig("T", 16, 8))
    peer = bench.peer()
    assert {peer.ask(send_header("T", -1), b"x").ext["queueId"] for _ in range(100)} == {str(i) for i in range(8)}
    assert [message.body for message in messages(peer.ask(pull_header("T", queue_id=15)))] == [b"0"]
    bench.topics.put(TopicConfig("T", 8, 8))
    assert peer.ask(pull_header("T", queue_id=15)).code == 29
    bench.topics.put(TopicConfig("T", 16, 16))
    assert len(messages(peer.ask(pull_header("T", queue_id=15)))) == 1


def test_statistics(bench: Bench) -> None:
    bench.topic("T")
    fill(bench, "a", "a")
    peer = bench.peer()
    peer.ask(pull_header("T"))
    peer.ask(pull_header("T", 2))
    assert (bench.stats.get_total, bench.stats.get_found, bench.stats.get_miss) == (2, 1, 1)
    assert bench.offsets.pulled("G", "T", 0) == 2


# --- committing -----------------------------------------------------------------------------------------------------


def test_a_pull_commits_only_when_it_says_so(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    peer.ask(pull_header("T", commit_offset=5))
    assert bench.offsets.query("G", "T", 0) == -1
    peer.ask(pull_header("T", commit_offset=5, sys_flag=5))
    assert bench.offsets.query("G", "T", 0) == 5
    peer.ask(pull_header("T", commit_offset=-1, sys_flag=5))
    assert bench.offsets.query("G", "T", 0) == 5


def test_a_woken_pull_does_not_commit_again(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    assert send_pull(peer, 1, sys_flag=7, commit_offset=3) == []
    assert bench.offsets.query("G", "T", 0) == 3
    bench.offsets.commit("G", "T", 0, 9)
    fill(bench, "a")
    assert bench.offsets.query("G", "T", 0) == 9


# --- waiting --------------------------------------------------------------------------------------------------------


def test_a_pull_waits_and_is_answered_by_the_message(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    assert send_pull(peer, 41) == []
    fill(bench, "a")
    (answer,) = peer.answers()
    assert (answer.opaque, answer.code, answer.ext["nextBeginOffset"]) == (41, 0, "1")
    assert [message.body for message in messages(answer)] == [b"0"]
    assert bench.hold.count == 0


def test_without_the_right_to_wait_it_is_answered_at_once(bench: Bench) -> None:
    bench.topic("T")
    assert [answer.code for answer in send_pull(bench.peer(), 1, sys_flag=4)] == [19]


def test_a_pull_waits_no_longer_than_it_said(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    send_pull(peer, 1, suspend_timeout_millis=2000)
    bench.clock.pump([1])
    assert peer.answers() == []
    bench.clock.pump([1])
    assert [place(answer) for answer in peer.answers()] == [(19, "NO_MATCHED_LOGIC_QUEUE", 0, 0, 0)]


def test_nobody_waits_for_ever(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    send_pull(peer, 1, suspend_timeout_millis=1 << 62)
    bench.clock.pump([1] * 119)
    assert peer.answers() == []
    bench.clock.pump([1])
    assert len(peer.answers()) == 1


def test_short_polling(bench: Bench) -> None:
    bench.settings.broker.long_polling_enable = False
    bench.topic("T")
    peer = bench.peer()
    send_pull(peer, 1)
    bench.clock.pump([1])
    assert [answer.code for answer in peer.answers()] == [19]


def test_only_a_message_with_the_tag_wakes(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    send_pull(peer, 1, subscription="b")
    fill(bench, "a", "")
    assert peer.answers() == []
    fill(bench, "b")
    (answer,) = peer.answers()
    assert [message.queue_offset for message in messages(answer)] == [2]


def test_a_subscription_without_hashes_gets_everything(bench: Bench) -> None:
    bench.topic("T")
    member = bench.peer()
    data = heartbeat("m", "G", {"T": "b"})
    (subscription,) = data.consumer_data_set[0].subscription_data_set
    subscription.code_set = set()
    beat(member, data)
    fill(bench, "a", "b")
    assert len(messages(member.ask(pull_header("T", sys_flag=0)))) == 2


def test_the_heartbeats_tags_filter(bench: Bench) -> None:
    bench.topic("T")
    member = bench.peer()
    beat(member, heartbeat("m", "G", {"T": "b"}))
    fill(bench, "a", "b")
    assert [message.body for message in messages(member.ask(pull_header("T", sys_flag=0)))] == [b"1"]


def test_a_deleted_topic_answers_who_waits(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    send_pull(peer, 1)
    bench.topics.remove("T")
    bench.hold.notify_all("T")
    assert [answer.code for answer in peer.answers()] == [17]


def test_a_batch_in_one_read_answers_each_waiting_pull_once(bench: Bench) -> None:
    bench.topic("T")
    waiting, sender = bench.peer(), bench.peer()
    send_pull(waiting, 1)
    sender.send(*(Command(310, encode_header(send_header("T")), b"x", opaque=i) for i in range(10)))
    (answer,) = waiting.answers()
    assert len(messages(answer)) == 10


def test_a_batch_wakes_for_its_tags(bench: Bench) -> None:
    bench.topic("T")
    waiting = bench.peer()
    send_pull(waiting, 1, subscription="last")
    body = encode_batch([BatchMessage(0, b"x", text_of(TAGS=tag).encode()) for tag in ("first", "last")])
    assert bench.peer().ask(SendBatchMessage("PG", "T", "TBW102", 4, 0, 0, 5, 0, batch=True), body).code == 0
    assert len(waiting.answers()) == 1


def test_whoever_parks_too_many_pulls_is_told_to_come_back_later(tmp_path: Any) -> None:
    bench = Bench(tmp_path, limit=4)
    bench.topic("T")
    greedy, modest = bench.peer(), bench.peer()
    for opaque in range(4):
        assert send_pull(greedy, opaque) == []
    (answer,) = send_pull(greedy, 9)
    assert (answer.opaque, answer.code) == (9, 2)
    assert send_pull(modest, 1) == []
    assert sorted((answer.opaque, answer.code) for answer in greedy.answers()) == [(i, 19) for i in range(4)]
    bench.close()


def test_a_parked_pull_keeps_no_body(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    command = Command(11, encode_header(pull_header("T", sys_flag=WAIT)), bytes(1 << 20), opaque=1)
    peer.send(command)
    (parked,) = bench.hold._parked["T", 0]
    assert parked.command.body == b""


def test_a_one_way_pull_is_never_answered_not_even_late(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    peer.send(Command(11, encode_header(pull_header("T", sys_flag=WAIT)), opaque=1, flag=2))
    peer.send(Command(11, encode_header(pull_header("T")), opaque=2, flag=2))
    fill(bench, "a")
    bench.clock.pump([1] * 20)
    assert peer.answers() == []
