"""A store with delayed messages in it, without a broker around: the clock stands, threads run at once."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from rmq.server.broker.delay.service import DelayService
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.server.broker.stats import BrokerStats
from rmq.server.store.api import AppendResult, StoreOptions
from rmq.server.store.env import Env
from rmq.server.store.store import MessageStore
from rmq.wire.message import StoredMessage, decode_message, pack_host
from tests.kit.broker import EPOCH, settings_of
from tests.kit.memory_files import MemoryFiles
from tests.kit.stores import SMALL, at_once

HOST = pack_host("127.0.0.1", 10911)
BORN = pack_host("10.0.0.1", 40000)
NOW = EPOCH * 1000
LOOK = 0.125
"""Steps of the clock, longer than the service's looks and exact in binary."""
MOMENT = 2**-20


class StepClock(Clock):
    """A clock on which what is called "at once" is called when time passes again: slices can be told apart."""

    def __init__(self) -> None:
        super().__init__()
        self.advance(EPOCH)

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> Any:
        return super().callLater(max(delay, MOMENT), callable, *args, **kw)

    def has_work(self) -> bool:
        """Whether something was to be called at once."""
        calls: list[Any] = list(self.getDelayedCalls())
        return any(call.getTime() <= self.seconds() + MOMENT for call in calls)

    def moment(self) -> None:
        """Lets what was to be called at once be called."""
        self.advance(MOMENT)


class Delays:
    """Store, service and hook under a directory; `again` is the next run on it, `copy` one after a kill."""

    def __init__(
        self, path: Path, *, clock: StepClock | None = None, files: MemoryFiles | None = None, env: Env | None = None,
        threads: Any = at_once, **settings: Any,
    ) -> None:  # fmt: skip
        self.path = path
        self.given = settings
        self.env = env or Env()
        self.files = files or MemoryFiles()
        self.clock = clock or StepClock()
        self.settings = settings_of(storePathRootDir=str(path), **{"mappedFileSizeTimerLog": 4096, **settings})
        # Progress is kept when the log is on the disk: let that be soon.
        options = StoreOptions(
            str(path), store_host=HOST, **{**SMALL, "mapped_file_size_commit_log": 1 << 20},
            message_delay_level=self.settings.store.message_delay_level, flush_interval_commit_log=LOOK,
            flush_commit_log_least_pages=0,
        )  # fmt: skip
        self.store = MessageStore(options, self.env, self.clock, at_once)
        self.store.open()
        self.stats = BrokerStats(self.clock, "C", self.now)
        self.wakes = 0
        self.service = DelayService(
            self.clock, self.settings, self.store, self.stats, lambda name: ConfigFile(name, self.files), self.env,
            threads, self._woken,
        )  # fmt: skip
        self.service.load()
        self.putter = MessagePutter(self.store)
        self.putter.hooks.append(self.service.hook)

    def _woken(self) -> None:
        self.wakes += 1

    def now(self) -> int:
        return int(self.clock.seconds() * 1000)

    def start(self) -> "Delays":
        self.store.start()
        self.service.start()
        return self

    def put(
        self, body: bytes = b"body", topic: str = "T", queue_id: int = 0, *, sys_flag: int = 0, **properties: str
    ) -> AppendResult:
        return self.putter.put(
            MessageInner(topic, queue_id, body, properties, 7, sys_flag, NOW - 1, BORN, reconsume_times=2)
        )

    def run(self, seconds: float) -> None:
        """Lets time pass in steps, and all slices of work be done."""
        for _ in range(round(seconds / LOOK)):
            start = self.clock.seconds()
            self.clock.advance(LOOK / 2)
            while self.clock.has_work():
                self.clock.moment()
            self.clock.advance(start + LOOK - self.clock.seconds())

    def messages(self, topic: str = "T", queue_id: int = 0) -> list[StoredMessage]:
        found = []
        for offset in range(self.store.max_offset(topic, queue_id)):
            record = self.store.queue_message(topic, queue_id, offset)
            assert record is not None
            found.append(decode_message(record))
        return found

    def bodies(self, topic: str = "T", queue_id: int = 0) -> list[bytes]:
        return [message.body for message in self.messages(topic, queue_id)]

    def stop(self) -> None:
        self.service.stop()
        self.store.close()

    def again(self, **settings: Any) -> "Delays":
        """Stops cleanly and begins the next run, at the same time."""
        self.stop()
        return Delays(self.path, clock=self.clock, files=self.files, **{**self.given, **settings})

    def copy(self, name: str) -> "Delays":
        """The next run as if this one had been killed now."""
        path = self.path.parent / name
        shutil.copytree(self.path, path)
        clock = StepClock()
        clock.advance(self.clock.seconds() - EPOCH)
        return Delays(path, clock=clock, files=MemoryFiles(dict(self.files.files)), **self.given)
