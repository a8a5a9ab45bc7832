"""Whether a stream comes from the master that the logs were compared with.

The stream itself says nothing of that, and it may come from another address than the answers: `haMasterAddress` can be
set wrong, and a slave that is empty, or as long as a stranger's log, would take that one's messages without noticing.
So the first record of each stream is compared with the one that the master has at the same place, and nothing is taken
before. Which address it is does not matter: behind another network, or from another slave of that master, the record is
the same.

A log that ends with a file may be followed by filler, which proves nothing and harms nothing; then it is the first
record after it.

Source: none, Apache's slaves take what comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import CancelledError, Deferred

from rmq.server.ha.common import MasterRecords, ReplicationError
from rmq.server.ha.receiver import NoRoomError
from rmq.server.store.api import NotContiguousError, StoreError
from rmq.server.store.record import RECORD_MAGICS, check_record
from rmq.server.store.replica import Replica
from rmq.wire.errors import RemotingError
from rmq.wire.layouts import BLANK_RECORD
from rmq.wire.sysflag import BLANK_MAGIC

_ENOUGH: Final = 4096
"""Bytes of a record that are compared, if it has so many: they hold its times, its place, its hosts."""


class WrongStreamError(ReplicationError):
    """The stream is that of another log."""

    def __init__(self, ha_address: str, address: str, place: int) -> None:
        super().__init__(
            f"the stream from {ha_address} is not that of the master {address}: what it brings for offset {place} is"
            " not what that one has there. haMasterAddress must be where this master listens for its slaves"
        )


class StreamProof:
    """Stands before a replica until a stream is proven; a receiver feeds it in its place.

    Args:
        replica: takes the log.
        ask: the master.
        ha_address: where the stream comes from, `host:port`.
        pause: nothing more is to be read from the stream.
        resume: reading goes on, into the replica itself, and what was taken is to be reported.
        refuse: the stream is to end, for this reason.

    Attributes:
        refused: why the stream is not followed, None as long as nothing speaks against it.
    """

    def __init__(
        self,
        replica: Replica,
        ask: MasterRecords,
        ha_address: str,
        *,
        pause: Callable[[], None],
        resume: Callable[[], None],
        refuse: Callable[[Exception], None],
    ) -> None:
        self._replica = replica
        self._ask = ask
        self._ha_address = ha_address
        self._pause = pause
        self._resume = resume
        self._refuse = refuse
        self._held = bytearray()
        self._filler = 0
        self._checking: Deferred[None] | None = None
        self.refused: Exception | None = None

    @property
    def received(self) -> int:
        """See `Replica.received`: what is held back here does not count."""
        return self._replica.received

    @property
    def stalled(self) -> bool:
        """See `Replica.stalled`."""
        return self._replica.stalled

    def feed(self, offset: int, data: bytes) -> int:
        """See `Replica.feed`."""
        expected = self.received + len(self._held)
        if offset != expected:
            raise NotContiguousError(expected, offset)
        self._held += data
        return self._look()

    def announce(self) -> None:
        """See `Replica.announce`."""
        self._replica.announce()

    def stop(self) -> None:
        """The stream has ended."""
        if self._checking is not None:
            self._checking.cancel()

    def _look(self) -> int:
        """Passes filler on; begins to check as soon as there is enough of a record. How many messages became whole."""
        held = self._held
        taken = 0
        while held and self._checking is None and not self.stalled:
            if not self._filler:
                if len(held) < BLANK_RECORD.size:
                    break
                size, magic = BLANK_RECORD.unpack_from(held)
                if magic != BLANK_MAGIC:
                    if magic not in RECORD_MAGICS or len(held) >= min(size, _ENOUGH):
                        self._check()
                    break
                self._filler = size
            piece = bytes(held[: self._filler])
            taken += self._replica.feed(self.received, piece)
            self._filler -= len(piece)
            del held[: len(piece)]
        return taken

    def _check(self) -> None:
        self._pause()
        self._checking = Deferred.fromCoroutine(self._prove(self.received))

    async def _prove(self, place: int) -> None:
        try:
            record = await self._ask.record_at(place)
            if not self._is_masters(record, place):
                raise WrongStreamError(self._ha_address, self._ask.address, place)
            data, self._held = bytes(self._held), bytearray()
            self._replica.feed(place, data)
            if self.stalled:
                raise NoRoomError
        except CancelledError:
            return
        except (ReplicationError, RemotingError, StoreError) as error:
            self.refused = error
            self._refuse(error)
            return
        self._resume()

    def _is_masters(self, record: bytes | None, place: int) -> bool:
        if record is None:
            # A damaged record is none to the master, but it sends it all the same.
            size = int.from_bytes(self._held[:4], "big")
            return len(self._held) >= size and check_record(bytes(self._held[:size]), place) is not None
        length = min(len(record), len(self._held))
        return record[:length] == self._held[:length]
