"""Clusters of several servers on one machine, each a process of its own, from the sample files in `conf/`.

A mode is a directory of `conf/`; `single` is `conf/broker.conf`. Each member has a directory, named after its sample
file, which holds that file with what depends on this machine put over it: address, ports, name servers, store. Those
files are written at each start of the cluster, not when a member is started again.

A broker's ports are four in a row that are free: `listenPort - 2` is for clients in a hurry and slaves' metadata,
`listenPort + 1` for replication. They are reserved while the cluster is there (`rmq.remoting.ports`). Where a program
that knows nothing of that has taken one meanwhile, the member is given others, and all start once more.

All members start at once, and each waits for what it needs: a broker for its name servers, a slave for its master.
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
from rmq.server.members import STOP_SECONDS, Member, MemberError, PortTakenError
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
KNOWN_SECONDS: Final = 30.0
"""How long brokers may take to be known to all name servers."""

_SINGLE_FILE: Final = "broker.conf"
_NAMESRV_FILE: Final = "namesrv.conf"
_SUFFIX: Final = ".properties"
_LOCK_FILE: Final = "cluster.lock"
_STARTS: Final = 10
"""How often members may start before a taken port is an error."""
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
        self._over = settings or {}
        self._samples: dict[str, Traversable] = {}
        self._port: dict[str, int] = {}
        self._free = FreePorts(host)
        self._lock = _locked(self._directory)
        try:
            for number in range(name_servers):
                port = namesrv_port + number if namesrv_port else self._free.take()
                self._add(f"namesrv-{number + 1}", NAMESRV, _samples() / _NAMESRV_FILE, port)
            self._asked_for = set(self._port) if namesrv_port else set()
            for sample in samples:
                self._add(_member_name(sample), BROKER, sample, self._free.take(_BELOW, _ABOVE))
            self._configure()
        except BaseException:
            self._give_back()
            raise

    @property
    def namesrv_addr(self) -> str:
        """The name servers, `host:port` joined by `;`. They may change while the cluster starts."""
        return ";".join(member.address for member in self._name_servers)

    @property
    def _name_servers(self) -> list[Member]:
        return [member for member in self.members.values() if member.role == NAMESRV]

    def _add(self, name: str, role: str, sample: Traversable, port: int) -> None:
        self._samples[name], self._port[name] = sample, port
        self.members[name] = Member(name, role, self._directory / name / sample.name, join_address(self._told, port))

    def _move(self, member: Member) -> None:
        """Gives a member other ports."""
        port = self._free.take() if member.role == NAMESRV else self._free.take(_BELOW, _ABOVE)
        self._port[member.name], member.address = port, join_address(self._told, port)
        self._configure()

    def _configure(self) -> None:
        """Writes all configuration files."""
        for member in self.members.values():
            sample = self._samples[member.name]
            text = sample.read_text(encoding="utf-8")
            if member.role == NAMESRV:
                text = overlay(text, self._name_server_changes(member))
            else:
                text = overlay(text, self._broker_changes(member))
                loaded = load_broker(text, file=sample.name, local_address=self._told)
                self.settings[member.name] = loaded.settings
            member.directory.mkdir(parents=True, exist_ok=True)
            member.file.write_text(text, encoding="utf-8")

    def _name_server_changes(self, member: Member) -> dict[str, Any]:
        return {
            "listenPort": self._port[member.name],
            "bindAddress": self._host,
            "kvConfigPath": member.directory / "kvConfig.json",
        }

    def _broker_changes(self, member: Member) -> dict[str, Any]:
        return {
            **self._over,
            "listenPort": self._port[member.name],
            "bindAddress": self._host,
            "brokerIP1": self._told,
            "brokerIP2": self._told,
            "namesrvAddr": self.namesrv_addr,
            "storePathRootDir": member.store_dir,
        }

    def _give_back(self) -> None:
        self._free.close()
        self._lock.close()

    def _in_role(self, *roles: BrokerRole) -> list[Member]:
        return [self.members[name] for name, found in self.settings.items() if found.store.broker_role in roles]

    def _broker_name(self, member: Member) -> str:
        return self.settings[member.name].broker.broker_name

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts all members; when this returns all can be used, and all are known to every name server.

        Raises:
            MemberError: one ended, or is not known after a while; the others are there until `stop`.
            NoPortError: a port was taken meanwhile, and there are no free ones.
        """
        for left in reversed(range(_STARTS)):
            try:
                self._start()
            except PortTakenError as error:
                if not left or error.member in self._asked_for:
                    raise
                for member in self.members.values():
                    member.call_off()
                self._move(self.members[error.member])
            else:
                return

    def _start(self) -> None:
        for member in self.members.values():
            member.spawn()
        # Late: this command's own time is time that its members have not begun in.
        from rmq.server.instep import wait_known

        for member in self.members.values():
            member.wait_until_up()
        brokers = {member.address for member in self.members.values() if member.role == BROKER}
        unknown = wait_known([member.address for member in self._name_servers], brokers, KNOWN_SECONDS)
        for member in self.members.values():
            if any(member.address in late for late in unknown.values()):
                raise MemberError(member.name, f"is not known to all name servers after {KNOWN_SECONDS:g} seconds")

    def wait_in_step(self, seconds: float = STEP_SECONDS) -> None:
        """Returns when every slave that runs has all that its master has, where that runs too.

        Raises:
            MemberError: a master's slaves are not so far after these seconds.
        """
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
        self._give_back()
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
