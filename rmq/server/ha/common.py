"""How far a slave's log agrees with its master's.

The stream itself carries no proof: a master sends from wherever the slave asks. So before each stream the slave looks
at its newest record and asks the master, by ordinary requests that Apache's brokers answer as well, for the record at
the same place. Equal bytes mean that everything before is equal too, because a log only grows; that is the usual case.

When they differ, one of the two went on alone: a promoted slave that is a slave again, or a master that lost what its
disk had not yet. Then the greatest record that both have is searched, in steps that double and halve. What the slave
has beyond it will be cut off. Nothing is ever concluded from a request that failed, nor before the peer has said that
it is a master of this slave's name with log files of the same size. Logs without any common record are left to the
operator: the slave's may be the only good one.

Source: none, Apache's slaves compare nothing without a controller. CommitLog for what is at an offset.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from rmq.remoting.calls import SUCCESS, Invoker
from rmq.remoting.errors import UnreadableAnswerError
from rmq.server.store.record import check_record
from rmq.server.store.store import MessageStore
from rmq.settings.load import parse_properties
from rmq.settings.model import BrokerSettings
from rmq.settings.store import BrokerRole
from rmq.wire.bodies.broker import KVTable
from rmq.wire.codes import ResponseCode
from rmq.wire.requests.broker import GetBrokerConfig, GetBrokerRuntimeInfo
from rmq.wire.requests.message import ViewMessageById

_FIRST_STEP: Final = 64 * 1024
"""Bytes that the search goes back first."""

_SAME: Final = {
    "brokerClusterName": "is of cluster",
    "brokerName": "is called",
    "mappedFileSizeCommitLog": "has log files of",
}
"""What master and slave have in common, with words for when they have not."""

_ROLE: Final = "brokerRole"


class ReplicationError(Exception):
    """Replication cannot go on; the text says why. It is tried again later."""


class NotOurMasterError(ReplicationError):
    """The broker at the master's address is not the master of this slave."""


class NothingInCommonError(ReplicationError):
    """Master and slave both have messages, and not one that is the same."""

    def __init__(self, address: str, start: int, end: int) -> None:
        super().__init__(
            f"no message between {start} and {end} of this slave's log is in the log of the master {address}. Nothing"
            " is removed. If the master's log is the right one, empty this slave's store directory"
        )


class CommonPoint(NamedTuple):
    """Where the stream can begin.

    Attributes:
        offset: everything before this physical offset is equal; what the slave has beyond it must go first.
        start_over: the master has nothing any more of what the slave has: all of it must go.
        first_record: the first record of the log, for a slave that has nothing: with it the stream can begin behind
            it, while offset 0 would mean the beginning of the last file to Apache's masters.
    """

    offset: int
    start_over: bool = False
    first_record: bytes = b""


