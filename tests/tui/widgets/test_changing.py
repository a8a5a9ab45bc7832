"""Keys that change the cluster, and where there are none."""

import asyncio
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from rmq.tui.config.contexts import Context, Mode
from rmq.tui.widgets.changing import Changing


class Wall(Changing, Widget, can_focus=True):
    """A widget that can be looked at and painted."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("l", "do('look')", "look")]
    CHANGES: ClassVar[list[BindingType]] = [Binding("p", "paint", "paint", id="wall.paint")]

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def action_do(self, what: str) -> None:
        self.done.append(what)

    def action_paint(self) -> None:
        self.done.append("paint")


class TallWall(Wall):
    """One that can be torn down, too."""

    CHANGES: ClassVar[list[BindingType]] = [Binding("t", "tear", "tear", id="wall.tear")]

    def action_tear(self) -> None:
        self.done.append("tear")


class WallApp(App[None]):
    """The wall."""

    def __init__(self, mode: Mode) -> None:
        super().__init__()
        self.session: Any = SimpleNamespace(read_only=Context(mode=mode).mode is Mode.READ_ONLY)

    def compose(self) -> ComposeResult:
        yield TallWall()


@pytest.mark.parametrize(
    ("mode", "done", "keys"),
    [
        (Mode.CONFIRM, ["look", "paint", "tear"], {"l", "p", "t"}),
        (Mode.PROTECTED, ["look", "paint", "tear"], {"l", "p", "t"}),
        (Mode.READ_ONLY, ["look"], {"l"}),
    ],
)
def test_keys_by_mode(mode: Mode, done: list[str], keys: set[str]) -> None:
    async def run() -> None:
        app = WallApp(mode)
        async with app.run_test() as pilot:
            wall = app.query_one(TallWall)
            wall.focus()
            await pilot.press("l", "p", "t")
            assert wall.done == done
            assert {key for key, active in app.active_bindings.items() if active.node is wall} == keys
            await wall.run_action("paint")
            assert wall.done.count("paint") == 2 * (mode is not Mode.READ_ONLY)

    asyncio.run(run())


def test_an_action_of_somebody_else_could_not_be_withheld() -> None:
    with pytest.raises(ValueError, match=r"screen\.paint: the action must be the class's own"):

        class Door(Changing):
            CHANGES: ClassVar[list[BindingType]] = [Binding("p", "screen.paint", "paint")]
