"""A command's page."""

from rmq.admin.declare import find
from rmq.admin.options import Group, Option, value
from rmq.admin.usage import option_lines, page, synopsis


def test_synopsis_leaves_the_blanks_that_apaches_leaves() -> None:
    three = Group((Option("p", "password", ""), Option("s", "status", ""), Option("t", "type", "")))
    optional = Group((Option("x", "xx", ""), Option("y", "yy", "", flag=True)), required=False)
    line = synopsis("updateUser", (three, value("u", "username", "", required=True), optional))
    assert line == "usage: mqadmin updateUser -p <arg> | -s <arg> | -t <arg>   -u <arg> [-x <arg> | -y] "[:-1]


def test_long_lines_are_wrapped_in_their_column() -> None:
    lines = list(option_lines([Option("a", "aa", "word " * 30), Option("", "bb", "Flag.", flag=True)]))
    assert lines == [
        " -a,--aa <arg>   " + "word " * 17 + "word",
        " " * 17 + "word " * 11 + "word",
        "    --bb         Flag.",
    ]


def test_page_names_what_is_required_and_what_holds_otherwise() -> None:
    command = find("consumeMessage")
    assert command is not None
    shown = page(command)
    assert " -t,--topic <arg>             Name of the topic. Required.\n" in shown
    assert "Default: 128." in shown
    assert " -f,--format <arg>" in shown
    assert max(map(len, shown.splitlines())) <= 110


def test_page_leaves_a_letter_to_its_owner() -> None:
    command = find("queryMsgById")
    assert command is not None
    assert "    --format <arg>" in page(command)
