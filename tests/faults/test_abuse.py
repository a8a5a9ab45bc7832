"""Peers that abuse the servers, which stay up, answer others, stay small, and say so in one line each."""

import itertools
import json
import random
import socket
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from tests.kit import abuse
from tests.kit.frames import ask, wait_for_broker
from tests.kit.process import Child
from tests.kit.server import RmqServer

MIB = 1024 * 1024
ROOM = 64 * MIB
SEND = {
    "a": "g", "b": "Probe", "c": "TBW102", "d": "4", "e": "0", "f": "0", "g": "1700000000000", "h": "0",
    "i": "TAGS\x01x\x02", "j": "0", "k": "false", "m": "false",
}  # fmt: skip
PULL = {
    "consumerGroup": "g", "topic": "Probe", "queueId": "0", "queueOffset": "0", "maxMsgNums": "32", "sysFlag": "4",
    "commitOffset": "0", "suspendTimeoutMillis": "0", "subscription": "*", "subVersion": "0", "expressionType": "TAG",
}  # fmt: skip
HEARTBEAT = {
    "clientID": "c@1", "producerDataSet": [{"groupName": "g"}],
    "consumerDataSet": [{
        "groupName": "g", "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
        "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "unitMode": False,
        "subscriptionDataSet": [{
            "topic": "Probe", "subString": "*", "tagsSet": [], "codeSet": [], "subVersion": 1, "expressionType": "TAG",
        }],
    }],
}  # fmt: skip
REGISTER = {
    "brokerName": "x",
    "brokerAddr": "h:1",
    "clusterName": "C",
    "haServerAddr": "h:2",
    "brokerId": "0",
    "compressed": "false",
    "bodyCrc32": "0",
}
REGISTER_BODY = {
    "filterServerList": [],
    "topicConfigSerializeWrapper": {
        "dataVersion": {"counter": 1, "stateVersion": 0, "timestamp": 1},
        "topicConfigTable": {
            name: {
                "topicName": name, "readQueueNums": 4, "writeQueueNums": 4, "perm": 6, "topicFilterType": "SINGLE_TAG",
                "topicSysFlag": 0, "order": False, "attributes": {},
            } for name in ("T1", "T2")
        },
    },
}  # fmt: skip


class Target:
    """Our server, its process and the two well-behaved clients' requests."""

    def __init__(self, home: Path) -> None:
        self.server = RmqServer(home)
        self.child: Child = self.server._child
        self.logs = home / "logs" / "rocketmqlogs"
        self.namesrv, self.broker = self.server.namesrv_addr, self.server.broker_addr
        header, _ = ask(self.broker, 310, SEND)
        assert header["code"] == 0

    def neighbours(self) -> tuple[abuse.Neighbour, abuse.Neighbour]:
        asks_route = abuse.Neighbour(self.namesrv, encode(Command(105, {"topic": "Probe"})))
        sends = abuse.Neighbour(self.broker, encode(Command(310, SEND, b"hello")))
        return asks_route, sends

    def log_lines(self) -> list[str]:
        return [line for name in ("namesrv", "broker") for line in (self.logs / f"{name}.log").read_text().splitlines()]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    made = Target(tmp_path_factory.mktemp("abuse"))
    # What a server takes once for its work does not count as growth.
    for address, codes in ((made.namesrv, abuse.NAMESRV_CODES), (made.broker, abuse.BROKER_CODES)):
        source = random.Random(1)
        soft = (abuse.well_framed(source, codes, n) for n in itertools.count())
        abuse.flood(address, soft, iter([]), lines=4, batches=5, batch=50, hard_batches=0)
    yield made
    made.server.stop()


@pytest.fixture
def watched(target: Target) -> Iterator[Target]:
    """Checks what holds through every abuse: two others are answered in time, memory stays, both servers are there."""
    with abuse.Memory(target.child.pid) as memory:
        asks_route, sends = target.neighbours()
        with asks_route, sends:
            yield target
            time.sleep(0.1)
    for neighbour in (asks_route, sends):
        assert neighbour.error is None
        assert neighbour.codes == {0}
        assert statistics.median(neighbour.times) < 1.0
        assert max(neighbour.times) < 10.0
    assert memory.growth < ROOM, f"{memory.growth / MIB:.0f} MiB"
    wait_for_broker(target.namesrv, target.broker, timeout=60)


