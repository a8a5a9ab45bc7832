"""A server in a process of its own: started from its file, told apart in its ends, never left alone."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from queue import SimpleQueue

import pytest

from rmq.server.members import Member, MemberError, PortTakenError
from tests.kit.frames import GET_BROKER_CLUSTER_INFO, ask
from tests.kit.ports import free_port
from tests.kit.process import ends_within

ROOT = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", ROOT)


def name_server(tmp_path: Path, more: str = "") -> Member:
    """A member that starts fast."""
    port = free_port()
    file = tmp_path / "ns" / "namesrv.conf"
    file.parent.mkdir()
    file.write_text(f"listenPort={port}\nbindAddress=127.0.0.1\n{more}")
    return Member("ns", "namesrv", file, f"127.0.0.1:{port}")


def test_it_can_be_killed_started_again_and_stopped(tmp_path: Path) -> None:
    member = name_server(tmp_path)
    ended: SimpleQueue[tuple[str, int | None]] = SimpleQueue()
    member.on_end = lambda one: ended.put((one.name, one.exit_code))
    assert (member.pid, member.is_running, member.exit_code) == (None, False, None)
    member.stop()
    try:
        member.start()
        first = member.pid
        member.start()
        assert (member.pid, member.is_running, member.exit_code) == (first, True, None)
        assert ask(member.address, GET_BROKER_CLUSTER_INFO)[0]["code"] == 0
        member.kill()
        assert ended.get(timeout=10) == ("ns", -signal.SIGKILL)
        assert (member.is_running, member.how_it_ended) == (False, "was ended by SIGKILL")
        assert list((tmp_path / "logs" / "rocketmqlogs" / "run").iterdir()) == []
        member.start()
        assert member.pid != first
        member.restart()
        assert ended.get(timeout=10) == ("ns", 0)
        assert ask(member.address, GET_BROKER_CLUSTER_INFO)[0]["code"] == 0
    finally:
        member.kill()
    said = (member.directory / "console.log").read_text().splitlines()
    boot = f"The Name Server boot success. serializeType=JSON, address {member.address}"
    assert [line for line in said if "boot" in line] == [boot] * 3
    assert member.log == tmp_path / "ns" / "logs" / "namesrv.log"
    assert member.log.read_text().count("boot success") == 3


def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    member = name_server(tmp_path, "orderMessageEnable=maybe\n")
    with pytest.raises(MemberError) as caught:
        member.start()
    assert str(caught.value).startswith("ns cannot start, it ended with exit code 255: ")
    assert str(caught.value).endswith(
        ", line 3: orderMessageEnable=maybe is not allowed; orderMessageEnable must be true or false."
    )
    assert (caught.value.member, member.exit_code) == ("ns", 255)
    with pytest.raises(MemberError, match=r"^other was not started$"):
        Member("other", "broker", member.file, "127.0.0.1:1").wait_until_up()


def test_a_port_that_is_taken_is_told_from_other_reasons_and_nobody_hears_of_what_never_came_up(tmp_path: Path) -> None:
    member = name_server(tmp_path)
    ended: list[Member] = []
    member.on_end = ended.append
    host, _, port = member.address.rpartition(":")
    with socket.create_server((host, int(port))), pytest.raises(PortTakenError) as caught:
        member.start()
    assert str(caught.value).startswith(
        f"ns cannot start, it ended with exit code 255: cannot listen on {member.address}: "
    )
    member.call_off()
    try:
        member.start()
        member.call_off()
        assert (member.is_running, member.exit_code) == (False, 0)
    finally:
        member.kill()
    assert ended == []


def test_its_command_starts_it_from_a_shell_with_the_same_files(tmp_path: Path) -> None:
    member = name_server(tmp_path)
    words = ["sh", "-c", f"exec env {member.command}"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        process.terminate()
    assert lines[1] == f"The Name Server boot success. serializeType=JSON, address {member.address}\n"
    assert "boot success" in member.log.read_text()


def test_it_ends_when_the_process_that_keeps_it_is_killed(tmp_path: Path) -> None:
    member = name_server(tmp_path)
    program = f"""
import os, signal
from pathlib import Path
from rmq.server.members import Member
member = Member("ns", "namesrv", Path({str(member.file)!r}), "")
member.start()
print(member.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    keeper = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False, timeout=60)
    assert keeper.returncode == -signal.SIGKILL
    with contextlib.suppress(ProcessLookupError):
        ended = os.pidfd_open(int(keeper.stdout))
        assert ends_within(ended, 30)
    text = member.log.read_text()
    assert "the process that started this server has ended, stopping" in text
    assert text.endswith(" stopped\n")
