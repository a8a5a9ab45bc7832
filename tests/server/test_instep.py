"""Waiting for slaves: as many as there should be, with nothing missing, at every master, and not for ever."""

import json
import socketserver
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from rmq.server.instep import wait_in_step


class Master:
    """Answers every request with the next of these states of replication, and in the end with the last."""

    def __init__(self, *states: list[int]) -> None:
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
        differences = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        body = json.dumps({"haConnectionInfo": [{"diff": missing} for missing in differences]}).encode()
        head = json.dumps(
            {"code": 0, "flag": 1, "opaque": request["opaque"], "language": "JAVA", "version": 1}
        ).encode()
        return struct.pack(">II", 4 + len(head) + len(body), len(head)) + head + body

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


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
