"""A name server and a broker in a thread of this process, for tests.

    with RocketMQ() as rocketmq:
        use(rocketmq.namesrv_addr)

They run on a reactor of their own, listen on free ports of the loopback address and keep their store in a directory
that goes away with them, so any client can be used: synchronous, asyncio, or another process in another language.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from twisted.python.failure import Failure

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 30.0

MIB: Final = 1024 * 1024

SMALL_STORE: Final[Mapping[str, Any]] = {
    "mapedFileSizeCommitLog": 16 * MIB,
    "mapedFileSizeConsumeQueue": 20 * 3000,
    "maxHashSlotNum": 5000,
    "maxIndexNum": 20_000,
    "diskMaxUsedSpaceRatio": 99,
}
"""What these brokers have that differs from a real one: little files, and no care about a nearly full disk."""


class RocketMQ:
    """A running name server and broker; ready when made.

    Args:
        directory: where the store is kept; a temporary one, removed at the end, when None.
        settings: broker keys by Apache's names, over the usual ones.

    Attributes:
        namesrv_addr: the name server, `host:port`.
        broker_addr: the broker, `host:port`.
        store_dir: the message store.

    Raises:
        Exception: what kept a server from starting.
    """

    def __init__(self, directory: Path | None = None, settings: Mapping[str, Any] | None = None) -> None:
        self._temporary = directory is None
        self._directory = directory or Path(tempfile.mkdtemp(prefix="rocketmq-"))
        self.store_dir = self._directory / "store"
        self.namesrv_addr = ""
        self.broker_addr = ""
        self._settings = {"brokerName": "broker-a", **SMALL_STORE, **(settings or {})}
        self._reactor: Any = None
        self._parts: Any = None
        self._thread = threading.Thread(target=self._run, name="rocketmq", daemon=True)
        self._ready: Future[None] = Future()
        self._thread.start()
        try:
            self._ready.result(START_SECONDS)
        except BaseException:
            self.stop()
            raise

    # --- in the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        # Imported here, so that a suite which never starts a server does not pay for it.
        try:
            from rmq.remoting.epoll import ServerReactor

            # Without patience: the clients that it would watch for are kept waiting by that in this process.
            self._reactor = reactor = ServerReactor(patience=0)
            reactor.callWhenRunning(self._begin)
            reactor.run(installSignalHandlers=False)
        except BaseException as error:
            self._fail(error)

    def _begin(self) -> None:
        from twisted.internet.defer import Deferred

        Deferred.fromCoroutine(self._start()).addErrback(self._start_failed)

    async def _start(self) -> None:
        from rmq.server.standalone import DEFAULT_HOST, Composition, namesrv_settings

        overrides = {
            "listenPort": 0,
            **self._settings,
            "storePathRootDir": str(self.store_dir),
            "storePathCommitLog": str(self.store_dir / "commitlog"),
        }
        namesrv = namesrv_settings(DEFAULT_HOST, 0, kvConfigPath=str(self._directory / "kvConfig.json"))
        self._parts = parts = Composition(self._reactor, namesrv, "", None, overrides)
        parts.namesrv.start()
        await parts.broker.start()
        self.namesrv_addr, self.broker_addr = parts.namesrv_address, parts.broker.address
        self._ready.set_result(None)

    def _start_failed(self, failure: Failure) -> None:
        self._fail(failure.value or RuntimeError("the servers did not start"))

    def _fail(self, error: BaseException) -> None:
        if not self._ready.done():
            self._ready.set_exception(error)

    async def _stop(self) -> None:
        try:
            if self._ready.done() and self._ready.exception() is None:
                await self._parts.broker.stop()
            if self._parts is not None:
                await self._parts.namesrv.stop()
        finally:
            self._reactor.stop()

    # --- in the caller's thread -----------------------------------------------------------------------------------

    def stop(self) -> None:
        """Ends both servers as a SIGTERM would; done when this returns. A second call does nothing."""
        if self._thread.is_alive() and self._reactor is not None:
            from twisted.internet.defer import Deferred

            self._reactor.callFromThread(lambda: Deferred.fromCoroutine(self._stop()))
            self._thread.join(STOP_SECONDS)
        if self._temporary:
            shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
