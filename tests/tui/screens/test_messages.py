"""The screen of messages: questions, what streams in, what is told of a message, and every key."""

import asyncio
import base64
import csv
import io
import json
from typing import Any

import pytest

from rmq.tui.screens.change import ChangeDialog
from rmq.tui.screens.dialogs import CopyDialog, ExportDialog, HelpDialog
from rmq.tui.screens.forms import FormDialog
from rmq.tui.screens.messages import MessagesScreen
from rmq.tui.screens.queries import QueriesDialog, SaveDialog
from rmq.tui.screens.tail import TailScreen
from rmq.tui.service.changes.messages import SendMessage
from rmq.tui.service.model import Problem
from rmq.tui.service.query import QueueRange
from rmq.tui.state.search import Stage
from tests.kit.tui.messages import BODIES, stored
from tests.kit.tui_service import FakeService, play, press, settle, text_of, type_text
from tests.tui.test_app import TYPED

REFUSED = Problem("the service is not available now", "10.0.0.1:10911", 14, "try again later")


def screen(pilot: Any) -> MessagesScreen:
    assert isinstance(pilot.app.screen, MessagesScreen)
    return pilot.app.screen


async def ask(pilot: Any, line: str) -> None:
    await press(pilot, "4", "i")
    screen(pilot).asking.value = ""
    await type_text(pilot, line)
    await press(pilot, "enter")


# --- asking -----------------------------------------------------------------------------------------------------------


def test_a_question_and_what_it_finds() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "4")
        assert screen(pilot).list.has_focus
        assert "press i and ask, as in Orders" in text_of(pilot)
        await ask(pilot, "Orders body~BOOK tag:TagA limit:9")
        assert (service.searched[0].topic, service.searched[0].body, service.searched[0].limit) == ("Orders", "book", 9)
        assert screen(pilot).list.has_focus
        found = [screen(pilot).list.rows[key].offset for key in screen(pilot).list.keys]
        assert found == [1220, 1216, 1212, 1208, 1204, 1200]
        text = text_of(pilot)
        assert "6 found · scanned 24 of 24 (100%)" in text
        assert "Messages (6)" in text
        assert "Messages › Orders" in text
        line = next(line for line in text.splitlines() if "1,220" in line and "order-20" in line)
        assert line.replace("│", " ").split()[:5] == ["▶", "13:52:27.420", "broker-a/0", "1,220", "order-20"]
        await press(pilot, "r")
        assert len(service.searched) == 2

    play(script)


def test_the_line_takes_every_character_and_says_what_is_wrong() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "4", "i")
        await type_text(pilot, TYPED)
        assert screen(pilot).asking.value == TYPED
        screen(pilot).asking.value = ""
        await type_text(pilot, "Orders quue:1")
        await settle(pilot)
        assert "quue: is unknown; did you mean queue?" in text_of(pilot)
        await press(pilot, "enter")
        assert "✗ quue: is unknown; did you mean queue?" in text_of(pilot)
        assert screen(pilot).asking.has_focus
        assert service.searched == []
        await press(pilot, "escape")
        assert screen(pilot).list.has_focus

    play(script)


def test_earlier_questions_come_back_and_words_are_suggested() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders tag:TagA")
        await ask(pilot, "Payments")
        await press(pilot, "i", "up", "up")
        assert screen(pilot).asking.value == "Orders tag:TagA"
        await press(pilot, "up", "down")
        assert screen(pilot).asking.value == "Payments"
        await press(pilot, "down")
        assert screen(pilot).asking.value == "Payments"
        suggester = screen(pilot).asking.suggester
        assert suggester is not None
        said = [await suggester.get_suggestion(text) for text in ("Shi", "Orders ta", "Audit bo", "Orders zz", "")]
        assert said == ["Shipments", "Orders tag:TagA", "Audit body~", None, None]
        await press(pilot, "f1")
        assert isinstance(pilot.app.screen, HelpDialog)
        assert "body~text or body~/expression/i" in text_of(pilot)

    play(script)


