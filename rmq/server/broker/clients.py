"""Who is connected: producers and consumers by group.

A client is known by its heartbeats and forgotten with its connection, or after two minutes without a heartbeat. When
the members of a consumer group or its subscribed topics change, all its clients are told at once, so that they share
the queues anew; broadcasting groups share nothing and are not told.

Consumers of one group must subscribe alike: the last heartbeat wins.

A heartbeat is free, so what it may claim is bounded: how many groups one connection is in, and how much all
subscriptions together hold. What is beyond is refused as busy.

Source: ConsumerManager, ConsumerGroupInfo, ProducerManager, DefaultConsumerIdsChangeListener.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rmq.remoting.calls import request_command
from rmq.remoting.protocol import Connection
from rmq.wire.bodies.heartbeat import ConsumeFromWhere, ConsumerData, ConsumeType, MessageModel, SubscriptionData
from rmq.wire.errors import SystemBusyError
from rmq.wire.requests.client import NotifyConsumerIdsChanged

CLIENT_EXPIRES_SECONDS: Final = 120.0
"""A client without a heartbeat for this long is dropped (ConsumerManager.CHANNEL_EXPIRED_TIMEOUT)."""
MOST_GROUPS: Final = 1024
"""Most producer groups, and most consumer groups, of one connection."""
SUBSCRIPTION_ROOM: Final = 32 * 1024 * 1024
"""About how many bytes the subscriptions of all groups may take together."""

_SUBSCRIPTION_BYTES: Final = 512
_TAG_BYTES: Final = 128


@dataclass(slots=True)
class Client:
    """One connected client of a group.

    Attributes:
        last_update: clock time of its last heartbeat.
    """

    connection: Connection
    client_id: str
    language: str
    version: int
    last_update: float


@dataclass(slots=True)
class ConsumerGroup:
    """A consumer group that is online."""

    name: str
    consume_type: ConsumeType = ConsumeType.CONSUME_PASSIVELY
    message_model: MessageModel = MessageModel.CLUSTERING
    consume_from_where: ConsumeFromWhere = ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET
    subscriptions: dict[str, SubscriptionData] = field(default_factory=dict)
    clients: dict[Connection, Client] = field(default_factory=dict)
    weight: int = 0

    @property
    def client_ids(self) -> list[str]:
        """Ids of all members."""
        return [client.client_id for client in self.clients.values()]

    def find(self, client_id: str) -> Client | None:
        """The member with this id."""
        return next((client for client in self.clients.values() if client.client_id == client_id), None)

    def subscribe(self, wanted: Iterable[SubscriptionData]) -> bool:
        """Takes over a heartbeat's subscriptions; True when the set of topics changed."""
        topics = {subscription.topic: subscription for subscription in wanted}
        changed = topics.keys() != self.subscriptions.keys()
        for topic in self.subscriptions.keys() - topics.keys():
            del self.subscriptions[topic]
        for topic, subscription in topics.items():
            known = self.subscriptions.get(topic)
            if known is None or subscription.sub_version > known.sub_version:
                self.subscriptions[topic] = subscription
        self.weight = sum(map(_weight, self.subscriptions.values()))
        return changed


def _weight(subscription: SubscriptionData) -> int:
    """About how many bytes a subscription takes."""
    tags = subscription.tags_set
    texts = len(subscription.topic) + len(subscription.sub_string or "") + len(subscription.expression_type)
    return (
        _SUBSCRIPTION_BYTES + texts + sum(map(len, tags)) + _TAG_BYTES * (len(tags) + len(subscription.code_set))
    )


class _Memberships:
    """Which groups each connection is in, so that its end needs to be watched only once."""

    def __init__(self, leave: Callable[[str, Connection], None]) -> None:
        self._leave = leave
        self._groups: dict[Connection, set[str]] = {}

    def check(self, name: str, connection: Connection) -> None:
        """Whether one more group is allowed.

        Raises:
            SystemBusyError: it is not.
        """
        groups = self._groups.get(connection)
        if groups is not None and len(groups) >= MOST_GROUPS and name not in groups:
            raise SystemBusyError(f"this connection is in {len(groups)} groups and may be in no more")

    def add(self, name: str, connection: Connection) -> None:
        """The connection is in this group now."""
        groups = self._groups.get(connection)
        if groups is None:
            groups = self._groups[connection] = set()
            connection.on_close(self._gone)
        groups.add(name)

    def remove(self, name: str, connection: Connection) -> None:
        """It no longer is."""
        groups = self._groups.get(connection)
        if groups is not None:
            groups.discard(name)

    def any(self, connection: Connection) -> bool:
        """Whether it is in any."""
        return bool(self._groups.get(connection))

    def _gone(self, connection: Connection) -> None:
        for name in self._groups.pop(connection, ()):
            self._leave(name, connection)


