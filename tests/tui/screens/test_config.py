"""Settings of a broker: search, edits that wait, and their way to the broker; and a broker's other changes."""

import string
from typing import Any

from rmq.tui.screens.change import ChangeDialog
from rmq.tui.screens.config import ConfigScreen
from rmq.tui.screens.config_value import ValueDialog
from rmq.tui.screens.lists import ListScreen
from rmq.tui.service.changes.brokers import AddWritePerm, ChangeBrokerSettings, ShutdownBroker, WipeWritePerm
from rmq.tui.service.changes.change import Change, Preview
from rmq.tui.service.changes.places import Place
from rmq.tui.service.model import Problem
from tests.kit.tui_service import MASTER, OTHER, FakeService, play, press, rounds, text_of, type_text

TYPED = string.printable.strip() + " é€"


def config(pilot: Any) -> ConfigScreen:
    assert isinstance(pilot.app.screen, ConfigScreen)
    return pilot.app.screen


def proposed(pilot: Any) -> Change:
    assert isinstance(pilot.app.screen, ChangeDialog)
    return pilot.app.screen.change


async def edited(pilot: Any, value: str) -> None:
    """Gives the setting under the cursor a value."""
    await press(pilot, "e")
    pilot.app.focused.value = value
    await press(pilot, "enter")


def test_edits_wait_until_they_are_proposed() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1", "e")
        assert config(pilot).list.keys == ["brokerName", "brokerRole", "flushDiskType"]
        assert f"Settings of broker-a master {MASTER} (3)" in text_of(pilot)
        await press(pilot, "a")
        assert "nothing was edited" in text_of(pilot)
        await press(pilot, "u")
        assert "there is no edit under the cursor" in text_of(pilot)
        await press(pilot, "G")
        assert "When an append is acknowledged" in text_of(pilot)
        await edited(pilot, "SYNC_FLUSH")
        assert "1 edit not applied" in text_of(pilot)
        await press(pilot, "v")
        assert config(pilot).list.keys == ["flushDiskType"]
        line = next(line for line in text_of(pilot).splitlines() if "flushDiskType" in line)
        assert line.replace("│", " ").split()[1:4] == ["flushDiskType", "ASYNC_FLUSH", "SYNC_FLUSH"]
        await press(pilot, "a")
        assert proposed(pilot) == ChangeBrokerSettings(Place(broker=MASTER), (("flushDiskType", "SYNC_FLUSH"),))
        await press(pilot, "escape", "A")
        values = (("flushDiskType", "SYNC_FLUSH"),)
        assert proposed(pilot) == ChangeBrokerSettings(Place(cluster="C1"), values, slaves=True)
        await press(pilot, "escape", "u")
        assert config(pilot).edits == {}
        assert "nothing was edited: e edits" in text_of(pilot)
        await press(pilot, "v")
        assert len(config(pilot).list.keys) == 3

    play(script)


def test_what_the_broker_has_taken_is_no_edit_any_more() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1", "e")
        await edited(pilot, "broker-z")
        service.previews[ChangeBrokerSettings] = Preview(("SETTING", "NOW", "THEN"), (("brokerName", "a", "z"),))
        await press(pilot, "a", "y")
        service.settings["brokerName"] = "broker-z"
        await press(pilot, "escape")
        assert service.changed == [ChangeBrokerSettings(Place(broker=MASTER), (("brokerName", "broker-z"),))]
        assert config(pilot).edits == {}
        assert config(pilot).list.rows["brokerName"].value == "broker-z"

    play(script)


def test_a_key_that_is_not_listed_warns_and_names_the_nearest() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1", "e", "n")
        assert isinstance(pilot.app.screen, ValueDialog)
        await press(pilot, "enter")
        assert "a key is needed, without blanks" in text_of(pilot)
        await type_text(pilot, "brokerNam")
        await press(pilot, "tab")
        assert "it is not listed; did you mean brokerName?" in text_of(pilot)
        await press(pilot, "enter")
        assert config(pilot).edits == {"brokerNam": ""}
        assert config(pilot).list.current == "brokerNam"
        await press(pilot, "u", "n")
        await type_text(pilot, "listenPort")
        await press(pilot, "enter")
        await type_text(pilot, "x")
        await press(pilot, "tab")
        assert "it is not listed" in text_of(pilot)
        assert "brokers of ours refuse it: it must be a whole number from 0 to 65535" in text_of(pilot)
        await press(pilot, "enter", "enter")
        assert config(pilot).edits == {"listenPort": "x"}

    play(script)


