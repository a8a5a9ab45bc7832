"""Our own client: on asyncio through the scenarios of all clients, on Twisted and in threads as users write them."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import gatherResults

from rmq.client import (
    ClientInstance,
    ConsumeContext,
    ConsumeFromWhere,
    LitePullConfig,
    LitePullConsumer,
    Message,
    MessageExt,
    MessageModel,
    MessageQueue,
    Producer,
    PushConfig,
    PushConsumer,
    RemotingError,
    SendStatus,
    aio,
    blocking,
    select_by_hash,
    split_batches,
)
from rmq.client.errors import ClientError
from rmq.client.loop import run
from rmq.client.waiting import sleep
from rmq.wire.errors import TopicNotExistError
from tests.interop import scenarios
from tests.kit.driver import Driver, Outgoing, Received, wait_until
from tests.kit.frames import create_topic
from tests.kit.messages import assert_received_once, assert_same, by_number, make_messages
from tests.kit.server import RunningServer
from tests.kit.toolchains import Program

pytestmark = pytest.mark.interop
StartDriver = Callable[[Program], Driver]

PROGRAM = Program((sys.executable, str(Path(__file__).parent / "python" / "driver.py")))
FIRST = ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET


@pytest.fixture
def python(shared_drivers: StartDriver) -> Driver:
    return shared_drivers(PROGRAM)


# --- on asyncio, in a process of its own ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["sync", "async", "oneway", "batch"])
def test_sends_ten_thousand(python: Driver, mode: str) -> None:
    scenarios.sends_and_consumes(python, mode, f"Python-{mode}")


@pytest.mark.parametrize("way", ["shutdown", "kill"])
def test_one_client_joins_and_leaves(
    python: Driver, start_driver: StartDriver, server: RunningServer, way: str
) -> None:
    stays, guest = start_driver(PROGRAM), start_driver(PROGRAM)
    leave = guest.kill if way == "kill" else lambda: guest.retire("guest")
    topic = f"Python-join-{way}"
    create_topic(server.namesrv_addr, server.broker_addr, topic, 8)
    scenarios.one_joins_and_leaves(stays, guest, python, topic, queues=8, leave=leave)


def test_broadcasting(python: Driver, start_driver: StartDriver) -> None:
    scenarios.broadcasts(python, start_driver(PROGRAM), "Python-broadcast", make_messages("broadcast", 1000))


def test_tag_filter(python: Driver) -> None:
    scenarios.filters_tags(python, "Python-tags")


def test_bodies_that_are_compressed_large_or_plain(python: Driver) -> None:
    topic = "Python-bodies"
    outgoing = [
        Outgoing(b"\0", properties={"number": "0"}),
        Outgoing("only text, ünïcode ✓".encode(), properties={"number": "1"}),
        Outgoing(b"compressible " * 1000, "T", "k", {"number": "2"}),
        Outgoing(os.urandom(8192), "T", "k", {"number": "3"}),
        Outgoing(b"\xff" * (3 * 1024 * 1024), "T", "k1 k2 k3", {"number": "4"}),
        Outgoing(os.urandom(2 * 1024 * 1024), "T" * 100, "k" * 500, {"number": "5", "long": "v" * 5000}),
    ]
    python.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    sent = python.send(f"P-{topic}", topic, outgoing, threads=1)
    python.push(f"C-{topic}", f"G-{topic}", topic)
    received = assert_received_once(python.wait_received(f"C-{topic}", len(outgoing)), outgoing, topic)
    assert [(s.queue_id, s.queue_offset) for s in sent] == [(m.queue_id, m.queue_offset) for m in received]
    python.call("stop", name=f"C-{topic}")
    python.call("stop", name=f"P-{topic}")


@pytest.fixture
def stored(python: Driver, request: pytest.FixtureRequest) -> tuple[str, list[Outgoing]]:
    """A topic with 400 messages, 100 in each of 4 queues, in sending order."""
    topic = f"Python-{request.node.originalname.removeprefix('test_').replace('_', '-')}"
    outgoing = make_messages(topic, 400)
    python.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    for queue in range(4):
        sent = python.send(f"P-{topic}", topic, outgoing[queue * 100 : queue * 100 + 100], threads=1, queue=queue)
        assert [(s.queue_id, s.queue_offset) for s in sent] == [(queue, i) for i in range(100)]
    return topic, outgoing


def _poll(python: Driver, name: str, count: int) -> list[Received]:
    """Poll until that many came."""
    polled: list[Received] = []
    while len(polled) < count:
        lines = python.call("ask", name=name, what="poll", seconds=10)
        assert lines, f"{len(polled)} of {count} polled, and nothing more comes"
        polled += [Received.of(line) for line in lines]
    return polled


def test_lite_pull_goes_on_where_it_committed(python: Driver, stored: tuple[str, list[Outgoing]]) -> None:
    topic, outgoing = stored
    python.call("lite", name=f"S-{topic}", group=f"G-{topic}", topic=topic, assign=False, expression="*")
    assert_received_once(_poll(python, f"S-{topic}", 400), outgoing, topic)
    assert python.call("ask", name=f"S-{topic}", what="poll", seconds=0.3) == []
    python.call("ask", name=f"S-{topic}", what="commit")
    assert [python.call("ask", name=f"S-{topic}", what="committed", queue=queue) for queue in range(4)] == [100] * 4
    python.call("stop", name=f"S-{topic}")
    python.send(f"P-{topic}", topic, [outgoing[7]], threads=1, queue=1)
    python.call("lite", name=f"S2-{topic}", group=f"G-{topic}", topic=topic, assign=False, expression="*")
    assert [(m.queue_id, m.queue_offset) for m in _poll(python, f"S2-{topic}", 1)] == [(1, 100)]
    python.call("stop", name=f"S2-{topic}")
    python.call("stop", name=f"P-{topic}")


def test_lite_pull_seeks_in_assigned_queues(python: Driver, stored: tuple[str, list[Outgoing]]) -> None:
    topic, outgoing = stored
    name = f"A-{topic}"
    python.call("lite", name=name, group=f"G-{topic}", topic=topic, assign=True)
    for queue, offset in ((0, 90), (1, 100), (2, 100), (3, 95)):
        python.call("ask", name=name, what="seek", queue=queue, offset=offset)
    # Nothing of before the seeks comes after them.
    wanted = {*range(90, 100), *range(395, 400)}
    polled = by_number(_poll(python, name, len(wanted)))
    assert set(polled) == wanted
    for number, deliveries in polled.items():
        assert len(deliveries) == 1
        assert_same(deliveries[0], outgoing[number], topic)
    assert (
        python.call("ask", name=name, what="offsetForTimestamp", queue=0, timestamp=polled[90][0].store_timestamp) <= 90
    )
    python.call("stop", name=name)
    python.call("stop", name=f"P-{topic}")


def test_consumer_goes_on_where_it_stopped(python: Driver) -> None:
    topic = "Python-resume"
    group, outgoing = f"G-{topic}", make_messages(topic, 600)
    python.call("producer", name=f"P-{topic}", group=f"PG-{topic}")
    python.send(f"P-{topic}", topic, outgoing[:300])
    python.push(f"C1-{topic}", group, topic)
    python.wait_received(f"C1-{topic}", 300)
    python.call("stop", name=f"C1-{topic}")
    python.send(f"P-{topic}", topic, outgoing[300:])
    python.push(f"C2-{topic}", group, topic)
    second = python.wait_received(f"C2-{topic}", 300)
    assert_received_once(python.received(f"C1-{topic}") + second, outgoing, topic)
    python.call("stop", name=f"C2-{topic}")
    python.call("stop", name=f"P-{topic}")


# --- on Twisted, in this process ------------------------------------------------------------------------------------


class Inbox:
    """A listener that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[MessageExt] = []
        self.workers: set[int] = set()

    def __call__(self, messages: list[MessageExt], context: ConsumeContext) -> None:
        self.messages += messages
        self.workers.add(context.worker)

    async def wait(self, reactor: Any, count: int, seconds: float = 60.0) -> list[MessageExt]:
        deadline = reactor.seconds() + seconds
        while len(self.messages) < count and reactor.seconds() < deadline:
            await sleep(reactor, 0.02)
        assert len(self.messages) == count
        return self.messages