def test_a_search_can_be_stopped_and_is_told_of_on_the_way() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.held["search"] = asyncio.Event()
        await press(pilot, "4")
        screen(pilot).ask("Orders")
        await pilot.pause(0.05)
        await pilot.pause()
        assert "12 found · scanned 12 of 24 (50%) · esc stops" in text_of(pilot)
        assert len(screen(pilot).list.keys) == 12
        await press(pilot, "escape")
        search = screen(pilot).search
        assert search is not None
        assert search.stage is Stage.STOPPED
        assert "12 found · scanned 12 of 24 (50%) · stopped" in text_of(pilot)
        service.held["search"].set()
        await settle(pilot)
        assert len(screen(pilot).list.keys) == 12
        assert pilot.app.current_mode == "messages"

    play(script)


def test_a_late_answer_of_an_earlier_question_is_dropped() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.held[("search", "Orders")] = asyncio.Event()
        await press(pilot, "4")
        screen(pilot).ask("Orders")
        await pilot.pause(0.05)
        screen(pilot).ask("Payments")
        service.held[("search", "Orders")].set()
        await settle(pilot)
        assert screen(pilot).list.keys == []
        assert "nothing matches; 24 messages were looked at" in text_of(pilot)

    play(script)


def test_failures_and_notes_are_told_with_cause_and_age() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.problems["search"] = REFUSED
        await ask(pilot, "Orders body~nothing")
        service.later(90)
        pilot.app.tick()
        await settle(pilot)
        text = text_of(pilot)
        assert "✗ 10.0.0.1:10911: the service is not available now (code 14)  for 1m 30s · try again later" in text
        assert "✗ the service is not available now" in text
        assert "0 found · scanned 12 of 24 (50%) · ✗ 1 failed" in text
        service.problems.clear()
        service.notes = ("stopped at 2 messages, 9 not looked at: narrow it or set limit:",)
        await ask(pilot, "Orders key:order-3")
        text = text_of(pilot)
        assert "1 found " in text
        assert "stopped at 2 messages, 9 not looked at: narrow it or set limit:" in text
        assert "code 14" not in text

    play(script)


def test_the_filter_narrows_what_was_found() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders")
        await press(pilot, "slash", *"order-1", "enter")
        assert [screen(pilot).list.rows[key].keys for key in screen(pilot).list.keys] == [
            *(f"order-{number}" for number in range(19, 9, -1)),
            "order-1",
        ]
        assert "Messages (11/24)" in text_of(pilot)
        await press(pilot, "escape")
        assert len(screen(pilot).list.keys) == 24
        await press(pilot, "slash")
        field = pilot.app.focused
        assert field.id == "filter"
        await type_text(pilot, TYPED)
        assert field.value == TYPED
        await press(pilot, "escape")
        assert screen(pilot).list.has_focus

    play(script)


# --- one message ------------------------------------------------------------------------------------------------------


def test_the_body_goes_through_the_decoders() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders queue:broker-a/0@1220")
        await press(pilot, "enter")
        assert "auto: JSON · 95 bytes" in text_of(pilot)
        assert '├ item: "book"' in text_of(pilot)
        assert "├ price: 12.50" in text_of(pilot)
        await press(pilot, "enter")
        assert "▶ {6 keys}" in text_of(pilot)
        seen = []
        for _ in range(6):
            await press(pilot, "d")
            seen.append((screen(pilot).pane.body.decoder, screen(pilot).pane.body.refusal))
        assert seen == [
            ("json", ""),
            ("gzip", "it is neither gzip nor zlib: Error -3 while decompressing data: incorrect header check"),
            ("text", ""),
            ("hex", ""),
            ("base64", ""),
            ("auto", ""),
        ]
        await press(pilot, "d", "d", "d", "d")
        assert '000000  7b 22 69 64 22 3a 20 31  {"id": 1' in text_of(pilot)

    play(script, size=(220, 50))


