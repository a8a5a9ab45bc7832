"""A command's page."""

from rmq.admin.declare import Call, command, find
from rmq.admin.options import Group, Option, topic, value
from rmq.admin.output import Member, Report
from rmq.admin.usage import option_lines, page, short_page, synopsis


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
    found = find("consumeMessage")
    assert found is not None
    shown = page(found)
    assert " -t,--topic <arg>             Name of the topic. Required.\n" in shown
    assert "Default: 128." in shown
    assert " -f,--format <arg>" in shown
    assert max(map(len, shown.splitlines())) <= 110


def test_page_leaves_a_letter_to_its_owner() -> None:
    found = find("queryMsgById")
    assert found is not None
    assert "    --format <arg>" in page(found)


def test_page_as_a_whole() -> None:
    @command(
        "wholePage",
        "Drop things.",
        topic(),
        data=(Member("topic", "The topic."), Member("brokerNames", "Names of the brokers. " * 6)),
        differs=("It is quicker.",),
        changes=True,
        examples=(("wholePage -t T -h", "Look at this page."),),
    )
    async def made(call: Call) -> Report:
        return Report()

    head, _, rest = page(made).partition("\n\n")
    assert head + "\n" == short_page(made)
    assert head.startswith("usage: mqadmin wholePage [-h] [-n <arg>] -t <arg>\n -h,--help ")
    assert (
        rest
        == """\
Drop things.

Long names may be cut short as long as they are clear. Beyond Apache's options, to be spelt in full:
    --debug           On failure show the Python traceback too.
    --dry-run         Change nothing; show what would be sent or written instead.
 -f,--format <arg>    Output: text (as Apache prints it), json (one object) or csv (tables only). Default:
                      text.
    --timeout <arg>   Seconds that each request may take. Default: 5.

Members of the JSON object:
 topic         The topic.
 brokerNames   Names of the brokers. Names of the brokers. Names of the brokers. Names of the brokers. Names
               of the brokers. Names of the brokers.

Other than Apache's:
 It is quicker.

Examples:
 mqadmin wholePage -t orders
 mqadmin wholePage -t orders --dry-run
     Only show what it would do.
 mqadmin wholePage -t T -h
     Look at this page.

Exit codes:
 0 done   1 failed, refused, or failed on some servers   2 wrong command line   130 ended by Ctrl-C

Environment:
 NAMESRV_ADDR   Name servers, where no -n is given.
"""
    )


def test_page_of_a_command_that_is_ours_or_wants_one_of_two() -> None:
    ours, either = find("consumerList"), find("updateSubGroup")
    assert ours is not None
    assert either is not None
    assert "\nApache's tool has no such command.\n" in page(ours)
    assert "\nAt least one of -b and -c is needed.\n" in page(either)
