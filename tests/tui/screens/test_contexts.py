"""From one cluster to another, and to servers that are elsewhere than they say."""

from typing import Any

from rmq.tui.config.contexts import Context, Mode
from rmq.tui.screens.contexts import ContextDialog
from rmq.tui.service.guard import guarded
from rmq.tui.service.model import Problem
from tests.kit.tui.paint import Paint
from tests.kit.tui_service import OTHER, FakeService, play, press, settle, strike, text_of

LOCAL = Context("local", ("10.0.0.9:9876",))
PROD = Context("prod", ("10.9.9.9:9876",), Mode.PROTECTED, "red", True, 30.0, "nord", {OTHER: "127.0.0.1:1"})
STAGE = Context("stage", ("10.8.8.8:9876",), Mode.READ_ONLY)


def playing(script: Any) -> None:
    """Plays with three contexts; the service of each is kept in `made`."""
    made: dict[str, FakeService] = {}

    def connect(context: Context) -> Any:
        fake = made[context.name] = FakeService()
        fake.more_topics = (f"only-{context.name}",)
        return guarded(fake, context, script.log, fake.now)

    async def whole(pilot: Any, service: FakeService) -> None:
        script.log = pilot.app.session.ops
        await script(pilot, service, made)

    contexts = {context.name: context for context in (LOCAL, PROD, STAGE)}
    play(whole, contexts=contexts, connect=connect, context=LOCAL)


async def command(pilot: Any, line: str) -> None:
    await press(pilot, "colon")
    pilot.app.screen.query_one("#command").value = line
    await press(pilot, "enter")


def test_to_another_context_and_back() -> None:
    async def script(pilot: Any, service: FakeService, made: dict[str, FakeService]) -> None:
        app = pilot.app
        await press(pilot, "2")
        assert "only-prod" not in text_of(pilot)
        await command(pilot, "ctx prod")
        assert service.closed
        assert (app.current_mode, app.theme, app.session.refresh) == ("topics", "nord", 30.0)
        shown = text_of(pilot)
        assert shown.startswith("┏━")
        assert "prod" in shown.splitlines()[1]
        assert "mode:protected" in shown.splitlines()[1]
        assert "only-prod" in shown
        assert made["prod"].count("cluster") >= 1

        await command(pilot, "ctx")
        dialog = app.screen
        assert isinstance(dialog, ContextDialog)
        assert "● prod               protected  10.9.9.9:9876" in text_of(pilot)
        assert "  stage              read-only  10.8.8.8:9876" in text_of(pilot)
        await strike(pilot, "down", "enter")
        await settle(pilot)
        assert app.session.name == "stage"
        assert made["prod"].closed
        assert not text_of(pilot).startswith("┏━")
        before = app.screen
        await press(pilot, "n")
        assert app.screen is before

        await command(pilot, "ctx nowhere")
        assert "there is no context nowhere; there are local, prod, stage" in text_of(pilot)
        await command(pilot, "ctx stage")
        assert "this is stage" in text_of(pilot)
        await command(pilot, "ctx")
        await press(pilot, "enter")
        assert app.session.name == "stage"

    playing(script)


def test_no_switch_while_a_change_runs() -> None:
    async def script(pilot: Any, service: FakeService, made: dict[str, FakeService]) -> None:
        import asyncio

        service.held["change"] = asyncio.Event()
        pilot.app.propose(Paint())
        await settle(pilot)
        pilot.app.simulate_key("y")
        await pilot.pause(0.1)
        pilot.app.simulate_key("escape")
        await pilot.pause(0.1)
        assert pilot.app.run_line("ctx prod") == "paint the wall red is still running here"
        service.held["change"].set()
        await settle(pilot)
        assert pilot.app.session.name == "local"

    playing(script)


def test_addresses() -> None:
    async def script(pilot: Any, service: FakeService, made: dict[str, FakeService]) -> None:
        service.problems[("broker", OTHER)] = Problem("cannot connect: timed out", OTHER)
        await press(pilot, "r")
        app = pilot.app
        assert f"map {OTHER} " in app.suggestions()
        assert app.run_line("map") == "no address is mapped; :map ADVERTISED REACHABLE maps one"
        assert app.run_line("map a") == (
            ":map needs two addresses: the advertised one, and the one that it can be reached at"
        )
        assert app.run_line(f"map {OTHER} x") == "x is not host:port"
        told = app.run_line(f"map {OTHER} 127.0.0.1:10911")
        assert told == f"{OTHER} is looked for at 127.0.0.1:10911 until the end of this run"
        assert service.address_map == {OTHER: "127.0.0.1:10911"}
        assert app.run_line("map") == f"{OTHER} → 127.0.0.1:10911"
        assert f"unmap {OTHER}" in app.suggestions()
        assert app.run_line("unmap") == ":unmap needs an address"
        assert app.run_line("unmap b:1") == "b:1 is not mapped"
        assert app.run_line(f"unmap {OTHER}") == ""
        assert service.address_map == {}
        await settle(pilot)

    playing(script)
