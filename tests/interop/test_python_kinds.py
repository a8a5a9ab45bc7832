"""Our own client with every kind of message and consumption, on servers with short times."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import gatherResults

from rmq.client import (
    SQL92,
    ClientConfig,
    ClientInstance,
    ConsumeContext,
    ConsumeFromWhere,
    ConsumeStatus,
    LitePullConfig,
    LitePullConsumer,
    Message,
    MessageExt,
    MessageQueue,
    OrderlyContext,
    OrderlyPushConsumer,
    OrderlyStatus,
    Producer,
    ProducerConfig,
    PushConfig,
    PushConsumer,
    RemotingError,
    RequestTimeoutError,
    TransactionProducer,
    TransactionState,
    aio,
    blocking,
    reply_to,
    select_by_hash,
)
from rmq.client.errors import IllegalMessageError
from rmq.client.loop import run
from rmq.client.waiting import sleep
from tests.kit import toolchains
from tests.kit.driver import wait_until
from tests.kit.frames import create_topic
from tests.kit.server import RunningServer, chosen_kind, maker

pytestmark = [pytest.mark.interop, pytest.mark.timeout(240)]

SETTINGS = {
    "messageDelayLevel": "1s 1s 1s 2s 2s 2s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s 3s",
    "transactionTimeOut": "1000",
    "transactionCheckInterval": "1000",
    "transactionOpBatchInterval": "200",
    "enablePropertyFilter": "true",
    "traceTopicEnable": "true",
    "recallMessageEnable": "true",
}
FIRST = ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET
PUSH = PushConfig(consume_from_where=FIRST)
LITE = LitePullConfig(consume_from_where=FIRST)
SEND = ProducerConfig(send_timeout=10.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    kind = chosen_kind()
    if kind == "apache":
        toolchains.require("java")
    running = maker(kind)(tmp_path_factory.mktemp("kinds"), extra=SETTINGS)
    yield running
    running.kill()


class Inbox:
    """A listener that keeps what it gets, and answers what it is told to."""

    def __init__(self, answer: Callable[[MessageExt, Any], Any] = lambda message, context: None) -> None:
        self.messages: list[MessageExt] = []
        self.attempts: list[int] = []
        self._answer = answer

    def __call__(self, messages: list[MessageExt], context: Any) -> Any:
        self.messages += messages
        self.attempts += [message.reconsume_times for message in messages]
        return self._answer(messages[0], context)

    @property
    def bodies(self) -> list[str]:
        return [message.body.decode() for message in self.messages]

    async def wait(self, reactor: Any, count: int, seconds: float = 60.0) -> list[str]:
        deadline = reactor.seconds() + seconds
        while len(self.messages) < count and reactor.seconds() < deadline:
            await sleep(reactor, 0.02)
        assert len(self.messages) >= count, f"{len(self.messages)} of {count}: {self.bodies}"
        return self.bodies


def later_once(message: MessageExt, _: ConsumeContext) -> ConsumeStatus | None:
    return None if message.reconsume_times else ConsumeStatus.RECONSUME_LATER


def twisted(server: RunningServer, main: Callable[[Any, ClientInstance], Coroutine[Any, Any, None]]) -> None:
    """Runs a program on a reactor of its own, with a client to live in."""

    async def program(reactor: Any) -> None:
        await main(reactor, ClientInstance(reactor, ClientConfig(namesrv_addr=server.namesrv_addr)))

    run(program)


def consumer(
    reactor: Any,
    instance: ClientInstance,
    topic: str,
    inbox: Callable[..., Any],
    config: PushConfig = PUSH,
    kind: type[PushConsumer] = PushConsumer,
    **more: Any,
) -> PushConsumer:
    made = kind(reactor, f"G-{topic}", inbox, instance=instance, config=config)
    made.subscribe(topic, **more)
    return made


# --- order ----------------------------------------------------------------------------------------------------------


def test_each_key_in_its_order(server: RunningServer) -> None:
    topic, keys, steps = "Kinds-order", 12, ["create", "pay", "push", "finish"]
    create_topic(server.namesrv_addr, server.broker_addr, topic, 4)

    async def main(reactor: Any, instance: ClientInstance) -> None:
        failed: set[str] = set()

        def answer(message: MessageExt, _: OrderlyContext) -> OrderlyStatus:
            # One step of every third order fails once, and must come again before the next step.
            text = message.body.decode()
            if text.endswith("pay") and int(text.split()[0]) % 3 == 0 and text not in failed:
                failed.add(text)
                return OrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT
            return OrderlyStatus.SUCCESS

        inbox = Inbox(answer)
        config = replace(PUSH, suspend_current_queue_time=0.1, consume_batch_size=1)
        made = consumer(reactor, instance, topic, inbox, config, OrderlyPushConsumer)
        async with made, Producer(reactor, f"P-{topic}", instance=instance, config=SEND) as producer:
            for step in steps:
                sends = [
                    producer.send(Message(topic, f"{key} {step}"), selector=select_by_hash, arg=key)
                    for key in range(keys)
                ]
                await gatherResults(sends)
            await inbox.wait(reactor, keys * len(steps) + keys // 3)
        done = [text for i, text in enumerate(inbox.bodies) if text not in inbox.bodies[i + 1 :]]
        for key in range(keys):
            assert [text.split()[1] for text in done if text.startswith(f"{key} ")] == steps
        # A whole queue waits for what failed: offsets never go back but to the failed one.
        by_queue: dict[int, list[int]] = {}
        for message in inbox.messages:
            by_queue.setdefault(message.queue_id, []).append(message.queue_offset)
        for offsets in by_queue.values():
            assert all(after - before in {0, 1} for before, after in itertools.pairwise(offsets))
        assert len(failed) == keys // 3

    twisted(server, main)


def test_ordered_queues_have_one_consumer_at_a_time(server: RunningServer) -> None:
    """A second member joins in the middle: what it takes over goes on behind what the first one finished."""
    topic, count = "Kinds-shared-order", 120
    create_topic(server.namesrv_addr, server.broker_addr, topic, 2)

    async def main(reactor: Any, instance: ClientInstance) -> None:
        seen: list[tuple[int, int]] = []
        open_now: set[int] = set()

        async def listener(messages: list[MessageExt], context: OrderlyContext) -> None:
            queue = context.message_queue.queue_id
            assert queue not in open_now
            open_now.add(queue)
            await sleep(reactor, 0.01)
            open_now.discard(queue)
            seen.extend((queue, message.queue_offset) for message in messages)

        async with Producer(reactor, f"P-{topic}", instance=instance, config=SEND) as producer:
            for i in range(count):
                await producer.send(Message(topic, str(i)), selector=select_by_hash, arg=i)
            first = consumer(reactor, instance, topic, listener, PUSH, OrderlyPushConsumer)
            other = ClientInstance(reactor, ClientConfig(namesrv_addr=server.namesrv_addr))
            second = consumer(reactor, other, topic, listener, PUSH, OrderlyPushConsumer)
            async with first:
                while len(seen) < 20:
                    await sleep(reactor, 0.01)
                async with second:
                    deadline = reactor.seconds() + 80
                    while len(set(seen)) < count and reactor.seconds() < deadline:
                        await sleep(reactor, 0.05)
                    assert [len(made.assignment()) for made in (first, second)] != [0, 0]
        for queue in (0, 1):
            offsets = [offset for number, offset in seen if number == queue]
            assert sorted(set(offsets)) == list(range(count // 2))
            assert offsets == sorted(offsets)

    twisted(server, main)


def test_ordered_messages_that_fail_too_often_are_given_up(server: RunningServer) -> None:
    topic = "Kinds-order-dlq"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 1)

    async def main(reactor: Any, instance: ClientInstance) -> None:
        bad = OrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT
        inbox = Inbox(lambda message, _: bad if message.body == b"bad" else OrderlyStatus.SUCCESS)
        config = replace(PUSH, suspend_current_queue_time=0.05, max_reconsume_times=2)
        made = consumer(reactor, instance, topic, inbox, config, OrderlyPushConsumer)
        dead = Inbox()
        async with Producer(reactor, f"P-{topic}", instance=instance, config=SEND) as producer:
            for text in ("before", "bad", "after"):
                await producer.send(Message(topic, text))
            async with made:
                await inbox.wait(reactor, 5)
                assert inbox.bodies[:5] == ["before", "bad", "bad", "bad", "after"]
                assert inbox.attempts[:5] == [0, 0, 1, 2, 0]
                # Brokers differ in what they make of it: dead letters at once, or one more delivery before.
                watcher = PushConsumer(reactor, f"D-{topic}", dead, instance=instance, config=PUSH)
                watcher.subscribe(f"%DLQ%G-{topic}")
                async with watcher:
                    assert await dead.wait(reactor, 1) == ["bad"]
        assert dead.messages[0].properties["RETRY_TOPIC"] == topic

    twisted(server, main)


# --- failures -------------------------------------------------------------------------------------------------------


def test_failed_messages_come_again_and_end_as_dead_letters(server: RunningServer) -> None:
    topic = "Kinds-retry"

    async def main(reactor: Any, instance: ClientInstance) -> None:
        def answer(message: MessageExt, context: ConsumeContext) -> ConsumeStatus | None:
            if message.body == b"twice" and message.reconsume_times < 2:
                raise ValueError("not yet")
            if message.body == b"never":
                context.delay_level = -1
                return ConsumeStatus.RECONSUME_LATER
            if message.body == b"hopeless":
                context.delay_level = 1
                return ConsumeStatus.RECONSUME_LATER
            return None

        inbox, dead = Inbox(answer), Inbox()
        made = consumer(reactor, instance, topic, inbox, replace(PUSH, max_reconsume_times=2))
        watcher = PushConsumer(reactor, f"D-{topic}", dead, instance=instance, config=PUSH)
        watcher.subscribe(f"%DLQ%G-{topic}")
        async with Producer(reactor, f"P-{topic}", instance=instance, config=SEND) as producer, made:
            for text in ("good", "twice", "never", "hopeless"):
                await producer.send(Message(topic, text, tags="A", keys="k1 k2"))
            await inbox.wait(reactor, 1 + 3 + 1 + 3)
            async with watcher:
                assert sorted(await dead.wait(reactor, 2)) == ["hopeless", "never"]
        tries = sorted(zip(inbox.bodies, inbox.attempts, strict=True))
        assert tries == sorted(
            [("good", 0), ("twice", 0), ("twice", 1), ("twice", 2), ("never", 0)]
            + [("hopeless", times) for times in range(3)]
        )
        again = next(message for message in inbox.messages if message.reconsume_times == 2)
        assert (again.topic, again.tags, again.keys) == (topic, "A", "k1 k2")
        assert again.properties["ORIGIN_MESSAGE_ID"] in {message.offset_msg_id for message in inbox.messages}

    twisted(server, main)


# --- later ----------------------------------------------------------------------------------------------------------


def test_delayed_timed_and_recalled(server: RunningServer) -> None:
    topic = "Kinds-later"

    async def main(reactor: Any, instance: ClientInstance) -> None:
        inbox = Inbox()
        async with (
            consumer(reactor, instance, topic, inbox),
            Producer(reactor, f"P-{topic}", instance=instance, config=SEND) as producer,
        ):
            began = time.time()
            await producer.send(Message(topic, "level", delay_level=4))
            await producer.send(Message(topic, "seconds", delay_seconds=4))
            await producer.send(Message(topic, "fraction", delay_seconds=2.5))
            await producer.send(Message(topic, "at", deliver_at=round((began + 5) * 1000)))
            pending = await producer.send(Message(topic, "recalled", delay_seconds=5))
            assert pending.recall_handle is not None
            assert await producer.recall(topic, pending.recall_handle) == pending.msg_id
            await producer.send(Message(topic, "now"))
            await inbox.wait(reactor, 5)
            await sleep(reactor, 2.5)
            with pytest.raises(RemotingError, match="recall handle is invalid"):
                await producer.recall(topic, "nonsense")
        # When the broker stored them for consumers: how soon this one then looks is not the point.
        after = {message.body.decode(): message.store_timestamp / 1000 - began for message in inbox.messages}
        wanted = {"now": 0, "level": 2, "fraction": 2.5, "seconds": 4, "at": 5}
        assert after.keys() == wanted.keys()
        for text, seconds in wanted.items():
            assert seconds - 1.05 <= after[text] <= seconds + 5, after

    twisted(server, main)


# --- transactions ---------------------------------------------------------------------------------------------------


def test_transactions(server: RunningServer) -> None:
    """Decided at once, decided when the broker asks, decided never; and by another producer of the group."""
    topic = "Kinds-transaction"

    async def main(reactor: Any, instance: ClientInstance) -> None:
        asked: list[str] = []

        def check(message: MessageExt) -> TransactionState | None:
            asked.append(message.body.decode())
            assert (message.topic, message.transaction_id) == (topic, message.unique_id)
            if message.body == b"raises in check" and asked.count("raises in check") == 1:
                raise ValueError("no idea yet")
            return TransactionState.ROLLBACK if message.body == b"later rollback" else TransactionState.COMMIT

        def execute(message: Message, state: TransactionState | None) -> TransactionState | None:
            if message.body == b"raises":
                raise ValueError("failed")
            return state

        cases = {
            "commit": TransactionState.COMMIT,
            "rollback": TransactionState.ROLLBACK,
            "later commit": TransactionState.UNKNOWN,
            "later rollback": None,
            "raises": None,
            "raises in check": TransactionState.UNKNOWN,
        }
        inbox = Inbox()
        made = TransactionProducer(reactor, f"P-{topic}", check, instance=instance)
        async with made, consumer(reactor, instance, topic, inbox):
            results = {
                text: await made.send_in_transaction(Message(topic, text, tags="T", keys=text), execute, state)
                for text, state in cases.items()
            }
            assert {text: result.state for text, result in results.items()} == {
                **{text: state or TransactionState.UNKNOWN for text, state in cases.items()},
                "raises": TransactionState.UNKNOWN,
            }
            with pytest.raises(IllegalMessageError, match="transaction"):
                await made.send_in_transaction(Message(topic, "timed", delay_seconds=5), execute)
            await inbox.wait(reactor, 4)
            await sleep(reactor, 2)
        assert sorted(inbox.bodies) == ["commit", "later commit", "raises", "raises in check"]
        assert {"later commit", "later rollback", "raises", "raises in check"} <= set(asked)
        assert not {"commit", "rollback"} & set(asked)
        (first,) = (message for message in inbox.messages if message.body == b"commit")
        assert (first.tags, first.transaction_id) == ("T", first.unique_id)

    twisted(server, main)


def test_another_producer_of_the_group_answers(server: RunningServer) -> None:
    """The one who sent is gone; one that never sent anything to this topic is asked in its place."""
    topic = "Kinds-orphan"

    async def main() -> list[bytes]:
        received: list[bytes] = []
        enough = asyncio.Event()

        async def listener(messages: list[MessageExt], context: ConsumeContext) -> None:
            received.extend(message.body for message in messages)
            enough.set()

        async def undecided(message: Message, arg: Any) -> None:
            await asyncio.sleep(0)

        async def check(message: MessageExt) -> TransactionState:
            await asyncio.sleep(0.01)
            return TransactionState.COMMIT

        place: Any = {"namesrv_addr": server.namesrv_addr}
        consuming = aio.PushConsumer(f"G-{topic}", listener, config=PUSH, **place)
        consuming.subscribe(topic)
        async with consuming, aio.TransactionProducer(f"P-{topic}", check, **place) as heir:
            # It becomes known to the broker by what it sends itself.
            await heir.send_in_transaction(Message("Kinds-other", "x"), undecided)
            async with aio.TransactionProducer(f"P-{topic}", lambda message: None, **place) as sender:
                await sender.send_in_transaction(Message(topic, "orphan"), undecided)
            await asyncio.wait_for(enough.wait(), 60)
        return received

    assert asyncio.run(main()) == [b"orphan"]


# --- filters --------------------------------------------------------------------------------------------------------


def test_sql_and_tags(server: RunningServer) -> None:
    topic = "Kinds-filter"

    async def main(reactor: Any, instance: ClientInstance) -> None:
        sql, tags = Inbox(), Inbox()
        expression = "age BETWEEN 10 AND 12 OR (city IN ('Kiel') AND TAGS = 'B')"
        first = PushConsumer(reactor, f"GS-{topic}", sql, instance=instance, config=PUSH)
        first.subscribe(topic, expression, expression_type=SQL92)
        second = PushConsumer(reactor, f"GT-{topic}", tags, instance=instance, config=PUSH)
        second.subscribe(topic, "A || C")
        lite = LitePullConsumer(reactor, f"GL-{topic}", instance=instance, config=LITE)
        lite.subscribe(topic, "age >= 14", expression_type=SQL92)
        async with Producer(reactor, f"P-{topic}", instance=instance, config=SEND) as producer, first, second, lite:
            for i in range(16):
                properties = {"age": str(i), "city": "Kiel" if i % 4 == 0 else "Bonn"}
                await producer.send(Message(topic, str(i), tags="ABCD"[i % 2], properties=properties))
            assert sorted(await tags.wait(reactor, 8), key=int) == [str(i) for i in range(0, 16, 2)]
            assert sorted(await sql.wait(reactor, 3), key=int) == ["10", "11", "12"]
            polled: list[str] = []
            while len(polled) < 2:
                messages = await lite.poll(20)
                assert messages
                polled += [message.body.decode() for message in messages]
            assert sorted(polled) == ["14", "15"]

    twisted(server, main)


# --- request and reply ----------------------------------------------------------------------------------------------


def test_request_reply(server: RunningServer) -> None:
    topic = "Kinds-request"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 2)

    async def main(reactor: Any, instance: ClientInstance) -> None:
        answering = Producer(reactor, f"A-{topic}", instance=instance, config=SEND)

        def listener(messages: list[MessageExt], context: ConsumeContext) -> Any:
            (message,) = messages
            if message.body == b"silence":
                return None
            return answering.send(reply_to(message, message.body[::-1] * 2000)).addCallback(lambda _: None)

        other = ClientInstance(reactor, ClientConfig(namesrv_addr=server.namesrv_addr))
        async with (
            answering,
            consumer(reactor, instance, topic, listener),
            Producer(reactor, f"P-{topic}", instance=other) as asking,
        ):
            answers = await gatherResults([asking.request(Message(topic, f"q{i}"), timeout=60) for i in range(10)])
            assert [answer.body for answer in answers] == [f"{i}q".encode() * 2000 for i in range(10)]
            assert answers[0].properties["MSG_TYPE"] == "reply"
            with pytest.raises(RequestTimeoutError, match="wait reply message timeout, 3000 ms"):
                await asking.request(Message(topic, "silence"), timeout=3)
            assert len(other.requests) == 0

    twisted(server, main)


def test_request_reply_blocking(server: RunningServer) -> None:
    topic = "Kinds-request-blocking"
    addr = server.namesrv_addr
    with blocking.Producer("A", namesrv_addr=addr) as answering, blocking.Producer("P", namesrv_addr=addr) as asking:

        def listener(messages: list[MessageExt], context: ConsumeContext) -> None:
            for message in messages:
                answering.send(reply_to(message, threading.current_thread().name))

        made = blocking.PushConsumer(f"G-{topic}", listener, namesrv_addr=addr, config=PUSH)
        made.subscribe(topic)
        with made:
            answer = asking.request(Message(topic, "who?"), timeout=60)
    assert answer.body.decode().startswith(f"PoolThread-ConsumeMessageThread_G-{topic}")


# --- pausing --------------------------------------------------------------------------------------------------------


def test_suspended_consumer_gets_nothing(server: RunningServer) -> None:
    topic = "Kinds-suspend"
    received: list[str] = []

    def listener(messages: list[MessageExt], context: ConsumeContext) -> None:
        received.extend(message.body.decode() for message in messages)

    with blocking.Producer(namesrv_addr=server.namesrv_addr) as producer:
        producer.send(Message(topic, "0"))
        made = blocking.PushConsumer(f"G-{topic}", listener, namesrv_addr=server.namesrv_addr, config=PUSH)
        made.subscribe(topic)
        with made:
            wait_until(lambda: received == ["0"], timeout=60, what=lambda: str(received))
            made.suspend_all()
            # A pull that the broker holds may still bring one message of each queue.
            for i in range(1, 13):
                producer.send(Message(topic, str(i)))
            time.sleep(1.0)
            held_back = 13 - len(received)
            assert held_back >= 8
            made.resume_all()
            wait_until(lambda: len(received) == 13, timeout=60, what=lambda: str(received))
    assert sorted(received, key=int) == [str(i) for i in range(13)]


# --- namespaces and traces ------------------------------------------------------------------------------------------


def test_namespace(server: RunningServer) -> None:
    """What lives in a namespace sees its own names, and nobody else sees its messages."""
    topic = "Kinds-space"

    async def main(reactor: Any, plain: ClientInstance) -> None:
        inside = ClientInstance(reactor, ClientConfig(namesrv_addr=server.namesrv_addr, namespace="shop"))
        inbox, outside = Inbox(later_once), Inbox()
        async with (
            consumer(reactor, inside, topic, inbox),
            consumer(reactor, plain, topic, outside),
            Producer(reactor, "P", instance=inside, config=SEND) as producer,
            Producer(reactor, "P", instance=plain, config=SEND) as other,
        ):
            result = await producer.send(Message(topic, "inside"))
            assert result.message_queue.topic == topic
            assert {queue.topic for queue in await producer.fetch_publish_queues(topic)} == {topic}
            await other.send(Message(topic, "outside"))
            await inbox.wait(reactor, 2)
            assert await outside.wait(reactor, 1) == ["outside"]
            lite = LitePullConsumer(reactor, f"L-{topic}", instance=plain, config=LITE)
            async with lite:
                queues = await lite.fetch_message_queues(f"shop%{topic}")
                await lite.assign(queues)
                (stored,) = await lite.poll(20)
        assert (inbox.bodies, inbox.attempts) == (["inside", "inside"], [0, 1])
        assert [message.topic for message in inbox.messages] == [topic, topic]
        assert (stored.topic, stored.properties["INSTANCE_ID"]) == (f"shop%{topic}", "shop")

    twisted(server, main)


def test_traces(server: RunningServer) -> None:
    topic = "Kinds-trace"

    async def main(reactor: Any, plain: ClientInstance) -> None:
        traced = ClientInstance(reactor, ClientConfig(namesrv_addr=server.namesrv_addr, enable_trace=True))
        inbox = Inbox(later_once)
        async with (
            TransactionProducer(reactor, f"P-{topic}", lambda message: None, instance=traced) as producer,
            consumer(reactor, traced, topic, inbox),
        ):
            sent = await producer.send(Message(topic, "x", tags="T", keys="k1 k2"))
            half = await producer.send_in_transaction(
                Message(topic, "half"), lambda message, arg: TransactionState.ROLLBACK
            )
            await inbox.wait(reactor, 2)
        found: list[MessageExt] = []
        lite = LitePullConsumer(reactor, f"L-{topic}", instance=plain, config=LITE)
        lite.subscribe("RMQ_SYS_TRACE_TOPIC")
        async with lite:
            while messages := await lite.poll(3):
                found += messages
        records = [part.split("\x01") for message in found for part in message.body.decode().split("\x02") if part]
        mine = [fields for fields in records if sent.msg_id in fields]
        pub = next(fields for fields in mine if fields[0] == "Pub")
        assert pub[2:10] == ["DefaultRegion", f"P-{topic}", topic, sent.msg_id, "T", "k1 k2", server.broker_addr, "1"]
        assert pub[11:] == ["0", sent.offset_msg_id, "true"]
        befores = [fields for fields in mine if fields[0] == "SubBefore"]
        assert [(fields[3], fields[6:]) for fields in befores] == [
            (f"G-{topic}", ["0", "k1 k2"]),
            (f"G-{topic}", ["1", "k1 k2"]),
        ]
        afters = {fields[1]: fields for fields in mine if fields[0] == "SubAfter"}
        assert [afters[fields[4]][4:7] for fields in befores] == [["false", "k1 k2", "4"], ["true", "k1 k2", "0"]]
        ended = next(fields for fields in records if fields[0] == "EndTransaction")
        assert ended[3:6] == [f"P-{topic}", topic, half.send_result.msg_id]
        assert ended[9:] == ["2", half.send_result.transaction_id, "ROLLBACK_MESSAGE", "false"]
        assert {"k1", "k2", sent.msg_id} <= set(" ".join(str(message.keys) for message in found).split())

    twisted(server, main)


def test_orderly_lock_keeps_a_stranger_out(server: RunningServer) -> None:
    """The same queue is not consumed by a second client that does not divide queues as it should."""
    topic = "Kinds-lock"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 1)

    async def main(reactor: Any, instance: ClientInstance) -> None:
        first, second = Inbox(), Inbox()
        everything: Callable[..., list[MessageQueue]] = lambda client_id, queues, members: list(queues)
        other = ClientInstance(reactor, ClientConfig(namesrv_addr=server.namesrv_addr))
        one = OrderlyPushConsumer(reactor, f"G-{topic}", first, instance=instance, config=PUSH, allocate=everything)
        two = OrderlyPushConsumer(reactor, f"G-{topic}", second, instance=other, config=PUSH, allocate=everything)
        one.subscribe(topic)
        two.subscribe(topic)
        async with Producer(reactor, f"P-{topic}", instance=instance, config=SEND) as producer:
            await one.start()
            await producer.send(Message(topic, "a"))
            await first.wait(reactor, 1)
            async with two:
                await producer.send(Message(topic, "b"))
                await first.wait(reactor, 2)
                assert [queue for queue in two.assignment() if queue.topic == topic] == []
                await one.shutdown()
                await producer.send(Message(topic, "c"))
                assert await second.wait(reactor, 1) == ["c"]
        assert first.bodies == ["a", "b"]

    twisted(server, main)
