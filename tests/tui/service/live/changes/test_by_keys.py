"""A reset from the first key to the line in the file, against a real server."""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

from rmq.client.admin.offsets import commit_offset
from rmq.client.aio import Producer
from rmq.client.message import Message
from rmq.testing.server import RocketMQ
from rmq.tui.app import RmqApp
from rmq.tui.config import files
from rmq.tui.config.contexts import Context
from rmq.tui.screens.change import ChangeDialog, Phase
from rmq.tui.screens.forms import FormDialog
from rmq.tui.service.changes.groups import CreateGroup, GroupDefinition
from rmq.tui.service.changes.places import Place
from rmq.tui.service.guard import guarded
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model import GroupDetail
from rmq.tui.service.ops import OpsLog
from rmq.tui.state.session import Session
from rmq.wire.bodies.route import MessageQueue
from tests.kit.tui.real import now

PAUSE = 0.02


async def until(pilot: Any, what: Any) -> None:
    """Waits until something holds."""
    while not what():
        await pilot.pause(PAUSE)


def test_by_keys(tmp_path: Path) -> None:
    path = tmp_path / "ops.jsonl"

    async def run(servers: RocketMQ) -> None:
        service = LiveService([servers.namesrv_addr], now)
        queue = MessageQueue("Orders", "broker-a", 0)
        async with Producer("filling", namesrv_addr=servers.namesrv_addr) as producer:
            await producer.send(Message("Orders", b"x"))
            for _ in range(9):
                await producer.send(Message("Orders", b"x"), queue=queue)
        await service.change(
            CreateGroup(Place(cluster="DefaultCluster"), GroupDefinition("billing")), lambda item: None
        )
        await commit_offset(service._known.admin, servers.broker_addr, "billing", queue, 9)

        context = Context("local", (servers.namesrv_addr,))
        log = OpsLog(partial(files.append_line, path), str(path))
        session = Session(guarded(service, context, log, now), now, None, files.save, 3600.0, context, log)
        app = RmqApp(session, opened=("groups", "billing"))
        async with app.run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: app.front is not None and app.front.list.keys == ["billing"])
            app.front.list.focus()
            await pilot.press("R")
            await until(pilot, lambda: isinstance(app.screen, FormDialog))
            await pilot.press(*"-4", "enter")
            await until(pilot, lambda: isinstance(app.screen, ChangeDialog) and app.screen.phase is Phase.SHOWN)
            dialog: Any = app.screen
            await pilot.press(*"billing", "enter")
            await until(pilot, lambda: dialog.phase is Phase.ENDED)
            await pilot.press("escape")
            detail = await session.service.group("billing")
            assert isinstance(detail, GroupDetail)
            assert [one.consumer_offset for one in detail.queues if one.queue_id == 0] == [5]

    async def limited(servers: RocketMQ) -> None:
        async with asyncio.timeout(60):
            await run(servers)

    with RocketMQ() as servers:
        asyncio.run(limited(servers))
        (record,) = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert record["ok"], record
    assert record["change"] == "reset offset billing/Orders -> 4 messages back"
    assert record["dry_run"]["notes"][0] == "4 queues, 4 messages come again"
    assert record["commands"] == [
        f"mqadmin resetOffsetByTime -n {servers.namesrv_addr} -g billing -t Orders -s 0 -b broker-a -q 0 -o 5"
    ]
    assert record["result"] == "1 queue moved and read back"
    assert record["items"] == [
        {"name": f"billing Orders broker-a/{number}", "ok": True, "text": "stays at 0" if number else "9 → 5"}
        for number in range(4)
    ]
    assert record["read_back"][0].startswith("billing: offline, lag ")
