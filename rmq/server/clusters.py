"""Clusters of several servers on one machine, each a process of its own, from the sample files in `conf/`.

A mode is a directory of `conf/`; `single` is `conf/broker.conf`. Each member has a directory, named after its sample
file, which holds that file with what depends on this machine put over it: address, ports, name servers, store. Those
files are written at each start of the cluster, not when a member is started again.

A broker's ports are four in a row that are free: `listenPort - 2` is for clients in a hurry and slaves' metadata,
`listenPort + 1` for replication.

Name servers start first, then masters, then slaves: a registration tells a broker of those that are there already.
"""

from __future__ import annotations

import fcntl
import re
import signal
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO, Any, Final

from rmq.remoting.ports import FreePorts
from rmq.server.members import STOP_SECONDS, Member, MemberError
from rmq.server.processes import BROKER, NAMESRV
from rmq.settings.load import load_broker
from rmq.settings.model import BrokerSettings
from rmq.settings.option import text_of
from rmq.settings.store import BrokerRole
from rmq.wire.address import join_address

SINGLE: Final = "single"
"""The mode of one master and no slave."""
STEP_SECONDS: Final = 30.0
"""How long slaves may take to have all that their masters have."""

_SINGLE_FILE: Final = "broker.conf"
_NAMESRV_FILE: Final = "namesrv.conf"
_SUFFIX: Final = ".properties"
_LOCK_FILE: Final = "cluster.lock"
_BELOW: Final = 2
_ABOVE: Final = 1
_MASTERS: Final = (BrokerRole.ASYNC_MASTER, BrokerRole.SYNC_MASTER)


class UnknownModeError(Exception):
    """No cluster is called so; the text lists those that there are."""

    def __init__(self, mode: str) -> None:
        super().__init__(f"there is no cluster mode {mode!r:.80}; the modes are {', '.join(modes())}")


