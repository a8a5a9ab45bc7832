"""Every key on every screen, and the ways between the screens."""

import json
import string
from pathlib import Path
from typing import Any

import pytest

from rmq.tui.app import SCREENS
from rmq.tui.screens.dialogs import CopyDialog, ExportDialog, HelpDialog
from rmq.tui.screens.lists import ListScreen
from rmq.tui.widgets.grid import Grid
from tests.kit.tui.clients import CONNECTED
from tests.kit.tui_service import MASTER, SLAVE, FakeService, play, press, rounds, settle, strike, text_of, type_text

TYPED = string.printable.strip() + " é€"
MODES = [(str(screen.NUMBER), screen.MODE) for screen in SCREENS if issubclass(screen, ListScreen)]
FIRST_ROW = {
    "cluster": MASTER,
    "topics": "audit",
    "groups": "audit-trail",
    "clients": CONNECTED[0].key,
    "dlq": "billing",
    "acl": "admin",
}


def screen(pilot: Any) -> ListScreen[Any, Any]:
    assert isinstance(pilot.app.screen, ListScreen)
    return pilot.app.screen


# --- every screen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "mode"), [entry for entry in MODES if entry[1] in FIRST_ROW])
def test_numbers_bring_screens_to_the_front(number: str, mode: str) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, number)
        assert mode == screen(pilot).MODE
        assert pilot.app.current_mode == mode
        assert screen(pilot).list.has_focus
        assert screen(pilot).subject == FIRST_ROW[mode]
        assert screen(pilot).detail.value is not None

    play(script)


@pytest.mark.parametrize(("number", "mode"), MODES)
def test_every_key_of_a_table_and_its_screen_on_every_screen(number: str, mode: str) -> None:
    """Presses each bound key; what it does is asserted below, here that none leads nowhere or fails."""
    bound = [binding for cls in (Grid, *SCREENS[0].__mro__) for binding in cls.__dict__.get("BINDINGS", ())]
    keys = [key for binding in bound if binding.action != "app.quit" for key in binding.key.split(",")]
    assert {"colon", "slash", "s", "S", "enter", "g", "G", "h", "j", "k", "l", "space", "y", "x", "r", "z"} <= set(keys)

    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, number)
        for key in keys:
            await strike(pilot, key, "escape")
        assert mode == screen(pilot).MODE

    play(script)


@pytest.mark.parametrize(("number", "mode"), MODES)
def test_the_filter_is_open_to_every_character(number: str, mode: str) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, number, "slash")
        field = pilot.app.focused
        assert field.id == "filter"
        await type_text(pilot, TYPED)
        await pilot.pause()
        assert field.value == TYPED
        assert mode == screen(pilot).MODE

    play(script)


@pytest.mark.parametrize(("number", "mode"), MODES)
def test_the_command_line_is_open_to_every_character(number: str, mode: str) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, number, "colon")
        field = pilot.app.focused
        assert field.id == "command"
        await type_text(pilot, TYPED)
        await pilot.pause()
        assert field.value == TYPED
        await press(pilot, "escape")
        assert (screen(pilot).MODE, screen(pilot).list.has_focus) == (mode, True)

    play(script)


def test_the_file_name_is_open_to_every_character() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "x")
        field = pilot.app.focused
        assert field.id == "path"
        field.value = ""
        await type_text(pilot, TYPED)
        await pilot.pause()
        assert field.value == TYPED

    play(script)


# --- what keys do -----------------------------------------------------------------------------------------------------


def test_the_header_tells_of_the_cluster() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await rounds(pilot, service, 2)
        head = text_of(pilot).splitlines()[0]
        assert " rmq  ● local  10.0.0.9:9876 +1  C1  brokers 3/3  in 49/s out 35/s" in head
        assert head.rstrip().endswith("mode:read-only  3600s  14:02")

    play(script, read_only=True)


def test_topics_show_rates_lag_and_trends() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await rounds(pilot, service, 3)
        line = next(line for line in text_of(pilot).splitlines() if " Orders " in line)
        assert line.replace("│", " ").split()[:8] == ["Orders", "NORMAL", "8", "52", "▇▄▇", "3", "3,222", "▲"]

    play(script, size=(140, 36))


