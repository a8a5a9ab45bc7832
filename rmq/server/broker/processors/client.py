"""Clients say that they are there, what they produce and consume, and good-bye.

Source: ClientManageProcessor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.clients import Client, ConsumerTable, ProducerTable
from rmq.server.broker.filters import FilterTable
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.heartbeat import CheckClientRequestBody, ConsumerData, ConsumerIdList, HeartbeatData
from rmq.wire.errors import InvalidFieldError, RemotingError
from rmq.wire.names import RETRY_PREFIX
from rmq.wire.requests.client import (
    CheckClientConfig,
    GetConsumerListByGroup,
    Heartbeat,
    HeartbeatReply,
    UnregisterClient,
)
from rmq.wire.subscription import is_tag_type

_UNIT_SUB: Final = 2
_MAX_CLIENT_ID: Final = 1024
_MAX_PRODUCER_GROUP: Final = 255
_MAX_HEARTBEAT: Final = 1024 * 1024
"""Longest heartbeat in bytes; what it says is kept as long as the client is there."""


class ClientProcessor:
    """Handles heartbeats and what belongs to them."""

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        groups: GroupTable,
        producers: ProducerTable,
        consumers: ConsumerTable,
        filters: FilterTable,
        seconds: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._groups = groups
        self._producers = producers
        self._consumers = consumers
        self._filters = filters
        self._seconds = seconds

    @handles(Heartbeat)
    def heartbeat(self, header: Heartbeat, call: Call) -> HeartbeatReply | Deferred[HeartbeatReply]:
        """Registers the sender in all groups that it names; unknown groups that may not be made are passed over."""
        if len(call.body) > _MAX_HEARTBEAT:
            raise InvalidFieldError(f"heartbeat of {len(call.body)} bytes is longer than {_MAX_HEARTBEAT}")
        data = call.json(HeartbeatData)
        if len(data.client_id) > _MAX_CLIENT_ID:
            raise InvalidFieldError(f"clientID of {len(data.client_id)} characters is longer than {_MAX_CLIENT_ID}")
        command = call.command
        client = Client(call.connection, data.client_id, command.language, command.version, self._seconds())
        fingerprint = data.heartbeat_fingerprint
        changed = False
        version = self._topics.version
        for consumer in data.consumer_data_set:
            if self._register(client, consumer, fingerprint, data.without_sub and fingerprint != 0):
                changed = True
        for producer in data.producer_data_set:
            if len(producer.group_name) > _MAX_PRODUCER_GROUP:
                raise InvalidFieldError(f"producer group {producer.group_name[:40]!r}... is longer than 255 characters")
            self._producers.register(producer.group_name, client)
        reply = HeartbeatReply(is_support_heart_beat_v2=True, is_sub_change=changed or fingerprint == 0)
        told = self._topics.told_since(version)
        return reply if told is None else told.addCallback(lambda _: reply)

    def _register(self, client: Client, data: ConsumerData, fingerprint: int, without_sub: bool) -> bool:
        group = self._groups.find(data.group_name)
        if group is None:
            return False
        self._topics.ensure(
            RETRY_PREFIX + data.group_name,
            group.retry_queue_nums,
            order=any(self._topics.is_order(wanted.topic) for wanted in data.subscription_data_set),
            sys_flag=_UNIT_SUB if data.unit_mode else 0,
        )
        changed = self._consumers.register(client, data, fingerprint=fingerprint, without_sub=without_sub)
        if not without_sub:
            self._filters.register(data.group_name, data.subscription_data_set)
        return changed

    @handles(UnregisterClient)
    def unregister(self, header: UnregisterClient, call: Call) -> None:
        """The sender leaves a producer group, a consumer group, or both."""
        if header.producer_group is not None:
            self._producers.unregister(header.producer_group, call.connection)
        if header.consumer_group is not None:
            self._consumers.unregister(header.consumer_group, call.connection)

    @handles(GetConsumerListByGroup)
    def consumer_list(self, header: GetConsumerListByGroup, call: Call) -> ConsumerIdList:
        """Ids of a group's members, for sharing the queues among them."""
        group = self._consumers.groups.get(header.consumer_group)
        if group is None:
            raise RemotingError(f"no consumer for this group, {header.consumer_group}")
        return ConsumerIdList(consumer_id_list=group.client_ids)

    @handles(CheckClientConfig)
    def check(self, header: CheckClientConfig, call: Call) -> Reply:
        """Whether this broker understands a subscription; of a wrong expression it tells where it is wrong."""
        wanted = call.json(CheckClientRequestBody).subscription_data
        if wanted is not None and not is_tag_type(wanted.expression_type):
            kind = wanted.expression_type
            if not self._settings.broker.enable_property_filter:
                raise RemotingError(f"The broker does not support consumer to filter message by {kind}")
            self._filters.compile(wanted.sub_string, kind)
        return Reply()
