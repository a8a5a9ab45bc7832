"""The umbrella command: what it starts, what it says to words it does not know, and what it does not import."""

import subprocess
import sys
from pathlib import Path

import pytest

from rmq import __version__, cli
from rmq.server.store.fast import way

Captured = pytest.CaptureFixture[str]


def test_version(capsys: Captured) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"rmq {__version__} (store: {way()})\n"


def test_help_names_every_command(capsys: Captured) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(
        f"\n  {command} " in shown for command in ("standalone", "namesrv", "broker", "shutdown", "admin", "quickstart")
    )


@pytest.mark.parametrize(
    ("program", "words", "sentence"),
    [
        (cli.main, ["standalon"], "rmq does not know 'standalon'; did you mean rmq standalone?"),
        (
            cli.main,
            ["zzz"],
            "rmq does not know 'zzz'; it knows standalone, namesrv, broker, shutdown, admin, tui, quickstart.",
        ),
        (
            cli.main,
            ["quickstart", "producr"],
            "rmq quickstart does not know 'producr'; did you mean rmq quickstart producer?",
        ),
        (
            cli.tools,
            ["org.apache.rocketmq.example.quickstart.Producr"],
            "tools.sh does not know 'org.apache.rocketmq.example.quickstart.Producr'; "
            "did you mean tools.sh org.apache.rocketmq.example.quickstart.Producer?",
        ),
    ],
)
def test_unknown_words_get_the_nearest_known_one(
    program: object, words: list[str], sentence: str, capsys: Captured
) -> None:
    assert program(words) == 1
    assert capsys.readouterr().err == sentence + "\n"


def test_no_word_is_no_command(capsys: Captured) -> None:
    assert cli.main([]) == 1
    assert capsys.readouterr().out.startswith("usage: rmq COMMAND")


def test_shutdown_is_mqshutdown(capsys: Captured) -> None:
    assert cli.main(["shutdown"]) == 0
    assert capsys.readouterr().out == "Usage: mqshutdown broker | namesrv\n"


def test_python_m_rmq() -> None:
    shown = subprocess.run([sys.executable, "-m", "rmq", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"rmq {__version__} (store: {way()})\n"


@pytest.mark.parametrize("words", [["admin"], ["shutdown", "broker"], ["broker", "-h"]])
def test_small_commands_import_neither_twisted_nor_construct(words: list[str], tmp_path: Path) -> None:
    program = (
        "import sys; from rmq.cli import main; main(sys.argv[1:]);"
        "print(sorted(name for name in ('twisted', 'construct') if name in sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert shown.stdout.splitlines()[-1] == "[]"