def test_internal_topics_are_left_out_until_asked_for() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        assert set(screen(pilot).list.keys) == {"audit", "Orders", "OrdersDelay", "OrdersTx", "Payments", "Shipments"}
        await press(pilot, "i")
        assert {"TBW102", "%RETRY%billing", "broker-a", "rmq_sys_wheel_timer"} <= set(screen(pilot).list.keys)
        await press(pilot, "i")
        assert "TBW102" not in screen(pilot).list.keys

    play(script)


def test_filter_keeps_clears_and_says_what_is_wrong() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "slash", *"orders", "enter")
        assert screen(pilot).list.has_focus
        assert screen(pilot).list.keys == ["Orders", "OrdersDelay", "OrdersTx"]
        assert "Topics (3/6)" in text_of(pilot)
        assert "filter: orders" in text_of(pilot)
        await press(pilot, "escape")
        assert len(screen(pilot).list.keys) == 6
        await press(pilot, "slash", *"size:>1")
        assert "size: no such column" in text_of(pilot)
        await press(pilot, "escape")
        assert (screen(pilot).list.filter_text, screen(pilot).list.has_focus) == ("", True)

    play(script)


def test_drill_from_topic_to_group_to_topic_and_back() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "j", "enter")
        assert screen(pilot).pane.grid.has_focus
        await press(pilot, "right_square_bracket", "right_square_bracket")
        assert screen(pilot).pane.tab.title == "Groups"
        await press(pilot, "enter")
        assert (screen(pilot).MODE, screen(pilot).subject) == ("groups", "billing")
        while screen(pilot).pane.tab.title != "Subscriptions":
            await press(pilot, "right_square_bracket")
        await press(pilot, "enter")
        assert (screen(pilot).MODE, screen(pilot).subject) == ("topics", "Orders")
        await press(pilot, "escape", "escape")
        assert (screen(pilot).MODE, screen(pilot).subject) == ("groups", "billing")
        await press(pilot, "escape", "escape")
        assert (screen(pilot).MODE, screen(pilot).subject) == ("topics", "Orders")

    play(script)


def test_tabs_go_round() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "enter")
        titles = []
        for _ in range(4):
            titles.append(screen(pilot).pane.tab.title)
            await press(pilot, "right_square_bracket")
        assert titles == ["Queues", "Clients", "Subscriptions", "Config"]
        await press(pilot, "left_square_bracket")
        assert screen(pilot).pane.tab.title == "Config"
        assert screen(pilot).pane.grid.has_focus

    play(script)


def test_details_of_a_group() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "j", "enter")
        assert "billing  online  push  clustering  2 clients" in text_of(pilot)
        assert "10.0.0.20@1000" in text_of(pilot)
        await press(pilot, "right_square_bracket")
        assert "10.0.0.21:51000" in text_of(pilot)
        await press(pilot, "right_square_bracket")
        assert " 2/2" in text_of(pilot)
        await press(pilot, "right_square_bracket")
        assert "retryMaxTimes" in text_of(pilot)

    play(script, size=(200, 50))


def test_the_cluster_shows_brokers_name_servers_and_settings() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1")
        await rounds(pilot, service, 2)
        shown = text_of(pilot)
        assert "does not know 10.0.0.3:10911" in shown
        assert "complete" in shown
        assert "brokerVersionDesc" in shown
        await press(pilot, "enter", "right_square_bracket")
        assert "flushDiskType" in text_of(pilot)

    play(script, size=(140, 36))


def test_the_cluster_shows_how_far_slaves_are() -> None:
    def shown(pilot: Any) -> str:
        return " ".join(text_of(pilot).split())

    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1")
        await rounds(pilot, service, 1)
        assert "ROLE SYNC LAG B BEHIND" in shown(pilot)
        assert "broker-a master 1/1" in shown(pilot)
        assert "broker-a slave yes 18.4k 40ms" in shown(pilot)
        # Apache's masters do not tell the time; of a slave that is far behind its master's row tells, too.
        service.follower = (3_000_000, None, False)
        await rounds(pilot, service, 1)
        assert "broker-a slave no 3.0M ·" in shown(pilot)
        assert "broker-a master 0/1" in shown(pilot)
        await press(pilot, "slash", *"sync:no", "enter")
        assert screen(pilot).list.keys == [SLAVE]
        await press(pilot, "escape")
        service.follower = None
        await rounds(pilot, service, 1)
        assert "broker-a slave · · ·" in shown(pilot)
        assert "broker-a master ·/" not in shown(pilot)

    play(script, size=(140, 36))


