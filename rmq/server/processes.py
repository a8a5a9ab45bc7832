"""The server processes of this user: a file for each while it runs, and the command that ends them.

`~/logs/rocketmqlogs/run/<pid>.json` says what runs there and when it started. The start time is what makes a pid
safe to signal: numbers are used again, moments are not.

Source: bin/mqshutdown.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

NAMESRV: Final = "namesrv"
BROKER: Final = "broker"

LOG_DIRECTORY_VARIABLE: Final = "RMQ_LOG_DIR"
"""Names the directory of a server's log files, where that is not `~/logs/rocketmqlogs`."""
KEPT_VARIABLE: Final = "RMQ_KEPT"
"""Set for a server that shares its machine with the process which started it: it ends when its standard input does,
which is when that process ends in whatever way, needs all the ports that were chosen for it, and leaves the processors
to others while it waits."""

_USAGE: Final = "Usage: mqshutdown broker | namesrv"
_STAT_START: Final = 19
"""Index of the start time among the words of /proc/<pid>/stat that follow the command's name."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server process.

    Attributes:
        started: when it started, as the system tells it.
        roles: what it is.
        addresses: where each of the roles can be reached, `host:port`; none before all have started.
    """

    pid: int
    started: str
    roles: tuple[str, ...]
    addresses: tuple[str, ...] = ()


def run_directory() -> Path:
    """Where the files are."""
    return Path(os.path.expanduser("~"), "logs", "rocketmqlogs", "run")


def start_moment(pid: int) -> str | None:
    """When a process started, as a text that no other process with this pid ever has; None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _start_by_ps(pid)
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[_STAT_START]


def _start_by_ps(pid: int) -> str | None:
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


class Registry:
    """The files.

    Args:
        directory: where they are.
        moment: tells when a process started.
    """

    def __init__(self, directory: Path | None = None, moment: Callable[[int], str | None] = start_moment) -> None:
        self._directory = directory or run_directory()
        self._moment = moment

    def enter(self, roles: Sequence[str], addresses: Sequence[str] = ()) -> None:
        """Notes this process, and when its servers have started where they can be reached.

        Raises:
            OSError: the file cannot be written.
        """
        pid = os.getpid()
        process = ServerProcess(pid, self._moment(pid) or "", tuple(roles), tuple(addresses))
        self._directory.mkdir(parents=True, exist_ok=True)
        self._path(pid).write_text(json.dumps(asdict(process)))

    def leave(self, pid: int | None = None) -> None:
        """Forgets this process, or another one that has ended."""
        with contextlib.suppress(OSError):
            self._path(os.getpid() if pid is None else pid).unlink()

    def running(self, role: str) -> Iterator[ServerProcess]:
        """The processes that play a role now. Files of processes that ended without a word are removed."""
        for path in sorted(self._directory.glob("*.json")):
            process = _read(path)
            if process is None or self._moment(process.pid) != process.started:
                with contextlib.suppress(OSError):
                    path.unlink()
            elif role in process.roles:
                yield process

    def serving(self, role: str, address: str) -> ServerProcess | None:
        """The running process that plays a role at an address."""
        for process in self.running(role):
            if (role, address) in zip(process.roles, process.addresses, strict=False):
                return process
        return None

    def _path(self, pid: int) -> Path:
        return self._directory / f"{pid}.json"


class LocalBrokers:
    """The brokers of this user on this machine, by the address that clients are told.

    Args:
        registry: where they are entered.
        kill: sends a signal to a process.
        moment: tells when a process started.
    """

    def __init__(
        self,
        registry: Registry | None = None,
        kill: Callable[[int, int], None] = os.kill,
        moment: Callable[[int], str | None] = start_moment,
    ) -> None:
        self._registry = registry or Registry()
        self._kill = kill
        self._moment = moment
        self._asked: dict[int, str] = {}

    def find(self, address: str) -> ServerProcess | None:
        """The process of a broker; None when it is none of these."""
        return self._registry.serving(BROKER, address)

    def stop(self, address: str) -> int | None:
        """Asks the process of a broker to end, and gives its number; None when it is none of these.

        Raises:
            OSError: it cannot be signalled.
        """
        process = self.find(address)
        if process is None:
            return None
        self._asked[process.pid] = process.started
        self._kill(process.pid, signal.SIGTERM)
        return process.pid

    def has_ended(self, pid: int) -> bool:
        """Whether a process that was asked to end has ended."""
        return self._moment(pid) != self._asked.get(pid)


def _read(path: Path) -> ServerProcess | None:
    try:
        plain = json.loads(path.read_text())
        pid, started, roles = int(plain["pid"]), str(plain["started"]), tuple(plain["roles"])
        return ServerProcess(pid, started, roles, tuple(plain.get("addresses", ())))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def shutdown(role: str, registry: Registry | None = None, kill: Callable[[int, int], None] = os.kill) -> int:
    """Asks the running servers of a role to end, and does not wait. Returns the exit code."""
    found = list((registry or Registry()).running(role))
    if not found:
        print(f"No mq{role} running.")
        return 1
    for process in found:
        print(f"The mq{role}({process.pid}) is running...")
        try:
            kill(process.pid, signal.SIGTERM)
        except OSError as error:
            print(f"mq{role}({process.pid}) cannot be signalled: {error.strerror}", file=sys.stderr)
            return 1
        print(f"Send shutdown request to mq{role}({process.pid}) OK")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The program `mqshutdown`."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in {BROKER, NAMESRV}:
        return shutdown(words[0])
    print(_USAGE)
    return 0
