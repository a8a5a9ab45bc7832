"""Cost of a wake-up of the broker: one producer, one message at a time, through a real socket.

    python -m bench.wakeup [--rounds 7] [--messages 10000] [--json]

`rmq standalone` runs in a process of its own; a bare socket sends the next message when the reply to the last one is
there. Printed are the medians of several rounds: the server's CPU microseconds a message, in its own code and in the
system's, and messages a second. `bench/hotpath.py` tells the part of it that is not the wake-up's.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.hotpath import send_frames
from rmq.wire.codes import SERIALIZE_BINARY, SERIALIZE_JSON
from tests.kit.process import Child

_TICKS = os.sysconf("SC_CLK_TCK")


class Figures(NamedTuple):
    """What one round gave: microseconds a message, and messages a second."""

    user: float
    system: float
    rate: float


def cpu_seconds(pid: int) -> tuple[float, float]:
    """CPU time that a process has used so far, in user and in system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / _TICKS, int(fields[12]) / _TICKS


def exchange(peer: socket.socket, frame: bytes, times: int) -> None:
    """Sends a frame and waits for its reply, again and again."""
    for _ in range(times):
        peer.sendall(frame)
        reply = peer.recv(65536)
        while len(reply) < 4 + int.from_bytes(reply[:4], "big"):
            reply += peer.recv(65536)


def measure(pid: int, peer: socket.socket, frame: bytes, messages: int) -> Figures:
    """One round."""
    user, system = cpu_seconds(pid)
    started = time.perf_counter()
    exchange(peer, frame, messages)
    took = time.perf_counter() - started
    user_after, system_after = cpu_seconds(pid)
    return Figures((user_after - user) / messages * 1e6, (system_after - system) / messages * 1e6, messages / took)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="JSON headers instead of binary ones")
    options = parser.parse_args()
    frame = send_frames(1, SERIALIZE_JSON if options.json else SERIALIZE_BINARY)
    with tempfile.TemporaryDirectory() as directory:
        words = [sys.executable, "-m", "rmq", "standalone", "--namesrv-port", "0", "--broker-port", "0"]
        server = Child([*words, "--store", f"{directory}/store"], cwd=Path.cwd(), env={"HOME": directory})
        try:
            ready = re.search(r"broker (\S+):(\d+)\.", server.wait_line("rmq is ready"))
            assert ready is not None
            with socket.create_connection((ready[1], int(ready[2]))) as peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                exchange(peer, frame, options.messages)
                rounds = [measure(server.pid, peer, frame, options.messages) for _ in range(options.rounds)]
        finally:
            server.terminate()
    user, system, rate = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"{user:.1f} us user + {system:.1f} us system a message, {rate:.0f} messages a second")


if __name__ == "__main__":
    main()