def test_a_hundred_thousand_bad_frames(watched: Target) -> None:
    sent = 0
    for address, codes in ((watched.namesrv, abuse.NAMESRV_CODES), (watched.broker, abuse.BROKER_CODES)):
        source = random.Random(7)
        soft = (abuse.well_framed(source, codes, n) for n in itertools.count())
        hard = (abuse.broken(source, codes) for _ in itertools.count())
        sent += abuse.flood(address, soft, hard, lines=32, batches=80, batch=20, hard_batches=60)
    assert sent >= 100_000


def _mutations(plain: Any) -> Iterator[Any]:
    """The value with each of its parts replaced by something of another kind."""
    yield from ("", "x", -1, 2**70, 1.5, True, None, [], {}, [[]], "\x00", "../x", "a" * 300)
    if isinstance(plain, dict):
        for key, value in plain.items():
            yield from ({**plain, key: changed} for changed in _mutations(value))
            yield {other: kept for other, kept in plain.items() if other != key}
    elif isinstance(plain, list) and plain:
        yield from ([changed, *plain[1:]] for changed in _mutations(plain[0]))


def _wrong_fields(fields: dict[str, str]) -> Iterator[dict[str, Any]]:
    for name in fields:
        yield {other: value for other, value in fields.items() if other != name}
        for value in abuse.NASTY_VALUES:
            if not isinstance(value, list | dict):
                yield {**fields, name: value}


def _answers(address: str, frames: list[bytes]) -> list[int]:
    """The codes of the answers, one a frame."""
    host, port = address.rsplit(":", 1)
    stream, codes = CommandStream(), []
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        for begin in range(0, len(frames), 100):
            wanted = begin + len(frames[begin : begin + 100])
            sock.sendall(b"".join(frames[begin : begin + 100]))
            while len(codes) < wanted:
                data = sock.recv(1 << 16)
                assert data, f"hung up after {len(codes)} answers"
                stream.feed(data)
                codes += [command.code for command in iter(stream.next_command, None) if command.is_response]
    return codes


def test_wrong_types_in_every_field_are_answered(watched: Target) -> None:
    to_broker = [
        abuse.json_frame({"code": code, "extFields": ext}, b"body")
        for code, fields in ((310, SEND), (11, PULL)) for ext in _wrong_fields(fields)
    ]  # fmt: skip
    to_broker += [abuse.json_frame({"code": 34}, json.dumps(body).encode()) for body in _mutations(HEARTBEAT)]
    to_namesrv = [abuse.json_frame({"code": 103, "version": 493, "extFields": ext}) for ext in _wrong_fields(REGISTER)]
    to_namesrv += [
        abuse.json_frame({"code": 103, "version": 493, "extFields": REGISTER}, json.dumps(body).encode())
        for body in _mutations(REGISTER_BODY)
    ]
    assert len(_answers(watched.broker, to_broker)) == len(to_broker) > 800
    assert len(_answers(watched.namesrv, to_namesrv)) == len(to_namesrv) > 500


def test_deep_json_and_invalid_text_in_bodies_are_refused(watched: Target) -> None:
    bodies = [
        abuse.deep(depth, *pair).encode() for depth in (65, 1025, 200_000) for pair in (("[", "]"), ('{"a":', "}"))
    ]
    bodies += [b'{"clientID":"\xff\xfe"', b"\x80" * 1000, b"{" + b"a" * 100_000, b"[" + b"1," * 100_000]
    frames = [abuse.json_frame({"code": 34}, body) for body in bodies]
    assert _answers(watched.broker, frames) == [1] * len(frames)
    frames = [abuse.json_frame({"code": 103, "version": 493, "extFields": REGISTER}, body) for body in bodies]
    assert _answers(watched.namesrv, frames) == [1] * len(frames)


@pytest.mark.parametrize("name", ["../x", "x" * 300, "a\x00b", "a\nb", "a b"])
def test_illegal_names_are_refused_with_one_line_each(watched: Target, name: str) -> None:
    before = len(watched.log_lines())
    sends = abuse.json_frame({"code": 310, "extFields": {**SEND, "b": name}})
    creates = abuse.json_frame({"code": 17, "extFields": {
        "topic": name, "defaultTopic": "TBW102", "readQueueNums": "4", "writeQueueNums": "4", "perm": "6",
        "topicFilterType": "SINGLE_TAG",
    }})  # fmt: skip
    groups = abuse.json_frame({"code": 200}, json.dumps({"groupName": name}).encode())
    codes = _answers(watched.broker, [sends, creates, groups])
    registers = abuse.json_frame({"code": 103, "version": 493, "extFields": {**REGISTER, "brokerName": name}})
    codes += _answers(watched.namesrv, [registers])
    assert 0 not in codes
    assert not list(Path(watched.server.store_dir).parent.glob("x*"))
    assert len(watched.log_lines()) - before == 4


