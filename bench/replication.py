"""What slaves cost, and how fast they are: Apache RocketMQ 5.4.0 and rmq, each a master with a slave of its own kind.

    python -m bench.replication [--rounds 3] [--only catch-up] [--only "send 64"] [--messages 500000] [--write]

*Catch-up*: a master's log of one file is filled with bodies of 1 KiB; then a slave with an empty store is started. Its
rate is taken from the moment when the master first hears of bytes that it has until it has all of them; what comes
before (the start of a process, Apache's first report after up to five seconds) is in the second line.

*Sends* go to a master without a slave, with an asynchronous one, and with one for which every send waits
(`inSyncReplicas=2`), each a cluster of its own under the same official Java client. All three are up at once and take
turns of half a second. What counts is the rate with a slave as a part of that without in the same turn: on a machine
whose speed changes from minute to minute the rates of a turn still belong together. Of one thread, the rate is that of
the median send: what a machine does beside touches some sends, and their mean with them, but seldom the median.

All turns of all rounds count alike. How far the ratio of two medians can be trusted tells its 95 % interval, found by
drawing from the turns again and again (bootstrap).
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bench import report
from bench.load import LoadProgram
from tests.kit.members import Broker
from tests.kit.replicas import Cluster, acknowledged_by_slaves, ha_status, log_end, wait_in_step

KINDS: Final = ("apache", "rmq")
MASTER, SLAVE = "broker-a", "broker-a-s"
ALONE, ASYNC, SYNC = "no slave", "asynchronous slave", "synchronous slave"
MODES: Final = {ALONE: "2m-2s-async", ASYNC: "2m-2s-async", SYNC: "2m-2s-sync"}
MANY, ONE = "send 64 threads", "send 1 thread"
SENDS: Final = (MANY, ONE)
ADDED: Final = f"{ONE}, time that a {SYNC} adds"
CATCH_UP, UNTIL_IN_STEP = "catch-up of an empty slave", "start of its process until in step"
BODY: Final = 1024
MESSAGES: Final = 500_000
CONFIG: Final = {
    "mappedFileSizeCommitLog": str(1 << 30),
    "sendThreadPoolQueueCapacity": "10000",
    "waitTimeMillsInSendQueue": "200",
    "inSyncReplicas": "2",
}
"""Apache's default sizes and limits; an asynchronous master does not look at the last."""
FIRST_WARM_UP_S, WARM_UP_S, WINDOW_S = 15.0, 0.3, 0.5
TURNS: Final = 40
"""Of each scenario, in a round."""
HEAP: Final = ("-Xms1g", "-Xmx1g")
PATIENCE_S: Final = 300.0
PAUSE_S: Final = 0.01
DRAWS: Final = 2000
"""For an interval."""
FEWEST: Final = 20
"""Values that an interval is told of."""

Figures = dict[str, dict[str, list[float]]]
Wanted = Callable[[str], bool]


@contextlib.contextmanager
def cluster(kind: str, mode: str, *names: str) -> Iterator[Cluster]:
    """A name server and the brokers of a mode that are named, all of one kind."""
    with tempfile.TemporaryDirectory() as directory:
        made = Cluster(Path(directory), mode, dict.fromkeys(names, kind), namesrvs=(kind,), extra=CONFIG)
        for broker in made.brokers.values():
            broker.heap = HEAP
        try:
            yield made
        finally:
            made.kill()


def start(made: Cluster, *names: str) -> None:
    """The name server and some brokers, registered."""
    for namesrv in made.namesrvs:
        namesrv.start()
    for name in names:
        made.brokers[name].start()
        made.wait_registered(made.brokers[name])


def catch_up(kind: str, program: LoadProgram, messages: int) -> tuple[float, float]:
    """Bytes a second of a slave that catches up, and the seconds from its start until it is in step."""
    with cluster(kind, MODES[ASYNC], MASTER, SLAVE) as made:
        start(made, MASTER)
        master = made.brokers[MASTER]
        sizes = {"threads": 8, "size": BODY, "batch": 32, "count": messages}
        filled = program.command("preload", made.namesrv_addr, topic="BenchmarkTest", **sizes)
        if filled["sent"] != messages:
            raise RuntimeError(f"preloading sent {filled}")
        end = log_end(master)
        if end >= int(CONFIG["mappedFileSizeCommitLog"]):
            raise RuntimeError(f"{end:,} bytes do not fit into one file, and Apache's slave would take the last only")
        started = time.perf_counter()
        made.brokers[SLAVE].spawn()
        first = _when(master, 1)
        last = _when(master, end)
        return (last[1] - first[1]) / (last[0] - first[0]), last[0] - started


def _when(master: Broker, offset: int) -> tuple[float, int]:
    """The time at which a slave is seen to have so many bytes, and how many they are."""
    deadline = time.perf_counter() + PATIENCE_S
    while (known := max(acknowledged_by_slaves(master), default=0)) < offset:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"a slave of {master.name} has {known:,} of {offset:,} bytes")
        time.sleep(PAUSE_S)
    return time.perf_counter(), known