def test_twisted_program_sends_and_consumes(server: RunningServer) -> None:
    """Producer and consumer of one client instance; callbacks, queues in turn, selectors and batches."""
    topic = "Python-twisted"

    async def main(reactor: Any) -> None:
        inbox, instance = Inbox(), ClientInstance(reactor)
        consumer = PushConsumer(
            reactor, f"G-{topic}", inbox, instance=instance, config=PushConfig(consume_from_where=FIRST)
        )
        consumer.subscribe(topic, "TagA || TagB")
        async with Producer(reactor, f"P-{topic}", instance=instance) as producer:
            statuses: list[SendStatus] = []
            await producer.send(Message(topic, "a", tags="TagA", keys=["k1", "k2"])).addCallback(
                lambda result: statuses.append(result.send_status)
            )
            assert statuses == [SendStatus.SEND_OK]
            in_turn = [await producer.send(Message(topic, f"turn {i}", tags="TagA")) for i in range(8)]
            assert sorted(result.message_queue.queue_id for result in in_turn) == [0, 0, 1, 1, 2, 2, 3, 3]
            hashed = await gatherResults(
                [
                    producer.send(
                        Message(topic, f"order {i}", tags="TagB"), selector=select_by_hash, arg=f"order-{i % 2}"
                    )
                    for i in range(10)
                ]
            )
            assert [len({result.message_queue for result in hashed[i::2]}) for i in range(2)] == [1, 1]
            batches = list(split_batches([Message(topic, f"batch {i}", tags="TagA") for i in range(50)], 4000))
            assert len(batches) > 1
            for batch in batches:
                assert (await producer.send_batch(batch)).msg_id.split(",") == [message.unique_id for message in batch]
            await producer.send(Message(topic, "unwanted", tags="TagC"))
            async with consumer:
                received = await inbox.wait(reactor, 1 + 8 + 10 + 50)
                await sleep(reactor, 0.2)
        wanted = (
            ["a"]
            + [f"turn {i}" for i in range(8)]
            + [f"order {i}" for i in range(10)]
            + [f"batch {i}" for i in range(50)]
        )
        assert sorted(message.body.decode() for message in received) == sorted(wanted)
        first = next(message for message in received if message.body == b"a")
        assert (first.tags, first.keys, first.reconsume_times) == ("TagA", "k1 k2", 0)
        assert len(inbox.workers) > 1

    _run(server, main)


