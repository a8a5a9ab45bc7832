"""The command line, its history, mqadmin in it, and the palette."""

from typing import Any

import pytest

from rmq.tui.config.contexts import Context, Mode
from rmq.tui.screens.change import ChangeDialog
from rmq.tui.screens.dialogs import HelpDialog
from rmq.tui.screens.output import OutputScreen
from rmq.tui.service.changes.command_lines import RunCommand
from rmq.tui.widgets.pager import Pager
from tests.kit.tui_service import FakeService, play, press, settle, strike, text_of


def typed(line: str) -> tuple[str, ...]:
    return ("colon", *line, "enter")


def test_every_screen_has_its_words() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        lines = pilot.app.suggestions()
        for screen in pilot.app.screens_in_order:
            assert pilot.app.run_line(f":{screen.MODE}") == ""
            await settle(pilot)
            assert pilot.app.current_mode == screen.MODE
            assert screen.MODE in lines
        await press(pilot, "2")
        assert {"help", "quit", "theme nord", "topic Orders", "mqadmin topicList", "mqadmin deleteTopic"} <= set(lines)
        assert "group billing" not in lines
        lines = pilot.app.suggestions()
        assert lines[: len(pilot.app.lines_run)] == pilot.app.lines_run[::-1]
        assert {"group billing", "broker 10.0.0.1:10911"} <= set(lines)
        await press(pilot, *typed("broker 10.0.0.3:10911"))
        assert (pilot.app.current_mode, pilot.app.screen.subject) == ("cluster", "10.0.0.3:10911")
        await press(pilot, *typed("help"))
        assert isinstance(pilot.app.screen, HelpDialog)

    play(script)


def test_what_was_typed_comes_back() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        for line in ("cluster", "nonsense", "topics", "cluster"):
            await press(pilot, *typed(line))
        assert pilot.app.lines_run == ["nonsense", "topics", "cluster"]
        await press(pilot, "colon")
        field, seen = pilot.app.focused, []
        for key in ("up", "up", "up", "up", "down", "down", "down"):
            await press(pilot, key)
            seen.append(field.value)
        assert seen == ["cluster", "topics", "nonsense", "nonsense", "topics", "cluster", ""]
        await press(pilot, "up", "enter")
        assert pilot.app.current_mode == "cluster"

    play(script)


def test_mqadmin_prints_into_a_screen_of_its_own() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, *typed("mqadmin TOPICLIST -c"))
        assert isinstance(pilot.app.screen, OutputScreen)
        assert service.ran == [("topicList", "-c")]
        shown = text_of(pilot)
        assert shown.startswith(" $ mqadmin topicList -n '10.0.0.9:9876;10.0.0.10:9876' -c")
        assert "topic-000       0" in shown
        assert " exit code 0  60 lines" in shown
        await press(pilot, "slash", *"041", "enter")
        assert "1 line with '041'" in text_of(pilot)
        assert "topic-041     287" in text_of(pilot)
        await press(pilot, "y")
        assert pilot.app.clipboard.splitlines() == service.printed
        await press(pilot, "r")
        assert len(service.ran) == 2
        assert "120 lines" in text_of(pilot)
        await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, HelpDialog)
        await press(pilot, "escape", "slash", "escape")
        assert isinstance(pilot.app.focused, Pager)
        await press(pilot, "escape")
        assert pilot.app.screen.MODE == "topics"

    play(script, size=(80, 24))


def test_a_command_without_an_end_is_stopped_and_ends_with_its_screen() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.code = None
        # Its worker completes only when it is stopped, so until then nothing may wait for workers.
        await strike(pilot, *typed("mqadmin startMonitoring"))
        await pilot.pause(3.5)
        assert "still at it" in text_of(pilot)
        assert "running…  6" in text_of(pilot)
        await press(pilot, "ctrl+c")
        assert service.stopped == [("startMonitoring",)]
        assert "stopped" in text_of(pilot)
        await strike(pilot, "r")
        await press(pilot, "q")
        assert service.stopped == [("startMonitoring",)] * 2
        assert pilot.app.screen.MODE == "topics"

    play(script)