def test_bodies_that_are_no_text_or_too_long() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        long = ("line é\n" * 20_000).encode()
        service.messages = [stored(1, body=BODIES[2]), stored(2, body=long)]
        await ask(pilot, "Orders queue:broker-a/1")
        text = text_of(pilot)
        assert "auto: hex · 16 bytes" in text
        assert "\x1b" not in text
        await ask(pilot, "Orders queue:broker-a/2")
        assert f"auto: text · {len(long):,} bytes · shown 65,536 of {len(long):,} bytes" in text_of(pilot)
        await press(pilot, "enter", "G")
        page = pilot.app.focused
        assert page.id == "page"
        assert page.scroll_offset.y == page.max_scroll_y > 5000
        await press(pilot, "g", "j", "space", "k")
        assert page.scroll_offset.y > 10

    play(script, size=(200, 50))


def test_properties_consumption_and_where() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders key:order-5")
        await press(pilot, "enter", "right_square_bracket")
        assert "region" in text_of(pilot)
        await press(pilot, "right_square_bracket")
        assert service.count("tracks") == 1
        rows = [line.split("││")[1].split() for line in text_of(pilot).splitlines() if "││" in line]
        assert ["▶", "billing", "consumed", "│"] in rows
        assert ["audit-trail", "not", "yet", "│"] in rows
        await press(pilot, "right_square_bracket")
        for shown in ("broker-a/1", "1,205", "0A00000B00001234ABCD000000000005", "13:52:06.855", "321 bytes"):
            assert shown in text_of(pilot)
        await press(pilot, "left_square_bracket", "escape")
        service.problems["tracks"] = REFUSED
        await press(pilot, "c")
        assert service.count("tracks") == 2
        assert "✗ 10.0.0.1:10911: the service is not availab" in text_of(pilot)

    play(script, size=(160, 36))


def test_consumption_follows_the_cursor_and_is_not_asked_for_unseen() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders")
        await press(pilot, "j", "j")
        assert service.count("tracks") == 0
        await press(pilot, "c")
        await press(pilot, "j")
        assert [name for question, name in service.asked if question == "tracks"] == [
            "0A00000B00001234ABCD000000000015",
            "0A00000B00001234ABCD000000000014",
        ]

    play(script)


def test_narrow_screens_take_turns() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders")
        assert "auto: JSON" not in text_of(pilot)
        await press(pilot, "enter")
        assert "auto: JSON" in text_of(pilot)
        assert "OFFSET" not in text_of(pilot)
        await press(pilot, "escape")
        assert screen(pilot).list.has_focus
        await press(pilot, "c")
        assert "mail-sender" in text_of(pilot)
        await press(pilot, "i")
        assert screen(pilot).asking.has_focus

    play(script, size=(80, 24))


# --- keys of a message ------------------------------------------------------------------------------------------------


def test_copy_offers_body_id_json_and_command() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders queue:broker-a/1@1205")
        await press(pilot, "y")
        assert isinstance(pilot.app.screen, CopyDialog)
        texts = pilot.app.screen._texts
        assert texts["body"] == BODIES[1].decode()
        assert texts["id"] == "0A00000B00001234ABCD000000000005"
        assert json.loads(texts["JSON"])["queueOffset"] == 1205
        assert texts["mqadmin"].endswith(
            "queryMsgByOffset -n '10.0.0.9:9876;10.0.0.10:9876' -t Orders -b broker-a -i 1 -o 1205"
        )
        await press(pilot, "enter")
        assert pilot.app.clipboard == BODIES[1].decode()
        await ask(pilot, "Orders queue:broker-a/2@1206")
        await press(pilot, "y")
        assert base64.b64decode(pilot.app.screen._texts["base64"]) == BODIES[2]
        await press(pilot, "escape", "enter", "right_square_bracket", "y")
        assert pilot.app.screen._texts["row"].split() == ["KEYS", "order-6"]

    play(script)


def test_export_writes_whole_bodies() -> None:
    written: dict[str, str] = {}

    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders queue:broker-a/2")
        await press(pilot, "space", "x")
        assert isinstance(pilot.app.screen, ExportDialog)
        await press(pilot, "enter")
        records = json.loads(written["messages.json"])
        assert [(record["bodyEncoding"], base64.b64decode(record["body"])) for record in records] == [
            ("base64", BODIES[2])
        ]
        assert records[0]["properties"]["region"] == "eu"
        await ask(pilot, "Orders queue:broker-a/1")
        await press(pilot, "x")
        pilot.app.focused.value = "all.csv"
        await press(pilot, "enter")
        rows = list(csv.DictReader(io.StringIO(written["all.csv"])))
        assert [row["body"] for row in rows] == [BODIES[1].decode()] * 6
        assert json.loads(rows[0]["properties"])["region"] == "eu"

    play(script, save=lambda path, text: written.__setitem__(str(path), text))


