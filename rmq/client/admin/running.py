"""Consumers from the inside: what each client of a group holds, and what is wrong with it.

A broker relays the question to the client, over the connection that the client has opened.

Source: DefaultMQAdminExtImpl, ConsumerRunningInfo.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from rmq.client.admin.errors import GroupOfflineError
from rmq.client.admin.groups import consumer_connection
from rmq.client.admin.session import Admin
from rmq.client.admin.topics import addresses_of, topic_route
from rmq.wire.bodies.connection import Connection
from rmq.wire.bodies.heartbeat import ConsumeType
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.running import ConsumeMessageDirectlyResult, ConsumerRunningInfo
from rmq.wire.errors import RemotingError
from rmq.wire.names import retry_topic
from rmq.wire.requests.consumer import ConsumeMessageDirectly, GetConsumerRunningInfo

CONSUME_TYPE: Final = "PROP_CONSUME_TYPE"
ORDERLY: Final = "PROP_CONSUMEORDERLY"
STARTED: Final = "PROP_CONSUMER_START_TIMESTAMP"
_SETTLED_MILLIS: Final = 2 * 60 * 1000
"""A group that has just started may still be changing its subscriptions."""
_BLOCKED_MILLIS: Final = 60 * 1000


# --- asked of clients ----------------------------------------------------------------------------------------------


async def running_info(
    admin: Admin, group: str, client_id: str, *, address: str | None = None, jstack: bool = False
) -> ConsumerRunningInfo:
    """What a consumer says of itself.

    Args:
        admin: the session.
        group: its group.
        client_id: the client.
        address: the broker that relays; the first one that the group knows when None.
        jstack: with a dump of its threads.

    Raises:
        TopicNotExistError: the group has no retry topic.
        RemotingError: the client is not connected, or does not answer.
    """
    relay = address or await _relay(admin, group)
    return (await admin.call(relay, GetConsumerRunningInfo(group, client_id, jstack))).json(ConsumerRunningInfo)


async def _relay(admin: Admin, group: str) -> str:
    addresses = addresses_of(await topic_route(admin, retry_topic(group)))
    if not addresses:
        raise GroupOfflineError(f"no broker of the consumer group {group} is there")
    return addresses[0]


class Member(NamedTuple):
    """A client of a group, and what it says of itself or why it says nothing."""

    client: Connection
    info: ConsumerRunningInfo | RemotingError


async def members(admin: Admin, group: str, *, address: str | None = None, jstack: bool = False) -> list[Member]:
    """Every client of a group, by the word of one broker; see `running_info`.

    Raises:
        RemotingError: the group's clients cannot be listed.
    """
    clients = [
        client
        for client in (await consumer_connection(admin, group, address)).connection_set
        if client.client_id is not None
    ]
    relay = address or await _relay(admin, group)

    async def ask(client: Connection) -> ConsumerRunningInfo:
        return await running_info(admin, group, client.client_id or "", address=relay, jstack=jstack)

    infos = await admin.attempt_each(clients, ask)
    return [Member(client, info) for client, info in zip(clients, infos, strict=True)]


async def queue_owners(admin: Admin, group: str) -> dict[MessageQueue, str]:
    """Which client of a group, by its id, consumes which queue.

    Raises:
        RemotingError: the group or one of its clients cannot be asked.
    """
    owners: dict[MessageQueue, str] = {}
    for client, info in await members(admin, group):
        if isinstance(info, RemotingError):
            raise info
        owners.update(dict.fromkeys(info.mq_table, client.client_id or ""))
    return owners


class DirectPush(NamedTuple):
    """A stored message that one client is to consume now."""

    address: str
    topic: str
    offset_message_id: str


async def push_message(admin: Admin, push: DirectPush, group: str, client_id: str) -> ConsumeMessageDirectlyResult:
    """Lets a client consume a message now; the broker that stores it relays."""
    header = ConsumeMessageDirectly(group, client_id, push.offset_message_id, topic=push.topic)
    return (await admin.call(push.address, header)).json(ConsumeMessageDirectlyResult)


# --- what is wrong -------------------------------------------------------------------------------------------------


def is_push(info: ConsumerRunningInfo) -> bool:
    """Whether the client library drives the consumption."""
    return info.properties.get(CONSUME_TYPE) == ConsumeType.CONSUME_PASSIVELY


def same_subscriptions(infos: Mapping[str, ConsumerRunningInfo], now: int) -> bool:
    """Whether all clients of a group, by id, want the same.

    Nothing is said against pull consumers, nor within two minutes after the first client has started.
    """
    ordered = [infos[client_id] for client_id in sorted(infos)]
    if not ordered or not is_push(ordered[0]) or now - _number(ordered[0], STARTED) <= _SETTLED_MILLIS:
        return True
    wanted = [{(item.topic, item.sub_string) for item in info.subscription_set} for info in ordered]
    return all(other == wanted[0] for other in wanted)


class QueueTrouble(NamedTuple):
    """A queue on which a client does not get on; `text` says how, in Apache's words."""

    queue: MessageQueue
    text: str


def queue_troubles(client_id: str, info: ConsumerRunningInfo, now: int) -> list[QueueTrouble]:
    """The queues of a push consumer that it cannot lock or give back, or has not consumed for a minute."""
    if not is_push(info):
        return []
    orderly = info.properties.get(ORDERLY, "").lower() == "true"
    found = []
    for queue, held in sorted(info.mq_table.items()):
        trouble = ""
        if orderly and not held.locked:
            trouble = f"can't lock for a while, {now - held.last_lock_timestamp}ms"
        elif orderly and held.droped and held.try_unlock_times > 0:
            trouble = f"unlock {held.try_unlock_times} times, still failed"
        elif not orderly and held.cached_msg_count > 0 and now - held.last_consume_timestamp > _BLOCKED_MILLIS:
            trouble = f"can't consume for a while, maybe blocked, {now - held.last_consume_timestamp}ms"
        if trouble:
            found.append(QueueTrouble(queue, f"{client_id} {queue} {trouble}"))
    return found


def _number(info: ConsumerRunningInfo, name: str) -> int:
    text = info.properties.get(name, "")
    return int(text) if text.isdigit() else 0