def test_a_cluster_without_slaves_has_no_columns_for_them() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1")
        assert " SYNC " in text_of(pilot)
        service.lone = True
        await rounds(pilot, service, 1)
        assert "ROLE      IN/s" in text_of(pilot)

    play(script, size=(80, 24))


def test_command_line() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "colon", *"topic Payments", "enter")
        assert (screen(pilot).MODE, screen(pilot).subject) == ("topics", "Payments")
        await press(pilot, "colon", *"group billing", "enter")
        assert (screen(pilot).MODE, screen(pilot).subject) == ("groups", "billing")
        await press(pilot, "colon", *"topic TBW102", "enter")
        assert (screen(pilot).MODE, screen(pilot).subject) == ("topics", "TBW102")
        await press(pilot, "colon", *"cluster", "enter")
        assert screen(pilot).MODE == "cluster"
        await press(pilot, "colon", *"theme nord", "enter")
        assert pilot.app.theme == "nord"

    play(script)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("topic", ":topic needs a name"),
        ("topc Orders", ":topc is unknown; did you mean :topic?"),
        ("group nobody", "there is no group nobody"),
        ("theme pink", "there is no theme pink"),
    ],
)
def test_command_lines_that_cannot_be_done(line: str, why: str) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "colon", *line, "enter")
        assert why in text_of(pilot)
        await press(pilot, "j")
        assert why not in text_of(pilot)

    play(script)


def test_opening_at_a_topic() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        assert (screen(pilot).MODE, screen(pilot).subject) == ("groups", "warehouse")
        assert screen(pilot).pane.grid.has_focus

    play(script, opened=("groups", "warehouse"))


@pytest.mark.parametrize(
    ("keys", "place", "text"),
    [
        ("1", 0, "broker-a"),
        ("1", 3, f"mqadmin brokerStatus -n '10.0.0.9:9876;10.0.0.10:9876' -b {MASTER}"),
        ("2", 3, "mqadmin topicStatus -n '10.0.0.9:9876;10.0.0.10:9876' -t audit"),
        ("3", 3, "mqadmin consumerProgress -n '10.0.0.9:9876;10.0.0.10:9876' -g audit-trail"),
    ],
)
def test_copy(keys: str, place: int, text: str) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, *keys, "y")
        assert isinstance(pilot.app.screen, CopyDialog)
        await press(pilot, *["down"] * place, "enter")
        assert pilot.app.clipboard == text
        assert screen(pilot).list.has_focus

    play(script)


def test_copy_of_a_row_as_json() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "j", "y", "down", "down", "enter")
        row = json.loads(pilot.app.clipboard)
        assert (row["name"], row["type"], row["q"], row["lag"], row["grp"]) == ("Orders", "NORMAL", 8, 3201, 3)

    play(script)


def test_export_of_marked_rows() -> None:
    written: list[tuple[Path, str]] = []

    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "space", "space", "x")
        assert isinstance(pilot.app.screen, ExportDialog)
        pilot.app.focused.value = "rows.txt"
        await press(pilot, "enter")
        assert "the name must end with" in text_of(pilot)
        pilot.app.focused.value = "rows.jsonl"
        await press(pilot, "enter")
        assert screen(pilot).list.has_focus

    play(script, save=lambda path, text: written.append((path, text)))
    assert [str(path) for path, _ in written] == ["rows.jsonl"]
    assert [json.loads(line)["name"] for line in written[0][1].splitlines()] == ["audit", "Orders"]


def test_a_file_that_cannot_be_written() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "x", "enter")
        assert "cannot be written: no files in this test" in text_of(pilot)

    play(script)


def test_help_is_about_the_focused_part() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, HelpDialog)
        assert "The cursor stays with its row" in text_of(pilot)
        await press(pilot, "escape")
        assert screen(pilot).list.has_focus

    play(script)


def test_help_tells_every_key_that_works() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        wanted = {name for cls in type(screen(pilot)).__mro__ for name in _described(cls)} | set(_described(Grid))
        await press(pilot, "question_mark")
        told = {does: key for key, does in pilot.app.screen._keys}
        assert wanted <= told.keys()
        assert (told["up"], told["filter"], told["open"], told["Topics"]) == ("↑ k", "/", "⏎", "2")

    play(script)


def _described(cls: type) -> list[str]:
    return [binding.description for binding in cls.__dict__.get("BINDINGS", ()) if cls.__module__.startswith("rmq.")]