def test_ways_to_other_screens() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders queue:broker-a/1")
        await press(pilot, "T")
        assert pilot.app.current_mode == "trace"
        assert pilot.app.screen.subject == "Orders/0A00000B00001234ABCD000000000015"
        await press(pilot, "escape", "escape")
        assert pilot.app.current_mode == "messages"
        assert screen(pilot).subject == "Orders queue:broker-a/1"
        assert len(service.searched) == 1
        await press(pilot, "t")
        assert isinstance(pilot.app.screen, TailScreen)
        assert service.tails[0].queue == QueueRange("broker-a", 1)
        await press(pilot, "4")
        assert screen(pilot).list.keys

    play(script)


def test_from_topic_to_queue_to_messages_and_from_a_group_where_it_is() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "j", "enter", "right_square_bracket", "j", "enter")
        assert pilot.app.current_mode == "messages"
        assert screen(pilot).subject == "Orders queue:broker-a/1"
        assert len(screen(pilot).list.keys) == 6
        await press(pilot, "escape")
        assert pilot.app.current_mode == "topics"
        await press(pilot, "3", "j", "enter", "enter")
        assert pilot.app.current_mode == "messages"
        assert service.searched[-1].queue == QueueRange("broker-a", 0, 80407)
        column = screen(pilot).list.sort_column
        assert column is not None
        assert (column.name, screen(pilot).list.sort_down) == ("stored", False)
        await press(pilot, "escape")
        assert pilot.app.current_mode == "groups"

    play(script)


def test_peek_shows_the_newest_of_a_topic() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "j", "enter")
        while pilot.app.screen.pane.tab.title != "Peek":
            await press(pilot, "right_square_bracket")
        assert service.count("newest") == 1
        assert "13:52:31.533" in text_of(pilot)
        assert '{"id": 18, "item": "pen"}' in text_of(pilot)
        await press(pilot, "enter")
        assert screen(pilot).subject == "Orders queue:broker-a/3@1223"
        await press(pilot, "escape", "escape", "j")
        assert "it holds no message" in text_of(pilot)
        service.problems["newest"] = REFUSED
        await press(pilot, "j")
        assert "✗ 10.0.0.1:10911: the service is not available" in text_of(pilot)

    play(script, size=(160, 36))


def test_questions_are_saved_chosen_and_forgotten() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        kept: list[str] = []
        await press(pilot, "4", "F")
        assert "no question was asked or saved yet" in text_of(pilot)
        await press(pilot, "f")
        assert "there is no question to save" in text_of(pilot)
        pilot.app.session.queries.store = kept.append
        await ask(pilot, "Orders tag:TagA")
        await press(pilot, "f")
        assert isinstance(pilot.app.screen, SaveDialog)
        await press(pilot, "enter")
        assert "a name of 1 to 60 letters is needed" in text_of(pilot)
        await type_text(pilot, TYPED[:40])
        assert pilot.app.focused.value == TYPED[:40]
        pilot.app.focused.value = "mine"
        await press(pilot, "enter")
        assert json.loads(kept[-1]) == {"recent": ["Orders tag:TagA"], "saved": {"mine": "Orders tag:TagA"}}
        await ask(pilot, "Payments")
        await press(pilot, "F")
        assert isinstance(pilot.app.screen, QueriesDialog)
        assert "mine           Orders tag:TagA" in text_of(pilot)
        await press(pilot, "enter")
        assert screen(pilot).subject == "Orders tag:TagA"
        await press(pilot, "F", "D")
        assert json.loads(kept[-1])["saved"] == {}
        await press(pilot, "j", "D", "escape")
        assert pilot.app.session.queries.recent == ["Orders tag:TagA", "Payments"]

        def refuse(text: str) -> None:
            raise OSError(28, "No space left on device")

        pilot.app.session.queries.store = refuse
        await ask(pilot, "Orders")
        assert "questions cannot be kept on disk: No space left on device" in text_of(pilot)
        assert len(screen(pilot).list.keys) == 24

    play(script)


