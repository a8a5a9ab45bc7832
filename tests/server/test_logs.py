"""Events become lines, lines go to files, files stay within their size."""

import io
from pathlib import Path

import pytest
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from rmq.server.logs import LineObserver, RotatingFile, file_observers, format_line, log_directory


def event(text: str, **more: object) -> dict[str, object]:
    return {
        "log_format": "{text}",
        "text": text,
        "log_level": LogLevel.warn,
        "log_namespace": "rmq.server.namesrv.kv",
        "log_time": 0.25,
        **more,
    }


def test_an_event_is_one_line_with_time_level_origin_and_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert format_line(event("hello")).endswith(",250 WARN     namesrv.kv - hello\n")


def test_a_text_cannot_make_lines_or_control_the_terminal() -> None:
    assert format_line(event("a\nb\r\t\x1b[2J\x00")).endswith(r" - a\nb\r\t\x1b[2J\x00" + "\n")


def test_a_traceback_follows_behind_bars() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        lines = format_line(event("x", log_failure=Failure())).splitlines()
    assert all(line.startswith("    | ") for line in lines[1:])
    assert lines[-1] == "    | builtins.ValueError: broken"


def test_files_rotate_and_the_oldest_goes(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "deep" / "x.log", max_bytes=10, kept=2)
    for number in range(5):
        file.write(f"line {number}\n")
    file.close()
    assert {path.name: path.read_text() for path in (tmp_path / "deep").iterdir()} == {
        "x.log": "line 4\n",
        "x.log.1": "line 3\n",
        "x.log.2": "line 2\n",
    }


def test_a_file_goes_on_where_it_was(tmp_path: Path) -> None:
    for number in range(3):
        file = RotatingFile(tmp_path / "x.log", max_bytes=15)
        file.write(f"line {number}\n")
        file.close()
    assert (tmp_path / "x.log").read_text() == "line 2\n"
    assert (tmp_path / "x.log.1").read_text() == "line 0\nline 1\n"


def test_two_roles_have_their_own_files(tmp_path: Path) -> None:
    observers = file_observers(tmp_path, ["namesrv", "broker"])
    for namespace in ("rmq.server.namesrv.routes", "rmq.server.broker.build", "rmq.remoting.dispatch"):
        for observer in observers:
            Logger(namespace, observer=observer).info("from {n}", n=namespace)
    texts = {name: (tmp_path / f"{name}.log").read_text() for name in ("namesrv", "broker")}
    assert [line.rpartition(" ")[2] for line in texts["namesrv"].splitlines()] == ["rmq.server.namesrv.routes"]
    assert [line.rpartition(" ")[2] for line in texts["broker"].splitlines()] == [
        "rmq.server.broker.build",
        "rmq.remoting.dispatch",
    ]


def test_an_observer_takes_what_it_wants() -> None:
    stream = io.StringIO()
    observer = LineObserver(stream.write, lambda one: one["text"] == "yes")
    observer(event("no"))
    observer(event("yes"))
    assert stream.getvalue().endswith(" - yes\n")
    assert stream.getvalue().count("\n") == 1


def test_the_files_lie_in_the_home_directory_or_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("RMQ_LOG_DIR", raising=False)
    assert log_directory() == Path("/home/me/logs/rocketmqlogs")
    monkeypatch.setenv("RMQ_LOG_DIR", "/var/log/broker-a")
    assert log_directory() == Path("/var/log/broker-a")
