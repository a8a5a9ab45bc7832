"""What delayed messages cost: ordinary sends beside many that wait, and beside many that are due at once.

    python -m bench.delayed [--pending 1000000] [--due 100000] [--only rmq]

One connection keeps 64 sends of 128 bytes under way, in the JSON header. It is measured on an empty broker, beside the
pending messages (half in delay levels, half timed), and while the due ones, which all belong to one second, are let
out. Rates are medians of several rounds; processor time a send and anonymous memory are those of the broker's process.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import struct
import tempfile
import time
from pathlib import Path

from tests.kit.frames import GET_BROKER_RUNTIME_INFO, ask, create_topic
from tests.kit.server import RunningServer, maker

TOPIC = "Delayed"
BODY = b"x" * 128
WINDOW = 64
ROUND = 20_000
ROUNDS = 7
CONFIG = {"mappedFileSizeCommitLog": str(1 << 28)}


def frame(properties: str = "", *, sys_flag: int = 0) -> bytes:
    """A send of a message that is born now."""
    fields = {
        "a": "bench", "b": TOPIC, "c": "TBW102", "d": "4", "e": "0", "f": str(sys_flag),
        "g": str(int(time.time() * 1000)), "h": "0",
        "i": f"UNIQ_KEY\x01{'0' * 32}\x02{properties}", "j": "0", "k": "false", "m": "false",
    }  # fmt: skip
    header = {
        "code": 310, "language": "JAVA", "version": 475, "opaque": 1, "flag": 0, "serializeTypeCurrentRPC": "JSON",
        "extFields": fields,
    }  # fmt: skip
    head = json.dumps(header).encode()
    return struct.pack(">II", 4 + len(head) + len(BODY), len(head)) + head + BODY


def send(server: RunningServer, frames: list[bytes], count: int) -> float:
    """Sends so many, the frames in turn; messages a second."""
    host, port = server.broker_addr.rsplit(":", 1)
    started = time.perf_counter()
    with socket.create_connection((host, int(port))) as sock:
        sent = answered = 0
        rest = b""
        while answered < count:
            more = min(WINDOW - (sent - answered), count - sent)
            if more:
                sock.sendall(b"".join(frames[number % len(frames)] for number in range(sent, sent + more)))
                sent += more
            rest += sock.recv(1 << 18)
            at = 0
            while len(rest) - at >= 4 and len(rest) - at - 4 >= (size := int.from_bytes(rest[at : at + 4], "big")):
                if b'"code":0,' not in rest[at : at + 4 + size]:
                    raise RuntimeError(rest[at : at + 4 + size])
                at += 4 + size
                answered += 1
            rest = rest[at:]
    return count / (time.perf_counter() - started)


def figures(server: RunningServer) -> dict[str, str]:
    """The broker's runtime information."""
    table: dict[str, str] = json.loads(ask(server.broker_addr, GET_BROKER_RUNTIME_INFO)[1])["table"]
    return table


def memory(server: RunningServer) -> int:
    """Anonymous memory of its largest process, MiB."""
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in server.pids]
    return max(int(text.partition("RssAnon:")[2].split()[0]) for text in texts) // 1024


def processor_time(server: RunningServer) -> float:
    """Seconds of all its processes."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in server.pids]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


def ordinary(server: RunningServer, name: str) -> float:
    """Ordinary sends; prints their rate."""
    started = processor_time(server)
    rate = statistics.median(send(server, [frame()], ROUND) for _ in range(ROUNDS))
    each = (processor_time(server) - started) / (ROUND * ROUNDS) * 1e6
    print(f"  {name:34} {rate:10,.0f} sends/s {each:6.1f} us {memory(server):6} MiB", flush=True)
    return rate


def measure(kind: str, pending: int, due: int) -> None:
    """All of it on one server."""
    with tempfile.TemporaryDirectory() as directory:
        server = maker(kind)(Path(directory), extra=CONFIG)
        try:
            create_topic(server.namesrv_addr, server.broker_addr, TOPIC, 1)
            print(kind)
            send(server, [frame()], ROUND)
            before = ordinary(server, "nothing waits")
            levels = [frame(f"DELAY\x01{level}\x02") for level in (16, 17, 18)]
            rate = send(server, levels, pending // 2)
            print(f"  {'sends with a delay level':34} {rate:10,.0f} sends/s")
            timed = [frame(f"TIMER_DELAY_SEC\x01{1800 + number}\x02") for number in range(3000)]
            rate = send(server, timed, pending - pending // 2)
            print(f"  {'sends with a time':34} {rate:10,.0f} sends/s")
            while int(figures(server)["timerOffsetBehind"]):
                time.sleep(0.1)
            after = ordinary(server, f"{pending:,} wait")
            print(f"  {'ratio':34} {after / before:10.2f}")
            moment = int(time.time()) + 10 + due // 10_000
            waiting = int(figures(server)["timerCongestNum"])
            send(server, [frame(f"TIMER_DELIVER_MS\x01{moment * 1000}\x02")], due)
            time.sleep(max(0.0, moment - time.time()))
            rates = []
            while int(figures(server)["timerCongestNum"]) > waiting:
                rates.append(send(server, [frame()], 2000))
            seconds = time.time() - moment
            print(f"  {f'{due:,} of one second, out in {seconds:.1f} s':34} {statistics.mean(rates):10,.0f} sends/s")
        finally:
            server.kill()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pending", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=100_000)
    parser.add_argument("--only", choices=("apache", "rmq"))
    options = parser.parse_args()
    for kind in [options.only] if options.only else ["apache", "rmq"]:
        measure(kind, options.pending, options.due)


if __name__ == "__main__":
    main()
