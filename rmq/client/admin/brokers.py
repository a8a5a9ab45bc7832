"""What a broker says of itself.

Source: MQClientAPIImpl.
"""

from __future__ import annotations

from rmq.client.admin.session import Admin
from rmq.wire.bodies.broker import KVTable
from rmq.wire.requests.broker import GetBrokerConfig, GetBrokerRuntimeInfo


async def runtime_info(admin: Admin, address: str) -> dict[str, str]:
    """A broker's counters, rates and sizes by name."""
    return (await admin.call(address, GetBrokerRuntimeInfo())).json(KVTable).table


async def broker_config(admin: Admin, address: str) -> dict[str, str]:
    """A broker's settings by name, in the order in which it lists them."""
    return parse_properties((await admin.call(address, GetBrokerConfig())).body.decode("utf-8", "replace"))


def parse_properties(text: str) -> dict[str, str]:
    """Reads `key=value` lines as MixAll.properties2String writes them: nothing is escaped, a value may hold `=`."""
    pairs = (line.partition("=") for line in text.splitlines() if line and not line.startswith("#"))
    return {key: value for key, equals, value in pairs if equals}
