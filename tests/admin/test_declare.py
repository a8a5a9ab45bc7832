"""Declarations are refused when they are wrong, and found by name."""

import pytest

from rmq.admin.declare import Call, command, every, find, integer, names, summaries
from rmq.admin.errors import CommandLineError
from rmq.admin.options import flag, topic, value
from rmq.admin.output import Report


async def nothing(call: Call) -> Report:
    return Report()


def test_found_whatever_the_case() -> None:
    made = find("TOPICLIST")
    assert made is not None
    assert made.name == "topicList"
    assert find("nosuch") is None


def test_names_come_without_imports() -> None:
    assert names()["topicList"] == "topic"
    assert names()["queryMsgById"] == "message_query"


def test_summaries_come_without_imports() -> None:
    assert summaries() == {command.name: command.summary for command in every()}


def test_an_own_option_for_the_name_servers_takes_the_place_of_the_standard_one() -> None:
    own = value("n", "nameserverAddr", "Name servers.", required=True)
    made = command("ownNames", "A summary.", own)(nothing)
    assert [option.long for option in made.options] == ["help", "nameserverAddr"]


@pytest.mark.parametrize(
    "options", [(topic(), value("t", "text", "")), (topic(), flag("x", "topic", "")), (flag("h", "hh", ""),)]
)
def test_an_option_declared_twice(options: tuple[object, ...]) -> None:
    with pytest.raises(TypeError, match="command newOne: declared twice: "):
        command("newOne", "", *options)(nothing)  # type: ignore[arg-type]


def test_a_command_declared_twice() -> None:
    assert find("topicList") is not None
    with pytest.raises(TypeError, match="command TopicList: declared twice: the name"):
        command("TopicList", "")(nothing)


@pytest.mark.parametrize(
    ("text", "bits", "number"),
    [("0", 32, 0), ("-1", 32, -1), ("+7", 32, 7), ("9223372036854775807", 64, (1 << 63) - 1)],
)
def test_integers(text: str, bits: int, number: int) -> None:
    assert integer(text, bits=bits) == number


@pytest.mark.parametrize(
    ("text", "bits"),
    [("", 32), ("1.5", 32), ("2147483648", 32), ("9223372036854775808", 64), ("٣", 32), ("1" * 30, 64)],
)
def test_no_integers(text: str, bits: int) -> None:
    with pytest.raises(CommandLineError, match="For input string"):
        integer(text, bits=bits)
