"""Which offsets groups have committed at a slave, on the disk: a restart must not forget what to tell the master.

`config/consumerOffset.json` cannot say it: it is Apache's. So `config/slaveConsumerOffset.json` stands beside it, and
belongs to one save of it: it is written first, and names the version that the other is about to get and the one that it
still has. A start finds

- the version it was to get: a mark counts where the offset is the marked one;
- the version it had: the process was killed between the two, and the marked offsets are the newer ones;
- another one: a broker that was no slave, or Apache's, has written since. Then nothing counts.

Source: none, Apache's slaves tell their masters nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from twisted.logger import Logger

from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError
from rmq.server.broker.meta.offsets import Queue, key_of, names_in
from rmq.wire import fastjson
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import Int32, Int64, body, decode_body, to_plain

log = Logger()


class Marked(NamedTuple):
    """A queue's offset that was committed at a slave.

    Attributes:
        offset: it.
        before: the master's, as far as was known, when it was committed.
    """

    offset: int
    before: int


@body
class _MarksFile:
    data_version: DataVersion | None = None
    former_version: DataVersion | None = None
    offset_table: dict[str, dict[Int32, Int64]] | None = None
    before_table: dict[str, dict[Int32, Int64]] | None = None


class OffsetMarks:
    """What the module says.

    Args:
        file: `config/slaveConsumerOffset.json`.
    """

    def __init__(self, file: ConfigFile) -> None:
        self._file = file
        self._kept = _MarksFile()
        self._marks: dict[Queue, Marked] = {}

    def load(self, version: DataVersion) -> tuple[dict[Queue, Marked], bool]:
        """The marks that go with a version of consumerOffset.json, and whether they are newer than it.

        Raises:
            ConfigFileError: the file is damaged.
        """
        kept = self._file.load(lambda content: decode_body(_MarksFile, content)) or _MarksFile()
        self._kept, self._marks = kept, _marks_of(kept)
        newer = version == kept.former_version
        return (self._marks if newer or version == kept.data_version else {}), newer

    def save(self, marks: dict[Queue, Marked], former: DataVersion, version: DataVersion) -> None:
        """Keeps marks, before consumerOffset.json of version `former` is replaced by that of `version`.

        Raises:
            OSError: the disk refuses.
        """
        if marks or self._marks:
            self._write(marks, former, version)

    def keep_only(self, queues: set[Queue]) -> None:
        """Drops the marks of all other queues, at once.

        Raises:
            OSError: the disk refuses.
        """
        marks = {queue: marked for queue, marked in self._marks.items() if queue in queues}
        if len(marks) != len(self._marks):
            self._write(marks, self._kept.former_version, self._kept.data_version)

    def drop(self) -> None:
        """This broker is no slave now: what groups commit here from now on makes all marks wrong."""
        try:
            self.load(DataVersion())
            if not self._marks:
                return
        except ConfigFileError:
            log.warn("the marks of a former slave are removed unread")
        try:
            self._write({}, None, None)
        except OSError as error:
            log.warn("the marks of a former slave cannot be removed now: {error}", error=error)

    def _write(self, marks: dict[Queue, Marked], former: DataVersion | None, version: DataVersion | None) -> None:
        offsets: dict[str, dict[int, int]] = {}
        before: dict[str, dict[int, int]] = {}
        for (group, topic, queue_id), marked in marks.items():
            key = key_of(topic, group)
            offsets.setdefault(key, {})[queue_id] = marked.offset
            before.setdefault(key, {})[queue_id] = marked.before
        kept = _MarksFile(version, former, offsets, before)
        self._file.save(fastjson.dumps(to_plain(kept), pretty=True))
        self._kept, self._marks = kept, marks


def _marks_of(kept: _MarksFile) -> dict[Queue, Marked]:
    marks = {}
    before = kept.before_table or {}
    for key, offsets in (kept.offset_table or {}).items():
        if (names := names_in(key)) is not None:
            topic, group = names
            for queue_id, offset in offsets.items():
                marks[group, topic, queue_id] = Marked(offset, before.get(key, {}).get(queue_id, -1))
    return marks
