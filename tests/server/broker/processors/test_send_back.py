"""Messages that come back: where the copy goes, what it carries, and the order in which requests are refused."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.server.store.api import AppendResult, PutStatus
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.command import Command
from rmq.wire.message import StoredMessage
from rmq.wire.requests.retry import ConsumerSendMsgBack
from rmq.wire.sysflag import BORN_HOST_V6
from tests.kit.broker import HOST, Bench, ask_untold, messages, pull_header, send_header, text_of

STAMPS = {"MSG_REGION": "DefaultRegion", "TRACE_ON": "true", "CLUSTER": "DefaultCluster"}
ORIGINAL_ID = HOST.hex().upper() + "0" * 16
FAQ = "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."


@pytest.fixture
def bench(bench: Bench) -> Bench:
    """A broker with group G and one message of topic T, whose delayed messages are in their queues at once."""
    bench.putter.hooks.clear()
    bench.topic("T")
    bench.groups.put(SubscriptionGroupConfig("G", retry_queue_nums=3))
    text = text_of(TAGS="a", KEYS="k", UNIQ_KEY="U", city="Zürich")
    assert bench.peer().ask(send_header("T", properties=text, sys_flag=0x301), b"body").code == 0
    return bench


def back(
    bench: Bench, offset: int = 0, group: str = "G", level: int = 0, *, version: int = 493, **more: Any
) -> Command:
    return bench.peer().ask(ConsumerSendMsgBack(offset, group, level, **more), version=version)


def stored(bench: Bench, topic: str) -> list[StoredMessage]:
    queues = bench.topics.configs[topic].read_queue_nums
    peer = bench.peer()
    return [m for i in range(queues) for m in messages(peer.ask(pull_header(topic, queue_id=i)))]


def test_the_copy_has_everything_of_the_original_and_where_it_came_from(bench: Bench) -> None:
    bench.clock.advance(5)
    answer = back(bench, origin_msg_id="x", origin_topic="T")
    assert (answer.code, answer.remark, answer.ext, answer.body) == (0, None, {}, b"")
    topic = bench.topics.configs["%RETRY%G"]
    assert (topic.read_queue_nums, topic.write_queue_nums, topic.perm, topic.order, topic.topic_sys_flag) == (
        3, 3, 6, False, 0,
    )  # fmt: skip
    (message,) = stored(bench, "%RETRY%G")
    assert message.properties == {
        "TAGS": "a", "KEYS": "k", "UNIQ_KEY": "U", "city": "Zürich", **STAMPS,
        "RETRY_TOPIC": "T", "ORIGIN_MESSAGE_ID": ORIGINAL_ID, "WAIT": "false", "DELAY": "3",
    }  # fmt: skip
    assert (message.body, message.flag, message.sys_flag, message.reconsume_times) == (b"body", 7, 0x301, 1)
    assert (message.born_timestamp, message.born_host) == (1_600_000_000_000, b"\x0a\x00\x00\x01\x00\x00\x9c\x40")
    assert (message.store_timestamp, message.store_host) == (bench.now(), HOST)
    assert message.prepared_transaction_offset == 0


def test_it_is_answered_when_name_servers_know_of_the_retry_topic(bench: Bench) -> None:
    assert ask_untold(bench, ConsumerSendMsgBack(0, "G", 0)).code == 0
    bench.topics.told = Deferred
    assert back(bench).code == 0, "a topic that exists is waited for by nobody"


def test_the_tag_still_filters(bench: Bench) -> None:
    back(bench)
    queue_id = stored(bench, "%RETRY%G")[0].queue_id
    peer = bench.peer()
    assert len(messages(peer.ask(pull_header("%RETRY%G", queue_id=queue_id, subscription="a")))) == 1
    assert peer.ask(pull_header("%RETRY%G", queue_id=queue_id, subscription="b")).code == 20


def test_every_attempt_waits_a_level_longer_and_remembers_the_first(bench: Bench) -> None:
    offset = 0
    for attempt in range(1, 6):
        assert back(bench, offset).code == 0
        message = max(stored(bench, "%RETRY%G"), key=lambda m: m.physical_offset)
        offset = message.physical_offset
        told = [message.properties[name] for name in ("DELAY", "RETRY_TOPIC", "ORIGIN_MESSAGE_ID")]
        assert (message.reconsume_times, told) == (attempt, [str(attempt + 2), "T", ORIGINAL_ID])
        assert message.properties_text.count("DELAY") == 1


def test_the_consumer_may_choose_the_level(bench: Bench) -> None:
    back(bench, level=1)
    back(bench, level=18)
    assert sorted(m.properties["DELAY"] for m in stored(bench, "%RETRY%G")) == ["1", "18"]


def test_copies_are_spread_over_the_retry_queues(bench: Bench) -> None:
    for _ in range(60):
        back(bench)
    assert {m.queue_id for m in stored(bench, "%RETRY%G")} == {0, 1, 2}


def test_queues_that_nobody_reads_get_nothing(bench: Bench) -> None:
    """The group's setting was raised after its topic had been made."""
    back(bench)
    bench.groups.put(SubscriptionGroupConfig("G", retry_queue_nums=50))
    for _ in range(60):
        back(bench)
    assert len(stored(bench, "%RETRY%G")) == 61


