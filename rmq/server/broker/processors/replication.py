"""What master and slaves of one broker name ask each other, and how far the slaves are.

What a slave replicates from, it hears from the name servers (see `rmq.server.broker.register`). What others tell it
in these requests - where a master is, which replica is the lowest - is taken note of by brokers whose slaves stand in
for their master; here it changes nothing.

Source: AdminBrokerProcessor.updateBrokerHaInfo, getBrokerHaStatus, resetMasterFlushOffset, notifyMinBrokerIdChange.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rmq.remoting.dispatch import Call, handles
from rmq.server.ha.master import SlaveState
from rmq.server.store.store import MessageStore
from rmq.wire.bodies.broker import HAClientRuntimeInfo, HAConnectionRuntimeInfo, HARuntimeInfo
from rmq.wire.requests.registration import NotifyMinBrokerIdChange
from rmq.wire.requests.replication import (
    ExchangeBrokerHaInfo,
    ExchangeBrokerHaInfoReply,
    GetBrokerHaStatus,
    ResetMasterFlushOffset,
)


class ReplicationProcessor:
    """Handles these requests.

    Args:
        store: the log that is replicated.
        address: the master's address as clients are told.
        ha_address: the address for slaves.
        slaves: what a master knows of its slaves.
        following: what a slave knows of its master; None on a master.
    """

    def __init__(
        self,
        store: MessageStore,
        address: str,
        ha_address: Callable[[], str],
        slaves: Callable[[], Sequence[SlaveState]],
        following: Callable[[], HAClientRuntimeInfo] | None,
    ) -> None:
        self._store = store
        self._address = address
        self._ha_address = ha_address
        self._slaves = slaves
        self._following = following

    @handles(ExchangeBrokerHaInfo)
    def exchange(self, header: ExchangeBrokerHaInfo, call: Call) -> ExchangeBrokerHaInfoReply:
        """Where a master's slaves connect to, and how far its log is on the disk; a slave tells nothing."""
        if self._following is not None or header.master_ha_address is not None:
            return ExchangeBrokerHaInfoReply()
        return ExchangeBrokerHaInfoReply(self._ha_address(), self._store.flushed_offset, self._address)

    @handles(GetBrokerHaStatus)
    def status(self, header: GetBrokerHaStatus, call: Call) -> HARuntimeInfo:
        """How far the slaves of a master are, or what a slave knows of its master."""
        if self._following is not None:
            return HARuntimeInfo(master=False, ha_client_runtime_info=self._following())
        end = self._store.log_max_offset
        slaves = [_told(slave, end) for slave in self._slaves()]
        return HARuntimeInfo(
            master=True,
            master_commit_log_max_offset=end,
            in_sync_slave_nums=sum(slave.in_sync for slave in slaves),
            ha_connection_info=slaves,
        )

    @handles(ResetMasterFlushOffset)
    def reset_flush_offset(self, header: ResetMasterFlushOffset, call: Call) -> None:
        """Sets what a slave believes of its master's log on the disk; a master knows that itself."""
        if self._following is not None:
            self._store.master_flushed_offset = header.master_flush_offset

    @handles(NotifyMinBrokerIdChange)
    def lowest_changed(self, header: NotifyMinBrokerIdChange, call: Call) -> None:
        """Nothing follows from it, as nobody stands in for a master."""


def _told(slave: SlaveState, end: int) -> HAConnectionRuntimeInfo:
    return HAConnectionRuntimeInfo(
        addr=slave.address,
        slave_ack_offset=slave.ack,
        diff=end - slave.ack,
        in_sync=slave.in_sync,
        transferred_byte_in_second=slave.per_second,
        transfer_from_where=slave.sent,
        lag_millis=slave.lag_millis,
    )
