"""Do messages that wait, and filters, slow everybody else down?

    python -m bench.cost [--delayed 1000000] [--halves 100000] [--rounds 3] [--windows 15] [--only sends] [--write]

Three brokers stand side by side: an empty one, one with delayed messages of which none becomes due (half in levels,
half timed), and one with half messages whose producer is gone, so that all of them are checked in every round of
checks. Each is sent to in turn (every other round backwards) by 64 threads of one official Java client. The rate is the
mean over `--windows` times two seconds: as long as the interval between two rounds of checks, unless told otherwise.
Who is not measured is stopped (SIGSTOP), so that its own work takes nothing from the others.

The cost of a SQL92 filter is that of `bench.filters`, when every message passes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from bench import filters, report
from bench.delayed import CONFIG, TOPIC, figures, frame, send
from bench.load import LoadProgram
from tests.kit.frames import ask, create_topic, wait_for_broker
from tests.kit.server import RunningServer, maker

SEND = "send 64 threads"
EMPTY, DELAYED, HALVES = "empty", "delayed", "halves"
SENDS_TARGET, FILTER_TARGET = 0.9, 0.5
FILTERED_MESSAGES = 300_000
PREPARED = 4
GET_MAX_OFFSET, GET_TOPIC_CONFIG = 30, 351
HALF_TOPIC, GIVEN_UP = "RMQ_SYS_TRANS_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC"
Row = tuple[str, float, float, float, float]
"""Label, rate without, rate with, ratio, target."""


def fill_delayed(server: RunningServer, count: int) -> None:
    """Half of them in the highest levels, half timed; returns when all are in the timer wheel."""
    levels = [frame(f"DELAY\x01{level}\x02") for level in (16, 17, 18)]
    send(server, levels, count // 2)
    timed = [frame(f"TIMER_DELAY_SEC\x01{3600 + number}\x02") for number in range(3000)]
    send(server, timed, count - count // 2)
    while int(figures(server)["timerOffsetBehind"]):
        time.sleep(0.1)


def fill_halves(server: RunningServer, count: int) -> None:
    """Half messages of a group that nobody belongs to."""
    send(server, [frame("TRAN_MSG\x01true\x02PGROUP\x01gone\x02", sys_flag=PREPARED)], count)


def check_pending(servers: dict[str, RunningServer], delayed: int, halves: int) -> None:
    """That what is to wait has waited to the end."""
    timed = int(figures(servers[DELAYED])["timerCongestNum"])
    if timed != delayed - delayed // 2:
        raise RuntimeError(f"{timed} timed messages wait instead of {delayed - delayed // 2}")
    header, _ = ask(servers[HALVES].broker_addr, GET_MAX_OFFSET, {"topic": HALF_TOPIC, "queueId": "0"})
    stored = int(header["extFields"]["offset"])
    if stored < halves or ask(servers[HALVES].broker_addr, GET_TOPIC_CONFIG, {"topic": GIVEN_UP})[0]["code"] == 0:
        raise RuntimeError(f"half messages were given up: {stored} were stored")
    print(f"{timed:,} timed messages wait; the half topic took {stored:,} for {halves:,} messages", flush=True)


@contextlib.contextmanager
def alone(server: RunningServer, servers: dict[str, RunningServer]) -> Iterator[None]:
    """All other servers stand still."""
    others = [pid for other in servers.values() if other is not server for pid in other.pids]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_for_broker(server.namesrv_addr, server.broker_addr)
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def sends(program: LoadProgram, delayed: int, halves: int, rounds: int, windows: int) -> list[Row]:
    """Sends to the three brokers, in turn."""
    rates: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        servers = {}
        for name in (EMPTY, DELAYED, HALVES):
            home = Path(directory, name)
            home.mkdir()
            servers[name] = maker("rmq")(home, extra=CONFIG)
            stack.callback(servers[name].kill)
            create_topic(servers[name].namesrv_addr, servers[name].broker_addr, TOPIC, 1)
        fill_delayed(servers[DELAYED], delayed)
        fill_halves(servers[HALVES], halves)
        print("filled", flush=True)
        # The first round warms up.
        for number in range(rounds + 1):
            for name, server in list(servers.items())[:: -1 if number % 2 else 1]:
                with alone(server, servers):
                    facts = program.send(server.namesrv_addr, SEND, warm_up=3.0, windows=windows if number else 2)
                if facts["failed"]:
                    raise RuntimeError(f"{name}: {facts}")
                if number:
                    rates[name].append(statistics.mean(facts["windows"]))
                    print(f"round {number} {name:8} {rates[name][-1]:10,.0f} sends/s", flush=True)
        check_pending(servers, delayed, halves)
    labels = {DELAYED: f"sends, {delayed:,} delayed messages wait", HALVES: f"sends, {halves:,} half messages wait"}
    return [row(label, rates[EMPTY], rates[name], SENDS_TARGET) for name, label in labels.items()]


def filtering(program: LoadProgram, messages: int, rounds: int) -> Row:
    """Catching up with and without a filter."""
    rates = filters.measure("rmq", program, messages, rounds)
    label = f"catch-up, {filters.PULL} messages a pull through a SQL92 filter"
    return row(label, rates[filters.UNFILTERED], rates[filters.EVERY], FILTER_TARGET)


def row(label: str, without: list[float], burdened: list[float], target: float) -> Row:
    """Medians of the rates, and of their ratios within each round."""
    ratio = statistics.median(high / low for low, high in zip(without, burdened, strict=True))
    return label, statistics.median(without), statistics.median(burdened), ratio, target


def table(rows: list[Row]) -> str:
    """As Markdown."""
    lines = ["| | without | with | with / without | target |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {label} | {without:,.0f} /s | {burdened:,.0f} /s | {ratio:.2f} | ≥ {target} |"
        for label, without, burdened, ratio, target in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delayed", type=int, default=1_000_000)
    parser.add_argument("--halves", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--windows", type=int, default=15)
    parser.add_argument("--only", choices=("sends", "filters"))
    parser.add_argument("--write", action="store_true", help="replace the table in docs/benchmarks.md")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write needs the whole table")
    rows: list[Row] = []
    program = LoadProgram()
    try:
        if options.only != "filters":
            rows += sends(program, options.delayed, options.halves, options.rounds, options.windows)
        if options.only != "sends":
            rows.append(filtering(program, FILTERED_MESSAGES, options.rounds))
    finally:
        program.close()
    text = table(rows)
    print(text)
    if options.write:
        command = f"python -m bench.cost --write --rounds {options.rounds} --windows {options.windows}"
        report.replace("cost", text, command)


if __name__ == "__main__":
    main()
