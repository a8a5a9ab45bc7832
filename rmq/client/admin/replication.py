"""A master and its slaves.

Source: MQClientAPIImpl.
"""

from __future__ import annotations

from rmq.client.admin.session import Admin
from rmq.wire.bodies.broker import HARuntimeInfo
from rmq.wire.requests.replication import GetBrokerHaStatus, ResetMasterFlushOffset


async def ha_status(admin: Admin, address: str) -> HARuntimeInfo:
    """State of replication as one broker sees it."""
    return (await admin.call(address, GetBrokerHaStatus())).json(HARuntimeInfo)


async def reset_master_flush_offset(admin: Admin, address: str, offset: int) -> None:
    """Sets what a slave believes of its master: how many bytes of the log are on the disk. A master ignores it."""
    await admin.call(address, ResetMasterFlushOffset(offset))
