"""What many topics cost the terminal interface: the same figures with few and with many, as ratios in one run.

    python -m bench.tui                      50 topics against 5,000 topics and 1,000 groups, table on stdout
    python -m bench.tui --rounds 1 --topics 500 --groups 100
    python -m bench.tui --write              also replaces the table in docs/benchmarks.md

Each figure is the median over the rounds, which take turns. Times are taken at a pseudo-terminal of 120 x 36, where
`rmq tui` runs in a process of its own: from the start of the process until the list's title counts all names, and
from a key until the first byte that follows it. Requests are counted inside, by the service.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import many, report
from bench.terminal import Terminal
from rmq.tui.app import RmqApp
from rmq.tui.service.live.service import LiveService
from rmq.tui.state.session import Session
from tests.kit.frames import wait_for_figures
from tests.kit.server import maker

FEW = (50, 10)
MANY = (5_000, 1_000)
"""Topics and groups."""
SIZE = (120, 36)
_REFRESH = 1.0
_KEYS = 40
_IDLE_SECONDS = 10.0
_SETTLED = 2.5


@dataclass(frozen=True, slots=True)
class Round:
    """What was seen in one round.

    Attributes:
        first: seconds until the first paint.
        key: seconds from a key to its paint, the median of all keys.
        idle_bytes: bytes written in ten seconds in which nothing changes, while it asks every second.
        idle_cpu: share of a core in that time.
        paused_cpu: share of a core while the refresh is paused.
        requests: those of one refresh.
    """

    first: float
    key: float
    idle_bytes: float
    idle_cpu: float
    paused_cpu: float
    requests: float


def at_terminal(namesrv_addr: str, topics: int) -> tuple[float, float, float, float, float]:
    """Everything but the requests."""
    words = [sys.executable, "-m", "rmq", "tui", "-n", namesrv_addr, "--refresh", f"{_REFRESH:g}s", "--open", "topics"]
    with Terminal(words, *SIZE) as terminal:
        first = terminal.until(f"({topics:,})".encode())
        terminal.settle(_SETTLED)
        used = terminal.cpu()
        idle_bytes = terminal.written(_IDLE_SECONDS)
        idle_cpu = (terminal.cpu() - used) / _IDLE_SECONDS
        terminal.press("z")
        terminal.settle(1.0)
        used = terminal.cpu()
        terminal.written(_IDLE_SECONDS)
        paused_cpu = (terminal.cpu() - used) / _IDLE_SECONDS
        keys = []
        for number in range(_KEYS):
            keys.append(terminal.press("jjjk"[number % 4]))
            terminal.settle(0.2)
    return first, statistics.median(keys), idle_bytes, idle_cpu, paused_cpu


async def requests(namesrv_addr: str) -> float:
    """Requests of one refresh of the topics, the rows on the screen being known already."""
    service = LiveService(namesrv_addr.split(";"), _now)
    app = RmqApp(Session(service, _now, None, _no_file, 3600.0), opened=("topics", ""))
    counts = []
    async with app.run_test(size=SIZE) as pilot:
        before = -1
        while before != service.limited.asked:
            before = service.limited.asked
            await pilot.pause(1.0)
        for _ in range(3):
            before = service.limited.asked
            app.tick()
            await pilot.pause(2.0)
            counts.append(service.limited.asked - before)
    return statistics.median(counts)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _no_file(path: Path, text: str) -> None:
    raise OSError("nothing is written here")


def measure(namesrv_addr: str, topics: int) -> Round:
    """One round."""
    found = Round(*at_terminal(namesrv_addr, topics), requests=asyncio.run(requests(namesrv_addr)))
    print(f"  {topics:5} topics: {found}", flush=True)
    return found


def rounds(count: int, few: tuple[int, int], lots: tuple[int, int]) -> tuple[list[Round], list[Round]]:
    """All rounds with few and with many, each on a broker of its own."""
    with tempfile.TemporaryDirectory() as directory:
        servers = []
        try:
            for topics, groups in (few, lots):
                home = Path(directory) / str(topics)
                home.mkdir()
                server = maker("rmq")(home)
                servers.append(server)
                wait_for_figures(server.broker_addr)
                many.fill(server.namesrv_addr, server.broker_addr, topics, groups)
            small, large = [], []
            for _ in range(count):
                small.append(measure(servers[0].namesrv_addr, few[0]))
                large.append(measure(servers[1].namesrv_addr, lots[0]))
            return small, large
        finally:
            for server in servers:
                server.kill()


def table(small: list[Round], large: list[Round], few: tuple[int, int], lots: tuple[int, int]) -> str:
    """The figures as Markdown."""

    def row(name: str, pick: Callable[[Round], float], show: Callable[[float], str], target: str = "") -> str:
        less, more = statistics.median(map(pick, small)), statistics.median(map(pick, large))
        ratio = f"{more / less:.2f}" if less else "-"
        return f"| {name} | {show(less)} | {show(more)} | {ratio} | {target} |"

    return "\n".join(
        [
            f"| | {few[0]:,} topics, {few[1]:,} groups | {lots[0]:,} topics, {lots[1]:,} groups | ratio | target |",
            "|---|---:|---:|---:|---:|",
            row("first paint, from the start of the process", lambda r: r.first, "{:.2f} s".format, "≤ 2"),
            row("key to paint", lambda r: r.key * 1000, "{:.1f} ms".format, "≤ 1.2"),
            row("requests of a refresh", lambda r: r.requests, "{:.0f}".format, "≤ 1"),
            row("bytes written in 10 s without a change", lambda r: r.idle_bytes, "{:.0f}".format, "0"),
            row("share of a core, refresh every second", lambda r: r.idle_cpu * 100, "{:.1f} %".format),
            row("share of a core, refresh paused", lambda r: r.paused_cpu * 100, "{:.1f} %".format),
        ]
    )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--topics", type=int, default=MANY[0], help="topics of the large one")
    parser.add_argument("--groups", type=int, default=MANY[1], help="groups of the large one")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/benchmarks.md")
    options = parser.parse_args()
    lots = (options.topics, options.groups)
    text = table(*rounds(options.rounds, FEW, lots), FEW, lots)
    print(text)
    if options.write:
        report.replace("tui", text, f"python -m bench.tui --write --rounds {options.rounds}")


if __name__ == "__main__":
    main()
