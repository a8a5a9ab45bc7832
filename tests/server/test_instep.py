"""Waiting for slaves: as many as there should be, with nothing missing, at every master, and not for ever. Waiting for
name servers to know brokers: all of them, everywhere, and not for ever."""

import json
import socketserver
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from rmq.server.instep import wait_in_step, wait_known


class Peer:
    """Answers every request with the next of these states, and in the end with the last."""

    def __init__(self, *states: Any) -> None:
        self.states = list(states)
        self.asked: list[int] = []
        master = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while length := self.rfile.read(4):
                    frame = self.rfile.read(struct.unpack(">I", length)[0])
                    header = json.loads(frame[4 : 4 + (struct.unpack(">I", frame[:4])[0] & 0xFFFFFF)])
                    self.wfile.write(master.answer(header))

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.address = f"127.0.0.1:{self.server.server_address[1]}"

    def answer(self, request: dict[str, Any]) -> bytes:
        self.asked.append(request["code"])
        body = json.dumps(self.told(self.states.pop(0) if len(self.states) > 1 else self.states[0])).encode()
        head = json.dumps(
            {"code": 0, "flag": 1, "opaque": request["opaque"], "language": "JAVA", "version": 1}
        ).encode()
        return struct.pack(">II", 4 + len(head) + len(body), len(head)) + head + body

    def told(self, state: Any) -> Any:
        raise NotImplementedError

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Master(Peer):
    """Its states tell how many bytes each of its slaves lacks."""

    def told(self, state: list[int]) -> Any:
        return {"haConnectionInfo": [{"diff": missing} for missing in state]}


class NameServer(Peer):
    """Its states tell the addresses of masters and their slaves."""

    def told(self, state: list[list[str]]) -> Any:
        return {
            "brokerAddrTable": {
                f"broker-{number}": {"brokerName": f"broker-{number}", "brokerAddrs": dict(enumerate(addresses))}
                for number, addresses in enumerate(state)
            }
        }


@pytest.fixture
def masters() -> Iterator[list[Master]]:
    """A master whose slaves come one after the other and catch up, and one that has its slave."""
    made = [Master([], [70], [70, 20], [0, 20], [0, 0]), Master([0])]
    yield made
    for master in made:
        master.stop()


def test_every_slave_of_every_master_is_waited_for(masters: list[Master]) -> None:
    first, second = masters
    assert wait_in_step({first.address: 2, second.address: 1}, 20) == []
    assert (first.asked, second.asked) == ([907] * 5, [907])


def test_what_is_not_so_far_in_time_is_told(masters: list[Master]) -> None:
    first, second = masters
    assert wait_in_step({second.address: 2, first.address: 2}, 0.2) == [second.address, first.address]
    assert set(second.asked) == {907}


def test_a_master_that_is_not_there_is_none_in_step() -> None:
    assert wait_in_step({"127.0.0.1:1": 1}, 0.1) == ["127.0.0.1:1"]


@pytest.fixture
def name_servers() -> Iterator[list[NameServer]]:
    """One to which brokers come one after the other, and one that lacks a slave for good."""
    made = [NameServer([], [["a:1"]], [["a:1", "s:1"], ["b:1"]]), NameServer([["a:1"], ["b:1"], ["other:1"]])]
    yield made
    for name_server in made:
        name_server.stop()


def test_every_name_server_must_know_every_broker(name_servers: list[NameServer]) -> None:
    first, second = name_servers
    assert wait_known([first.address], ["a:1", "b:1", "s:1"], 20) == {}
    assert first.asked == [106] * 3
    assert wait_known([second.address, first.address], ["a:1", "s:1"], 0.2) == {
        second.address: {"s:1"}, first.address: {"a:1", "s:1"}
    }  # fmt: skip
    assert wait_known(["127.0.0.1:1"], ["a:1"], 0.1) == {"127.0.0.1:1": {"a:1"}}