def test_a_failed_command_tells_its_exit_code() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.code, service.printed = 1, ["mqadmin: no such topic"]
        await press(pilot, *typed("mqadmin consumerProgress -g nobody"))
        assert "mqadmin: no such topic" in text_of(pilot)
        assert " exit code 1  1 line" in text_of(pilot)

    play(script)


def test_a_command_that_changes_something_is_a_change_as_all_others() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, *typed("mqadmin deletetopic -t 'a b'"))
        dialog = pilot.app.screen
        assert isinstance(dialog, ChangeDialog)
        assert dialog.change == RunCommand(("deleteTopic", "-t", "a b"))
        assert "mqadmin deleteTopic -n '10.0.0.9:9876;10.0.0.10:9876' -t 'a b'" in text_of(pilot)
        assert service.changed == []
        await press(pilot, *"deleteTopic", "enter")
        assert service.changed == [RunCommand(("deleteTopic", "-t", "a b"))]
        await press(pilot, "escape")
        await press(pilot, *typed("mqadmin deleteTopic -h"))
        assert service.ran == [("deleteTopic", "-h")]

    play(script)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("mqadmin", ":mqadmin needs a command"),
        ("mqadmin topicLst", "mqadmin has no command topicLst; did you mean topicList?"),
        ("mqadmin topicList -n h:1", "-n is that of the context; :ctx NAME goes to another"),
        ("mqadmin topicList 'a", "the line cannot be read: No closing quotation"),
        ("mqadmin deleteTopic -t Orders", "deleteTopic can change something, and local is read-only"),
    ],
)
def test_commands_that_are_refused(line: str, why: str) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, *typed(line))
        assert why in text_of(pilot)
        assert service.ran == []

    play(script, read_only=True)


def test_a_dry_run_is_allowed_everywhere_and_an_own_n_goes_through() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, *typed("mqadmin deleteTopic -t Orders --dry-run"), "escape")
        await press(pilot, *typed("mqadmin rocksDBConfigToJson -n x"))
        assert service.ran == [("deleteTopic", "-t", "Orders", "--dry-run"), ("rocksDBConfigToJson", "-n", "x")]

    play(script, read_only=True)


def test_a_password_is_nowhere() -> None:
    change = RunCommand(("createUser", "-u", "ann", "-p", "secret"))
    assert (change.target, change.secrets) == ("createUser", ("secret",))
    assert change.title == "mqadmin createUser -u ann -p secret"
    assert RunCommand(("updateTopic", "-p", "6")).secrets == ()


def test_the_palette_offers_every_screen_and_what_the_front_one_can_do() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        offered = {command.title: command for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {f"Go to {screen.TITLE}" for screen in pilot.app.screens_in_order} <= offered.keys()
        assert {"Command line", "Help", "Jump", "Copy", "Export", "Filter", "Refresh now", "Sort"} <= offered.keys()
        assert {"Pause or go on", "Next theme", "Context prod", "Internal", "Delete"} <= offered.keys()
        offered["Filter"].callback()
        await settle(pilot)
        assert pilot.app.focused.id == "filter"
        await press(pilot, "escape")
        offered["Go to Groups"].callback()
        await settle(pilot)
        assert pilot.app.screen.MODE == "groups"
        offered["Pause or go on"].callback()
        await settle(pilot)
        assert pilot.app.session.paused
        await press(pilot, "ctrl+p", *"go to cluster", "enter")
        assert pilot.app.screen.MODE == "cluster"

    play(script, contexts={"prod": Context("prod", ("10.1.0.1:9876",), Mode.READ_ONLY)})


def test_changes_are_not_offered_where_nothing_may_be_changed() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        offered = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert "Internal" in offered
        assert not {"Delete", "New", "Edit"} & offered

    play(script, read_only=True)
