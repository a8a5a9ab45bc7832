"""A declaration gives name, type, limits; values are read and written as Java does."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import pytest

from rmq.settings.option import BadValueError, camel_case, computed, option, options_of, text_of


class Colour(enum.Enum):
    RED = "RED"
    BLUE = "BLUE"


@dataclass
class Section:
    flush_disk_type: Colour = option(Colour.RED, "A choice.", dynamic=True)  # noqa: RUF009 - as in the sections
    broker_ip1: str | None = option(None, "An address.", key="brokerIP1")
    listen_port: int = option(1, "A port.", minimum=0, maximum=65535, aliases=("port",))
    any_int: int = option(2, "Java's int.")
    any_long: int = option(3, "Java's long.", bits=64)
    switch: bool = option(False, "A switch.")
    ratio: float = option(0.5, "A ratio.")
    perm: int = option(6, "A permission.", choices=(2, 4, 6))
    acl: bool = option(False, "Access control.", refused="it is not there")
    where: str = computed(lambda: "/here", "$PWD", "A place.")


OPTIONS = {found.name: found for found in options_of(Section)}


def test_names_follow_the_rule_unless_overridden() -> None:
    assert [found.key for found in options_of(Section)] == [
        "flushDiskType", "brokerIP1", "listenPort", "anyInt", "anyLong", "switch", "ratio", "perm", "acl", "where",
    ]  # fmt: skip
    assert camel_case("wait_time_mills_in_send_queue") == "waitTimeMillsInSendQueue"


def test_facts_of_a_declaration() -> None:
    port = OPTIONS["listen_port"]
    assert (port.kind, port.default, port.help, port.aliases) == (int, 1, "A port.", ("port",))
    assert OPTIONS["flush_disk_type"].kind is Colour
    assert OPTIONS["flush_disk_type"].dynamic
    assert OPTIONS["broker_ip1"].kind is str
    assert OPTIONS["broker_ip1"].optional
    assert not port.optional
    assert OPTIONS["where"].default_value() == "/here"
    assert OPTIONS["where"].shown == "$PWD"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("flush_disk_type", "BLUE", Colour.BLUE),
        ("broker_ip1", " 10.0.0.1 ", "10.0.0.1"),
        ("broker_ip1", "", None),
        ("listen_port", " 65535 ", 65535),
        ("any_int", "-2147483648", -(2**31)),
        ("any_long", "9223372036854775807", 2**63 - 1),
        ("switch", "TRUE", True),
        ("switch", "false", False),
        ("ratio", "0.25", 0.25),
        ("perm", "4", 4),
        ("acl", "false", False),
    ],
)
def test_allowed_values(name: str, text: str, value: object) -> None:
    assert OPTIONS[name].parse(text) == value


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("flush_disk_type", "red", "RED or BLUE"),
        ("listen_port", "65536", "a whole number from 0 to 65535"),
        ("listen_port", "1_000", "a whole number from 0 to 65535"),
        ("listen_port", "", "a whole number from 0 to 65535"),
        ("any_int", "2147483648", "a whole number from -2147483648 to 2147483647"),
        ("any_long", "9223372036854775808", "a whole number from -9223372036854775808 to 9223372036854775807"),
        ("switch", "yes", "true or false"),
        ("ratio", "x", "a number"),
        ("perm", "3", "2, 4 or 6"),
        ("acl", "true", "false, because it is not there"),
    ],
)
def test_refused_values(name: str, text: str, allowed: str) -> None:
    with pytest.raises(BadValueError) as caught:
        OPTIONS[name].parse(text)
    assert str(caught.value) == allowed


def test_text_forms_are_javas() -> None:
    values = (True, False, None, 12, Colour.RED, 8000.0, 0.8, "x")
    assert [text_of(value) for value in values] == ["true", "false", "", "12", "RED", "8000.0", "0.8", "x"]


def test_a_field_without_a_declaration_is_refused() -> None:
    @dataclass
    class Careless:
        names: list[str] = field(default_factory=list)

    with pytest.raises(TypeError, match=r"Careless\.names is not declared"):
        options_of(Careless)