def _run(server: RunningServer, main: Callable[[Any], Any]) -> Any:
    """Runs a program that finds its name server in the environment, as most do."""
    before = os.environ.get("NAMESRV_ADDR")
    os.environ["NAMESRV_ADDR"] = server.namesrv_addr
    try:
        return run(main)
    finally:
        if before is None:
            del os.environ["NAMESRV_ADDR"]
        else:
            os.environ["NAMESRV_ADDR"] = before


def test_lite_pull_pauses_and_seeks(server: RunningServer) -> None:
    topic = "Python-lite"

    async def main(reactor: Any) -> None:
        config = LitePullConfig(consume_from_where=FIRST, auto_commit=False)
        consumer = LitePullConsumer(reactor, f"G-{topic}", config=config)
        async with Producer(reactor) as producer, consumer:
            queue = (await producer.send(Message(topic, "0"))).message_queue
            for i in range(1, 40):
                await producer.send(Message(topic, str(i)), queue=queue)
            assert queue in await consumer.fetch_message_queues(topic)
            await consumer.assign([queue])
            assert [message.queue_offset for message in await consumer.poll(20)] == list(range(10))
            await consumer.seek(queue, 35)
            assert [message.body for message in await consumer.poll(20)] == [b"35", b"36", b"37", b"38", b"39"]
            await consumer.commit()
            assert await consumer.committed(queue) == 40
            await consumer.seek_to_begin(queue)
            assert (await consumer.poll(20))[0].queue_offset == 0
            consumer.pause([queue])
            await consumer.seek_to_end(queue)
            await producer.send(Message(topic, "40"), queue=queue)
            assert await consumer.poll(0.3) == []
            consumer.resume([queue])
            assert [message.body for message in await consumer.poll(20)] == [b"40"]
            assert (await consumer.min_offset(queue), await consumer.max_offset(queue)) == (0, 41)
            with pytest.raises(
                ClientError, match="Seek offset illegal, seek offset = 99, min offset = 0, max offset = 41"
            ):
                await consumer.seek(queue, 99)
            with pytest.raises(ClientError, match="not in assigned list"):
                await consumer.seek(MessageQueue(topic, "broker-a", 99), 0)
            with pytest.raises(TopicNotExistError):
                await consumer.fetch_message_queues("Python-no-such-topic")

    _run(server, main)


def test_broadcasting_goes_on_where_its_file_says(server: RunningServer, tmp_path: Path) -> None:
    topic = "Python-local"

    async def consume(reactor: Any, count: int) -> list[bytes]:
        inbox = Inbox()
        config = PushConfig(
            message_model=MessageModel.BROADCASTING, consume_from_where=FIRST, offset_store_dir=tmp_path
        )
        consumer = PushConsumer(reactor, f"G-{topic}", inbox, config=config)
        consumer.subscribe(topic)
        async with consumer:
            await inbox.wait(reactor, count)
            await sleep(reactor, 0.2)
        return [message.body for message in inbox.messages]

    async def main(reactor: Any) -> None:
        async with Producer(reactor) as producer:
            for i in range(8):
                await producer.send(Message(topic, f"first {i}"))
            assert sorted(await consume(reactor, 8)) == [b"first %d" % i for i in range(8)]
            for i in range(4):
                await producer.send(Message(topic, f"second {i}"))
            assert sorted(await consume(reactor, 4)) == [b"second %d" % i for i in range(4)]

    _run(server, main)
    (written,) = tmp_path.rglob("offsets.json")
    assert written.parent.name == f"G-{topic}"
    assert written.parent.parent.name.endswith("@DEFAULT")
    assert written.read_text().count('"queueId":') == 4


