"""The shell: lines from a pipe in a real process, and from a keyboard through the line editor's own test input."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from rmq.admin import shell as shell_module
from rmq.admin.cli import main
from rmq.admin.shell import Shell, prompt_session
from rmq.remoting.aio import AsyncioClient
from tests.kit.tiny import answering_always, server


class Counted:
    """A name server that knows two topics and counts its connections."""

    def __init__(self) -> None:
        self.connections = 0
        self._serve = answering_always(lambda code: (0, None, b'{"topicList":["orders","payments"]}'))

    def serve(self, connection: socket.socket) -> None:
        self.connections += 1
        self._serve(connection)


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def namesrv(counted: Counted) -> Iterator[str]:
    with server(counted.serve) as address:
        yield address


def piped(lines: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rmq.admin.cli", "shell", *words],
        input=lines,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in os.environ.items() if name != "NAMESRV_ADDR"},
    )


def test_a_line_is_a_command_and_connections_are_kept(namesrv: str, counted: Counted) -> None:
    done = piped("topicList\n\n  # nothing\nmqadmin topicList -f json  # as a shell\nTOPICLIST", "-n", namesrv)
    topics = "orders\npayments\n"
    assert done.stdout == topics + '{\n  "topics": [\n    "orders",\n    "payments"\n  ]\n}\n' + topics
    assert (done.returncode, done.stderr) == (0, "")
    assert counted.connections == 1


def test_a_failure_does_not_end_it_and_the_last_one_tells_the_exit_code(namesrv: str) -> None:
    lines = "nosuch\ntopicRoute\ntopicList -n 127.0.0.1:1\ntopicList\n'\nhelp nosuch\nshell\n"
    done = piped(lines, "--namesrvAddr", namesrv)
    assert done.returncode == 2
    assert "orders\npayments\n" in done.stdout
    assert done.stderr.splitlines() == [
        "mqadmin unknown command nosuch. All commands: mqadmin help.",
        "Missing required option: t",
        "mqadmin topicList: connect to 127.0.0.1:1 failed: Connection refused."
        " Check the address, and that the server runs.",
        "mqadmin shell: No closing quotation",
        "mqadmin unknown command nosuch. All commands: mqadmin help.",
        "mqadmin shell: shell is not a command of the shell",
    ]
    assert piped("topicRoute\ntopicList -n 127.0.0.1:1\ntopicList\n", "-n", namesrv).returncode == 1


def test_exit_ends_it(namesrv: str) -> None:
    for word in ("exit", "quit"):
        done = piped(f"topicList\n{word}\nnosuch\n", "-n", namesrv)
        assert (done.returncode, done.stdout, done.stderr) == (0, "orders\npayments\n", "")


def test_lines_that_are_no_text(namesrv: str) -> None:
    for errors, code, complaint in (
        ("strict", 1, "shell: standard input is not UTF-8"),
        ("surrogateescape", 2, "the command line is not UTF-8"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "rmq.admin.cli", "shell", "-n", namesrv],
            input=b"topicRoute -t \xff\n",
            capture_output=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": f"utf-8:{errors}"},
        )
        assert (done.returncode, done.stdout, done.stderr) == (code, b"", f"mqadmin {complaint}\n".encode())


def test_help_of_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shell", "-h"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: mqadmin shell [-h] [-n <arg>]\n -h,--help")
    assert out.endswith(
        "\nTake commands from a prompt, or from standard input, a line each. help lists the commands, exit or Ctrl-D"
        " ends.\n"
    )
    assert err == ""


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("-x",), "Unrecognized option: -x"),
        (("-n", "nonsense"), "The Name Server Address[nonsense] illegal, "),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], complaint: str) -> None:
    assert main(["shell", *words]) == 2
    assert capsys.readouterr().err.startswith(f"mqadmin shell: {complaint}")


def typed(keys: str, namesrv: str, history: Path) -> str:
    """The line that the editor gives for these keys."""

    async def run() -> str:
        client = AsyncioClient()
        try:
            with create_pipe_input() as keyboard:
                made = Shell(client, namesrv)
                session = prompt_session(made, history=str(history), input=keyboard, output=DummyOutput())
                keyboard.send_text(keys)
                async with asyncio.timeout(20):
                    return await session.prompt_async()
        finally:
            await client.close()

    return asyncio.run(run())


UP, TAB, ENTER = "\x1b[A", "\t", "\r"


def test_history(namesrv: str, tmp_path: Path) -> None:
    file = tmp_path / "history"
    assert typed("topicList" + ENTER, namesrv, file) == "topicList"
    assert typed("createUser -u admin -p secret" + ENTER, namesrv, file) == "createUser -u admin -p secret"
    assert typed("mqadmin createUser -u admin -p secret" + ENTER, namesrv, file).endswith("secret")
    assert typed("createuser2 -u admin -p secret" + ENTER, namesrv, file).endswith("secret")
    setting = "updateBrokerConfig -b a:1 -k tls.server.keyPassword -v secret"
    assert typed(setting + ENTER, namesrv, file) == setting
    assert typed(UP + ENTER, namesrv, file) == "topicList"
    assert "secret" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_history_that_cannot_be_kept_is_none(namesrv: str, tmp_path: Path) -> None:
    assert typed("x" + ENTER, namesrv, tmp_path / "no" / "where") == "x"


def test_ctrl_d_and_ctrl_c(namesrv: str, tmp_path: Path) -> None:
    with pytest.raises(EOFError):
        typed("\x04", namesrv, tmp_path / "history")
    with pytest.raises(KeyboardInterrupt):
        typed("topicL\x03", namesrv, tmp_path / "history")


def completed(text: str, namesrv: str, tmp_path: Path) -> list[tuple[str, int]]:
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    async def run() -> list[tuple[str, int]]:
        client = AsyncioClient()
        try:
            with create_pipe_input() as keyboard:
                made = Shell(client, namesrv)
                history = str(tmp_path / "history")
                session = prompt_session(made, history=history, input=keyboard, output=DummyOutput())
                assert session.completer is not None
                found = session.completer.get_completions_async(Document(text), CompleteEvent())
                return [(item.text, item.start_position) async for item in found]
        finally:
            await client.close()

    return asyncio.run(run())


def test_completion(namesrv: str, tmp_path: Path) -> None:
    assert completed("topicC", namesrv, tmp_path) == [("topicClusterList", -6)]
    assert completed("topicRoute -t ", namesrv, tmp_path) == [("orders", 0), ("payments", 0)]
    assert completed("topicRoute --topic=pay", namesrv, tmp_path) == [("--topic=payments", -11)]
    assert completed("exportMetadata -f ", namesrv, tmp_path) == []


def test_a_conversation(
    namesrv: str, counted: Counted, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: Iterator[Any] = iter(["topicList", KeyboardInterrupt(), "nosuch", "wait", "topicList", EOFError()])

    class Editor:
        async def prompt_async(self) -> str:
            line = next(lines)
            if isinstance(line, BaseException):
                raise line
            return str(line)

    async def execute(self: Shell, line: str) -> int:
        if line == "wait":
            # As the handler of Ctrl-C does, while a command runs.
            raise KeyboardInterrupt
        return await real(self, line)

    real = Shell.execute
    monkeypatch.setattr(Shell, "execute", execute)
    monkeypatch.setattr(shell_module, "prompt_session", lambda made: Editor())
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert main(["shell", "-n", namesrv]) == 0
    out, err = capsys.readouterr()
    assert out == "orders\npayments\nThe sub command nosuch not exist.\n\norders\npayments\n"
    assert err == "mqadmin unknown command nosuch. All commands: mqadmin help.\n"
    assert counted.connections == 1


def test_one_client_serves_many_lines(namesrv: str, counted: Counted, capsys: pytest.CaptureFixture[str]) -> None:
    async def run() -> list[int]:
        client = AsyncioClient()
        made = Shell(client, namesrv)
        try:
            return [await made.execute(line) for line in ("topicList", "nosuch", "topicList", "exit")]
        finally:
            await client.close()

    assert asyncio.run(run()) == [0, 2, 0, 0]
    assert counted.connections == 1
