"""Does a full store cost more than an empty one?

    python -m bench.flat [--messages 10000000] [--rounds 3] [--write]

One broker is filled, another is not; then both are measured in turn under the same Java client, so that the ratios hold
whatever the machine is doing. Starts are measured after a clean stop and after kill -9.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from bench import report
from bench.compare import anonymous_mib
from bench.load import LoadProgram
from tests.kit.server import RunningServer, maker

SEND = "send 64 threads"
CATCH_UP = 200_000
STARTS = 5
CONFIG = {"mapedFileSizeCommitLog": str(1 << 30), "diskMaxUsedSpaceRatio": "95"}


def seconds_to_start(server: RunningServer) -> float:
    """From the process to the first route."""
    started = time.perf_counter()
    server.restart()
    return time.perf_counter() - started


def restarts(server: RunningServer, *, clean: bool) -> float:
    """Median start; the kill comes while nothing is under way, so that what is measured is the state of the files."""
    times = []
    for _ in range(STARTS):
        server.stop() if clean else server.kill()
        times.append(seconds_to_start(server))
    return statistics.median(times)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="replace the table in docs/benchmarks.md")
    options = parser.parse_args()
    rows: list[tuple[str, str, str, float]] = []
    with tempfile.TemporaryDirectory() as directory:
        homes = {name: Path(directory, name) for name in ("empty", "full")}
        for home in homes.values():
            home.mkdir()
        servers = {name: maker("rmq")(home, extra=CONFIG) for name, home in homes.items()}
        program = LoadProgram()
        try:
            full = servers["full"]
            filled = program.command(
                "preload", full.namesrv_addr, topic="Backlog", threads=4, size=128, batch=32, count=options.messages
            )
            print(f"filled with {filled['sent']} messages", flush=True)
            rates: dict[str, dict[str, list[float]]] = {"send": {}, "pull": {}}
            for number in range(options.rounds):
                for name, server in servers.items():
                    sent = program.send(server.namesrv_addr, SEND, warm_up=3.0, windows=3)["median"]
                    pulled = program.catch_up(server.namesrv_addr, f"CatchUp{number}", count=CATCH_UP)["rate"]
                    rates["send"].setdefault(name, []).append(sent)
                    rates["pull"].setdefault(name, []).append(pulled)
                    print(f"round {number + 1} {name:6} send {sent:10,.0f}/s  pull {pulled:10,.0f}/s", flush=True)
            for label, by_name in rates.items():
                low, high = (statistics.median(by_name[name]) for name in servers)
                rows.append((f"{label} rate", f"{low:,.0f} /s", f"{high:,.0f} /s", high / low))
            memory = [anonymous_mib(server) for server in servers.values()]
            rows.append(("anonymous memory", f"{memory[0]:.0f} MiB", f"{memory[1]:.0f} MiB", memory[1] / memory[0]))
            for label, clean in (("start after a clean stop", True), ("start after kill -9", False)):
                low, high = (restarts(server, clean=clean) for server in servers.values())
                rows.append((label, f"{low:.2f} s", f"{high:.2f} s", high / low))
        finally:
            program.close()
            for server in servers.values():
                server.kill()
    lines = [f"| | empty store | {options.messages:,} messages | full / empty |", "|---|---:|---:|---:|"]
    lines += [f"| {label} | {low} | {high} | {ratio:.2f} |" for label, low, high, ratio in rows]
    text = "\n".join(lines)
    print(text)
    if options.write:
        report.replace("flat", text, f"python -m bench.flat --write --rounds {options.rounds}")


if __name__ == "__main__":
    main()