def test_refusals_are_errors_with_codes(server: RunningServer) -> None:
    async def main(reactor: Any) -> list[RemotingError]:
        errors = []
        async with Producer(reactor) as producer:
            sends = [
                lambda: producer.send(Message("../x", "a")),
                lambda: producer.send(Message("SCHEDULE_TOPIC_XXXX", "a")),
                lambda: producer.send(Message("Python-refused", b"")),
                lambda: producer.send(
                    Message("Python-refused", b"a"), queue=MessageQueue("Python-refused", "broker-a", 77)
                ),
                lambda: producer.send(
                    Message("Python-refused", b"a"), queue=MessageQueue("Python-refused", "nobody", 0)
                ),
            ]
            for send in sends:
                with pytest.raises(RemotingError) as caught:
                    await send()
                errors.append(caught.value)
        return errors

    errors = _run(server, main)
    # The first three never leave the client; for the others no route names the broker, and there is none to ask for.
    assert [int(error.code) for error in errors] == [29, -1, 13, 17, 17]


# --- elsewhere ------------------------------------------------------------------------------------------------------


def test_asyncio_program_leaves_nothing_behind(server: RunningServer) -> None:
    """Producers and a consumer on plain asyncio.run; afterwards the loop holds no timer, socket or task of theirs."""
    topic = "Python-asyncio"

    async def main() -> tuple[list[bytes], int]:
        received: list[bytes] = []
        enough = asyncio.Event()

        async def listener(messages: Sequence[MessageExt], context: ConsumeContext) -> None:
            await asyncio.sleep(0.001)
            received.extend(message.body for message in messages)
            if len(received) == 100:
                enough.set()

        addr = server.namesrv_addr.replace("127.0.0.1", "localhost")
        async with aio.Producer("P1", namesrv_addr=addr) as one, aio.Producer("P2", namesrv_addr=addr) as two:
            await asyncio.gather(*((one, two)[i % 2].send(Message(topic, str(i))) for i in range(100)))
            consumer = aio.PushConsumer(
                f"G-{topic}", listener, namesrv_addr=addr, config=PushConfig(consume_from_where=FIRST)
            )
            consumer.subscribe(topic)
            async with consumer:
                await asyncio.wait_for(enough.wait(), 60)
        await asyncio.sleep(0.05)
        loop: Any = asyncio.get_running_loop()
        return received, len(asyncio.all_tasks()) + len(loop._selector.get_map()) + len(
            [h for h in loop._scheduled if not h.cancelled()]
        )

    received, left = asyncio.run(main())
    assert sorted(received, key=int) == [b"%d" % i for i in range(100)]
    # The task that counts, and the socket pair by which asyncio wakes itself.
    assert left == 2


def test_blocking_program(server: RunningServer) -> None:
    topic = "Python-blocking"
    names: set[str] = set()
    received: list[bytes] = []
    lock = threading.Lock()

    def listener(messages: list[MessageExt], context: ConsumeContext) -> None:
        with lock:
            names.add(threading.current_thread().name)
            received.extend(message.body for message in messages)

    before = threading.active_count()
    with blocking.Producer("P", namesrv_addr=server.namesrv_addr) as producer:
        for i in range(50):
            assert producer.send(Message(topic, str(i))).send_status == SendStatus.SEND_OK
    consumer = blocking.PushConsumer(
        f"G-{topic}", listener, namesrv_addr=server.namesrv_addr, config=PushConfig(consume_from_where=FIRST)
    )
    consumer.subscribe(topic)
    with consumer:
        wait_until(lambda: len(received) >= 50, timeout=60, what=lambda: f"{len(received)} of 50 received")
    puller = blocking.LitePullConsumer(
        f"L-{topic}", namesrv_addr=server.namesrv_addr, config=LitePullConfig(consume_from_where=FIRST)
    )
    puller.subscribe(topic)
    polled: list[bytes] = []
    with puller:
        while len(polled) < 50:
            messages = puller.poll(20)
            assert messages
            polled += [message.body for message in messages]
    assert sorted(received, key=int) == sorted(polled, key=int) == [b"%d" % i for i in range(50)]
    assert threading.current_thread().name not in names
    assert threading.active_count() == before
