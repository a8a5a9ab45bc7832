"""Order configuration of topics: how many queues each broker has, kept in the name servers.

Source: DefaultMQAdminExtImpl.createOrUpdateOrderConf.
"""

from __future__ import annotations

from typing import Final

from rmq.client.admin.namesrv import delete_kv, put_kv
from rmq.client.admin.session import Admin
from rmq.wire.errors import QueryNotFoundError
from rmq.wire.requests.kv import GetKVConfig, GetKVConfigReply

NAMESPACE: Final = "ORDER_TOPIC_CONFIG"


async def order_conf(admin: Admin, topic: str) -> str | None:
    """A topic's order configuration, `broker:queues` joined by `;`.

    Raises:
        QueryNotFoundError: it has none.
    """
    reply: GetKVConfigReply = (await admin.ask(GetKVConfig(NAMESPACE, topic))).header
    return reply.value


async def put_order_conf(admin: Admin, topic: str, conf: str) -> None:
    """Sets a topic's order configuration in every name server.

    Raises:
        RemotingError: the first name server that refused or was silent; the others have taken it.
    """
    await admin.every(admin.nameservers, lambda address: put_kv(admin, address, NAMESPACE, topic, conf))


async def delete_order_conf(admin: Admin, topic: str) -> None:
    """Removes a topic's order configuration from every name server. Raises as `put_order_conf`."""
    await admin.every(admin.nameservers, lambda address: delete_kv(admin, address, NAMESPACE, topic))


async def put_broker_order(admin: Admin, topic: str, broker: str, queues: int) -> None:
    """Sets one broker's part of a topic's order configuration and keeps the others'."""
    try:
        known = await order_conf(admin, topic) or ""
    except QueryNotFoundError:
        known = ""
    kept = {}
    for entry in known.split(";"):
        name, colon, _ = entry.partition(":")
        if colon:
            kept[name] = entry
    kept[broker] = f"{broker}:{queues}"
    await put_order_conf(admin, topic, ";".join(kept.values()))