class ConsumerTable:
    """All consumer groups that are online.

    Args:
        seconds: the clock's time.
        may_notify: whether the clients of a group want to be told of changes.
        expires: seconds after which a client without a heartbeat is dropped.

    Attributes:
        groups: those with a client, by name.
        on_gone: called with the name of a group whose last client has gone.
    """

    def __init__(
        self,
        seconds: Callable[[], float],
        may_notify: Callable[[str], bool],
        *,
        expires: float = CLIENT_EXPIRES_SECONDS,
    ) -> None:
        self._seconds = seconds
        self._may_notify = may_notify
        self._expires = expires
        self._fingerprints: dict[str, int] = {}
        self._weight = 0
        self._memberships = _Memberships(self._leave)
        self.groups: dict[str, ConsumerGroup] = {}
        self.on_gone: Callable[[str], None] = lambda name: None

    def register(self, client: Client, data: ConsumerData, *, fingerprint: int = 0, without_sub: bool = False) -> bool:
        """Takes a heartbeat's part about one group.

        Args:
            client: who sent it.
            data: the group and what it subscribes.
            fingerprint: hash of the subscriptions, 0 from clients that do not send one.
            without_sub: the heartbeat leaves out subscriptions that were sent before.

        Returns:
            Whether the client must send everything: what was remembered has another fingerprint, or there is nothing.

        Raises:
            SystemBusyError: the connection is in too many groups, or there are too many subscriptions.
        """
        name = data.group_name
        self._memberships.check(name, client.connection)
        group = self.groups.get(name) or ConsumerGroup(name)
        if not without_sub:
            self._check_room(group, data)
        self.groups[name] = group
        known_fingerprint = self._fingerprints.get(name)
        self._fingerprints[name] = fingerprint
        group.consume_type = data.consume_type or group.consume_type
        group.message_model = data.message_model or group.message_model
        group.consume_from_where = data.consume_from_where or group.consume_from_where
        changed = client.connection not in group.clients
        group.clients[client.connection] = client
        self._memberships.add(name, client.connection)
        if not without_sub:
            before = group.weight
            changed = group.subscribe(data.subscription_data_set) or changed
            self._weight += group.weight - before
        if changed:
            self._notify(group)
        # After a restart, or when the last client had gone, there is nothing that a short heartbeat could mean.
        return without_sub if known_fingerprint is None else known_fingerprint != fingerprint

    def _check_room(self, group: ConsumerGroup, data: ConsumerData) -> None:
        weight = sum(map(_weight, data.subscription_data_set))
        if weight > group.weight and self._weight - group.weight + weight > SUBSCRIPTION_ROOM:
            raise SystemBusyError("the subscriptions of all groups take too much memory, no more are accepted")

    def unregister(self, name: str, connection: Connection) -> None:
        """A client says good-bye to a group."""
        self._leave(name, connection)

    def expire(self) -> None:
        """Closes the connections of clients without heartbeats."""
        for group in list(self.groups.values()):
            for client in _silent(group.clients, self._seconds() - self._expires):
                client.connection.abort(f"no heartbeat of {client.client_id!r} for {self._expires:g} s")
                self._leave(group.name, client.connection)

    def subscription(self, group: str, topic: str) -> SubscriptionData | None:
        """What an online group subscribes of a topic."""
        known = self.groups.get(group)
        return None if known is None else known.subscriptions.get(topic)

    def groups_of(self, topic: str) -> list[str]:
        """Online groups that subscribe a topic."""
        return [group.name for group in self.groups.values() if topic in group.subscriptions]

    def _leave(self, name: str, connection: Connection) -> None:
        group = self.groups.get(name)
        if group is None or group.clients.pop(connection, None) is None:
            return
        self._memberships.remove(name, connection)
        if not group.clients:
            del self.groups[name]
            self._weight -= group.weight
            self._fingerprints.pop(name, None)
            self.on_gone(name)
        else:
            self._notify(group)

    def _notify(self, group: ConsumerGroup) -> None:
        if group.message_model is MessageModel.BROADCASTING or not self._may_notify(group.name):
            return
        for client in group.clients.values():
            header = NotifyConsumerIdsChanged(consumer_group=group.name)
            client.connection.send_oneway(request_command(header, oneway=True))


class ProducerTable:
    """All producer groups that are online.

    Args:
        seconds: the clock's time.
        expires: seconds after which a client without a heartbeat is dropped.
    """

    def __init__(self, seconds: Callable[[], float], *, expires: float = CLIENT_EXPIRES_SECONDS) -> None:
        self._seconds = seconds
        self._expires = expires
        self._memberships = _Memberships(self.unregister)
        self._by_id: dict[str, Client] = {}
        self._ids: dict[Connection, str] = {}
        self.groups: dict[str, dict[Connection, Client]] = {}

    def register(self, name: str, client: Client) -> None:
        """Takes a heartbeat's part about one group.

        Raises:
            SystemBusyError: the connection is in too many groups.
        """
        self._memberships.check(name, client.connection)
        self._memberships.add(name, client.connection)
        self.groups.setdefault(name, {})[client.connection] = client
        if self._ids.get(client.connection) != client.client_id:
            self._forget_id(client.connection)
            self._ids[client.connection] = client.client_id
        self._by_id[client.client_id] = client

    def find(self, client_id: str) -> Client | None:
        """The client with this id, the one heard of last where several share it."""
        return self._by_id.get(client_id)

    def unregister(self, name: str, connection: Connection) -> None:
        """A client says good-bye, or is gone."""
        clients = self.groups.get(name)
        if clients is not None and clients.pop(connection, None) is not None:
            self._memberships.remove(name, connection)
            if not clients:
                del self.groups[name]
            if not self._memberships.any(connection):
                self._forget_id(connection)

    def _forget_id(self, connection: Connection) -> None:
        client_id = self._ids.pop(connection, "")
        known = self._by_id.get(client_id)
        if known is not None and known.connection is connection:
            del self._by_id[client_id]

    def expire(self) -> None:
        """Closes the connections of clients without heartbeats."""
        for name, clients in list(self.groups.items()):
            for client in _silent(clients, self._seconds() - self._expires):
                client.connection.abort(f"no heartbeat of {client.client_id!r} for {self._expires:g} s")
                self.unregister(name, client.connection)


def _silent(clients: Mapping[Connection, Client], since: float) -> list[Client]:
    """Clients whose last heartbeat is older."""
    return [client for client in clients.values() if client.last_update < since]
