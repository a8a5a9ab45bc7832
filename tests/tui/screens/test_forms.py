"""Forms: what they propose, what they refuse, and that every input takes every character."""

import asyncio
import string
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from rmq.tui.screens.change import ChangeDialog
from rmq.tui.screens.forms import FormDialog, number
from rmq.tui.screens.group_forms import edit_group_form
from rmq.tui.screens.lists import ListScreen
from rmq.tui.screens.topic_forms import attribute_problem, attributes_of, edit_topic_form
from rmq.tui.service.changes.change import Change, Outcome, Preview
from rmq.tui.service.changes.groups import CreateGroup, DeleteGroup, EditGroup, GroupDefinition
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.topics import CreateTopic, DeleteTopic, EditTopic, ImportTopics, TopicDefinition
from rmq.tui.service.model import (
    Group,
    GroupDetail,
    Problem,
    Setting,
    Topic,
    TopicDetail,
)
from tests.kit.tui_service import MASTER, FakeService, fake_app, play, press, settle, strike, text_of, type_text

TYPED = string.printable.strip() + " é€"
C1, BROKER = Place(cluster="C1"), Place(broker=MASTER)


def form(pilot: Any) -> FormDialog:
    assert isinstance(pilot.app.screen, FormDialog)
    return pilot.app.screen


def proposed(pilot: Any) -> Change:
    assert isinstance(pilot.app.screen, ChangeDialog)
    return pilot.app.screen.change


def fill(pilot: Any, **values: Any) -> None:
    for key, value in values.items():
        pilot.app.screen.query_one(f"#field-{key}").value = value


@pytest.mark.parametrize("keys", [("2", "n"), ("3", "n"), ("2", "b", "enter")], ids=["topic", "group", "import"])
def test_every_input_takes_every_character(keys: tuple[str, ...]) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, *keys)
        fields = [field for field in form(pilot).query(Input) if not field.disabled]
        assert fields
        for field in fields:
            field.focus()
            field.value = ""
            await type_text(pilot, TYPED)
            assert field.value == TYPED

    play(script)


def test_a_new_topic() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "n")
        assert pilot.app.focused.id == "field-name"
        assert "a name is needed" not in text_of(pilot)
        await press(pilot, "enter")
        assert "✗ a name is needed" in text_of(pilot)
        assert pilot.app.focused.id == "field-name"
        await type_text(pilot, "Fresh")
        await press(pilot, "tab", "tab", "enter", "down", "enter", "tab")
        assert pilot.app.focused.id == "field-write"
        await press(pilot, "backspace")
        await type_text(pilot, "x")
        await settle(pilot)
        assert "a whole number from 0 to 16384" in text_of(pilot)
        await press(pilot, "backspace")
        await type_text(pilot, "4")
        await press(pilot, "tab", "tab", "tab", "space", "tab", "tab")
        assert pilot.app.focused.id == "propose"
        await press(pilot, "enter")
        wanted = TopicDefinition("Fresh", 8, 4, 6, True, (("message.type", "FIFO"),))
        assert proposed(pilot) == CreateTopic(C1, wanted)
        # A refusal leads back to the form, with everything still in it.
        await press(pilot, "escape")
        assert form(pilot).values["name"] == "Fresh"
        await press(pilot, "ctrl+s")
        await press(pilot, "y", "escape")
        assert service.changed == [CreateTopic(C1, wanted)]
        assert isinstance(pilot.app.screen, ListScreen)

    play(script)


def test_names_and_attributes_that_cannot_be() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "n")
        for name, why in (("a b", "letters, digits and %|_- up to 127"), ("TBW102", "RocketMQ's own")):
            fill(pilot, name=name)
            await press(pilot, "ctrl+s")
            assert why in text_of(pilot)
        fill(pilot, name="T", attributes="a")
        await press(pilot, "ctrl+s")
        assert pilot.app.focused.id == "field-attributes"
        assert "key=value,key=value" in text_of(pilot)
        fill(pilot, attributes="b=2, a=1", kind="NORMAL", perm="4")
        await press(pilot, "ctrl+s")
        change = proposed(pilot)
        assert isinstance(change, CreateTopic)
        assert change.wanted.attributes == (("a", "1"), ("b", "2"), ("message.type", "NORMAL"))
        assert change.wanted.perm == 4

    play(script, size=(80, 24))


@pytest.mark.parametrize("text", ["a", "=1", "a=", "+a=1", "a=1,a=2"])
def test_lines_that_are_no_attributes(text: str) -> None:
    with pytest.raises(ValueError):
        attributes_of(text)
    assert attribute_problem(text) == "key=value,key=value"
    assert attribute_problem("message.type=FIFO") == "message.type has a field of its own"


@pytest.mark.parametrize(
    ("text", "right"),
    [("1", True), (" 3 ", True), ("0", False), ("4", False), ("1_0", False), ("٣", False), ("", False), ("-1", False)],
)
def test_numbers(text: str, right: bool) -> None:
    assert (number(1, 3)(text) == "") is right


