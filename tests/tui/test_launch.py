"""The words of the command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rmq.tui.app import SCREENS
from rmq.tui.config.contexts import Context, Mode
from rmq.tui.launch import PAGE, Start, UsageError, main, opened, parser, seconds, understood


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == PAGE + "\n"


@pytest.mark.parametrize(("text", "value"), [("2s", 2.0), ("500ms", 0.5), ("1m", 60.0), ("3", 3.0)])
def test_spans(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "x", "0s", "2h", "-1s", "nan"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(UsageError, match=r"--refresh"):
        seconds(text)


def test_what_to_open() -> None:
    assert opened(None) is None
    assert opened("topic:a:b") == ("topics", "a:b")
    assert opened("group:g") == ("groups", "g")
    assert opened("messages:Orders time:-1h..now tag:A") == ("messages", "Orders time:-1h..now tag:A")
    assert opened("trace:Orders/0A00") == ("trace", "Orders/0A00")
    assert opened("dlq:billing") == ("dlq", "billing")
    assert opened("client:10.0.0.1@7") == ("clients", "10.0.0.1@7")


def test_every_screen_can_be_opened_and_by_the_words_of_the_command_line() -> None:
    assert [opened(screen.MODE) for screen in SCREENS] == [(screen.MODE, "") for screen in SCREENS]
    one = [screen for screen in SCREENS if screen.MODE != "ops"]
    assert [opened(f"{screen.WHAT}:x") for screen in one] == [(screen.MODE, "x") for screen in one]
    assert all(screen.MODE in PAGE and f"{screen.WHAT}:" in PAGE for screen in one)


@pytest.mark.parametrize("text", ["topic", "topic:", "queue:x", "ops:1", ""])
def test_what_cannot_be_opened(text: str) -> None:
    with pytest.raises(UsageError, match=r"--open"):
        opened(text)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["-n", "nonsense"], "illegal"),
        (["--demo", "-n", "a:1"], "leave -n and --context away"),
        (["--context", "prod", "-n", "a:1"], "--context has name servers of its own: leave -n away"),
        (["--context", "prod"], "there are none: the file is missing or empty"),
        (["--theme", "pink"], "--theme pink: there are"),
        (["--refresh", "soon"], "--refresh soon"),
    ],
)
def test_wrong_usage(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words, {"HOME": "/nowhere"}) == 1
    complaint = capsys.readouterr().err
    assert why in complaint
    assert complaint.endswith(PAGE.splitlines()[0] + "\n")


CONFIG = """
context = "stage"
refresh = "1s"
[contexts.local]
namesrv = "127.0.0.1:9876"
[contexts.stage]
namesrv = "10.0.0.8:9876"
mode = "protected"
theme = "nord"
"""


def configured(tmp_path: Path, text: str = CONFIG) -> dict[str, str]:
    """An environment with this configuration file."""
    (tmp_path / "rmq").mkdir()
    (tmp_path / "rmq" / "tui.toml").write_text(text)
    return {"XDG_CONFIG_HOME": str(tmp_path)}


def test_which_context(tmp_path: Path) -> None:
    environ = configured(tmp_path)

    def begun(*words: str) -> Start:
        return understood(parser().parse_args(words), environ)

    stage = Context("stage", ("10.0.0.8:9876",), Mode.PROTECTED, theme="nord")
    assert begun().context == stage
    assert (begun().theme, begun().refresh, begun().config.refresh) == ("nord", None, 1.0)
    assert (begun("--theme", "gruvbox").theme, begun("--refresh", "5s").refresh) == ("gruvbox", 5.0)
    assert begun("--context", "local").context == Context("local", ("127.0.0.1:9876",))
    assert begun("--read-only").context.mode is Mode.READ_ONLY
    assert begun("-n", "a:1").context == Context("-n", ("a:1",))
    assert begun("--demo").context == Context("demo")
    assert understood(parser().parse_args([]), {"HOME": "/nowhere"}).context == Context("local", ("127.0.0.1:9876",))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("contexts = 1", "contexts: a table is expected: write it as [contexts]"),
        ("theme = 'pink'", "theme: 'pink': there are "),
        ("[contexts.a]\nnamesrv = 'b:1'\ntheme = 'pink'", "contexts.a.theme: 'pink': there are "),
    ],
)
def test_a_wrong_file(text: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], configured(tmp_path, text)) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"rmq tui: {tmp_path / 'rmq' / 'tui.toml'}: {complaint}")
    assert len(told.splitlines()) == 1


def test_a_context_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = configured(tmp_path)
    assert main(["--context", "prod"], environ) == 1
    path = tmp_path / "rmq" / "tui.toml"
    assert capsys.readouterr().err.startswith(f"rmq tui: --context prod: in {path} there are local, stage\n")


def test_a_reader_of_the_help_may_leave_early() -> None:
    """`rmq tui --help | head -1`: no traceback, and no complaint of Python's at its end."""
    reading, writing = os.pipe()
    os.close(reading)
    for words in (["--help"], ["serve", "--help"]):
        command = [sys.executable, "-m", "rmq", "tui", *words]
        ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
        assert (ended.returncode, ended.stderr) == (0, b"")
    os.close(writing)
