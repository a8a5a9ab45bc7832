"""What an operator's fingers rely on: keys that come fast, lists with nothing in them, names that do not fit."""

from typing import Any

from textual import events
from textual.widgets import Input

from rmq.tui.screens.forms import FormDialog
from rmq.tui.screens.group_tables import group_columns, group_tabs
from rmq.tui.screens.ops import OpsScreen
from rmq.tui.screens.trace import _facts
from rmq.tui.service.changes.brokers import WipeWritePerm
from rmq.tui.service.model import Group, GroupDetail, GroupQueue, StepKind, TraceStep
from rmq.tui.state.seen import Seen
from rmq.tui.table.columns import Column, Placed
from tests.kit.tui_service import NOW, FakeService, fake_app, play, press, rounds, text_of


def test_a_reset_in_the_pane_is_of_the_group_that_the_pane_shows() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "space", "enter")
        await press(pilot, "R")
        assert isinstance(pilot.app.screen, FormDialog)
        assert "Reset offsets of billing" in text_of(pilot)
        assert pilot.app.screen.values["queue"] == "Orders broker-a 0"
        await press(pilot, "escape", "escape", "R")
        assert "Reset offsets of audit-trail" in text_of(pilot)

    play(script)


def test_keys_in_one_burst_go_where_they_were_meant_to() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        # As a slow line delivers them: all at once, before the filter's line could get the focus.
        for key in ("slash", *"orqSD"):
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else "/"))
        await press(pilot)
        field = pilot.app.focused
        assert isinstance(field, Input)
        assert (field.id, field.value) == ("filter", "orqSD")
        await press(pilot, "escape")
        for key in ("colon", *"ctx"):
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else ":"))
        await press(pilot)
        field = pilot.app.focused
        assert isinstance(field, Input)
        assert (field.id, field.value) == ("command", "ctx")
        await press(pilot, "escape")
        assert pilot.app.screen.list.has_focus

    play(script)


def test_the_way_follows_the_tab() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "enter")
        await press(pilot, "]")
        assert text_of(pilot).splitlines()[-2].startswith(" Groups audit-trail › Clients ")
        await press(pilot, "escape", "1")
        assert text_of(pilot).splitlines()[-2].startswith(" Cluster broker-a ")

    play(script)


def test_a_row_that_has_gone_leads_nowhere() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "3", "enter")
        grid = pilot.app.screen.pane.grid
        grid.action_select()
        grid.rows = {}
        await press(pilot)
        assert pilot.app.screen.MODE == "groups"
        assert "has gone" in text_of(pilot)

    play(script)


def test_what_is_not_there_is_said_with_what_to_do() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "slash", "q", "q", "q", "enter")
        assert "nothing passes the filter: esc clears it" in text_of(pilot)
        await press(pilot, "escape")
        assert "nothing passes" not in text_of(pilot)
        await press(pilot, "colon", *"xyzzy", "enter")
        assert ":xyzzy is unknown; try :topic NAME, :group NAME, :ctx NAME or :mqadmin COMMAND" in text_of(pilot)

    play(script)


def test_the_help_begins_with_the_keys_of_this_part() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "2", "question_mark")
        lines = [line for line in text_of(pilot).splitlines() if "│" in line]
        words = ("  tail  ", "  down  ", "  copy  ")
        places = [next(at for at, line in enumerate(lines) if word in line) for word in words]
        assert places == sorted(places)

    play(script, size=(120, 50))


def test_a_trace_tells_when_a_message_was_born() -> None:
    step = TraceStep(StepKind.STORE, "broker-a", "h:1", NOW, 0, True, "", facts={"born": str(NOW), "born host": "h:2"})
    assert _facts(step, fake_app(FakeService()).session).plain == " client h:1  born 14:02:00.000  born host h:2"


def test_a_client_is_known_by_its_host_and_its_number() -> None:
    column: Column[str] = Column("CLIENT", 17, str, middle=True)
    assert Placed(column, 0, 17).fit("10.0.0.20@7341#40440025269152002") == "10.0.0.2…69152002"
    assert Placed(column, 0, 17).fit("10.0.0.20@7341") == "10.0.0.20@7341   "


def test_a_cluster_without_topics_says_so_at_once() -> None:
    class Empty(FakeService):
        async def topic_names(self) -> Any:
            return ("SELF_TEST_TOPIC",)

    async def script(pilot: Any, service: FakeService) -> None:
        await rounds(pilot, service, 1)
        assert "there are no topics but RocketMQ's own: i shows those" in text_of(pilot)
        await press(pilot, "i")
        assert "SELF_TEST_TOPIC" in text_of(pilot)

    play(script, service=Empty())


def test_the_summary_of_a_change_uses_the_room_that_there_is() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        pilot.app.propose(WipeWritePerm("broker-a"))
        await press(pilot)
        await press(pilot, "y")
        await press(pilot, "escape", "9", "enter")
        assert isinstance(pilot.app.screen, OpsScreen)
        shown = text_of(pilot)
        assert "mqadmin wipeWritePerm -n '10.0.0.9:9876;10.0.0.10:9876' -b broker-a" in shown
        assert " Ops 1 › Summary " in shown
        assert "0000" not in shown

    play(script, size=(100, 24))


def test_a_groups_rate_is_steady_though_its_clients_report_seldom() -> None:
    session = fake_app(FakeService(), refresh=2.0).session
    for step, consumed in enumerate((0, 0, 0, 100, 100, 100, 200)):
        session.history.count(("group", "billing", "out"), NOW + step * 2000, consumed)
    column = next(column for column in group_columns(session) if column.title == "OUT/s")
    assert column.text(Seen("billing")) == "20"


def test_queues_of_retries_come_last() -> None:
    def queue(topic: str, number: int) -> GroupQueue:
        return GroupQueue(topic, "broker-a", number, 10, 10, 0)

    queues = tuple(queue(topic, number) for topic in ("%RETRY%billing", "Orders") for number in (0, 1))
    detail = GroupDetail(Group("billing"), queues)
    rows = group_tabs(None)[0].rows(detail)  # type: ignore[arg-type]
    assert list(rows) == [
        "Orders broker-a/0",
        "Orders broker-a/1",
        "%RETRY%billing broker-a/0",
        "%RETRY%billing broker-a/1",
    ]
