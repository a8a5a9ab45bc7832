"""Apache RocketMQ 5.4.0 and rmq, alternating on one machine under one official Java client.

    python -m bench.compare                  everything, three rounds, table on stdout
    python -m bench.compare --rounds 1 --only "send 64"
    python -m bench.compare --rounds 1 --only kill
    python -m bench.compare --write          also replaces the table in docs/benchmarks.md

Needs Java and Maven. Each round starts both kinds of server with an empty store, Apache first; every figure is the
median of the rounds, every ratio is taken within one run. Both use the default sizes of their files.

The time after `kill -9` is that of a user: name server and broker get SIGKILL in the middle of the load and are started
again at the same moment; it lasts from the kill until the same official producer, one thread trying every few
milliseconds, gets its first acknowledgement.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from bench import report
from bench.load import CATCH_UP, SENDS, LoadProgram
from tests.kit.apache import mqadmin
from tests.kit.server import RunningServer, maker

KINDS = ("apache", "rmq")
START = "start to first route"
AFTER_KILL = "first acknowledgement after kill -9"
IDLE, LOADED = "anonymous memory, idle", "anonymous memory, after load"
COMMAND = "mqadmin topicList"
CONFIG = {
    "mapedFileSizeCommitLog": str(1 << 30),
    "sendThreadPoolQueueCapacity": "10000",
    "waitTimeMillsInSendQueue": "200",
}
"""Back to Apache's defaults where the test kit's configuration differs from them."""
COMMAND_RUNS = 5
KILLED_LOAD, KILLED_AFTER_S = "send 64 threads", 10.0

TARGETS = {
    "send 64 threads": 1.5,
    "send 1 thread": 1.3,
    "batches of 32, 16 threads": 1.0,
    "send 4 KB, 64 threads": 1.0,
    CATCH_UP: 1.0,
    START: 1 / 5,
    IDLE: 1 / 5,
    LOADED: 1 / 5,
    COMMAND: 1 / 10,
    AFTER_KILL: 1 / 3,
}
"""rmq divided by Apache: rates are to be at least this, times and sizes at most."""

Figures = dict[str, dict[str, list[float]]]


def anonymous_mib(server: RunningServer) -> float:
    """Anonymous resident memory of all of a server's processes."""
    total = 0
    for pid in server.pids:
        status = Path(f"/proc/{pid}/status").read_text()
        total += int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")))
    return total / 1024


def command_seconds(kind: str, namesrv_addr: str) -> float:
    """Median wall time of one command in a process of its own."""
    times = []
    for _ in range(COMMAND_RUNS):
        started = time.perf_counter()
        if kind == "apache":
            assert "TBW102" in mqadmin("topicList", namesrv_addr=namesrv_addr).out
        else:
            words = [str(Path(sys.executable).with_name("mqadmin")), "topicList", "-n", namesrv_addr]
            assert "TBW102" in subprocess.run(words, capture_output=True, text=True, check=True).stdout
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def acknowledged_again_seconds(server: RunningServer, program: LoadProgram) -> float:
    """From a kill under load until the first acknowledged send."""
    program.begin(server.namesrv_addr, KILLED_LOAD, seconds=KILLED_AFTER_S)
    killed = time.perf_counter()
    server.kill()
    server.spawn()
    program.until_acknowledged(server.namesrv_addr)
    return time.perf_counter() - killed


def one_server(kind: str, program: LoadProgram, wanted: Callable[[str], bool], figures: Figures) -> None:
    """All measurements on one fresh server."""

    def note(name: str, value: float) -> None:
        if wanted(name):
            figures[name][kind].append(value)
            print(f"  {kind:6} {name:36} {value:12,.3f}", flush=True)

    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        server = maker(kind)(Path(directory), extra=CONFIG)
        try:
            note(START, time.perf_counter() - started)
            note(IDLE, anonymous_mib(server))
            for name in filter(wanted, SENDS):
                note(name, program.send(server.namesrv_addr, name)["median"])
            if wanted(CATCH_UP):
                note(CATCH_UP, program.catch_up(server.namesrv_addr, "CatchUp")["rate"])
            note(LOADED, anonymous_mib(server))
            if wanted(COMMAND):
                note(COMMAND, command_seconds(kind, server.namesrv_addr))
            if wanted(AFTER_KILL):
                note(AFTER_KILL, acknowledged_again_seconds(server, program))
        finally:
            server.kill()


def table(figures: Figures) -> str:
    """The figures as Markdown."""
    lines = ["| | Apache 5.4.0 | rmq | rmq / Apache | target |", "|---|---:|---:|---:|---:|"]
    for name, kinds in figures.items():
        apache, ours = (statistics.median(kinds[kind]) for kind in KINDS)
        if name in {START, COMMAND, AFTER_KILL}:
            cells = (f"{apache:.2f} s", f"{ours:.2f} s")
        elif name in {IDLE, LOADED}:
            cells = (f"{apache:.0f} MiB", f"{ours:.0f} MiB")
        else:
            cells = (f"{apache:,.0f} /s", f"{ours:,.0f} /s")
        target = TARGETS[name]
        wanted = f"≥ {target:g}" if target >= 1 else f"≤ 1/{round(1 / target)}"
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {ours / apache:.2f} | {wanted} |")
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="measurements whose name holds this")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/benchmarks.md")
    options = parser.parse_args()
    figures: Figures = defaultdict(lambda: defaultdict(list))
    program = LoadProgram()
    try:
        for number in range(options.rounds):
            print(f"round {number + 1}", flush=True)
            for kind in KINDS:
                one_server(kind, program, lambda name: options.only in name, figures)
    finally:
        program.close()
    text = table(figures)
    print(text)
    if options.write:
        report.replace("compare", text, f"python -m bench.compare --write --rounds {options.rounds}")


if __name__ == "__main__":
    main()