class ClusterInUseError(Exception):
    """Another process runs a cluster in this directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"{directory} is in use, another cluster runs there; choose another directory or stop it")


def modes() -> dict[str, list[Traversable]]:
    """The modes, each with the configuration files of its brokers."""
    samples = _samples()
    found = {SINGLE: [samples / _SINGLE_FILE]}
    for directory in sorted((entry for entry in samples.iterdir() if entry.is_dir()), key=lambda entry: entry.name):
        files = [file for file in directory.iterdir() if file.name.endswith(_SUFFIX)]
        if files:
            found[directory.name] = sorted(files, key=_member_name)
    return found


def _member_name(file: Traversable) -> str:
    return file.name.rpartition(".")[0]


def _samples() -> Traversable:
    return resources.files("rmq") / "conf"


def overlay(text: str, changes: Mapping[str, Any]) -> str:
    """A `.properties` text with these keys changed where they stand, or added at its end."""
    missing = {key: text_of(value).replace("\\", "\\\\") for key, value in changes.items()}
    lines = []
    for line in text.splitlines():
        key = re.split(r"[=:\s]", line.strip(), maxsplit=1)[0]
        lines.append(f"{key}={missing.pop(key)}" if key in missing else line)
    added = [f"{key}={value}" for key, value in missing.items()]
    return "\n".join([*lines, "", *added, ""])


class Cluster:
    """The servers of a mode. Their files are in place when it is made; `start` makes the processes.

    Args:
        mode: one of `modes()`.
        directory: where the members have their directories.
        host: address to listen on.
        told: address that clients are told; the host unless another is given.
        name_servers: how many.
        namesrv_port: port of the first, the others have those after it; 0 to find free ones.
        settings: broker keys by Apache's names, over those of every sample.

    Attributes:
        members: the name servers and brokers by their names.
        settings: what each broker is configured to be, by its name.
        namesrv_addr: the name servers, `host:port` joined by `;`.

    Raises:
        UnknownModeError: there is no such mode.
        ClusterInUseError: a cluster runs in this directory.
        NoPortError: there are no free ports on the host.
        SettingError: the brokers cannot be configured so.
        OSError: the directory cannot be written.
    """

    def __init__(
        self,
        mode: str,
        directory: Path,
        *,
        host: str = "127.0.0.1",
        told: str = "",
        name_servers: int = 1,
        namesrv_port: int = 0,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        samples = modes().get(mode)
        if samples is None:
            raise UnknownModeError(mode)
        self.mode = mode
        self.members: dict[str, Member] = {}
        self.settings: dict[str, BrokerSettings] = {}
        self._directory = directory.absolute()
        self._host, self._told = host, told or host
        self._ports = FreePorts(host)
        self._lock = _locked(self._directory)
        try:
            for number in range(name_servers):
                self._add_name_server(f"namesrv-{number + 1}", namesrv_port + number if namesrv_port else 0)
            self.namesrv_addr = ";".join(member.address for member in self.members.values())
            for sample in samples:
                self._add_broker(sample, settings or {})
        except BaseException:
            self._lock.close()
            raise

    def _add_name_server(self, name: str, port: int) -> None:
        port = port or self._ports.take()
        changes = {
            "listenPort": port,
            "bindAddress": self._host,
            "kvConfigPath": self._directory / name / "kvConfig.json",
        }
        text = overlay((_samples() / _NAMESRV_FILE).read_text(encoding="utf-8"), changes)
        self._add(name, NAMESRV, _NAMESRV_FILE, text, port)

    def _add_broker(self, sample: Traversable, settings: Mapping[str, Any]) -> None:
        name = _member_name(sample)
        port = self._ports.take(_BELOW, _ABOVE)
        changes = {
            **settings,
            "listenPort": port,
            "bindAddress": self._host,
            "brokerIP1": self._told,
            "brokerIP2": self._told,
            "namesrvAddr": self.namesrv_addr,
            "storePathRootDir": self._directory / name / "store",
        }
        text = overlay(sample.read_text(encoding="utf-8"), changes)
        self.settings[name] = load_broker(text, file=sample.name, local_address=self._told).settings
        self._add(name, BROKER, sample.name, text, port)

    def _add(self, name: str, role: str, file: str, text: str, port: int) -> None:
        path = self._directory / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.members[name] = Member(name, role, path, join_address(self._told, port))

    def _in_role(self, *roles: BrokerRole) -> list[Member]:
        return [self.members[name] for name, found in self.settings.items() if found.store.broker_role in roles]

    def _broker_name(self, member: Member) -> str:
        return self.settings[member.name].broker.broker_name

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts all members; when this returns all can be used, and all are known to every name server.

        Raises:
            MemberError: one ended; the others are there until `stop`.
        """
        name_servers = [member for member in self.members.values() if member.role == NAMESRV]
        for group in (name_servers, self._in_role(*_MASTERS), self._in_role(BrokerRole.SLAVE)):
            for member in group:
                member.spawn()
            for member in group:
                member.wait_until_up()

    def wait_in_step(self, seconds: float = STEP_SECONDS) -> None:
        """Returns when every slave that runs has all that its master has, where that runs too.

        Raises:
            MemberError: a master's slaves are not so far after these seconds.
        """
        # Late: this command's own time is time that its members have not begun in.
        from rmq.server.instep import wait_in_step

        masters = {self._broker_name(member): member for member in self._in_role(*_MASTERS) if member.is_running}
        slaves = Counter(self._broker_name(member) for member in self._in_role(BrokerRole.SLAVE) if member.is_running)
        wanted = {masters[name].address: number for name, number in slaves.items() if name in masters}
        behind = wait_in_step(wanted, seconds) if wanted else []
        for master in masters.values():
            if master.address in behind:
                raise MemberError(master.name, f"has not all its slaves in step after {seconds:g} seconds")

    def stop(self, seconds: float | None = STOP_SECONDS) -> None:
        """Ends all members as SIGTERM does, brokers before name servers; all are gone when this returns.

        A second call does nothing.

        Args:
            seconds: how long brokers or name servers may take; None for as long as they want.

        Raises:
            MemberError: one did not end in time and was killed.
        """
        late = [*self._end(BROKER, seconds), *self._end(NAMESRV, seconds)]
        self._lock.close()
        if late:
            raise MemberError(late[0], f"did not stop within {seconds:g} seconds and was killed")

    def _end(self, role: str, seconds: float | None) -> Iterable[str]:
        members = [member for member in self.members.values() if member.role == role and member.is_running]
        for member in members:
            member.send_signal(signal.SIGTERM)
        for member in members:
            if not member.wait_until_ended(seconds):
                member.kill()
                yield member.name


def _locked(directory: Path) -> IO[bytes]:
    directory.mkdir(parents=True, exist_ok=True)
    file = open(directory / _LOCK_FILE, "ab")  # noqa: SIM115
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise ClusterInUseError(directory) from None
    return file