def test_a_picture_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        app = pilot.app
        monkeypatch.setattr(app, "save_screenshot", lambda: "/pictures/rmq.svg")
        await press(pilot, "f8")
        assert [notice.message for notice in app._notifications] == ["/pictures/rmq.svg"]

        def full() -> str:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(app, "save_screenshot", full)
        await press(pilot, "f8")
        assert [notice.message for notice in app._notifications][-1] == "cannot be written: No space left on device"

    play(script)


def test_pause_asks_for_nothing() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "z")
        assert "paused" in text_of(pilot).splitlines()[0]
        asked = len(service.asked)
        await rounds(pilot, service, 3)
        assert len(service.asked) == asked
        await press(pilot, "z")
        assert len(service.asked) > asked

    play(script)


def test_refresh_rests_without_focus() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        pilot.app.app_focus = False
        asked = len(service.asked)
        await rounds(pilot, service, 3)
        assert len(service.asked) == asked

    play(script)


def test_interval() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "minus")
        assert pilot.app.session.refresh == 60.0
        await press(pilot, "minus", "minus", "plus")
        assert pilot.app.session.refresh == 30.0
        assert "30s  14:02" in text_of(pilot).splitlines()[0]

    play(script)


def test_refresh_asks_anew() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        asked = service.count("topic_names")
        await press(pilot, "r")
        assert (service.forgotten, service.count("topic_names")) == (1, asked + 1)

    play(script)


def test_themes_go_round() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        before = pilot.app.theme
        await press(pilot, "ctrl+t")
        assert pilot.app.theme != before

    play(script)


def test_quit_ends_all_connections() -> None:
    services: list[FakeService] = []

    async def script(pilot: Any, service: FakeService) -> None:
        services.append(service)
        await pilot.press("q")

    play(script)
    assert services[0].closed


def test_a_narrow_terminal_shows_list_and_pane_in_turn() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        assert not screen(pilot).pane.display
        await press(pilot, "j", "enter")
        assert (screen(pilot).pane.display, screen(pilot).query_one("#left").display) == (True, False)
        assert screen(pilot).pane.grid.has_focus
        assert "Orders  NORMAL  RW-  8r/8w  1 broker" in text_of(pilot)
        await press(pilot, "escape")
        assert (screen(pilot).pane.display, screen(pilot).list.has_focus) == (False, True)
        await pilot.resize_terminal(120, 36)
        await pilot.pause()
        assert screen(pilot).pane.display

    play(script, size=(80, 24))


# --- cost -------------------------------------------------------------------------------------------------------------


def test_only_rows_on_the_screen_are_asked_for() -> None:
    service = FakeService()
    service.more_topics = tuple(f"topic-{number:04}" for number in range(5000))

    async def script(pilot: Any, service: FakeService) -> None:
        service.asked.clear()
        await rounds(pilot, service, 1)
        visible = len(screen(pilot).list.window)
        assert visible < 40
        assert (service.count("topic_names"), service.count("topics")) == (1, visible)
        await press(pilot, "G")
        assert ("topics", "topic-4999") in service.asked

    play(script, service=service)


def test_an_order_by_figures_asks_for_a_few_more_each_time() -> None:
    service = FakeService()
    service.more_topics = tuple(f"topic-{number:04}" for number in range(100))

    async def script(pilot: Any, service: FakeService) -> None:
        columns = {column.title: column for column in screen(pilot).list.columns}
        screen(pilot).list.sort_by(columns["LAG"], down=True)
        await settle(pilot)
        for _ in range(8):
            service.asked.clear()
            await rounds(pilot, service, 1)
            assert service.count("topics") <= len(screen(pilot).list.window) + 16
        assert all(row.at for row in screen(pilot).seen.values() if not row.name.startswith(("%", "TBW", "rmq", "bro")))

    play(script, service=service)


def test_nothing_is_painted_when_nothing_changes() -> None:
    service = FakeService()
    service.flow = False

    async def script(pilot: Any, service: FakeService) -> None:
        await rounds(pilot, service, 12)
        before = screen(pilot).list.painted, screen(pilot).pane.grid.painted
        painted: list[Any] = []
        original = pilot.app.screen._compositor.render_update
        pilot.app.screen._compositor.render_update = lambda *a, **k: painted.append(a) or original(*a, **k)
        await rounds(pilot, service, 3)
        assert (screen(pilot).list.painted, screen(pilot).pane.grid.painted) == before
        assert painted == []

    play(script, service=service)
