"""The screen of users and rules, and the question whether a user may do something."""

from typing import Any

import pytest

from rmq.tui.screens.acl import AclScreen
from rmq.tui.screens.can import CanDialog, answered
from rmq.tui.service.model import BrokerRights, Problem, Rights
from tests.kit.tui.rights import OPEN, RIGHTS
from tests.kit.tui_service import FakeService, play, press, rounds, text_of, type_text

TYPED = "abcXYZ 0189 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ é€"


def screen(pilot: Any) -> AclScreen:
    assert isinstance(pilot.app.screen, AclScreen)
    return pilot.app.screen


def test_users_and_rules() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "8")
        rows = [line.replace("│", " ").replace("▶", " ").split() for line in text_of(pilot).splitlines()]
        assert ["admin", "Super", "enable", "0", "••••••", "2/2"] in [row[:6] for row in rows]
        assert ["former", "Normal", "disable", "0", "••••••", "2/2"] in [row[:6] for row in rows]
        await press(pilot, "G")
        await press(pilot, "enter")
        shown = text_of(pilot)
        assert "shop  Normal  enable  differs between brokers" in shown
        line = next(line for line in shown.splitlines() if "Topic:*" in line)
        assert line[line.index("Deny") :].replace("│", " ").split() == [
            "Deny", "Topic:*", "Pub", "anywhere", "Custom", "broker-a",
        ]  # fmt: skip
        await press(pilot, "right_square_bracket")
        assert "no, brokers differ" in text_of(pilot)
        assert "••••••" in text_of(pilot)

    play(script, size=(180, 30))


def test_may_a_user_do_something() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "8", "j", "c")
        assert isinstance(pilot.app.screen, CanDialog)
        assert pilot.app.focused.id == "can-resource"
        fields = [f"can-{name}" for name in ("user", "action", "resource", "source")]
        for name in fields:
            field = pilot.app.screen.query_one(f"#{name}")
            field.focus()
            field.value = ""
            await type_text(pilot, TYPED)
            assert field.value == TYPED
        for name, value in zip(fields, ("billing", "sub", "Orders group:billing", "10.1.2.3"), strict=True):
            pilot.app.screen.query_one(f"#{name}").value = value
        await press(pilot)
        shown = " ".join(line.strip("│ ") for line in text_of(pilot).splitlines())
        assert "✔ yes  Sub on Topic:Orders" in shown
        assert "Custom rule: Allow Sub on Topic:Orders from 10.0.0.0/8" in shown
        assert "✔ yes  Sub on Group:billing" in shown
        await press(pilot, "up", "enter", "enter", "escape")
        assert screen(pilot).list.has_focus

    play(script, size=(100, 40))


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        (("", "Pub", "Orders", ""), ["whom is it about?"]),
        (("shop", "Write", "Orders", ""), ["the action is one of Any, Pub, Sub, Create, Update, Delete, Get, List"]),
        (("shop", "Pub", "", ""), ["on what: Topic:NAME, Group:NAME or Cluster:NAME"]),
        (("shop", "Pub", "Queue:a", ""), ["Queue:a names no resource: Topic:NAME, Group:NAME or Cluster:NAME"]),
        (("shop", "Pub", "Orders", "nowhere"), ["nowhere is no IP address"]),
        (
            ("shop", "pub", "Orders", ""),
            [
                "✔ yes  Pub on Topic:Orders on broker-a",
                "  Custom rule: Allow Pub on Topic:Ord*; it goes before 1 weaker one",
                "  weaker: Deny Pub on Topic:*",
                "✔ yes  Pub on Topic:Orders on broker-b",
                "  Custom rule: Allow Pub on Topic:Ord*",
            ],
        ),
        (
            ("billing", "Sub", "Orders", "192.168.0.1"),
            [
                "✗ no  Sub on Topic:Orders",
                "  no rule matches, and what no rule allows is refused",
                "  Custom rule does not match, another address: Allow Sub on Topic:Orders from 10.0.0.0/8",
            ],
        ),
        (
            ("nobody", "Sub", "Orders", ""),
            [
                "✗ no  Sub on Topic:Orders",
                "  the broker has no such user",
                "users: admin, billing, former, shop",
            ],
        ),
    ],
)
def test_answers(question: tuple[str, str, str, str], lines: list[str]) -> None:
    assert answered(RIGHTS, *question).plain.splitlines() == lines


def test_brokers_that_enforce_nothing() -> None:
    open_broker = Rights((BrokerRights("a", "x", RIGHTS.brokers[0].users, RIGHTS.brokers[0].rules, False, "note"),))
    assert answered(open_broker, "former", "Pub", "Orders", "").plain.splitlines() == [
        "✗ no  Pub on Topic:Orders",
        "  the user is disabled, and refused before any rule is looked at",
        "  but a does not enforce rules: it is allowed",
    ]


def test_servers_without_users() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        service.told = OPEN
        await press(pilot, "8")
        shown = text_of(pilot)
        assert "broker-a does not check access rights: everybody may do everything" in shown
        assert "there are no users and no rules" in shown
        service.told = Rights((BrokerRights("broker-a", "x", {}, {}, None, "", Problem("no answer in time", "x")),))
        await rounds(pilot, service, 1)
        assert "broker-a: x: no answer in time" in text_of(pilot)
        service.told = Rights()
        await rounds(pilot, service, 1)
        await press(pilot, "c")
        assert "no broker has told its users and rules" in text_of(pilot)

    play(script)


def test_failing_answers() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "8")
        service.problems["rights"] = Problem("no answer in time", "10.0.0.9:9876")
        await rounds(pilot, service, 2)
        shown = text_of(pilot)
        assert "10.0.0.9:9876: no answer in time  for 2s" in shown
        assert "admin" in shown

    play(script)
