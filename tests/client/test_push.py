"""Push consumers of a cluster in memory: division of queues, offsets, failures, flow control, what brokers may ask."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.client.config import PushConfig
from rmq.client.consume import ConsumeContext, ConsumeStatus, Listener
from rmq.client.message import MessageExt
from rmq.client.push import PushConsumer
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.bodies.heartbeat import ConsumeFromWhere, ConsumeType, MessageModel
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumeResult
from rmq.wire.command import Command
from rmq.wire.errors import (
    NotSupportedError,
    RemotingError,
    SubscriptionNotExistError,
    SystemBusyError,
    TopicNotExistError,
)
from rmq.wire.message import decode_message, parse_properties
from rmq.wire.requests.client import GetConsumerListByGroup, Heartbeat, UnregisterClient
from rmq.wire.requests.offset import UpdateConsumerOffset
from rmq.wire.requests.pull import PullMessage
from rmq.wire.requests.retry import ConsumerSendMsgBack
from rmq.wire.requests.route import GetRouteInfoByTopic
from rmq.wire.requests.send import SendMessageV2
from tests.kit.cluster import NAMESRV, START, MemoryCluster

FIRST = ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET
LAST = ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET
TIME = ConsumeFromWhere.CONSUME_FROM_TIMESTAMP


class Inbox:
    """A listener that keeps what it gets, and answers what it is told to."""

    def __init__(self, answer: Callable[[MessageExt], Any] = lambda _: None) -> None:
        self.messages: list[MessageExt] = []
        self.contexts: list[ConsumeContext] = []
        self._answer = answer

    @property
    def bodies(self) -> list[str]:
        return [message.body.decode() for message in self.messages]

    def __call__(self, messages: list[MessageExt], context: ConsumeContext) -> Any:
        self.messages += messages
        self.contexts.append(context)
        return self._answer(messages[0])


def consumer(
    cluster: MemoryCluster, inbox: Listener, name: str = "c1", expression: str = "*", **config: Any
) -> PushConsumer:
    config.setdefault("consume_from_where", FIRST)
    made = PushConsumer(cluster.clock, "G", inbox, instance=cluster.instance(name), config=PushConfig(**config))
    made.subscribe("T", expression)
    return made


def started(
    cluster: MemoryCluster, inbox: Listener, name: str = "c1", expression: str = "*", **config: Any
) -> PushConsumer:
    made = consumer(cluster, inbox, name, expression, **config)
    made.start()
    cluster.advance(0.5)
    return made


def share(made: PushConsumer) -> list[int]:
    return [queue.queue_id for queue in made.assignment() if queue.topic == "T"]


def outcome(result: Deferred[Any]) -> Any:
    outcomes: list[Any] = []
    result.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
    return outcomes[0]


# --- division and offsets -------------------------------------------------------------------------------------------


def test_consumes_what_is_there_and_what_comes() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    queues = cluster.create("T", 2)
    cluster.store(queues[0], "a", "b")
    made = started(cluster, inbox)
    cluster.store(queues[1], "c")
    cluster.advance(0.1)
    assert sorted(inbox.bodies) == ["a", "b", "c"]
    assert inbox.contexts[0].message_queue in queues
    assert made.fetcher.process_queue(queues[0]).__len__() == 0  # type: ignore[union-attr]
    first = inbox.messages[0]
    assert (first.broker_name, first.properties["MIN_OFFSET"], first.properties["MAX_OFFSET"]) == ("broker-a", "0", "2")
    assert int(first.properties["CONSUME_START_TIME"]) >= START


def test_offsets_are_committed_every_five_seconds_and_at_the_end() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    queues = cluster.create("T", 2)
    cluster.store(queues[0], "a", "b")
    made = started(cluster, inbox)
    cluster.advance(5)
    assert cluster.committed("G", "T")[0] == 2
    cluster.store(queues[1], "c")
    cluster.advance(0.1)
    outcome(made.shutdown())
    assert cluster.committed("G", "T") == {0: 2, 1: 1}
    last = [call.header for call in cluster.calls][-1]
    assert last == UnregisterClient("10.1.1.1@c1", consumer_group="G")
    cluster.advance(60)
    assert cluster.clock.getDelayedCalls() == []


def test_heartbeat_tells_what_is_wanted() -> None:
    cluster = MemoryCluster()
    cluster.create("T", 1)
    made = started(cluster, Inbox(), expression="A || B")
    assert len(cluster.asked(Heartbeat)) == 1
    data = made.consumer_data()
    assert (data.group_name, data.consume_type, data.message_model) == (
        "G",
        ConsumeType.CONSUME_PASSIVELY,
        MessageModel.CLUSTERING,
    )
    assert {item.topic: item.sub_string for item in data.subscription_data_set} == {"T": "A || B", "%RETRY%G": "*"}
    cluster.advance(31)
    assert len(cluster.asked(Heartbeat)) == 2


def test_a_second_member_joins_and_leaves_and_nothing_is_lost() -> None:
    cluster, first, second = MemoryCluster(), Inbox(), Inbox()
    queues = cluster.create("T", 4)
    one = started(cluster, first)
    assert share(one) == [0, 1, 2, 3]
    cluster.store(queues[3], "before")
    cluster.advance(0.2)
    two = started(cluster, second, "c2")
    assert (share(one), share(two)) == ([0, 1], [2, 3])
    assert cluster.committed("G", "T")[3] == 1
    for queue in queues:
        cluster.store(queue, f"both {queue.queue_id}")
    cluster.advance(0.2)
    assert (sorted(first.bodies), sorted(second.bodies)) == (["before", "both 0", "both 1"], ["both 2", "both 3"])
    outcome(two.shutdown())
    cluster.advance(0.2)
    assert share(one) == [0, 1, 2, 3]
    cluster.store(queues[3], "after")
    cluster.advance(0.2)
    assert first.bodies[-1] == "after"
    assert len(first.bodies + second.bodies) == 6


def test_division_is_looked_at_every_twenty_seconds() -> None:
    cluster = MemoryCluster()
    cluster.create("T", 2)
    made = started(cluster, Inbox())
    cluster.topics["T"] = 4
    cluster.advance(60)
    assert share(made) == [0, 1, 2, 3]
    cluster.topics["T"] = 1
    cluster.advance(60)
    assert share(made) == [0]


def test_a_topic_that_comes_into_being_later() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    made = started(cluster, inbox)
    assert share(made) == []
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a")
    cluster.advance(2)
    assert inbox.bodies == ["a"]


def test_servers_that_are_away_at_the_start() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a")
    cluster.down |= {NAMESRV, "10.0.0.1:10911"}
    started(cluster, inbox)
    cluster.down.clear()
    cluster.advance(40)
    assert inbox.bodies == ["a"]


def test_a_member_that_the_broker_does_not_name_gets_no_queue() -> None:
    cluster = MemoryCluster()
    cluster.create("T", 2)
    cluster.failures[GetConsumerListByGroup] = RemotingError("no consumer for this group")
    made = started(cluster, Inbox())
    assert share(made) == []
    cluster.failures.clear()
    cluster.advance(2)
    assert share(made) == [0, 1]


@pytest.mark.parametrize(
    ("where", "config", "expected"),
    [
        (FIRST, {}, ["0", "1", "2", "3", "4", "new"]),
        (LAST, {}, ["new"]),
        (TIME, {"consume_timestamp": START + 3}, ["3", "4", "new"]),
    ],
)
def test_where_a_new_group_begins(where: ConsumeFromWhere, config: dict[str, Any], expected: list[str]) -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, *"01234")
    started(cluster, inbox, consume_from_where=where, **config)
    cluster.store(queue, "new")
    cluster.advance(0.1)
    assert inbox.bodies == expected


def test_a_known_group_goes_on_where_it_was() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, *"01234")
    cluster.offsets["G", queue] = 3
    started(cluster, inbox, consume_from_where=LAST)
    assert inbox.bodies == ["3", "4"]


@pytest.mark.parametrize(("committed", "goes_on"), [(0, 5), (99, 7)])
def test_an_offset_that_does_not_exist(committed: int, goes_on: int) -> None:
    """Expired messages, or a broker that came back with less: the queue begins where the broker says."""
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    cluster._at(queue).first = 5
    cluster.store(queue, "5", "6")
    cluster.offsets["G", queue] = committed
    made = started(cluster, inbox)
    cluster.store(queue, "7")
    cluster.advance(0.1)
    assert inbox.bodies == ["5", "6", "7"][goes_on - 5 :]
    assert made.offsets.get(queue) == 8


def test_broadcasting_gets_everything_and_keeps_a_file(tmp_path: Path) -> None:
    cluster, first, second = MemoryCluster(), Inbox(), Inbox()
    queues = cluster.create("T", 2)
    config = {"message_model": MessageModel.BROADCASTING, "offset_store_dir": tmp_path}
    one = started(cluster, first, **config)
    two = started(cluster, second, "c2", **config)
    cluster.store(queues[0], "a")
    cluster.store(queues[1], "b")
    cluster.advance(0.2)
    assert sorted(first.bodies) == sorted(second.bodies) == ["a", "b"]
    for made in (one, two):
        outcome(made.shutdown())
    assert cluster.offsets == {}
    assert (tmp_path / "10.1.1.1@c1" / "G" / "offsets.json").read_text().count("}:1") == 2
    again = Inbox()
    started(cluster, again, **config)
    cluster.store(queues[0], "c")
    cluster.advance(0.2)
    assert again.bodies == ["c"]


def test_unsubscribing_gives_the_queues_back() -> None:
    cluster = MemoryCluster()
    cluster.create("T", 2)
    cluster.create("U", 1)
    made = started(cluster, Inbox())
    made.subscribe("U")
    cluster.advance(0.5)
    assert {queue.topic for queue in made.assignment()} == {"T", "U", "%RETRY%G"}
    made.unsubscribe("T")
    cluster.advance(0.5)
    assert {queue.topic for queue in made.assignment()} == {"U", "%RETRY%G"}


# --- tags -----------------------------------------------------------------------------------------------------------


def test_tags_are_compared_once_more() -> None:
    """Brokers compare hashes only; BB and Aa have the same."""
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    for tag in ("Aa", "BB", ""):
        cluster.store(queue, tag or "none", properties=f"TAGS\x01{tag}\x02" if tag else "")
    made = started(cluster, inbox, expression="Aa || CC")
    assert inbox.bodies == ["Aa"]
    assert made.offsets.get(queue) == 1
    cluster.store(queue, "BB", properties="TAGS\x01BB\x02")
    cluster.advance(0.1)
    assert (inbox.bodies, made.offsets.get(queue)) == (["Aa"], 4)


# --- listeners ------------------------------------------------------------------------------------------------------


def test_workers_at_once_are_bounded() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    ends: list[Deferred[None]] = []

    async def answer(_: MessageExt) -> None:
        ends.append(Deferred())
        await ends[-1]

    inbox = Inbox(answer)
    cluster.store(queue, *"0123456789")
    made = started(cluster, inbox, concurrency=3)
    assert inbox.bodies == ["0", "1", "2"]
    assert sorted(context.worker for context in inbox.contexts) == [1, 2, 3]
    ends[1].callback(None)
    cluster.advance(0.1)
    assert (inbox.bodies[-1], inbox.contexts[-1].worker, made.offsets.get(queue)) == ("3", 2, 0)
    ends[0].callback(None)
    cluster.advance(0.1)
    assert made.offsets.get(queue) == 2


def test_several_messages_a_call() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, *"0123456")
    calls: list[int] = []
    started(cluster, lambda messages, context: calls.append(len(messages)), consume_batch_size=3)
    assert calls == [3, 3, 1]


def later(_: MessageExt) -> ConsumeStatus:
    return ConsumeStatus.RECONSUME_LATER


def fails(_: MessageExt) -> None:
    raise ValueError("no")


async def fails_later(_: MessageExt) -> None:
    raise ValueError("no")


@pytest.mark.parametrize("answer", [later, fails, fails_later])
def test_failed_messages_go_back_to_the_broker(answer: Callable[[MessageExt], Any]) -> None:
    cluster, inbox = MemoryCluster(), Inbox(answer)
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a", "b")
    made = started(cluster, inbox)
    backs = cluster.asked(ConsumerSendMsgBack)
    offset_id = inbox.messages[1].offset_msg_id
    assert backs[1] == ConsumerSendMsgBack(inbox.messages[1].commit_log_offset, "G", 0, offset_id, "T", None, 16)
    assert (inbox.bodies, made.offsets.get(queue)) == (["a", "b"], 2)


def test_part_of_a_call_that_failed() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, *"01234")

    def listener(messages: list[MessageExt], context: ConsumeContext) -> None:
        context.ack_index, context.delay_level = 1, -1

    started(cluster, listener, consume_batch_size=5)
    assert [back.delay_level for back in cluster.asked(ConsumerSendMsgBack)] == [-1, -1, -1]


def test_a_broker_that_takes_nothing_back_gets_a_new_message() -> None:
    cluster = MemoryCluster()
    inbox = Inbox(lambda message: ConsumeStatus.RECONSUME_LATER if message.reconsume_times == 2 else None)
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a", properties="KEYS\x01k\x02", reconsume_times=2)
    cluster.failures[ConsumerSendMsgBack] = NotSupportedError("no")
    made = started(cluster, inbox)
    (sent,) = cluster.asked(SendMessageV2)
    properties = parse_properties(sent.properties)
    assert (sent.producer_group, sent.topic, sent.reconsume_times, sent.max_reconsume_times) == (
        "CLIENT_INNER_PRODUCER",
        "%RETRY%G",
        3,
        16,
    )
    assert {name: properties[name] for name in ("KEYS", "RETRY_TOPIC", "DELAY")} == {
        "KEYS": "k",
        "RETRY_TOPIC": "T",
        "DELAY": "5",
    }
    assert properties["ORIGIN_MESSAGE_ID"] == inbox.messages[0].offset_msg_id
    assert made.offsets.get(queue) == 1


def test_what_nobody_takes_back_is_tried_again_here() -> None:
    cluster = MemoryCluster()
    answers = iter([ConsumeStatus.RECONSUME_LATER, None])
    inbox = Inbox(lambda _: next(answers))
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a")
    cluster.failures[ConsumerSendMsgBack] = cluster.failures[SendMessageV2] = SystemBusyError("busy")
    made = started(cluster, inbox)
    assert (inbox.bodies, made.offsets.get(queue)) == (["a"], 0)
    cluster.advance(5.5)
    assert (inbox.bodies, made.offsets.get(queue)) == (["a", "a"], 1)
    assert inbox.messages[1].reconsume_times == 1


def test_broadcasting_drops_what_fails(tmp_path: Path) -> None:
    cluster, inbox = MemoryCluster(), Inbox(later)
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a")
    made = started(cluster, inbox, message_model=MessageModel.BROADCASTING, offset_store_dir=tmp_path)
    assert (cluster.asked(ConsumerSendMsgBack), made.offsets.get(queue)) == ([], 1)


def test_who_sends_a_message_back_and_knows_no_retry_topic_looks_again_at_once() -> None:
    cluster, inbox = MemoryCluster(), Inbox(later)
    (queue,) = cluster.create("T", 1)
    retries = MessageQueue("%RETRY%G", "broker-a", 0)
    missing = TopicNotExistError("none")
    cluster.failures[GetRouteInfoByTopic] = lambda call: missing if call.header.topic == "%RETRY%G" else None
    made = started(cluster, inbox)
    assert made.fetcher.queues == [queue]
    looks = len(cluster.asked(GetConsumerListByGroup))
    cluster.store(queue, "a")
    cluster.advance(0.5)
    assert (made.fetcher.queues, len(cluster.asked(GetConsumerListByGroup))) == ([queue], looks + 1), "none still"
    del cluster.failures[GetRouteInfoByTopic]
    cluster.store(queue, "b")
    cluster.advance(0.5)
    assert made.fetcher.queues == [queue, retries]
    looks = len(cluster.asked(GetConsumerListByGroup))
    cluster.store(queue, "c")
    cluster.advance(0.5)
    assert len(cluster.asked(GetConsumerListByGroup)) == looks, "whoever knows it does not look again"


def test_retried_messages_have_their_own_topic() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    cluster.create("T", 1)
    cluster.topics["%RETRY%G"] = 1
    started(cluster, inbox)
    cluster.store(
        MessageQueue("%RETRY%G", "broker-a", 0), "again", properties="RETRY_TOPIC\x01T\x02", reconsume_times=1
    )
    cluster.advance(0.1)
    assert [(m.topic, m.body, m.reconsume_times) for m in inbox.messages] == [("T", b"again", 1)]


def test_listener_that_takes_too_long() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a", "b")
    hangs: Deferred[None] = Deferred()
    inbox = Inbox(lambda message: hangs if message.body == b"a" else None)
    made = started(cluster, inbox, consume_timeout=60)
    assert made.offsets.get(queue) == 0
    cluster.advance(121, 0.5)
    assert [back.delay_level for back in cluster.asked(ConsumerSendMsgBack)] == [3]
    assert made.offsets.get(queue) == 2
    hangs.callback(None)


# --- flow control ---------------------------------------------------------------------------------------------------


def test_pulling_pauses_while_too_much_is_held() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, *map(str, range(500)))
    ends: list[Deferred[None]] = []

    def answer(_: MessageExt) -> Deferred[None]:
        ends.append(Deferred())
        return ends[-1]

    made = started(cluster, Inbox(answer), pull_threshold_for_queue=100, concurrency=4)
    process_queue = made.fetcher.process_queue(queue)
    assert process_queue is not None
    assert 100 < len(process_queue) <= 132
    pulls = len(cluster.asked(PullMessage))
    cluster.advance(10)
    assert len(cluster.asked(PullMessage)) == pulls
    while ends and len(process_queue) > 100:
        ends.pop(0).callback(None)
        cluster.advance(0.05)
    assert len(cluster.asked(PullMessage)) > pulls


def test_suspended_consumer_pulls_nothing() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    made = started(cluster, inbox)
    made.suspend_all()
    cluster.store(queue, "in the pull that was held")
    cluster.store(queue, "later")
    cluster.advance(40)
    assert inbox.bodies == ["in the pull that was held"]
    made.resume_all()
    cluster.advance(0.1)
    assert inbox.bodies[-1] == "later"


def test_pull_carries_the_offset() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    started(cluster, Inbox())
    assert (cluster.asked(PullMessage)[0].sys_flag, cluster.asked(PullMessage)[0].sub_version) == (2, START)
    cluster.store(queue, "a", "b")
    cluster.advance(0.1)
    cluster.store(queue, "c")
    cluster.advance(0.1)
    last = [header for header in cluster.asked(PullMessage) if header.topic == "T"][-1]
    assert (last.sys_flag, last.commit_offset, last.queue_offset, last.suspend_timeout_millis) == (3, 2, 3, 15000)


def test_broker_that_goes_and_comes_back() -> None:
    """The pull is tried every three seconds, and the broker hears again who is there before it is pulled from."""
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    started(cluster, inbox)
    held = next(item for item in cluster.held if item.call.header.topic == "T")
    cluster.down.add("10.0.0.1:10911")
    cluster.members.clear()
    cluster.held.clear()
    held.answer.errback(ConnectFailedError("10.0.0.1:10911", "gone"))
    cluster.advance(7)
    cluster.down.clear()
    cluster.calls.clear()
    cluster.store(queue, "after")
    cluster.advance(4)
    assert inbox.bodies == ["after"]
    kinds = [type(call.header) for call in cluster.calls]
    assert kinds.index(Heartbeat) < kinds.index(PullMessage)
    assert set(cluster.members["G"]) == {"10.1.1.1@c1"}


def test_broker_that_has_forgotten_the_subscription() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)
    answers = iter([SubscriptionNotExistError("the consumer's subscription not exist")])
    cluster.failures[PullMessage] = lambda call: next(answers, None) if call.header.topic == "T" else None
    cluster.store(queue, "a")
    started(cluster, inbox)
    assert inbox.bodies == []
    cluster.advance(4)
    assert inbox.bodies == ["a"]
    assert len(cluster.asked(Heartbeat)) == 2


def test_broker_that_does_not_hold_pulls_is_not_asked_all_the_time() -> None:
    cluster = MemoryCluster()
    cluster.create("T", 1)
    cluster._PullMessage = lambda call, _: cluster._pulled(call)  # type: ignore[method-assign]
    started(cluster, Inbox())
    cluster.calls.clear()
    cluster.advance(1)
    assert len([header for header in cluster.asked(PullMessage) if header.topic == "T"]) <= 11


# --- the end --------------------------------------------------------------------------------------------------------


def test_shutdown_waits_for_listeners_and_commits_what_they_did() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a", "b", "c")
    ends: list[Deferred[None]] = []

    def answer(_: MessageExt) -> Deferred[None]:
        ends.append(Deferred())
        return ends[-1]

    made = started(cluster, Inbox(answer), concurrency=2)
    stopping = made.shutdown()
    cluster.advance(1)
    assert not stopping.called
    for end in ends:
        end.callback(None)
    cluster.advance(1)
    assert (outcome(stopping), len(ends)) == (None, 2)
    assert cluster.committed("G", "T") == {0: 2}


def test_shutdown_does_not_wait_for_ever() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a")
    made = started(cluster, Inbox(lambda _: Deferred()), shutdown_timeout=2)
    stopping = made.shutdown()
    cluster.advance(2.5)
    assert outcome(stopping) is None
    assert cluster.committed("G", "T") == {}


def test_listener_that_shuts_its_consumer_down() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, *"0123456789")
    seen: list[bytes] = []

    def listener(messages: list[MessageExt], context: ConsumeContext) -> None:
        seen.extend(message.body for message in messages)
        if len(seen) == 3:
            stopping.append(made.shutdown())

    stopping: list[Deferred[None]] = []
    made = consumer(cluster, listener)
    made.start()
    cluster.advance(1)
    assert outcome(stopping[0]) is None
    assert seen == [b"0", b"1", b"2"]
    assert cluster.committed("G", "T") == {0: 3}


# --- what brokers ask -----------------------------------------------------------------------------------------------


def test_reset_of_offsets() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    queues = cluster.create("T", 2)
    cluster.store(queues[0], *"01234")
    made = started(cluster, inbox)
    outcome(Deferred.fromCoroutine(made.reset_offsets("T", {queues[0]: 3, MessageQueue("U", "broker-a", 0): 9})))
    cluster.advance(0.1)
    assert inbox.bodies == ["0", "1", "2", "3", "4", "3", "4"]
    assert cluster.asked(UpdateConsumerOffset)[0] == UpdateConsumerOffset("G", "T", 0, 3)
    assert made.consumer_status("T").message_queue_table[queues[0]] == 5


def test_running_info() -> None:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a", "b")
    made = started(cluster, Inbox())
    info = made.running_info()
    assert info.properties == {
        "PROP_NAMESERVER_ADDR": "10.0.0.9:9876;",
        "PROP_CONSUME_TYPE": "CONSUME_PASSIVELY",
        "PROP_CLIENT_VERSION": "V5_4_0",
        "PROP_CONSUMER_START_TIMESTAMP": str(START),
        "PROP_CONSUMEORDERLY": "false",
        "PROP_THREADPOOL_CORE_SIZE": "0",
    }
    assert [data.topic for data in info.subscription_set] == ["%RETRY%G", "T"]
    assert info.mq_table[queue].commit_offset == 2
    assert info.status_table["T"].consume_ok_tps > 0


@pytest.mark.parametrize(
    ("answer", "result", "remark"),
    [
        (lambda _: None, ConsumeResult.CR_SUCCESS, None),
        (later, ConsumeResult.CR_LATER, None),
        (fails, ConsumeResult.CR_THROW_EXCEPTION, "ValueError: no"),
    ],
)
def test_direct_consumption(answer: Callable[[MessageExt], Any], result: ConsumeResult, remark: str | None) -> None:
    cluster, inbox = MemoryCluster(), Inbox(answer)
    (queue,) = cluster.create("T", 1)
    made = started(cluster, inbox)
    cluster._append(queue, b"direct", properties="TAGS\x01A\x02")
    stored = decode_message(cluster.queues[queue].records[0])
    answered = outcome(Deferred.fromCoroutine(made.consume_directly(stored, "broker-a")))
    assert (answered.consume_result, answered.remark, answered.order) == (result, remark, False)
    assert (inbox.bodies, inbox.messages[0].broker_name, inbox.messages[0].tags) == (["direct"], "broker-a", "A")


# --- what crosses -----------------------------------------------------------------------------------------------------


def hanging(cluster: MemoryCluster, kind: str) -> list[Deferred[Any]]:
    """From now on requests of this kind are answered by whoever fires what is listed."""
    waiting: list[Deferred[Any]] = []

    def wait(*_: object) -> Deferred[Any]:
        waiting.append(Deferred())
        return waiting[-1]

    setattr(cluster, f"_{kind}", wait)
    return waiting


def test_shutdown_while_a_queue_is_given_away_commits_it() -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    queues = cluster.create("T", 2)
    for queue in queues:
        cluster.store(queue, "a", "b")
    made = started(cluster, inbox)
    waiting = hanging(cluster, "UpdateConsumerOffset")
    started(cluster, Inbox(), "c2")
    assert len(waiting) == 1
    del cluster._UpdateConsumerOffset
    made.shutdown()
    cluster.advance(0.5)
    assert cluster.committed("G", "T") == {0: 2, 1: 2}


@pytest.mark.parametrize("error", [TypeError("unexpected"), IndexError("unexpected")])
def test_a_pull_loop_goes_on_whatever_happens_to_it(error: Exception) -> None:
    cluster, inbox = MemoryCluster(), Inbox()
    (queue,) = cluster.create("T", 1)

    def fails(_: object) -> None:
        raise error

    cluster.failures[PullMessage] = fails
    started(cluster, inbox)
    cluster.store(queue, "a")
    cluster.failures.clear()
    cluster.advance(5)
    assert inbox.bodies == ["a"]


def test_a_reset_leaves_queues_alone_that_went_meanwhile() -> None:
    cluster = MemoryCluster()
    queues = cluster.create("T", 2)
    for queue in queues:
        cluster.store(queue, *"0123")
    made = started(cluster, Inbox())
    waiting = hanging(cluster, "UpdateConsumerOffset")
    resetting = Deferred.fromCoroutine(made.reset_offsets("T", dict.fromkeys(queues, 1)))
    del cluster._UpdateConsumerOffset
    going = next(queue for queue in queues if made.offsets.get(queue) != 1)
    outcome(Deferred.fromCoroutine(made.fetcher.release(going)))
    waiting[0].callback(Command(0))
    outcome(resetting)
    assert going not in made.assignment()


@pytest.mark.parametrize("answer", ["RECONSUME_LATER", "nonsense", [], 7])
def test_a_listener_that_answers_with_something_else_has_not_succeeded(answer: Any) -> None:
    cluster, inbox = MemoryCluster(), Inbox(lambda _: answer)
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a")
    started(cluster, inbox)
    assert [header.delay_level for header in cluster.asked(ConsumerSendMsgBack)] == [0]


def test_a_listener_may_answer_with_the_text_of_a_status() -> None:
    cluster, inbox = MemoryCluster(), Inbox(lambda _: "CONSUME_SUCCESS")
    (queue,) = cluster.create("T", 1)
    cluster.store(queue, "a")
    started(cluster, inbox)
    cluster.advance(5)
    assert cluster.asked(ConsumerSendMsgBack) == []
    assert cluster.committed("G", "T") == {0: 1}
