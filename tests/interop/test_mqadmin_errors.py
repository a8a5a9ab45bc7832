"""mqadmin against servers that are away, silent or of another kind: one line, the right exit code, in time.

A command of every kind, over real sockets; tests/admin/test_every_command.py has all of them, with servers in memory.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from rmq.admin.cli import main
from tests.kit.ports import free_port
from tests.kit.tiny import answering_always, server

KINDS = [
    "topicRoute -t orders",
    "clusterList",
    "brokerStatus -b {broker}",
    "getBrokerConfig -c DefaultCluster",
    "consumerProgress -g GID_orders",
    "consumerConnection -g GID_orders",
    "topicStatus -t orders",
    "queryMsgByKey -t orders -k k",
    "consumeMessage -t orders",
    "sendMessage -t orders -p hello",
    "updateTopic -b {broker} -t orders",
    "deleteTopic -c DefaultCluster -t orders",
    "updateSubGroup -c DefaultCluster -g GID_orders",
    "updateBrokerConfig -b {broker} -k a -v b",
    "cleanExpiredCQ -b {broker}",
    "listUser -b {broker}",
    "exportConfigs -c DefaultCluster",
    "getControllerConfig -a {broker}",
    "removeBroker -c {broker} -b DefaultCluster:broker-a:0",
]
NAMESRV_ONLY = {"topicRoute -t orders"}
ONE_OF_EACH = [
    *("brokerStatus -b {broker}", "consumerProgress -g GID_orders", "sendMessage -t orders -p hello"),
    "updateTopic -b {broker} -t orders",
]
_SLACK = 5.0
"""Seconds that a busy machine may take beyond the timeout."""


@contextmanager
def away() -> Iterator[str]:
    """Nothing listens here."""
    yield f"127.0.0.1:{free_port()}"


def shouts(connection: socket.socket) -> None:
    connection.recv(4)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


USELESS: dict[str, tuple[Callable[[], object], str]] = {
    "away": (away, r"connect to {} failed: Connection refused\. Check the address, and that the server runs\."),
    "silent": (
        lambda: server(lambda connection: None),
        r"wait response on the channel <{}> timeout, 1000\(ms\)\. Check that a RocketMQ server listens there; --timeout"
        r" waits longer\.",
    ),
    "of another kind": (
        lambda: server(shouts),
        r"connection to {} closed before the answer came: what it sent is no frame: .*\. Check that a RocketMQ server"
        r" listens there\.",
    ),
    "closing": (
        lambda: server(lambda connection: connection.close()),
        r"connection to {} closed before the answer came.*\. Check that a RocketMQ server listens there\.",
    ),
}


def knowing(broker: str) -> Callable[[socket.socket], None]:
    """A name server that knows one broker and two topics."""
    data = {"brokerName": "broker-a", "cluster": "DefaultCluster", "brokerAddrs": {"0": broker}}
    queues = {"brokerName": "broker-a", "readQueueNums": 2, "writeQueueNums": 2, "perm": 6, "topicSysFlag": 0}
    bodies: dict[int, object] = {
        105: {"brokerDatas": [data], "queueDatas": [queues]},
        106: {"brokerAddrTable": {"broker-a": data}, "clusterAddrTable": {"DefaultCluster": ["broker-a"]}},
        206: {"topicList": ["orders", "%RETRY%GID_orders"]},
    }
    return answering_always(lambda code: (0, None, json.dumps(bodies.get(code, {})).encode()))


def run(capsys: pytest.CaptureFixture[str], line: str, kind: str, namesrv: str, broker: str) -> tuple[int, list[str]]:
    """Exit code, and the lines on standard error."""
    timeout = 1 if kind == "silent" else 5
    begun = time.monotonic()
    code = main([*line.format(broker=broker).split(), "-n", namesrv, "--timeout", str(timeout)])
    assert time.monotonic() - begun < timeout + _SLACK
    return code, capsys.readouterr().err.splitlines()


def check(line: str, sentence: str, address: str, code: int, complaints: list[str]) -> None:
    assert code == 1
    assert len(complaints) == 1, complaints
    wanted = f"mqadmin {line.split(maxsplit=1)[0]}: " + sentence.replace("{}", re.escape(address))
    assert re.fullmatch(wanted, complaints[0])


QUICK = [kind for kind in USELESS if kind != "silent"]
NAMESRV_LINES = [line for line in KINDS if "{broker}" not in line]
BROKER_LINES = [line for line in KINDS if line not in NAMESRV_ONLY]


def both(lines: list[str]) -> pytest.MarkDecorator:
    """Each line with every kind, but for waiting: one of each kind of command is enough for that."""
    pairs = [(line, kind) for line in lines for kind in QUICK]
    return pytest.mark.parametrize(
        ("line", "kind"), pairs + [(line, "silent") for line in ONE_OF_EACH if line in lines]
    )


@both(NAMESRV_LINES)
def test_a_name_server_that_is(capsys: pytest.CaptureFixture[str], line: str, kind: str) -> None:
    make, sentence = USELESS[kind]
    with make() as address:  # type: ignore[attr-defined]
        check(line, sentence, address, *run(capsys, line, kind, address, address))


@both(BROKER_LINES)
def test_a_broker_that_is(capsys: pytest.CaptureFixture[str], line: str, kind: str) -> None:
    make, sentence = USELESS[kind]
    with make() as broker, server(knowing(broker)) as namesrv:  # type: ignore[attr-defined]
        check(line, sentence, broker, *run(capsys, line, kind, namesrv, broker))


def test_the_shell_sees_the_exit_code() -> None:
    def done(*words: str) -> tuple[int, int]:
        run = subprocess.run(
            [sys.executable, "-m", "rmq.admin.cli", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "NAMESRV_ADDR": "127.0.0.1:1"},
        )
        return run.returncode, run.stderr.count("\n")

    assert done("help") == (0, 0)
    assert done("topicList") == (1, 1)
    assert done("topicRoute") == (2, 1)
    assert done("nosuch") == (2, 1)
