"""The Java load program (bench/java): one JVM with the official client that measures any name server it is given.

python -m bench.load 127.0.0.1:9876            all the scenarios of the comparison, one JSON line each
python -m bench.load 127.0.0.1:9876 "send 1"   only those whose name begins so
"""

import json
import subprocess
import sys
from typing import Any

from tests.kit.toolchains import java, java_bench

PRELOADED = 400_000
WARM_UP_S, WINDOWS, WINDOW_S = 5.0, 5, 2.0

SENDS: dict[str, dict[str, int]] = {
    "send 64 threads": {"threads": 64, "size": 128, "batch": 1},
    "send 1 thread": {"threads": 1, "size": 128, "batch": 1},
    "batches of 32, 16 threads": {"threads": 16, "size": 128, "batch": 32},
    "send 4 KB, 64 threads": {"threads": 64, "size": 4096, "batch": 1},
}
CATCH_UP = "catch-up consumption"


class LoadProgram:
    """The running JVM. One for a whole comparison, so that every server meets the same warm client."""

    def __init__(self) -> None:
        words = java(java_bench(), "bench.Load", "-XX:-UseSerialGC", "-XX:+UseG1GC", "-Xms1g", "-Xmx1g")
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def command(self, do: str, namesrv_addr: str, **members: Any) -> dict[str, Any]:
        """One command and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, "namesrv": namesrv_addr, **members}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load program ended during {do} {members}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def send(
        self,
        namesrv_addr: str,
        name: str,
        *,
        warm_up: float = WARM_UP_S,
        windows: int = WINDOWS,
        window: float = WINDOW_S,
    ) -> dict[str, Any]:
        """The rate (messages a second, median over windows) of one of SENDS, and its median `time` in microseconds."""
        return self.command(
            "send", namesrv_addr, topic="BenchmarkTest", warmup=warm_up, windows=windows, window=window, **SENDS[name]
        )

    def begin(self, namesrv_addr: str, name: str, *, seconds: float) -> None:
        """Start one of SENDS; it is under way for so many seconds when this returns, and goes on."""
        begun = self.command("begin", namesrv_addr, topic="BenchmarkTest", warmup=seconds, **SENDS[name])
        if begun["failed"] or not begun["sent"]:
            raise RuntimeError(f"{name}: {begun}")

    def until_acknowledged(self, namesrv_addr: str, *, timeout: int = 120) -> None:
        """End that load, and return when its producer has been given the next acknowledgement."""
        answer = self.command("acknowledged", namesrv_addr, timeout=timeout)
        if not answer["acknowledged"]:
            raise RuntimeError(f"no send was acknowledged within {timeout} s: {answer}")

    def catch_up(self, namesrv_addr: str, topic: str, *, count: int = PRELOADED, fill: bool = True) -> dict[str, Any]:
        """Fill a topic that is new (unless it is filled already), then the rate at which a new group reads it."""
        if fill:
            filled = self.command("preload", namesrv_addr, topic=topic, threads=4, size=128, batch=32, count=count)
            if filled["sent"] != count:
                raise RuntimeError(f"preloading {topic} sent {filled}")
        return self.command(
            "consume",
            namesrv_addr,
            topic=topic,
            group=f"catch_up_{topic}",
            count=count,
            threads=20,
            window=0.25,
            timeout=120,
        )

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def main() -> None:
    namesrv_addr, only = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    program = LoadProgram()
    try:
        for name in SENDS:
            if name.startswith(only):
                print(json.dumps({"scenario": name, **program.send(namesrv_addr, name)}), flush=True)
        if CATCH_UP.startswith(only):
            print(json.dumps({"scenario": CATCH_UP, **program.catch_up(namesrv_addr, "CatchUp")}), flush=True)
    finally:
        program.close()


if __name__ == "__main__":
    main()
