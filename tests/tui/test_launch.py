"""The words of the command line."""

import pytest

from rmq.tui.launch import PAGE, UsageError, main, opened, seconds


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
    assert opened("cluster") == ("cluster", "")


@pytest.mark.parametrize("text", ["topic", "topic:", "queue:x", ""])
def test_what_cannot_be_opened(text: str) -> None:
    with pytest.raises(UsageError, match=r"--open"):
        opened(text)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["-n", "nonsense"], "illegal"),
        (["--demo", "-n", "a:1"], "leave -n away"),
        (["--theme", "pink"], "--theme pink: there are"),
        (["--refresh", "soon"], "--refresh soon"),
    ],
)
def test_wrong_usage(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    complaint = capsys.readouterr().err
    assert why in complaint
    assert complaint.endswith(PAGE.splitlines()[0] + "\n")
