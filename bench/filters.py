"""What SQL92 filters cost a consumer that catches up.

    python -m bench.filters [--messages 300000] [--rounds 3] [--only rmq] [--write]

A topic is filled with messages of 128 bytes and 10 properties of the user's. Push consumers of the official Java client
then read it from its beginning, up to 100 messages a pull, in new groups: without a filter; with one that every message
passes, so that the filter is all the difference; and with one that a third passes. Rates are messages of the topic a
second, whether they passed or not; the last column is the rate divided by that without a filter, in the same round.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from bench import report
from bench.load import LoadProgram
from tests.kit.server import maker

PULL = 100
CONFIG = {
    "mapedFileSizeCommitLog": str(1 << 30),
    "enablePropertyFilter": "true",
    "maxTransferCountOnMessageInMemory": str(PULL),
    "maxTransferBytesOnMessageInMemory": str(1 << 20),
}
TOPIC = "Filtered"
EVERY, THIRD = "every message passes", "a third passes"
UNFILTERED = "no filter"
FILTERS: dict[str, tuple[str | None, int]] = {
    UNFILTERED: (None, 1),
    EVERY: ("number >= 0 AND region IN ('eu', 'us', 'cn')", 1),
    THIRD: ("number >= 0 AND region = 'us'", 3),
}
"""Expression, and one message out of how many passes."""
Rates = dict[str, list[float]]


def measure(kind: str, program: LoadProgram, messages: int, rounds: int) -> Rates:
    """The rates of all filters, in turn, on one server."""
    rates: Rates = defaultdict(list)
    with tempfile.TemporaryDirectory() as directory:
        server = maker(kind)(Path(directory), extra=CONFIG)
        try:
            sizes = {"threads": 4, "size": 128, "batch": 30, "count": messages, "properties": 10}
            filled = program.command("preload", server.namesrv_addr, topic=TOPIC, **sizes)
            if filled["sent"] != messages:
                raise RuntimeError(f"filling sent {filled}")
            # The first round warms up.
            for number in range(rounds + 1):
                for name, (sql, share) in FILTERS.items():
                    members = {"sql": sql} if sql else {}
                    facts = program.command(
                        "consume", server.namesrv_addr, topic=TOPIC, group=f"g{number}_{share}_{bool(sql)}",
                        count=messages // share, threads=20, pull=PULL, window=0.25, timeout=120, **members,
                    )  # fmt: skip
                    if facts["consumed"] < messages // share:
                        raise RuntimeError(f"{name}: {facts}")
                    if number:
                        rates[name].append(facts["rate"] * share)
                        print(f"  {kind:6} {name:24} {rates[name][-1]:12,.0f} /s", flush=True)
        finally:
            server.kill()
    return rates


def table(rates: dict[str, Rates]) -> str:
    """The medians as Markdown."""
    lines = ["| | filter | messages | / no filter |", "|---|---|---:|---:|"]
    for kind, own in rates.items():
        for name, values in own.items():
            ratio = statistics.median(a / b for a, b in zip(values, own[UNFILTERED], strict=True))
            lines.append(f"| {kind} | {name} | {statistics.median(values):,.0f} /s | {ratio:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("apache", "rmq"))
    parser.add_argument("--write", action="store_true", help="replace the table in docs/benchmarks.md")
    options = parser.parse_args()
    program = LoadProgram()
    try:
        kinds = [options.only] if options.only else ["apache", "rmq"]
        rates = {kind: measure(kind, program, options.messages, options.rounds) for kind in kinds}
    finally:
        program.close()
    text = table(rates)
    print(text)
    if options.write:
        report.replace("filters", text, f"python -m bench.filters --write --rounds {options.rounds}")


if __name__ == "__main__":
    main()
