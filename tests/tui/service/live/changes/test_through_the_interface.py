"""The whole way: a form is filled in, previewed, confirmed, carried out by a real server, and read back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rmq.testing.server import RocketMQ
from rmq.tui.app import RmqApp
from rmq.tui.screens.change import ChangeDialog, Phase
from rmq.tui.screens.config import ConfigScreen
from rmq.tui.screens.forms import FormDialog
from rmq.tui.service.live.service import LiveService
from rmq.tui.state.session import Session
from tests.kit.tui.real import now
from tests.kit.tui_service import press, text_of, type_text


async def until(pilot: Any, holds: Callable[[], bool]) -> None:
    """Waits for what a server is to bring about."""
    for _ in range(400):
        if holds():
            return
        await pilot.pause(0.025)
    raise AssertionError(text_of(pilot))


def played(script: Callable[[Any], Awaitable[None]]) -> None:
    async def run(address: str) -> None:
        def forbidden(path: Any, text: str) -> None:
            raise OSError(13, "no files in this test")

        app = RmqApp(Session(LiveService([address], now), now, None, forbidden))
        async with app.run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: app.session.cluster.value is not None)
            await script(pilot)

    with RocketMQ() as servers:
        asyncio.run(run(servers.namesrv_addr))


async def confirmed(pilot: Any, typed: str = "") -> str:
    """Confirms the change whose dialog is open, and what is shown when it has ended."""
    dialog = pilot.app.screen
    assert isinstance(dialog, ChangeDialog)
    await until(pilot, lambda: dialog.phase is Phase.SHOWN)
    if typed:
        await type_text(pilot, typed)
    await press(pilot, "enter" if typed else "y")
    await until(pilot, lambda: dialog.phase is Phase.ENDED)
    shown = text_of(pilot)
    await press(pilot, "escape")
    return shown


async def opened(pilot: Any, *keys: str) -> FormDialog:
    """The form that keys open."""
    await press(pilot, *keys)
    await until(pilot, lambda: isinstance(pilot.app.screen, FormDialog))
    form = pilot.app.screen
    assert isinstance(form, FormDialog)
    return form


def fill(form: FormDialog, **values: Any) -> None:
    for key, value in values.items():
        form.query_one(f"#field-{key}").value = value  # type: ignore[attr-defined]


def test_a_topic_and_a_group_are_made_edited_and_deleted_and_a_setting_is_changed() -> None:
    async def script(pilot: Any) -> None:
        fill(await opened(pilot, "n"), name="Fresh", kind="FIFO", write="4", read="4")
        await press(pilot, "ctrl+s")
        assert "broker-a: 4r/4w RW- FIFO" in await confirmed(pilot)
        topics = pilot.app.screen
        await until(pilot, lambda: "Fresh" in topics.list.keys)
        topics.list.go_to("Fresh")

        form = await opened(pilot, "e")
        assert form.values == {
            "name": "Fresh",
            "place": "c DefaultCluster",
            "kind": "FIFO",
            "write": "4",
            "read": "4",
            "perm": "6",
            "order": "false",
            "attributes": "",
        }
        fill(form, perm="4")
        await press(pilot, "ctrl+s")
        assert "broker-a: 4r/4w R-- FIFO" in await confirmed(pilot)
        await press(pilot, "D")
        shown = await confirmed(pilot, "Fresh")
        assert "broker-a: it is gone" in shown
        assert "route: there is none" in shown

        policy = '{"type": "CUSTOMIZED", "customizedRetryPolicy": {"next": [1000]}}'
        fill(await opened(pilot, "3", "n"), name="crew", retry_policy=policy)
        await press(pilot, "ctrl+s")
        assert "broker-a: may consume, 16 tries, 1 retry queue" in await confirmed(pilot)
        groups = pilot.app.screen
        await until(pilot, lambda: "crew" in groups.list.keys)
        groups.list.go_to("crew")
        form = await opened(pilot, "e")
        assert form.values["retry_policy"] == '{"customizedRetryPolicy": {"next": [1000]}, "type": "CUSTOMIZED"}'
        fill(form, retry_max="3")
        await press(pilot, "ctrl+s")
        assert "broker-a: may consume, 3 tries, 1 retry queue" in await confirmed(pilot)
        await opened(pilot, "D")
        await press(pilot, "ctrl+s")
        assert "broker-a: it is gone" in await confirmed(pilot, "crew")

        await press(pilot, "1", "e")
        config = pilot.app.screen
        assert isinstance(config, ConfigScreen)
        await until(pilot, lambda: config.feed.value is not None)
        config.list.go_to("fileReservedTime")
        await press(pilot, "e")
        pilot.app.focused.value = "48"
        await press(pilot, "enter", "a")
        assert "broker-a: fileReservedTime = 48" in await confirmed(pilot)
        await until(pilot, lambda: not config.edits)
        assert config.list.rows["fileReservedTime"].value == "48"

    played(script)
