"""Order configuration of topics: how many queues each broker has, kept in the name servers.

Source: DefaultMQAdminExtImpl.createOrUpdateOrderConf.
"""

from __future__ import annotations

from typing import Final

from rmq.client.admin.session import Admin
from rmq.wire.errors import QueryNotFoundError
from rmq.wire.requests.kv import GetKVConfig, GetKVConfigReply, PutKVConfig

NAMESPACE: Final = "ORDER_TOPIC_CONFIG"


async def order_conf(admin: Admin, topic: str) -> str | None:
    """A topic's order configuration, `broker:queues` joined by `;`, or None."""
    try:
        reply: GetKVConfigReply = (await admin.ask(GetKVConfig(NAMESPACE, topic))).header
    except QueryNotFoundError:
        return None
    return reply.value


async def put_order_conf(admin: Admin, topic: str, conf: str) -> None:
    """Sets a topic's order configuration in every name server."""
    await admin.each(admin.nameservers, lambda address: admin.call(address, PutKVConfig(NAMESPACE, topic, conf)))


async def put_broker_order(admin: Admin, topic: str, broker: str, queues: int) -> None:
    """Sets one broker's part of a topic's order configuration and keeps the others'."""
    kept = {}
    for entry in (await order_conf(admin, topic) or "").split(";"):
        name, colon, _ = entry.partition(":")
        if colon:
            kept[name] = entry
    kept[broker] = f"{broker}:{queues}"
    await put_order_conf(admin, topic, ";".join(kept.values()))
