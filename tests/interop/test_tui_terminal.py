"""The terminal interface in a real terminal, on our servers and on Apache's: what an operator does on a bad day.

A group is behind, and is moved; a message is looked at; a dead letter is sent again.
"""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rmq.client import ConsumeFromWhere, ConsumeStatus, Message, PushConfig
from rmq.client.admin.aio import together
from rmq.client.admin.groups import create_group, stats_on
from rmq.client.admin.pulling import Reader
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import topic_route
from rmq.client.aio import Producer, PushConsumer
from rmq.remoting.aio import AsyncioClient
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.requests.offset import UpdateConsumerOffset
from tests.kit import toolchains
from tests.kit.frames import create_topic, wait_for_figures
from tests.kit.server import RunningServer, maker
from tests.kit.terminal import Terminal

pytestmark = [pytest.mark.interop, pytest.mark.timeout(240)]

COUNT, READ = 40, 15
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["rmq", "apache"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    toolchains.require("terminal")
    if request.param == "apache":
        toolchains.require("java")
    running = maker(request.param)(tmp_path_factory.mktemp(request.param))
    try:
        wait_for_figures(running.broker_addr)
        asyncio.run(fill(running))
        yield running
    finally:
        running.kill()


async def fill(server: RunningServer) -> None:
    """Forty orders of which a group has read fifteen, and a refund that another group has given up."""
    for topic in ("Orders", "Refunds"):
        create_topic(server.namesrv_addr, server.broker_addr, topic, 1)
    async with Producer("shop", namesrv_addr=server.namesrv_addr) as producer:
        for number in range(COUNT):
            body = f'{{"order": {number}, "item": "book"}}'
            await producer.send(Message("Orders", body, tags="New", keys=f"order-{number}"))
        await producer.send(Message("Refunds", "refund of order 7", keys="refund-7"))
    async with asked(server) as admin:
        await create_group(admin, server.broker_addr, SubscriptionGroupConfig("billing"))
        await admin.call(server.broker_addr, UpdateConsumerOffset("billing", "Orders", 0, READ))
    await give_up(server)


@asynccontextmanager
async def asked(server: RunningServer) -> AsyncIterator[Admin]:
    """Asks the servers without the interface."""
    client = AsyncioClient()
    yield Admin(
        client,
        [server.namesrv_addr],
        together=together,
        now=lambda: time.time_ns() // 1_000_000,
        sleep=asyncio.sleep,
        choose=random.randrange,
    )
    await client.close()


async def committed(server: RunningServer) -> int:
    """The group's offset, as its broker says."""
    async with asked(server) as admin:
        stats = await stats_on(admin, [server.broker_addr], "billing", "Orders")
    return stats.offset_table[MessageQueue("Orders", "broker-a", 0)].consumer_offset


async def second_refund(server: RunningServer) -> tuple[bytes, object]:
    """Body and keys of the message behind the one that was given up."""
    async with asked(server) as admin:
        reader = Reader(admin, await topic_route(admin, "Refunds"), "Refunds")
        pulled = await reader.pull(MessageQueue("Refunds", "broker-a", 0), 1, 1)
    return pulled.messages[0].body, pulled.messages[0].keys


async def give_up(server: RunningServer) -> None:
    given_up = asyncio.Event()

    async def listen(messages: list[object], context: object) -> ConsumeStatus:
        given_up.set()
        return ConsumeStatus.RECONSUME_LATER

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET, max_reconsume_times=0)
    consumer = PushConsumer("refunders", listen, namesrv_addr=server.namesrv_addr, config=config)
    consumer.subscribe("Refunds")
    async with consumer:
        await asyncio.wait_for(given_up.wait(), 60)


@pytest.fixture
def terminal(server: RunningServer, tmp_path: Path) -> Iterator[Terminal]:
    words = [sys.executable, "-m", "rmq", "tui", "-n", server.namesrv_addr, "--refresh", "500ms"]
    with Terminal(words, tmp_path, env={"PYTHONPATH": str(ROOT)}) as made:
        made.wait("Topics (", "Orders")
        yield made


def test_a_group_that_is_behind_is_moved(server: RunningServer, terminal: Terminal) -> None:
    terminal.press("/")
    terminal.type("lag:>0")
    terminal.press("Enter")
    terminal.wait("Topics (1/2)", "filter: lag:>0", "25")
    terminal.press("Enter")
    terminal.wait("▶ broker-a")
    terminal.press("]", "]")
    terminal.wait("▶ billing", "25 =")
    terminal.press("Enter")
    terminal.wait("Topics Orders › Groups billing", "offline", "broker-a/0")
    terminal.press("R")
    terminal.wait("Reset offsets of billing")
    terminal.type("earliest")
    terminal.press("Enter")
    command = f"mqadmin resetOffsetByTime -n {server.namesrv_addr}"
    terminal.wait("HIGH risk", "type billing to confirm", command)
    terminal.wait("1 queue, 15 messages come again", "billing is offline")
    terminal.wait_row("broker-a/0", "15", "0", "15")
    terminal.type("billing")
    terminal.press("Enter")
    terminal.wait("1 queue moved and read back", "billing Orders broker-a/0", "15 → 0")
    terminal.press("Escape")
    terminal.wait("Groups billing", gone=["HIGH risk"])
    terminal.wait_row("billing", "offline", "0", "40")
    assert asyncio.run(committed(server)) == 0
    terminal.resize(80, 24)
    terminal.press("9")
    terminal.wait("Ops (1)")
    terminal.wait_row("1", "ok", "reset", "offset")


def test_a_body_is_looked_at(terminal: Terminal) -> None:
    terminal.press("4")
    terminal.wait("press i and ask")
    terminal.press("i")
    terminal.wait("esc leave")
    terminal.type("Orders key:order-7")
    terminal.press("Enter")
    terminal.wait("1 found", "auto: JSON · 28 bytes", "order: 7", 'item: "book"')
    terminal.wait_row("broker-a/0", "7", "order-7")


def test_a_dead_letter_is_sent_again(server: RunningServer, terminal: Terminal) -> None:
    terminal.press("6")
    terminal.wait("DLQ (1)", "refund of order 7")
    terminal.wait_row("refunders", "1")
    terminal.press("Enter")
    terminal.wait("DLQ refunders › Dead letters")
    terminal.press("Space")
    terminal.wait("││• ")
    terminal.press("p")
    terminal.wait("Re-send 1 dead letter of refunders")
    terminal.press("Enter")
    terminal.wait("MEDIUM risk", "1 to Refunds", "the dead letters stay where they are")
    terminal.press("Enter")
    terminal.wait("1 of 1 re-sent", "read back: 1 of 1 looked at are stored, with the same body")
    terminal.press("Escape")
    terminal.wait("refunders", gone=["1 of 1 re-sent"])
    body, keys = asyncio.run(second_refund(server))
    assert (body, keys) == (b"refund of order 7", "refund-7")
    terminal.press("q")
    terminal.wait("exit code 0")
