"""The server programs' words, with Apache's sentences and exit codes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rmq.server.launch import broker_main, namesrv_main

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("main", [namesrv_main, broker_main])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-zz"], "Unrecognized option: -zz"),
        (["-c"], "Missing argument for option: c"),
        (["--nope"], "Unrecognized option: --nope"),
    ],
)
def test_wrong_words_are_told_on_stderr_and_end_with_1(
    main: object, words: list[str], sentence: str, capsys: Captured
) -> None:
    assert main(words) == 1
    shown = capsys.readouterr()
    assert shown.err == sentence + "\n"
    assert shown.out.startswith("usage: mq")


@pytest.mark.parametrize("main", [namesrv_main, broker_main])
def test_help_is_the_usage(main: object, capsys: Captured) -> None:
    assert main(["-h"]) == 0
    assert " -c,--configFile <arg> " in capsys.readouterr().out


@pytest.mark.parametrize("main", [namesrv_main, broker_main])
def test_a_missing_file_ends_with_255(main: object, capsys: Captured) -> None:
    assert main(["-c", "/nowhere/x.conf"]) == 255
    assert capsys.readouterr().err == "cannot read /nowhere/x.conf: No such file or directory\n"


def test_items_are_printed_and_left_over_words_ignored(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "ns.conf"
    file.write_text("listenPort=12345\n")
    assert namesrv_main(["word", "-c", str(file), "-p"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"load config properties file OK, {file}"
    assert "listenPort=12345" in lines
    assert "orderMessageEnable=false" in lines


def test_important_items_are_fewer(capsys: Captured) -> None:
    assert broker_main(["-m"]) == 0
    important = capsys.readouterr().out.splitlines()
    assert broker_main(["-p"]) == 0
    every = capsys.readouterr().out.splitlines()
    assert "listenPort=10911" in important
    assert set(important) < set(every)


def test_a_bad_value_names_file_line_and_key(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "b.conf"
    file.write_text("brokerName=a\nlistenPort=many\n")
    assert broker_main(["-c", str(file)]) == 255
    assert capsys.readouterr().err == (
        f"{file}, line 2: listenPort=many is not allowed; listenPort must be a whole number from 0 to 65535.\n"
    )


@pytest.mark.parametrize("main", [broker_main, namesrv_main])
@pytest.mark.parametrize("key", ["aclEnable", "authenticationEnabled", "authorizationEnabled"])
def test_nothing_runs_open_that_is_to_be_protected(
    main: Callable[[list[str]], int], key: str, tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "x.conf"
    file.write_text(f"listenPort=0\n{key}=true\n")
    assert main(["-c", str(file)]) == 255
    captured = capsys.readouterr()
    assert captured.err.startswith(f"{file}, line 2: {key}=true is not allowed; {key} must be false, because ")
    assert captured.err.endswith("; set it to false to accept that.\n")
    assert captured.err.count("\n") == 1
    assert "boot success" not in captured.out


@pytest.mark.parametrize(
    ("words", "text", "sentence"),
    [
        (
            ["-n", "foo"],
            "",
            'The Name Server Address[foo] illegal, please set it as follows, "127.0.0.1:9876;192.168.0.1:9876"',
        ),
        ([], "brokerRole=SLAVE\nbrokerId=0", "Slave's brokerId must be > 0"),
    ],
)
def test_what_cannot_be_initialised_ends_with_253(
    words: list[str], text: str, sentence: str, tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "b.conf"
    file.write_text(text)
    assert broker_main(["-c", str(file), *words]) == 253
    assert capsys.readouterr().out.splitlines()[-1] == sentence


def test_n_comes_before_the_file(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "b.conf"
    file.write_text("namesrvAddr=10.0.0.1:9876\n")
    assert broker_main(["-c", str(file), "-n", "10.0.0.2:9876;10.0.0.3:9876", "-m"]) == 0
    assert "namesrvAddr=10.0.0.2:9876;10.0.0.3:9876" in capsys.readouterr().out.splitlines()
