"""`rmq standalone --cluster`: starts a cluster, tells of members that end, and ends the others when it is told to."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Final

from rmq.server.clusters import Cluster, ClusterInUseError, UnknownModeError
from rmq.server.commandline import EXIT_FAILED, EXIT_USAGE
from rmq.server.members import Member, MemberError
from rmq.settings.errors import SettingError

_IN_STEP_SECONDS: Final = 15.0


class _SignalledError(Exception):
    """The user wants the cluster to end."""


def run_cluster(mode: str, directory: Path, *, host: str, told: str, name_servers: int, namesrv_port: int) -> int:
    """Runs a cluster until a signal ends it, or all of its members have ended; returns the exit code.

    The arguments are those of `rmq.server.clusters.Cluster`.
    """
    try:
        cluster = Cluster(mode, directory, host=host, told=told, name_servers=name_servers, namesrv_port=namesrv_port)
    except UnknownModeError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except (ClusterInUseError, SettingError, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    members = list(cluster.members.values())
    ended: SimpleQueue[Member] = SimpleQueue()
    for member in members:
        member.on_end = ended.put
    _Signals(cluster).watch()
    try:
        cluster.start()
        _tell(cluster, directory)
        # Each tells of its end once, a moment after it has come.
        for _ in members:
            _tell_end(ended.get())
    except MemberError as error:
        print(error, file=sys.stderr)
        cluster.stop(None)
        return EXIT_FAILED
    except _SignalledError:
        members = [member for member in members if member.is_running]
        cluster.stop(None)
    return EXIT_FAILED if any(member.exit_code for member in members) else 0


def _tell(cluster: Cluster, directory: Path) -> None:
    try:
        cluster.wait_in_step(_IN_STEP_SECONDS)
    except MemberError as error:
        print(f"warning: {error}", file=sys.stderr)
    width = max(map(len, cluster.members))
    for member in cluster.members.values():
        settings = cluster.settings.get(member.name)
        kind = "name server" if settings is None else settings.store.broker_role.value
        print(f"{member.name:{width}}  {kind:12}  {member.address}  pid {member.pid}")
    print(f"rmq is ready: cluster {cluster.mode}; logs and stores are in {directory}.")
    print(f"Use it:       export NAMESRV_ADDR={shlex.quote(cluster.namesrv_addr)}", flush=True)


def _tell_end(member: Member) -> None:
    print(f"{member.name} (pid {member.pid}) {member.how_it_ended}; its log is {member.log}.")
    print(f"Start it again: {member.command}", flush=True)


class _Signals:
    """What signals do: the first ends the cluster in order, the second at once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._came = False

    def watch(self) -> None:
        """Takes the signals over, but for those that this process was started without."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._came:
            for member in self._cluster.members.values():
                member.send_signal(signal.SIGKILL)
        else:
            self._came = True
            raise _SignalledError
