"""Wall time of mqadmin: ours and Java's, each command in a process of its own, on the same server.

    python -m bench.mqadmin                  ten common commands and the three big ones, table on stdout
    python -m bench.mqadmin --runs 1 --only statsAll
    python -m bench.mqadmin --server apache  on Apache's servers
    python -m bench.mqadmin --write          also replaces the table in docs/benchmarks.md

Needs Java and Maven. The two tools take turns; every figure is the median of the runs. Java's JVM gets 512 MiB and
only its quick compiler, which makes it start faster than Apache's own script does. The common commands look at a fresh
server, the big ones at a broker with 2,000 topics and 500 groups, four topics each (`bench.many`). Both tools must
print the same number of lines.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import many, report
from tests.kit.apache import mqadmin
from tests.kit.frames import wait_for_figures
from tests.kit.server import RunningServer, maker

TOPICS, GROUPS = 2_000, 500
COMMON_TARGET, BIG_TARGET = 12.0, 5.0
"""Java's time divided by ours is to be at least this."""

Commands = dict[str, list[str]]
Row = tuple[str, float, float, float]
"""Command, Java's seconds, ours, target."""


def common(server: RunningServer) -> Commands:
    """Ten commands that operators use every day."""
    topic, group, broker = many.topic_name(0), many.group_name(0), server.broker_addr
    lines = [
        ["topicList"],
        ["topicRoute", "-t", topic],
        ["topicStatus", "-t", topic],
        ["updateTopic", "-b", broker, "-t", topic, "-r", "4", "-w", "4"],
        ["updateSubGroup", "-b", broker, "-g", group],
        ["consumerProgress", "-g", group],
        ["clusterList"],
        ["brokerStatus", "-b", broker],
        ["getBrokerConfig", "-b", broker],
        ["printMsg", "-t", topic],
    ]
    return {line[0]: line for line in lines}


def big() -> Commands:
    """Those that look at everything."""
    return {" ".join(line): line for line in (["consumerProgress"], ["statsAll"], ["topicList", "-c"])}


def ours(words: list[str], namesrv_addr: str) -> str:
    """What our tool prints."""
    tool = str(Path(sys.executable).with_name("mqadmin"))
    return subprocess.run([tool, *words, "-n", namesrv_addr], capture_output=True, text=True, check=True).stdout


def javas(words: list[str], namesrv_addr: str) -> str:
    """What Java's tool prints."""
    printed = mqadmin(*words, namesrv_addr=namesrv_addr)
    if "Exception" in printed.err:
        raise RuntimeError(f"{words}: {printed.err}")
    return printed.out


def measure(server: RunningServer, name: str, words: list[str], runs: int, target: float) -> Row:
    """Medians of both tools, taking turns."""
    times: dict[str, list[float]] = {"java": [], "ours": []}
    tools: dict[str, Callable[[list[str], str], str]] = {"java": javas, "ours": ours}
    for _ in range(runs):
        lines = {}
        for tool, run in tools.items():
            started = time.perf_counter()
            lines[tool] = len(run(words, server.namesrv_addr).splitlines())
            times[tool].append(time.perf_counter() - started)
        if lines["java"] != lines["ours"]:
            raise RuntimeError(f"{name}: lines printed: {lines}")
    row = (name, statistics.median(times["java"]), statistics.median(times["ours"]), target)
    print(f"  {name:20} Java {row[1]:6.2f} s  ours {row[2]:6.2f} s  {row[1] / row[2]:5.1f} times", flush=True)
    return row


def rows(kind: str, runs: int, wanted: Callable[[str], bool], topics: int, groups: int) -> list[Row]:
    """Everything that is wanted, on one server."""
    with tempfile.TemporaryDirectory() as directory:
        server = maker(kind)(Path(directory))
        try:
            wait_for_figures(server.broker_addr)
            many.fill(server.namesrv_addr, server.broker_addr, 4, 1)
            small = {name: words for name, words in common(server).items() if wanted(name)}
            found = [measure(server, name, words, runs, COMMON_TARGET) for name, words in small.items()]
            large = {name: words for name, words in big().items() if wanted(name)}
            if large:
                many.fill(server.namesrv_addr, server.broker_addr, topics, groups)
            return found + [
                measure(server, f"{name}, {topics:,} topics, {groups} groups", words, runs, BIG_TARGET)
                for name, words in large.items()
            ]
        finally:
            server.kill()


def table(found: list[Row]) -> str:
    """The figures as Markdown."""
    lines = ["| | Java's | ours | Java's / ours | target |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {name} | {java:.2f} s | {own:.2f} s | {java / own:.1f} | ≥ {target:g} |"
        for name, java, own, target in found
    ]
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="commands whose name holds this")
    parser.add_argument("--server", choices=("rmq", "apache"), default="rmq", help="whose server they ask")
    parser.add_argument("--topics", type=int, default=TOPICS, help="topics of the big commands")
    parser.add_argument("--groups", type=int, default=GROUPS, help="groups of the big commands")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/benchmarks.md")
    options = parser.parse_args()
    found = rows(options.server, options.runs, lambda name: options.only in name, options.topics, options.groups)
    text = table(found)
    print(text)
    if options.write:
        report.replace("mqadmin", text, f"python -m bench.mqadmin --write --runs {options.runs}")


if __name__ == "__main__":
    main()