# --- sending ----------------------------------------------------------------------------------------------------------


def proposed(pilot: Any) -> SendMessage:
    """The change of the dialog that is open."""
    dialog = pilot.app.screen
    assert isinstance(dialog, ChangeDialog)
    assert isinstance(dialog.change, SendMessage)
    return dialog.change


async def fill(pilot: Any, key: str, value: str) -> None:
    field = pilot.app.screen.query_one(f"#field-{key}")
    if hasattr(field, "load_text"):
        field.load_text(value)
    else:
        field.value = value
    await settle(pilot)


def test_a_message_is_sent_again_with_changes() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders queue:broker-a/1@1205")
        await press(pilot, "p")
        assert isinstance(pilot.app.screen, FormDialog)
        text = text_of(pilot)
        for shown in ("Send again 0A00000B00001234ABCD000000000005", "region=eu", "plain text, with grüße and €"):
            assert shown in text
        await fill(pilot, "properties", "region=us\nnote=a\\nb\\\\c")
        await fill(pilot, "queue", "broker-a/3")
        await fill(pilot, "delay", "30s")
        await press(pilot, "ctrl+s")
        change = SendMessage(
            "Orders",
            BODIES[1],
            "TagB",
            "order-5",
            (("region", "us"), ("note", "a\nb\\c")),
            "broker-a",
            3,
            30_000,
            "0A00000B00001234ABCD000000000005",
        )
        assert proposed(pilot) == change

    play(script)


def test_what_cannot_be_edited_is_sent_as_it_is() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders queue:broker-a/2@1206")
        await press(pilot, "p")
        assert "as it is: 16 bytes, no text" in text_of(pilot)
        await press(pilot, "ctrl+s")
        assert proposed(pilot).body == BODIES[2]

    play(script)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("topic", "", "the name of a topic is needed"),
        ("tags", "a b", "a tag holds neither | nor blanks"),
        ("queue", "3", "BROKER/NUMBER, or nothing"),
        ("delay", "soon", "a span such as 30s, 5m or 2h"),
        ("properties", "UNIQ_KEY=1", "UNIQ_KEY is RocketMQ's own"),
        ("properties", "a", "a: name=value is expected"),
        ("properties", "a=1\na=2", "a is there twice"),
    ],
)
def test_the_form_says_what_is_wrong(key: str, value: str, said: str) -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "j", "p")
        assert "Send a message to Orders" in text_of(pilot)
        await fill(pilot, key, value)
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, FormDialog)
        assert said in text_of(pilot)

    play(script)


def test_every_field_of_the_form_takes_every_character() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "j", "p")
        for key in ("topic", "tags", "keys", "queue", "delay", "properties", "body"):
            field = pilot.app.screen.query_one(f"#field-{key}")
            await fill(pilot, key, "")
            field.focus()
            await type_text(pilot, TYPED)
            await pilot.pause()
            assert (field.text if hasattr(field, "text") else field.value) == TYPED, key

    play(script)


def test_nothing_is_sent_where_nothing_may_be_changed() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await ask(pilot, "Orders")
        await press(pilot, "p")
        assert isinstance(pilot.app.screen, MessagesScreen)
        await press(pilot, "2", "p")
        assert pilot.app.current_mode == "topics"
        assert not isinstance(pilot.app.screen, FormDialog)

    play(script, read_only=True)


def test_keys_without_a_message_do_no_harm() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "4")
        for key in ("enter", "T", "p", "y", "x", "d", "c", "t", "right_square_bracket"):
            await press(pilot, key)
            assert isinstance(pilot.app.screen, MessagesScreen), key
        assert "ask for a topic first" not in text_of(pilot)
        await press(pilot, "t")
        assert "ask for a topic first: its new messages are then followed" in text_of(pilot)

    play(script)
