"""mqadmin as a process, against a real server."""

import asyncio
import time
from contextlib import aclosing

from rmq.testing.server import RocketMQ
from rmq.tui.service.changes.change import Outcome, Preview
from rmq.tui.service.changes.command_lines import RunCommand
from rmq.tui.service.live.mqadmin import kind_of, lines_of, summaries
from rmq.tui.service.live.service import LiveService
from rmq.tui.service.model.commands import CommandKind, Ended


def test_what_commands_are() -> None:
    assert kind_of("TOPICLIST") == CommandKind("topicList", summaries()["topicList"])
    delete = kind_of("deleteTopic")
    assert delete is not None
    assert (delete.changes, delete.endless, delete.asks_nameservers) == (True, False, True)
    endless = kind_of("startMonitoring")
    assert endless is not None
    assert endless.endless
    own = kind_of("rocksDBConfigToJson")
    assert own is not None
    assert not own.asks_nameservers
    assert kind_of("nothing") is None


async def output(*words: str, namesrv: str) -> tuple[list[str], int]:
    lines, code = [], -1
    async with aclosing(lines_of(words, namesrv)) as printed:
        async for line in printed:
            if isinstance(line, Ended):
                code = line.code
            else:
                lines.append(line)
    return lines, code


def test_commands_run_rehearse_and_end() -> None:
    async def run(address: str) -> None:
        service = LiveService([address], lambda: time.time_ns() // 1_000_000)
        change = RunCommand(("updateTopic", "-c", "DefaultCluster", "-t", "Orders", "-r", "3", "-w", "3"))
        preview = await service.preview(change)
        assert isinstance(preview, Preview)
        assert preview.refusal == ""
        assert preview.notes[0] == "its dry run says:"
        assert any("Orders" in note for note in preview.notes)
        assert (await output("topicList", namesrv=address))[0].count("Orders") == 0
        outcome = await service.change(change, lambda item: None)
        assert isinstance(outcome, Outcome)
        assert (outcome.ok, outcome.text) == (True, "exit code 0")
        lines, code = await output("topicList", namesrv=address)
        assert (code, lines.count("Orders")) == (0, 1)
        wrong = await service.preview(RunCommand(("deleteTopic", "-t", "Orders")))
        assert isinstance(wrong, Preview)
        assert wrong.refusal.startswith("its dry run ended with exit code ")
        await service.close()

    with RocketMQ() as servers:
        asyncio.run(run(servers.namesrv_addr))


def test_failures_and_an_end_before_the_end() -> None:
    async def run() -> None:
        lines, code = await output("topicList", namesrv="127.0.0.1:1")
        assert code == 1
        assert "127.0.0.1:1" in "\n".join(lines)
        lines, code = await output("topicList", "--bogus", namesrv="127.0.0.1:1")
        assert code == 2
        printed = lines_of(["topicList", "--watch", "1"], "127.0.0.1:1")
        await anext(printed)
        async with asyncio.timeout(5):
            await printed.aclose()

    asyncio.run(run())
