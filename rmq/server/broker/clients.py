"""Who is connected: producers and consumers by group.

A client is known by its heartbeats and forgotten with its connection, or after two minutes without a heartbeat. When
the members of a consumer group or its subscribed topics change, all its clients are told at once, so that they share
the queues anew; broadcasting groups share nothing and are not told.

Consumers of one group must subscribe alike: the last heartbeat wins.

Source: ConsumerManager, ConsumerGroupInfo, ProducerManager, DefaultConsumerIdsChangeListener.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from rmq.remoting.calls import request_command
from rmq.remoting.protocol import Connection
from rmq.wire.bodies.heartbeat import ConsumeFromWhere, ConsumerData, ConsumeType, MessageModel, SubscriptionData
from rmq.wire.requests.client import NotifyConsumerIdsChanged

CLIENT_EXPIRES_SECONDS: Final = 120.0
"""A client without a heartbeat for this long is dropped (ConsumerManager.CHANNEL_EXPIRED_TIMEOUT)."""


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
        return changed


class ConsumerTable:
    """All consumer groups that are online.

    Args:
        seconds: the clock's time.
        may_notify: whether the clients of a group want to be told of changes.
    """

    def __init__(self, seconds: Callable[[], float], may_notify: Callable[[str], bool]) -> None:
        self._seconds = seconds
        self._may_notify = may_notify
        self._fingerprints: dict[str, int] = {}
        self.groups: dict[str, ConsumerGroup] = {}

    def register(self, client: Client, data: ConsumerData, *, fingerprint: int = 0, without_sub: bool = False) -> bool:
        """Takes a heartbeat's part about one group.

        Args:
            client: who sent it.
            data: the group and what it subscribes.
            fingerprint: hash of the subscriptions, 0 from clients that do not send one.
            without_sub: the heartbeat leaves out subscriptions that were sent before.

        Returns:
            Whether the fingerprint differs from the one remembered, so that the client must send everything.
        """
        name = data.group_name
        known_fingerprint = self._fingerprints.get(name)
        self._fingerprints[name] = fingerprint
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = ConsumerGroup(name)
        group.consume_type = data.consume_type or group.consume_type
        group.message_model = data.message_model or group.message_model
        group.consume_from_where = data.consume_from_where or group.consume_from_where
        changed = self._join(group, client)
        if not without_sub:
            changed = group.subscribe(data.subscription_data_set) or changed
        if changed:
            self._notify(group)
        return known_fingerprint is not None and known_fingerprint != fingerprint

    def _join(self, group: ConsumerGroup, client: Client) -> bool:
        known = group.clients.get(client.connection)
        group.clients[client.connection] = client
        if known is None:
            client.connection.on_close(lambda gone: self._leave(group.name, gone))
        return known is None or known.client_id != client.client_id

    def unregister(self, name: str, connection: Connection) -> None:
        """A client says good-bye to a group."""
        self._leave(name, connection)

    def expire(self) -> None:
        """Closes the connections of clients without heartbeats."""
        limit = self._seconds() - CLIENT_EXPIRES_SECONDS
        for group in list(self.groups.values()):
            for client in list(group.clients.values()):
                if client.last_update < limit:
                    client.connection.abort(f"no heartbeat of {client.client_id} for {CLIENT_EXPIRES_SECONDS:g} s")
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
        if not group.clients:
            del self.groups[name]
            self._fingerprints.pop(name, None)
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
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self.groups: dict[str, dict[Connection, Client]] = {}

    def register(self, name: str, client: Client) -> None:
        """Takes a heartbeat's part about one group."""
        clients = self.groups.setdefault(name, {})
        if client.connection not in clients:
            client.connection.on_close(lambda gone: self.unregister(name, gone))
        clients[client.connection] = client

    def unregister(self, name: str, connection: Connection) -> None:
        """A client says good-bye, or is gone."""
        clients = self.groups.get(name)
        if clients is not None and clients.pop(connection, None) is not None and not clients:
            del self.groups[name]

    def expire(self) -> None:
        """Closes the connections of clients without heartbeats."""
        limit = self._seconds() - CLIENT_EXPIRES_SECONDS
        for name, clients in list(self.groups.items()):
            for client in list(clients.values()):
                if client.last_update < limit:
                    client.connection.abort(f"no heartbeat of {client.client_id} for {CLIENT_EXPIRES_SECONDS:g} s")
                    self.unregister(name, client.connection)