def test_inputs_take_every_character() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1", "e", "n")
        for name in ("key", "value"):
            field = pilot.app.screen.query_one(f"#{name}")
            field.focus()
            await type_text(pilot, TYPED)
            assert field.value == TYPED
        await press(pilot, "escape", "slash")
        await type_text(pilot, TYPED)
        assert pilot.app.focused.value == TYPED
        await press(pilot, "escape")
        assert config(pilot).list.has_focus
        assert config(pilot).list.filter_text == ""

    play(script)


def test_filter_help_copy_and_export() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1", "e", "slash", *"role", "enter")
        assert config(pilot).list.keys == ["brokerRole"]
        assert "(1/3)" in text_of(pilot)
        await press(pilot, "question_mark")
        assert "Settings of one broker" in text_of(pilot)
        await press(pilot, "escape", "y", "down", "down", "down", "enter")
        assert pilot.app.clipboard == f"mqadmin getBrokerConfig -n '10.0.0.9:9876;10.0.0.10:9876' -b {MASTER}"
        await press(pilot, "x")
        assert "Export 1 settings" in text_of(pilot)
        await press(pilot, "escape", "escape")
        assert config(pilot).list.filter_text == ""
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ListScreen)

    play(script)


def test_edits_are_not_dropped_by_one_key() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1", "e")
        await edited(pilot, "x")
        await press(pilot, "escape")
        assert "esc again drops them" in text_of(pilot)
        await press(pilot, "j", "escape")
        assert config(pilot).edits
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ListScreen)

    play(script)


def test_a_broker_that_does_not_answer() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems["config"] = Problem("no answer in time", MASTER)
        await press(pilot, "1", "e")
        assert "no answer in time" in text_of(pilot)
        asked = service.count("config")
        await rounds(pilot, service, 1)
        assert service.count("config") == asked + 1
        del service.problems["config"]
        await press(pilot, "r")
        assert len(config(pilot).list.keys) == 3
        asked = service.count("config")
        await rounds(pilot, service, 2)
        assert service.count("config") == asked

    play(script)


def test_secrets_are_not_shown() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.settings["initAuthenticationUser"] = "admin:s3cret"
        await press(pilot, "1", "enter", "right_square_bracket")
        assert "initAuthenticationUser" in text_of(pilot)
        assert "s3cret" not in text_of(pilot)
        await press(pilot, "e")
        await press(pilot, "G")
        await press(pilot, "e")
        assert pilot.app.focused.value == "admin:s3cret"
        assert "s3cret" not in text_of(pilot)
        assert "•••" in text_of(pilot)

    play(script)


def test_another_broker_is_reached_from_the_command_line() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1", "e", "colon", *f"broker {OTHER}", "enter")
        assert isinstance(pilot.app.screen, ListScreen)
        assert pilot.app.screen.subject == OTHER

    play(script)


def test_write_permission_and_shutdown_are_proposed_for_the_broker_under_the_cursor() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1")
        for key, change in (
            ("w", WipeWritePerm("broker-a")),
            ("W", AddWritePerm("broker-a")),
            ("K", ShutdownBroker("broker-a", MASTER)),
        ):
            await press(pilot, key)
            assert proposed(pilot) == change
            await press(pilot, "escape")

    play(script)


def test_read_only_shows_settings_and_changes_none() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "1", "e", "e", "enter", "n", "a", "A", "u")
        assert config(pilot).edits == {}
        assert " edit" not in text_of(pilot).splitlines()[-1].replace("edits only", "")

    play(script, read_only=True)
