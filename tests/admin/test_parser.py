"""Command lines are read as Apache's tool reads them."""

import json
import shlex

import pytest

from rmq.admin.cli import main
from rmq.admin.options import DEBUG, FORMAT, LONG_FORMAT, TIMEOUT, Group, Option, flag, topic, value
from rmq.admin.parser import Parsed, UsageError, parse
from tests.golden.record import RECORDING
from tests.golden.scenario import refusal_of, synopsis_of

OPTIONS = (
    Option("h", "help", "page", flag=True),
    Option("n", "namesrvAddr", "servers"),
    Group((Option("b", "brokerAddr", "one broker"), Option("c", "clusterName", "all brokers"))),
    topic(),
    value("r", "readQueueNums", "queues"),
    value("", "attributes", "attributes"),
    value("qn", "totalQueueNum", "queues"),
    value("p", "print msg", "messages"),
    value("d", "printBody ", "bodies"),
    flag("l", "list", "list"),
    flag("m", "moreStats", "more"),
)
NEEDED = ["-t", "T", "-b", "B"]


def values(parsed: Parsed) -> dict[str, str | None]:
    return {key: parsed.get(key) for key in sorted(parsed._given)}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-t", "T"], "T"),
        (["-tT"], "T"),
        (["-t=T"], "T"),
        (["--topic", "T"], "T"),
        (["--topic=T"], "T"),
        (["-topic", "T"], "T"),
        (["-topic=T"], "T"),
        (["-topicTT"], "TT"),
        (["--top", "T"], "T"),
        (["--top=T"], "T"),
        (["-t", "  T  "], "T"),
        (["-t", '"a b"'], "a b"),
        (["-t", '"'], '"'),
        (["--topic="], ""),
        (["-t", ""], ""),
        (["-t", "-1"], "-1"),
        (["-t", "-1.5"], "-1.5"),
        (["-t", "-x"], "-x"),
        (["-t", "first", "-t", "second"], "first"),
        (["-lmt", "T"], "T"),
        (["-lmtT"], "T"),
    ],
)
def test_spellings_of_a_value(words: list[str], expected: str) -> None:
    assert parse(OPTIONS, [*words, "-b", "B"]).get("t") == expected


def test_names_of_two_letters_and_without_a_short_one() -> None:
    parsed = parse(OPTIONS, [*NEEDED, "-qn", "4", "--attributes", "+a=b"])
    assert values(parsed) == {"attributes": "+a=b", "b": "B", "qn": "4", "t": "T"}


def test_a_blank_in_a_name_can_be_left_out_where_that_is_clear() -> None:
    assert parse(OPTIONS, [*NEEDED, "--printBody", "true"]).get("d") == "true"


def test_flags_run_together() -> None:
    parsed = parse(OPTIONS, [*NEEDED, "-lm"])
    assert parsed.given("l")
    assert parsed.given("m")


def test_words_that_are_left_over() -> None:
    assert parse(OPTIONS, ["a", *NEEDED, "b", "-", "--", "-x", "--y"]).words == ["a", "b", "-", "-x", "--y"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-b", "B"], "Missing required option: t"),
        ([], "Missing required options: [-b one broker, -c all brokers], t"),
        (["-h"], "Missing required options: [-b one broker, -c all brokers], t"),
        ([*NEEDED, "-r"], "Missing argument for option: r"),
        ([*NEEDED, "-r", "-l"], "Missing argument for option: r"),
        (["-t", "--", "T"], "Missing argument for option: t"),
        ([*NEEDED, "--attributes"], "Missing argument for option: attributes"),
        ([*NEEDED, "-zz"], "Unrecognized option: -zz"),
        ([*NEEDED, "--nosuch"], "Unrecognized option: --nosuch"),
        ([*NEEDED, "--list=x"], "Unrecognized option: --list=x"),
        ([*NEEDED, "-lx"], "Unrecognized option: -lx"),
        ([*NEEDED, "-qn=4"], "Unrecognized option: -qn=4"),
        ([*NEEDED, "--print", "true"], "Ambiguous option: '--print'  (could be: 'print msg', 'printBody ')"),
        (
            [*NEEDED, "-c", "C"],
            "The option 'c' was specified but an option from this group has already been selected: 'b'",
        ),
    ],
)
def test_refusals(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(OPTIONS, words)
    assert str(refused.value) == message


def test_options_of_ours_match_only_in_full() -> None:
    extras = (FORMAT, TIMEOUT, DEBUG)
    parsed = parse(OPTIONS, [*NEEDED, "-f", "json", "--timeout", "2", "--debug"], extras)
    assert values(parsed) == {"b": "B", "debug": None, "f": "json", "t": "T", "timeout": "2"}
    # --t stays Apache's --topic although --timeout begins with it too.
    assert parse((topic(),), ["--t", "T"], extras).get("t") == "T"
    with pytest.raises(UsageError, match="Unrecognized option: --form"):
        parse(OPTIONS, [*NEEDED, "--form", "json"], extras)


def test_a_command_keeps_its_own_letter() -> None:
    options = (topic(), value("f", "bodyFormat", "charset"))
    parsed = parse(options, ["-t", "T", "-f", "UTF-8", "--format", "json"], (LONG_FORMAT,))
    assert values(parsed) == {"f": "UTF-8", "format": "json", "t": "T"}


@pytest.mark.parametrize(
    "recorded", json.loads(RECORDING.read_text(encoding="utf-8"))["parser"], ids=lambda recorded: recorded["line"]
)
def test_answers_as_apache_answered(recorded: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main([*shlex.split(recorded["line"]), "-n", "127.0.0.1:1"])
    out, err = capsys.readouterr()
    assert synopsis_of(out) == recorded["synopsis"]
    assert refusal_of(err) == recorded["err"]
    assert code == (2 if recorded["err"] else 0)