def test_a_topic_is_edited_as_it_is_now() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "j", "e")
        assert "Edit Orders" in text_of(pilot)
        assert form(pilot).query_one("#field-name").disabled
        fill(pilot, read="16", kind="FIFO")
        await press(pilot, "ctrl+s")
        before = TopicDefinition("Orders", 8, 8, 6, False, (("message.type", "NORMAL"),))
        wanted = TopicDefinition("Orders", 16, 8, 6, False, (("message.type", "FIFO"),))
        assert proposed(pilot) == EditTopic(BROKER, wanted, before)

    play(script, size=(80, 24))


def test_a_topic_that_cannot_be_asked_for_has_no_form() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems[("topic", "audit")] = Problem("no answer in time", MASTER)
        await press(pilot, "e")
        assert f"{MASTER}: no answer in time" in text_of(pilot)
        assert isinstance(pilot.app.screen, ListScreen)

    play(script)


@pytest.mark.parametrize(("number", "question"), [("2", "topic"), ("3", "group")])
def test_a_form_that_comes_late_does_not_come_over_another_screen(number: str, question: str) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, number)
        held = service.held[question] = asyncio.Event()
        await strike(pilot, "e")
        await pilot.pause(0.1)
        assert "asking…" in text_of(pilot)
        await strike(pilot, "1")
        held.set()
        await settle(pilot)
        assert isinstance(pilot.app.screen, ListScreen)
        assert pilot.app.screen.MODE == "cluster"

    play(script)


def test_a_topic_without_a_route_may_still_be_deleted() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems[("topic", "audit")] = Problem("no route", code=17)
        await press(pilot, "D")
        assert proposed(pilot) == DeleteTopic("C1", "audit")

    play(script)


def test_a_topic_is_deleted_once_its_name_is_typed() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.previews[DeleteTopic] = Preview(("GROUP", "LAG"), (("billing", "3"),), ("810 messages stored",))
        service.outcomes[DeleteTopic] = Outcome(True, "deleted", (), ("broker-a: it is gone",))
        await press(pilot, "j", "D")
        assert "810 messages stored" in text_of(pilot)
        await type_text(pilot, "Order")
        await press(pilot, "enter")
        assert service.changed == []
        await type_text(pilot, "s")
        await press(pilot, "enter")
        assert service.changed == [DeleteTopic("C1", "Orders")]
        assert "broker-a: it is gone" in text_of(pilot)

    play(script)


def test_groups_are_made_edited_and_deleted() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "n")
        fill(pilot, name="crew", retry_max="-1", enabled=False)
        await press(pilot, "ctrl+s")
        assert proposed(pilot) == CreateGroup(C1, GroupDefinition("crew", False, retry_max=-1))
        await press(pilot, "escape")
        fill(pilot, retry_policy="{")
        await press(pilot, "ctrl+s")
        assert "it is no JSON" in text_of(pilot)
        await press(pilot, "escape")
        await press(pilot, "j", "e")
        fill(pilot, retry_queues="2")
        await press(pilot, "ctrl+s")
        before = GroupDefinition("billing")
        assert proposed(pilot) == EditGroup(BROKER, GroupDefinition("billing", retry_queues=2), before)
        await press(pilot, "escape", "escape", "D")
        assert "Delete billing" in text_of(pilot)
        fill(pilot, place=C1.code)
        await press(pilot, "ctrl+s")
        assert proposed(pilot) == DeleteGroup(C1, "billing", True)
        await press(pilot, "escape")
        await press(pilot, "tab", "space")
        await press(pilot, "ctrl+s")
        assert proposed(pilot) == DeleteGroup(C1, "billing", False)

    play(script)


def test_a_form_scrolls_where_there_is_little_room() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "n")
        await press(pilot, "up", "up", "up")
        assert pilot.app.focused.id == "field-slow_broker_id"
        assert "When slow, from id" in text_of(pilot)
        assert "Preview" in text_of(pilot)
        await press(pilot, "down")
        assert pilot.app.focused.id == "propose"

    play(script, size=(80, 16))


DEFINITIONS = (
    '{"topicConfigTable": {"T": {"topicName": "T", "readQueueNums": 2, "writeQueueNums": 2}}, "exportTime": 1}'
)


def test_topics_of_a_file_are_proposed() -> None:
    def load(path: Path) -> str:
        if path.name == "gone.json":
            raise FileNotFoundError(2, "No such file or directory")
        return DEFINITIONS if path.name == "topics.json" else "[]"

    async def script(pilot: Any, service: FakeService) -> None:
        pilot.app.session.load = load
        await press(pilot, "b", "enter")
        for name, why in (
            ("gone.json", "gone.json cannot be read: No such file or directory"),
            ("odd.json", "odd.json: an object with topicConfigTable is expected"),
        ):
            fill(pilot, path=name)
            await press(pilot, "enter")
            assert why in text_of(pilot)
        fill(pilot, path="topics.json", overwrite=True)
        await press(pilot, "enter")
        assert proposed(pilot) == ImportTopics(C1, (TopicDefinition("T", 2, 2),), "topics.json", True, added_up=True)

    play(script)


def test_what_no_broker_told_of_has_no_form() -> None:
    session = fake_app().session
    assert edit_topic_form(session, TopicDetail(Topic("T"))) is None
    assert edit_group_form(session, GroupDetail(Group("g"))) is None
    odd = (Setting("broker-a", "retryMaxTimes", "often"),)
    assert edit_group_form(session, GroupDetail(Group("g"), config=odd)) is None