def sends(kind: str, program: LoadProgram, names: list[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """For each turn of each of SENDS that is named: the rates by MODES."""
    with contextlib.ExitStack() as up:
        clusters: dict[str, Cluster] = {}
        for slave in MODES:
            members = (MASTER,) if slave == ALONE else (MASTER, SLAVE)
            made = clusters[slave] = up.enter_context(cluster(kind, MODES[slave], *members))
            start(made, *members)
            if slave != ALONE:
                # Apache's slave reports for the first time after up to five seconds.
                _when_connected(made.brokers[MASTER])
        for name in names:
            for slave in MODES:
                # The servers are as new as their processes, and the first client of all is, too.
                _window(clusters[slave], name, program, FIRST_WARM_UP_S)
            for turn in range(TURNS):
                # To and fro, so that none always comes after the same other one.
                order = reversed(MODES) if turn % 2 else MODES
                yield name, {slave: _window(clusters[slave], name, program, WARM_UP_S) for slave in order}


def _window(made: Cluster, name: str, program: LoadProgram, warm_up: float) -> float:
    facts = program.send(made.namesrv_addr, name, warm_up=warm_up, windows=1, window=WINDOW_S)
    if facts["failed"]:
        raise RuntimeError(f"{name}: {facts}")
    if SLAVE in made.brokers:
        wait_in_step(made.brokers[MASTER], timeout=PATIENCE_S)
    rate: float = 1e6 / facts["time"] if name == ONE else facts["median"]
    return rate


def _when_connected(master: Broker) -> None:
    deadline = time.perf_counter() + PATIENCE_S
    while not ha_status(master)["inSyncSlaveNums"]:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{master.name} has no slave: {ha_status(master)}")
        time.sleep(PAUSE_S)


def one_round(kind: str, program: LoadProgram, messages: int, wanted: Wanted, figures: Figures) -> None:
    """All measurements of one kind."""

    def note(name: str, value: float) -> None:
        figures[name][kind].append(value)
        print(f"  {kind:6} {name:48} {value:14,.2f}", flush=True)

    if wanted(CATCH_UP):
        rate, seconds = catch_up(kind, program, messages)
        note(CATCH_UP, rate / 1e6)
        note(UNTIL_IN_STEP, seconds)
    names = [name for name in SENDS if wanted(name)]
    if not names:
        return
    for name, rates in sends(kind, program, names):
        for slave, rate in rates.items():
            figures[f"{name}, {slave}"][kind].append(rate)
            if slave != ALONE:
                figures[f"{name}, {slave} / {ALONE}"][kind].append(rate / rates[ALONE])
        if name == ONE:
            figures[ADDED][kind].append(1e6 / rates[SYNC] - 1e6 / rates[ALONE])
        print(f"  {kind:6} {name:16}", *(f"{slave} {rates[slave]:9,.0f}" for slave in MODES), flush=True)


def table(figures: Figures) -> str:
    """The figures as Markdown."""
    lines = [
        "| | Apache 5.4.0 | rmq | rmq / Apache | 95 % of it | target |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, kinds in figures.items():
        apache, ours = (kinds[kind] for kind in KINDS)
        form, target = _form(name)
        theirs, own = statistics.median(apache), statistics.median(ours)
        facts = [form(theirs), form(own), f"{own / theirs:.2f}", _interval(ours, apache), target]
        lines.append(f"| {name} | {' | '.join(facts)} |")
    return "\n".join(lines)


def _interval(above: Sequence[float], below: Sequence[float]) -> str:
    """Where 95 of 100 ratios of two medians lie, the values drawn again, with the same seed each time."""
    if min(len(above), len(below)) < FEWEST:
        return ""
    drawn = random.Random(1)

    def median(values: Sequence[float]) -> float:
        return statistics.median(drawn.choices(values, k=len(values)))

    ratios = sorted(median(above) / median(below) for _ in range(DRAWS))
    return f"{ratios[DRAWS * 25 // 1000]:.2f} to {ratios[DRAWS * 975 // 1000]:.2f}"


def _form(name: str) -> tuple[Callable[[float], str], str]:
    """How a figure is written, and its target: shares and rates are to be at least Apache's."""
    if name == CATCH_UP:
        return "{:,.0f} MB/s".format, "≥ 1"
    if name == UNTIL_IN_STEP:
        return "{:.1f} s".format, ""
    if name == ADDED:
        return "{:,.0f} us".format, ""
    if name.endswith(f"/ {ALONE}"):
        return "{:.2f}".format, "≥ 1"
    return "{:,.0f} /s".format, ""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="measurements whose name holds this")
    parser.add_argument("--kind", choices=KINDS, help="servers of one kind only; prints no table")
    parser.add_argument("--messages", type=int, default=MESSAGES, help="that the slave catches up with")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/benchmarks.md")
    options = parser.parse_args()
    if options.write and (options.only or options.kind):
        parser.error("--write needs the whole table")
    figures: Figures = defaultdict(lambda: defaultdict(list))
    program = LoadProgram()
    try:
        for number in range(options.rounds):
            print(f"round {number + 1}", flush=True)
            for kind in [options.kind] if options.kind else KINDS:
                one_round(kind, program, options.messages, lambda name: options.only in name, figures)
    finally:
        program.close()
    if options.kind:
        return
    text = table(figures)
    print(text)
    if options.write:
        report.replace("replication", text, f"python -m bench.replication --write --rounds {options.rounds}")


if __name__ == "__main__":
    main()
