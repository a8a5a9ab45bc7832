"""Name servers and brokers of either kind, each a process of its own, that can be killed and come back.

`kind` is `rmq` or `apache`; the same settings file starts both.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.kit.apache import SERVER_FLAGS
from tests.kit.frames import UPDATE_BROKER_CONFIG, NoAnswerError, ask
from tests.kit.process import Child
from tests.kit.server import write_config
from tests.kit.toolchains import ROOT, apache_class_path, java

NAMESRV: Final = "namesrv"
BROKER: Final = "broker"
STARTING: Final = 90.0
"""Seconds that a member may take to start while others do the same."""

_CLASSES: Final = {
    NAMESRV: "org.apache.rocketmq.namesrv.NamesrvStartup",
    BROKER: "org.apache.rocketmq.broker.BrokerStartup",
}
_HEAPS: Final = {NAMESRV: ("-Xms64m", "-Xmx128m"), BROKER: ("-Xms256m", "-Xmx512m")}


class Member:
    """A process of a cluster.

    Attributes:
        name: of its own, such as the settings file's.
        kind: `rmq` or `apache`.
        address: `host:port`.
        settings: what its settings file will say at the next start.
        heap: flags of Apache's for it.
    """

    role: str

    def __init__(self, name: str, kind: str, home: Path, settings: Mapping[str, str]) -> None:
        self.name = name
        self.kind = kind
        self.home = home
        self.settings = dict(settings)
        self.address = f"127.0.0.1:{self.settings['listenPort']}"
        self.heap = _HEAPS[self.role]
        self._child: Child | None = None
        home.mkdir(parents=True, exist_ok=True)

    def _words(self) -> list[str]:
        config = str(write_config(self.home / f"{self.name}.properties", self.settings))
        if self.kind == "apache":
            flags = (f"-Duser.home={self.home}", *SERVER_FLAGS, *self.heap)
            return [*java(apache_class_path(), _CLASSES[self.role], *flags), "-c", config]
        return [sys.executable, "-m", "rmq", self.role, "-c", config]

    @property
    def child(self) -> Child:
        """Its process, running or ended."""
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._child

    def spawn(self) -> None:
        """Start, and wait for nothing."""
        env = {"ROCKETMQ_HOME": str(self.home), "HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        self._child = Child(self._words(), cwd=self.home, env=env)

    def wait_started(self) -> None:
        self.child.wait_line("boot success", timeout=STARTING)

    def start(self) -> None:
        """Start, ready for requests when this returns."""
        self.spawn()
        self.wait_started()

    def kill(self) -> None:
        """SIGKILL."""
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        """SIGTERM; Apache's broker takes about twelve seconds."""
        status = self.child.terminate()
        if self.kind == "rmq" and status != 0:
            raise RuntimeError(f"{self.name} ended with status {status}:\n" + "\n".join(self.child.lines[-40:]))

    def logged(self, file: str = "broker.log") -> list[str]:
        """Lines of one of its log files."""
        path = self.home / "logs" / "rocketmqlogs" / file
        return path.read_text(errors="replace").splitlines() if path.exists() else []


class Namesrv(Member):
    """A name server."""

    role = NAMESRV


class Broker(Member):
    """A broker: a master or a slave."""

    role = BROKER

    @property
    def broker_name(self) -> str:
        return self.settings["brokerName"]

    @property
    def broker_id(self) -> int:
        return int(self.settings["brokerId"])

    @property
    def ha_address(self) -> str:
        """Where its slaves connect."""
        return f"127.0.0.1:{int(self.settings['listenPort']) + 1}"

    @property
    def store_dir(self) -> Path:
        return Path(self.settings["storePathRootDir"])

    def hurry_registration(self) -> None:
        """Registers at once.

        Apache's broker at times boots without registering (it has not seen its name server alive yet) and does it ten
        seconds later; a changed permission makes it register.
        """
        try:
            ask(self.address, UPDATE_BROKER_CONFIG, body=b"brokerPermission=6\n")
        except NoAnswerError:
            return
