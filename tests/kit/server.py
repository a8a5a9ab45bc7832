"""A running name server and broker, whoever made them.

The interop tests are written against `RunningServer` only. Two makers give one: `tests.kit.apache` starts Apache's
servers, `rmq_server` here starts ours. RMQ_TEST_SERVER=apache|rmq (default rmq) chooses for the whole interop suite.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.kit.frames import wait_for_broker
from tests.kit.ports import free_block, free_port
from tests.kit.process import Child

BROKER_NAME = "broker-a"
CLUSTER_NAME = "DefaultCluster"

# One-way sends come in bursts of thousands and are dropped by a broker that finds its queue full or slow: wide limits.
# Small files, so that a store rolls and copies quickly. A disk that is short of room for a moment deletes none of them.
BASE_CONFIG = {
    "brokerClusterName": CLUSTER_NAME,
    "brokerName": BROKER_NAME,
    "brokerId": "0",
    "brokerIP1": "127.0.0.1",
    "autoCreateTopicEnable": "true",
    "autoCreateSubscriptionGroup": "true",
    "mappedFileSizeCommitLog": str(64 * 1024 * 1024),
    "sendThreadPoolQueueCapacity": "100000",
    "waitTimeMillsInSendQueue": "10000",
    "diskMaxUsedSpaceRatio": "95",
    "cleanFileForciblyEnable": "false",
}


class RunningServer(Protocol):
    """A name server and one broker; `restart` brings both up again on the same ports and store."""

    kind: str
    home: Path
    namesrv_addr: str
    broker_addr: str
    store_dir: Path

    @property
    def pids(self) -> list[int]:
        """Process ids of all its processes."""

    def stop(self) -> None:
        """Clean stop (SIGTERM), finished when this returns."""

    def kill(self) -> None:
        """SIGKILL to all processes."""

    def restart(self) -> None:
        """Start again after `stop` or `kill`, ready when this returns."""

    def spawn(self) -> None:
        """Start all processes again at the same moment, and wait for nothing."""


Maker = Callable[..., RunningServer]


def write_config(path: Path, config: dict[str, str]) -> Path:
    """A .properties file."""
    path.write_text("".join(f"{key}={value}\n" for key, value in config.items()))
    return path


def rmq_command(namesrv_port: int, broker_port: int, store_dir: Path, config_file: Path) -> list[str]:
    """How our server is started; the only place that knows the command line."""
    return [
        sys.executable,
        "-m",
        "rmq",
        "standalone",
        "--namesrv-port",
        str(namesrv_port),
        "--broker-port",
        str(broker_port),
        "--store",
        str(store_dir),
        "-c",
        str(config_file),
    ]


class RmqServer:
    """Our name server and broker in one process."""

    kind = "rmq"

    def __init__(self, home: Path, *, store_dir: Path | None = None, extra: dict[str, str] | None = None) -> None:
        self.home = home
        self.store_dir = store_dir or home / "store"
        self._namesrv_port, self._broker_port = free_port(), free_block(-2, 0, 1)
        self.namesrv_addr = f"127.0.0.1:{self._namesrv_port}"
        self.broker_addr = f"127.0.0.1:{self._broker_port}"
        self._config = write_config(home / "rmq.conf", {**BASE_CONFIG, **(extra or {})})
        self.restart()

    def spawn(self) -> None:
        words = rmq_command(self._namesrv_port, self._broker_port, self.store_dir, self._config)
        self._child = Child(
            words, cwd=self.home, env={"HOME": str(self.home), "PYTHONPATH": str(Path(__file__).parents[2])}
        )

    def restart(self) -> None:
        self.spawn()
        try:
            self._child.wait_line("The broker[", timeout=90)  # the name server boots before it
            wait_for_broker(self.namesrv_addr, self.broker_addr, timeout=60)
        except BaseException:
            self._child.kill()
            raise

    @property
    def pids(self) -> list[int]:
        return [self._child.pid]

    def stop(self) -> None:
        status = self._child.terminate()
        if status != 0:
            raise RuntimeError(f"rmq ended with status {status}:\n" + "\n".join(self._child.lines[-40:]))

    def kill(self) -> None:
        self._child.kill()


def rmq_server(home: Path, *, store_dir: Path | None = None, extra: dict[str, str] | None = None) -> RunningServer:
    """Our server, ready; `extra` are broker settings over the base ones."""
    return RmqServer(home, store_dir=store_dir, extra=extra)


def chosen_kind() -> str:
    """What RMQ_TEST_SERVER says."""
    kind = os.environ.get("RMQ_TEST_SERVER", "rmq")
    if kind not in {"apache", "rmq"}:
        raise ValueError(f"RMQ_TEST_SERVER={kind}: apache or rmq")
    return kind


def maker(kind: str) -> Maker:
    """The maker of that kind of server."""
    if kind == "rmq":
        return rmq_server
    from tests.kit.apache import ApacheCluster

    return ApacheCluster