def test_a_negative_level_is_a_dead_letter(bench: Bench) -> None:
    assert back(bench, level=-1).code == 0
    topic = bench.topics.configs["%DLQ%G"]
    assert (topic.read_queue_nums, topic.write_queue_nums, topic.perm) == (1, 1, 6)
    (message,) = stored(bench, "%DLQ%G")
    assert (message.reconsume_times, message.queue_id, message.body) == (1, 0, b"body")
    assert message.properties == {
        "TAGS": "a", "KEYS": "k", "UNIQ_KEY": "U", "city": "Zürich", **STAMPS,
        "RETRY_TOPIC": "T", "ORIGIN_MESSAGE_ID": ORIGINAL_ID, "WAIT": "false", "DELAY": "0",
    }  # fmt: skip
    assert stored(bench, "%RETRY%G") == []


def retry_until_dead(bench: Bench, *, version: int = 493, **more: Any) -> int:
    """How often the message comes again before it is a dead letter."""
    offset, times = 0, 0
    while True:
        assert back(bench, offset, version=version, **more).code == 0
        if "%DLQ%G" in bench.topics.configs:
            (dead,) = stored(bench, "%DLQ%G")
            assert (dead.reconsume_times, dead.properties["RETRY_TOPIC"]) == (times + 1, "T")
            return times
        times += 1
        offset = max(m.physical_offset for m in stored(bench, "%RETRY%G"))


def test_a_group_has_sixteen_more_attempts(bench: Bench) -> None:
    assert retry_until_dead(bench) == 16


def test_the_groups_setting_counts(bench: Bench) -> None:
    bench.groups.put(SubscriptionGroupConfig("G", retry_max_times=2))
    assert retry_until_dead(bench) == 2


def test_the_consumers_word_counts_more(bench: Bench) -> None:
    assert retry_until_dead(bench, max_reconsume_times=4) == 4


def test_old_consumers_have_no_word(bench: Bench) -> None:
    bench.groups.put(SubscriptionGroupConfig("G", retry_max_times=1))
    assert retry_until_dead(bench, version=120, max_reconsume_times=5) == 1


def test_no_attempt_at_all(bench: Bench) -> None:
    assert retry_until_dead(bench, max_reconsume_times=0) == 0


def test_a_group_without_retry_queues_has_it_dropped(bench: Bench) -> None:
    bench.groups.put(SubscriptionGroupConfig("G", retry_queue_nums=0))
    assert back(bench, offset=777).code == 0
    assert not {"%RETRY%G", "%DLQ%G"} & bench.topics.configs.keys()


def test_unit_mode_marks_the_new_topic(bench: Bench) -> None:
    back(bench, unit_mode=True)
    assert bench.topics.configs["%RETRY%G"].topic_sys_flag == 2


def test_a_sender_with_a_long_address_stays_the_sender(bench: Bench) -> None:
    peer = bench.peer()
    peer.connection.host = bytes(range(16)) + b"\0\0\x9c\x40"
    peer.ask(send_header("T", 1, properties=text_of(UNIQ_KEY="V")), b"long")
    offset = messages(peer.ask(pull_header("T", queue_id=1)))[0].physical_offset
    assert back(bench, offset).code == 0
    (message,) = stored(bench, "%RETRY%G")
    assert (message.born_host, message.sys_flag) == (peer.connection.host, BORN_HOST_V6)


def test_checks_in_their_order(bench: Bench) -> None:
    """Each request is wrong in everything that is still to be checked."""
    broker = bench.settings.broker
    broker.auto_create_subscription_group = False
    broker.broker_permission = 4
    answer = back(bench, offset=777, group="H")
    assert (answer.code, answer.remark) == (26, f"subscription group not exist, H {FAQ}")
    answer = back(bench, offset=777)
    assert (answer.code, answer.remark) == (16, "the broker[127.0.0.1] sending message is forbidden")
    broker.broker_permission = 6
    bench.topic("%RETRY%G", 3, perm=4)
    answer = back(bench, offset=777)
    assert (answer.code, answer.remark) == (16, "the topic[%RETRY%G] sending message is forbidden")
    bench.topic("%RETRY%G", 3)
    for offset in (777, 5, -1, 1 << 62):
        answer = back(bench, offset=offset)
        assert (answer.code, answer.remark) == (1, f"look message by offset failed, {offset}")
    assert stored(bench, "%RETRY%G") == []


def test_a_group_that_may_not_consume_may_send_back(bench: Bench) -> None:
    """What it has in hand when it is stopped is not lost."""
    bench.groups.put(SubscriptionGroupConfig("G", consume_enable=False))
    assert back(bench).code == 0


def test_an_unknown_group_is_made_where_groups_may_be(bench: Bench) -> None:
    assert back(bench, group="New").code == 0
    assert bench.groups.configs["New"].retry_max_times == 16
    assert len(stored(bench, "%RETRY%New")) == 1


def test_a_store_that_takes_nothing_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = AppendResult(PutStatus.SERVICE_NOT_AVAILABLE, -1, -1, 0, 0, ())
    monkeypatch.setattr(bench.store, "append", lambda *arguments: refusal)
    answer = back(bench)
    assert (answer.code, answer.remark) == (1, "SERVICE_NOT_AVAILABLE")
    assert bench.stats.put_failures == 1


def test_it_is_counted(bench: Bench) -> None:
    back(bench)
    back(bench, level=-1)
    bench.stats.sample()
    bench.clock.advance(10)
    bench.stats.sample()
    found = bench.stats.view("SNDBCK_PUT_NUMS", "T@G")
    assert found is not None
    assert found.stats_minute.sum == 2


def test_the_largest_count_does_not_run_over(bench: Bench) -> None:
    largest = (1 << 31) - 1
    bench.peer().ask(send_header("T", 2, reconsume_times=largest), b"often")
    offset = messages(bench.peer().ask(pull_header("T", queue_id=2)))[0].physical_offset
    assert back(bench, offset).code == 0
    (message,) = stored(bench, "%DLQ%G")
    assert message.reconsume_times == largest