class MasterRecords:
    """Asks a master about itself and its log.

    Args:
        invoker: sends the requests; nobody else should use it, see `record_at`.
        address: the master, `host:port`.
    """

    def __init__(self, invoker: Invoker, address: str) -> None:
        self._invoker = invoker
        self.address = address

    async def check_identity(self, settings: BrokerSettings) -> None:
        """Makes sure that this is the master of the slave with these settings.

        Raises:
            NotOurMasterError: it is another broker.
            RemotingError: it could not be asked, or refused to tell.
        """
        answer = await self._invoker.call(self.address, GetBrokerConfig())
        lines = answer.body.decode("utf-8", "replace").splitlines()
        wanted = "\n".join(line for line in lines if line.partition("=")[0] in (*_SAME, _ROLE))
        told = {entry.key: entry.text for entry in parse_properties(wanted)}
        for key, relation in _SAME.items():
            own = str(settings.value(key))
            if told.get(key) != own:
                raise NotOurMasterError(f"the broker at {self.address} {relation} {told.get(key)}, not {own} ({key})")
        if told.get(_ROLE) == BrokerRole.SLAVE.name:
            raise NotOurMasterError(f"the broker at {self.address} is a slave itself")

    async def min_offset(self) -> int:
        """Physical offset of the oldest byte of its log.

        Raises:
            ReplicationError: it does not tell.
            RemotingError: it could not be asked.
        """
        return await self._offset("commitLogMinOffset")

    async def max_offset(self) -> int:
        """Physical offset of its log's end; raises as `min_offset` does."""
        return await self._offset("commitLogMaxOffset")

    async def _offset(self, name: str) -> int:
        answer = await self._invoker.call(self.address, GetBrokerRuntimeInfo())
        told = answer.json(KVTable).table.get(name, "nothing")
        try:
            # Apache's says -1 while there is no file.
            return max(int(told), 0)
        except ValueError:
            raise ReplicationError(f"the master {self.address} gives {told} as {name}") from None

    async def record_at(self, offset: int) -> bytes | None:
        """The record that begins at a physical offset of its log; None when none does.

        Apache's broker takes any four bytes for a size and sends that much. When this is more than a frame may hold,
        the connection is given up, which therefore counts as an answer here; so no answers to others may come over the
        same connection.

        Raises:
            RemotingError: it could not be asked.
        """
        try:
            answer = await self._invoker.call(
                self.address, ViewMessageById(offset), accept=SUCCESS | {ResponseCode.SYSTEM_ERROR}
            )
        except UnreadableAnswerError:
            return None
        return answer.body if check_record(answer.body, offset) is None else None


async def find_common_point(ask: MasterRecords, store: MessageStore) -> CommonPoint:
    """Where a stream from this master can begin; changes nothing.

    Raises:
        NothingInCommonError: nowhere.
        ReplicationError, RemotingError: the master did not tell enough.
    """
    minimum = await ask.min_offset()
    end = store.log_max_offset
    if end < minimum:
        return CommonPoint(minimum, start_over=True)
    if end == 0:
        first = await ask.record_at(0) or b""
        return CommonPoint(len(first), first_record=first)
    newest = store.newest_record(minimum)
    if newest is None:
        return CommonPoint(end)
    place, record = newest
    if await ask.record_at(place) == record:
        record_end = place + len(record)
        # Between the newest record and the end lies the filler of a file. The master may have used that room, or not
        # have come to its end: an acknowledgement of it would be one for what will stand there.
        filled = record_end == end or (await ask.max_offset() >= end and await ask.record_at(record_end) is None)
        return CommonPoint(end if filled else record_end)
    floor = max(store.log_min_offset, minimum)
    common = await _last_common_end(ask, store, floor, place)
    if await ask.min_offset() != minimum or await ask.record_at(place) == record:
        # It removed files while it was asked, or answers otherwise now: nothing is proven.
        return await find_common_point(ask, store)
    if common is None:
        raise NothingInCommonError(ask.address, floor, end)
    return CommonPoint(common)


async def _last_common_end(ask: MasterRecords, store: MessageStore, floor: int, unequal: int) -> int | None:
    """Where the last record ends that is equal, None when none is.

    Args:
        floor: the beginning of the oldest file that both have.
        unequal: beginning of a record that is not equal.
    """
    step = _FIRST_STEP
    while True:
        low = max(store.boundary_before(max(unequal - step, floor) + 1) or floor, floor)
        size = await _equal_size(ask, store, low)
        if size:
            break
        if low == floor:
            return None
        unequal = low
        step *= 2
    # The last equal record begins at `low` or behind it, before `unequal`; no record begins between `low` and `near`.
    near = low
    while unequal - near > 1:
        middle = (near + unequal) // 2
        candidate = store.boundary_before(middle + 1) or floor
        if candidate <= low:
            near = middle
        elif found := await _equal_size(ask, store, candidate):
            low, near, size = candidate, middle, found
        else:
            unequal = candidate
    return low + size


async def _equal_size(ask: MasterRecords, store: MessageStore, offset: int) -> int:
    """Size of the record at an offset that both have, 0 when they do not."""
    own = store.message_at(offset)
    return len(own) if own is not None and await ask.record_at(offset) == own else 0
