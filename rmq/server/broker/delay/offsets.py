"""How far each delay level has been delivered: `config/delayOffset.json`.

What is written there must be true after a loss of power too: a level's offset says that what it delivered is stored.
So a state is noted together with the log's end, and written once the log is on the disk up to there. After a crash
some messages are delivered again; none is passed over.

Source: ScheduleMessageService, DelayOffsetSerializeWrapper.
"""

from __future__ import annotations

from twisted.logger import Logger

from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire import fastjson
from rmq.wire.bodies.offset import DelayOffsets
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import decode_body, to_plain

log = Logger()


class DelayOffsetTable:
    """Offsets of the levels.

    Args:
        settings: how often the version changes.
        file: `config/delayOffset.json`.
        store: whose disk state is asked for.

    Attributes:
        offsets: for each level at which something happened, the queue offset of what is delivered next.
    """

    def __init__(self, settings: BrokerSettings, file: ConfigFile, store: MessageStore) -> None:
        self._broker = settings.broker
        self._file = file
        self._store = store
        self._changes = 0
        self._version = DataVersion()
        self._dirty = False
        self._noted: tuple[str, int] | None = None
        self.offsets: dict[int, int] = {}

    def load(self, now: int) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(lambda content: decode_body(DelayOffsets, content))
        self._version = DataVersion(timestamp=now)
        if stored is not None:
            self.offsets = dict(stored.offset_table)
            self._version = stored.data_version or self._version

    def move(self, level: int, offset: int, now: int) -> None:
        """A level has come to this offset."""
        if self.offsets.get(level) == offset:
            return
        self.offsets[level] = offset
        self._dirty = True
        self._changes += 1
        if self._changes % self._broker.delay_offset_update_version_step == 0:
            self._version = self._version.next(now)

    def assign(self, progress: DelayOffsets) -> None:
        """Takes another broker's progress; the store must hold everything that was delivered until then."""
        if progress.offset_table != self.offsets:
            self.offsets = dict(progress.offset_table)
            self._version = progress.data_version or self._version
            self._dirty = True
        self.note()
        self.write_noted()

    def note(self) -> None:
        """Marks the present state as the one to be written next."""
        if self._dirty and self._noted is None:
            self._dirty = False
            self._noted = (fastjson.dumps(self._plain(), pretty=True), self._store.log_max_offset)

    def write_noted(self) -> None:
        """Writes the marked state if all that it tells of is on the disk."""
        if self._noted is None or self._store.flushed_offset < self._noted[1]:
            return
        text = self._noted[0]
        self._noted = None
        self._write(text)

    def save(self) -> None:
        """Writes the present state, at a clean end: the store goes to the disk right after it."""
        if self._dirty or self._noted is not None:
            self._noted = None
            self._dirty = False
            self._write(fastjson.dumps(self._plain(), pretty=True))

    def to_json(self) -> bytes:
        """The content as it travels to slaves."""
        return fastjson.dumps(self._plain()).encode()

    def _write(self, text: str) -> None:
        try:
            self._file.save(text)
        except OSError as error:
            self._dirty = True
            log.warn("the progress of delay levels cannot be saved now: {error}", error=error)

    def _plain(self) -> dict[str, object]:
        ordered = dict(sorted(self.offsets.items()))
        return to_plain(DelayOffsets(data_version=self._version, offset_table=ordered))
