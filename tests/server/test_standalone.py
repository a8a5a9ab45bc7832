"""The programs as a user starts them: what they print, how they refuse, how they end."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rmq.server.store import fast
from tests.kit.frames import wait_for_broker
from tests.kit.ports import free_block, free_port
from tests.kit.process import Child

ROOT = str(Path(__file__).parents[2])
Start = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `rmq ...` with the test's directory as home."""
    children: list[Child] = []

    def start_one(*words: str) -> Child:
        env = {"HOME": str(tmp_path), "PYTHONPATH": ROOT}
        child = Child([sys.executable, "-m", "rmq", *words], cwd=tmp_path, env=env)
        children.append(child)
        return child

    yield start_one
    for child in children:
        child.kill()


def refused(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"HOME": str(tmp_path), "PYTHONPATH": ROOT, "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "rmq", *words], capture_output=True, text=True, timeout=60, check=False, env=env
    )


def ended(child: Child) -> int:
    """The exit status of a child that was told to end by other means than `terminate`."""
    return child._process.wait(30)


def standalone(start: Start, tmp_path: Path, *more: str) -> Child:
    child = start("standalone", "--namesrv-port", "0", "--broker-port", "0", "--store", str(tmp_path / "store"), *more)
    child.wait_line("rmq is ready", timeout=30)
    return child


def test_the_servers_run_on_their_own_reactor(tmp_path: Path) -> None:
    program = f"""
import os, signal
from rmq.server.standalone import main

async def demo(reactor, address):
    print(type(reactor).__module__)
    os.kill(os.getpid(), signal.SIGTERM)

words = ["--namesrv-port", "0", "--broker-port", "0", "--store", {str(tmp_path / "store")!r}, "--demo"]
raise SystemExit(main(words, demo))
"""
    env = {"HOME": str(tmp_path), "PYTHONPATH": ROOT}
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=env)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "rmq.remoting.epoll")


def test_standalone_prints_apaches_lines_then_where_it_is_and_stops_cleanly(start: Start, tmp_path: Path) -> None:
    child = standalone(start, tmp_path)
    child.wait_line("NAMESRV_ADDR")
    namesrv, broker, ready, hint = child.lines
    namesrv_addr = re.fullmatch(
        r"The Name Server boot success\. serializeType=JSON, address (127\.0\.0\.1:\d+)", namesrv
    )[1]
    matched = re.fullmatch(
        r"The broker\[(\S+), (127\.0\.0\.1:\d+)\] boot success\. serializeType=JSON and name server is (\S+)", broker
    )
    assert matched[3] == namesrv_addr
    assert ready == f"rmq is ready: name server {namesrv_addr}, broker {matched[2]}."
    assert hint == f"Use it:       export NAMESRV_ADDR={namesrv_addr}"
    wait_for_broker(namesrv_addr, matched[2], timeout=5)
    assert child.terminate() == 0
    assert len(child.lines) == 4
    assert not (tmp_path / "store" / "abort").exists()
    logs = tmp_path / "logs" / "rocketmqlogs"
    assert sorted(path.name for path in logs.iterdir() if path.is_file()) == ["broker.log", "namesrv.log"]
    assert f"its hottest loops are {fast.way()}" in (logs / "broker.log").read_text(encoding="utf-8")
    assert not list((logs / "run").iterdir())


def test_the_demonstration_shows_a_first_message(start: Start, tmp_path: Path) -> None:
    child = standalone(start, tmp_path, "--demo")
    assert "sendStatus=SEND_OK" in child.wait_line("sent  ", timeout=20)
    received = child.wait_line("received  ", timeout=20)
    assert re.fullmatch(r"received  'Hello RocketMQ' from DemoTopic queue \d offset 0, tags TagA, keys first", received)
    assert child.terminate() == 0


def test_a_second_broker_on_the_same_store_is_refused_with_a_sentence(start: Start, tmp_path: Path) -> None:
    standalone(start, tmp_path)
    second = refused(
        tmp_path, "standalone", "--namesrv-port", "0", "--broker-port", "0", "--store", str(tmp_path / "store")
    )
    assert second.returncode == 255
    assert str(tmp_path / "store") in second.stderr
    assert "Traceback" not in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_second_server_on_the_same_port_is_refused_with_a_sentence(start: Start, tmp_path: Path) -> None:
    port = free_port()
    start(
        "standalone", "--namesrv-port", str(port), "--broker-port", "0", "--store", str(tmp_path / "store")
    ).wait_line("is ready")
    for words in (["standalone", "--broker-port", "0", "--namesrv-port", str(port)], ["namesrv", "-c", "ns.conf"]):
        (tmp_path / "ns.conf").write_text(f"listenPort={port}\nbindAddress=127.0.0.1\n")
        words = [word if word != "ns.conf" else str(tmp_path / "ns.conf") for word in words]
        second = refused(tmp_path, *words)
        assert second.returncode == 255
        assert second.stderr.startswith(f"cannot listen on 127.0.0.1:{port}: ")


def test_name_server_and_broker_as_programs_and_mqshutdown(start: Start, tmp_path: Path) -> None:
    namesrv_port, broker_port = free_port(), free_block(-2, 0, 1)
    (tmp_path / "ns.conf").write_text(f"listenPort={namesrv_port}\n")
    (tmp_path / "b.conf").write_text(
        f"listenPort={broker_port}\nbrokerIP1=127.0.0.1\nbrokerName=b\nstorePathRootDir={tmp_path}/s\nbrokerNam=x\n"
    )
    namesrv = start("namesrv", "-c", "ns.conf")
    namesrv.wait_line(f"The Name Server boot success. serializeType=JSON, address 0.0.0.0:{namesrv_port}")
    broker = start("broker", "-c", "b.conf", "-n", f"127.0.0.1:{namesrv_port}")
    broker.wait_line(
        f"The broker[b, 127.0.0.1:{broker_port}] boot success. serializeType=JSON"
        f" and name server is 127.0.0.1:{namesrv_port}"
    )
    assert "warning: b.conf, line 5: brokerNam is unknown and has no effect; did you mean brokerName?" in broker.lines
    wait_for_broker(f"127.0.0.1:{namesrv_port}", f"127.0.0.1:{broker_port}", timeout=5)
    for role, child in (("broker", broker), ("namesrv", namesrv)):
        done = refused(tmp_path, "shutdown", role)
        assert (
            done.stdout
            == f"The mq{role}({child.pid}) is running...\nSend shutdown request to mq{role}({child.pid}) OK\n"
        )
        assert ended(child) == 0


@pytest.mark.parametrize("words", [["--namesrv-port", "70000"], ["--broker-port", "x"]])
def test_ports_are_checked(tmp_path: Path, words: list[str]) -> None:
    done = refused(tmp_path, "standalone", *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{words[0]}={words[1]} is not allowed; {words[0]} must be a whole number from 0 to 65535.\n"


def test_a_hang_up_is_a_clean_stop_too(start: Start, tmp_path: Path) -> None:
    child = standalone(start, tmp_path)
    os.kill(child.pid, signal.SIGHUP)
    assert ended(child) == 0


def test_a_damaged_key_value_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "namesrv").mkdir()
    (tmp_path / "namesrv" / "kvConfig.json").write_text("{")
    done = refused(tmp_path, "standalone", "--namesrv-port", "0", "--broker-port", "0")
    assert done.returncode == 253
    assert done.stderr.endswith("Mend or remove it\n")
