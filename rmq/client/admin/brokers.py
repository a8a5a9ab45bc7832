"""One broker: what it says of itself, its settings, and its clean-up.

Source: MQClientAPIImpl.
"""

from __future__ import annotations

from collections.abc import Mapping

from rmq.client.admin.properties import parse_properties, properties_text
from rmq.client.admin.session import Admin
from rmq.wire.bodies.broker import KVTable
from rmq.wire.requests.broker import (
    CleanExpiredConsumeQueue,
    CleanUnusedTopic,
    DeleteExpiredCommitLog,
    GetBrokerConfig,
    GetBrokerRuntimeInfo,
    UpdateBrokerConfig,
)


async def runtime_info(admin: Admin, address: str) -> dict[str, str]:
    """A broker's counters, rates and sizes by name."""
    return (await admin.call(address, GetBrokerRuntimeInfo())).json(KVTable).table


def first_number(text: str | None) -> float:
    """The first of the rates in a figure such as `putTps`, which are those of 10 s, 1 min and 10 min; 0 without any."""
    words = (text or "").split()
    try:
        return float(words[0]) if words else 0.0
    except ValueError:
        return 0.0


def whole_number(text: str | None) -> int:
    """A counter among the figures; 0 when there is none."""
    try:
        return int(text or "0")
    except ValueError:
        return 0


def log_end(figures: Mapping[str, str]) -> int:
    """Where a broker's log ends, bytes; 0 when it does not tell."""
    return whole_number(figures.get("commitLogMaxOffset"))


async def broker_config(admin: Admin, address: str) -> dict[str, str]:
    """A broker's settings by name, in the order in which it lists them."""
    return parse_properties((await admin.call(address, GetBrokerConfig())).body.decode("utf-8", "replace"))


async def update_broker_config(admin: Admin, address: str, values: Mapping[str, str]) -> None:
    """Changes settings of a broker; it keeps them in its file.

    Raises:
        NoPermissionError: a key may not be changed this way.
    """
    await admin.call(address, UpdateBrokerConfig(), properties_text(values))


async def clean_expired_queues(admin: Admin, address: str) -> None:
    """Lets a broker drop the files of consume queues that point only at messages which are gone."""
    await admin.call(address, CleanExpiredConsumeQueue())


async def clean_unused_topics(admin: Admin, address: str) -> None:
    """Lets a broker drop the consume queues of topics that do not exist any more."""
    await admin.call(address, CleanUnusedTopic())


async def delete_expired_log(admin: Admin, address: str) -> None:
    """Lets a broker delete expired files of its commit log now and not at the hour that is set for it."""
    await admin.call(address, DeleteExpiredCommitLog())
