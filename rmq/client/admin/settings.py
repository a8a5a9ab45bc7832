"""Settings of an export are made those of a running broker, as far as that can be.

Only settings of an export that a broker obeys at once are touched. Who a broker is (its name, cluster, id and role)
and what it reads at its start are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from rmq.client.admin.brokers import broker_config, update_broker_config
from rmq.client.admin.session import Admin

AT_ONCE: Final = frozenset(
    {
        "autoCreateSubscriptionGroup",
        "autoCreateTopicEnable",
        "fileReservedTime",
        "slaveReadEnable",
        "traceOn",
    }
)
"""Exported settings that every broker, Apache's and this project's, obeys from the next request on."""

CHANGED: Final = "changed"
SKIPPED: Final = "skipped"


class ImportedSetting(NamedTuple):
    """A setting that differed, and whether it was changed or skipped."""

    key: str
    before: str
    wanted: str
    outcome: str


async def import_settings(admin: Admin, address: str, wanted: Mapping[str, str]) -> list[ImportedSetting]:
    """Changes what differs and can be changed; what differs and cannot is told.

    Raises:
        RemotingError: the broker refuses; nothing has changed then.
    """
    known = await broker_config(admin, address)
    differing = [
        ImportedSetting(key, known[key], value, CHANGED if key in AT_ONCE else SKIPPED)
        for key, value in sorted(wanted.items())
        if key in known and known[key] != value
    ]
    changes = {item.key: item.wanted for item in differing if item.outcome == CHANGED}
    if changes:
        await update_broker_config(admin, address, changes)
    return differing
