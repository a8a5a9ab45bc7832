"""One name server: its settings, its key-value configuration, and the write permission that its routes give a broker.

Name servers do not talk with each other. What is to hold for a cluster is said to each of them.

Source: MQClientAPIImpl.
"""

from __future__ import annotations

from collections.abc import Mapping

from rmq.client.admin.properties import parse_properties, properties_text
from rmq.client.admin.session import Admin
from rmq.wire.requests.kv import DeleteKVConfig, PutKVConfig
from rmq.wire.requests.namesrv import (
    AddWritePermOfBroker,
    AddWritePermReply,
    GetNamesrvConfig,
    UpdateNamesrvConfig,
    WipeWritePermOfBroker,
    WipeWritePermReply,
)


async def namesrv_config(admin: Admin, address: str) -> dict[str, str]:
    """A name server's settings by name, in the order in which it lists them."""
    return parse_properties((await admin.call(address, GetNamesrvConfig())).body.decode("utf-8", "replace"))


async def update_namesrv_config(admin: Admin, address: str, values: Mapping[str, str]) -> None:
    """Changes settings of a name server; it keeps them in its file.

    Raises:
        NoPermissionError: a key may not be changed this way.
    """
    await admin.call(address, UpdateNamesrvConfig(), properties_text(values))


async def put_kv(admin: Admin, address: str, namespace: str, key: str, value: str) -> None:
    """Sets a value in a name server."""
    await admin.call(address, PutKVConfig(namespace, key, value))


async def delete_kv(admin: Admin, address: str, namespace: str, key: str) -> None:
    """Removes a value from a name server; one that is not there is no error."""
    await admin.call(address, DeleteKVConfig(namespace, key))


async def wipe_write_perm(admin: Admin, address: str, broker: str) -> int:
    """Takes the write permission from a broker's topics in the routes of one name server.

    It lasts until the broker registers with something new.

    Returns:
        How many topics the broker has there.
    """
    reply: WipeWritePermReply = (await admin.call(address, WipeWritePermOfBroker(broker))).header
    return reply.wipe_topic_count


async def add_write_perm(admin: Admin, address: str, broker: str) -> int:
    """Makes all of a broker's topics readable and writable in the routes of one name server.

    Returns:
        How many topics the broker has there.
    """
    reply: AddWritePermReply = (await admin.call(address, AddWritePermOfBroker(broker))).header
    return reply.add_topic_count