def test_fifty_that_ask_and_never_read(watched: Target) -> None:
    asking = []
    asks = {watched.namesrv: encode(Command(319)) * 200, watched.broker: encode(Command(26)) * 200}
    for number in range(50):
        address = (watched.namesrv, watched.broker)[number % 2]
        host, port = address.rsplit(":", 1)
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect((host, int(port)))
        sock.setblocking(False)
        asking.append((sock, asks[address]))
    sent, end = 0, time.monotonic() + 3
    while time.monotonic() < end:
        for sock, request in asking:
            try:
                sent += sock.send(request)
            except BlockingIOError:
                continue
            except ConnectionError:
                continue
        time.sleep(0.01)
    for sock, _ in asking:
        sock.close()
    assert sent > 2 * MIB


def test_two_thousand_that_are_idle_and_eighty_that_announce_much_and_stall(watched: Target) -> None:
    idle = []
    for number in range(2000):
        host, port = (watched.namesrv, watched.broker)[number % 2].rsplit(":", 1)
        idle.append(socket.create_connection((host, int(port)), timeout=10))
    begun = abuse.frame(b"{}", bytes(16 * MIB - 10))[: 100 * 1024]
    for number in range(80):
        host, port = (watched.namesrv, watched.broker)[number % 2].rsplit(":", 1)
        sock = socket.create_connection((host, int(port)), timeout=10)
        sock.setblocking(False)
        for begin in range(0, len(begun), 16 * 1024):
            try:
                sock.send(begun[begin : begin + 16 * 1024])
            except BlockingIOError:
                break
        idle.append(sock)
    large = {**SEND, "b": "Probe"}
    assert _answers(watched.broker, [abuse.json_frame({"code": 310, "extFields": large}, bytes(2 * MIB))]) == [0]
    time.sleep(1.0)
    for sock in idle:
        sock.close()


def test_slaves_that_send_garbage_are_silent_or_never_read(watched: Target) -> None:
    header, _ = ask(watched.broker, 906, {})
    host, port = header["extFields"]["masterHaAddress"].rsplit(":", 1)

    def connect() -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(10)
        sock.connect((host, int(port)))
        return sock

    def is_closed(sock: socket.socket) -> bool:
        try:
            return sock.recv(1) == b""
        except ConnectionError:
            return True

    body = {**SEND, "b": "Filling"}
    assert _answers(watched.broker, [abuse.json_frame({"code": 310, "extFields": body}, bytes(MIB))] * 16) == [0] * 16
    # A report of 0 asks for everything; these never read it.
    greedy = [connect() for _ in range(20)]
    for sock in greedy:
        sock.sendall(bytes(8))
    for report in (-1, 1 << 62, -(1 << 63)):
        sock = connect()
        sock.sendall(report.to_bytes(8, "big", signed=True) * 1000)
        assert is_closed(sock)
        sock.close()
    silent = [connect() for _ in range(300)]
    assert is_closed(silent[-1])
    for sock in (*greedy, *silent):
        sock.close()
    # And one that behaves.
    deadline = time.monotonic() + 10
    while True:
        slave = connect()
        slave.sendall(bytes(8))
        try:
            head = slave.recv(12, socket.MSG_WAITALL)
        except ConnectionError:
            head = b""
        slave.close()
        if head or time.monotonic() > deadline:
            break
    assert head[:8] == bytes(8)
    assert int.from_bytes(head[8:], "big") == 32768


def test_each_broken_frame_is_one_line(watched: Target) -> None:
    source = random.Random(3)
    before = len(watched.log_lines())
    for address, codes in ((watched.namesrv, abuse.NAMESRV_CODES), (watched.broker, abuse.BROKER_CODES)):
        for _ in range(20):
            line = abuse.Line(address)
            line.send([], abuse.broken(source, codes))
            line.read(until_closed=True)
    assert len(watched.log_lines()) - before == 40
