"""A RocketMQ cluster of several processes, for tests of what happens when one of them goes.

    with RocketMQCluster("2m-2s-sync") as cluster:
        use(cluster.namesrv_addr)
        cluster.members["broker-a"].kill()
        use(cluster.namesrv_addr)
        cluster.members["broker-a"].start()
        cluster.wait_in_step()

A member (`rmq.server.members.Member`) has `kill`, `stop`, `start` and `restart`, which return when that is done, and
tells its `address`, `store_dir`, `log`, `pid`, `is_running` and `exit_code`. Brokers are called as their files in
`conf/`: `broker-a`, `broker-a-s`; name servers `namesrv-1` and so on.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rmq.server.clusters import STEP_SECONDS, Cluster
from rmq.server.members import Member
from rmq.testing.server import SMALL_STORE


class RocketMQCluster:
    """Running name servers and brokers; ready when made, slaves in step with their masters.

    Args:
        mode: `single`, `2m-noslave`, `2m-2s-async` or `2m-2s-sync`.
        directory: where each member has a directory; a temporary one, removed at the end, when None.
        settings: keys of every broker by Apache's names, over the mode's.
        name_servers: how many.

    Attributes:
        namesrv_addr: the name servers, `host:port` joined by `;`.
        members: the name servers and brokers by their names.

    Raises:
        UnknownModeError: there is no such mode.
        ClusterInUseError: a cluster runs in this directory.
        SettingError: the settings cannot be used.
        MemberError: a server cannot start; the text says which and why.
    """

    def __init__(
        self,
        mode: str,
        directory: Path | None = None,
        settings: Mapping[str, Any] | None = None,
        *,
        name_servers: int = 1,
    ) -> None:
        with ExitStack() as undo:
            if directory is None:
                directory = Path(tempfile.mkdtemp(prefix="rocketmq-"))
                undo.callback(shutil.rmtree, directory, ignore_errors=True)
            self._cluster = Cluster(
                mode, directory, name_servers=name_servers, settings={**SMALL_STORE, **(settings or {})}
            )
            undo.callback(self._cluster.stop)
            self.members: dict[str, Member] = self._cluster.members
            self._cluster.start()
            self.namesrv_addr: str = self._cluster.namesrv_addr
            self.wait_in_step()
            self._undo = undo.pop_all()

    def wait_in_step(self, seconds: float = STEP_SECONDS) -> None:
        """Returns when every slave that runs has all that its master has, where that runs too.

        Raises:
            MemberError: a master's slaves are not so far after these seconds.
        """
        self._cluster.wait_in_step(seconds)

    def stop(self) -> None:
        """Ends all members as a SIGTERM would, brokers first; gone when this returns. A second call does nothing.

        Raises:
            MemberError: one did not end and was killed.
        """
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
