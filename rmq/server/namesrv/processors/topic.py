"""Routes, clusters and topic lists, for clients and tools.

Source: ClientRequestProcessor, DefaultRequestProcessor of the name server, ZoneRouteRPCHook.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.namesrv import lookup
from rmq.server.namesrv.kv import ORDER_TOPIC_CONFIG, KvConfig
from rmq.server.namesrv.routes import RouteTables
from rmq.settings.namesrv import NamesrvConfig
from rmq.wire.bodies.route import ClusterInfo, TopicRouteData
from rmq.wire.bodies.topic import TopicList
from rmq.wire.codes import VERSION_STRICT_JSON
from rmq.wire.declare import encode_body
from rmq.wire.errors import SEE_FAQ, RemotingError, TopicNotExistError
from rmq.wire.requests.namesrv import (
    DeleteTopicInNamesrv,
    GetAllTopicListFromNameserver,
    GetHasUnitSubTopicList,
    GetHasUnitSubUnunitTopicList,
    GetSystemTopicListFromNs,
    GetTopicsByCluster,
    GetUnitTopicList,
    RegisterTopicInNamesrv,
)
from rmq.wire.requests.route import GetBrokerClusterInfo, GetRouteInfoByTopic

_ZONE_MODE: Final = "__ZONE_MODE"
_ZONE_NAME: Final = "__ZONE_NAME"


class TopicProcessor:
    """Look-ups.

    Args:
        tables: what is registered.
        kv: the key-value configuration.
        config: the name server's settings.
        now: the time in seconds; the server counts as started when this is made.
    """

    def __init__(self, tables: RouteTables, kv: KvConfig, config: NamesrvConfig, now: Callable[[], float]) -> None:
        self._tables = tables
        self._kv = kv
        self._config = config
        self._now = now
        self._started = now()

    @handles(GetRouteInfoByTopic)
    def route(self, header: GetRouteInfoByTopic, call: Call) -> Reply:
        """Where the topic's queues are, in the JSON that the asker's version reads."""
        config = self._config
        if config.need_wait_for_service and self._now() - self._started < config.wait_seconds_for_service:
            raise RemotingError("name server not ready")
        route = lookup.route_of(self._tables, header.topic, acting_master=config.support_acting_master)
        if route is None:
            raise TopicNotExistError(f"No topic route info in name server for the topic: {header.topic}{SEE_FAQ}")
        ext = call.command.ext
        zone = ext.get(_ZONE_NAME, "")
        if ext.get(_ZONE_MODE, "").lower() == "true" and zone.strip():
            route = lookup.within_zone(route, zone)
        if config.order_message_enable:
            route.order_topic_conf = self._kv.get(ORDER_TOPIC_CONFIG, header.topic)
        strict = call.command.version >= VERSION_STRICT_JSON or bool(header.accept_standard_json_only)
        return Reply(body=encode_body(route, strict=strict))

    @handles(GetBrokerClusterInfo)
    def cluster_info(self, _: GetBrokerClusterInfo, __: Call) -> ClusterInfo:
        """All clusters and brokers."""
        return lookup.cluster_info(self._tables)

    @handles(GetAllTopicListFromNameserver)
    def all_topics(self, _: GetAllTopicListFromNameserver, __: Call) -> TopicList:
        """The names of all topics."""
        _allow(self._config.enable_all_topic_list)
        return lookup.all_topics(self._tables)

    @handles(GetTopicsByCluster)
    def topics_of_cluster(self, header: GetTopicsByCluster, _: Call) -> TopicList:
        """The topics of a cluster; none when it is unknown."""
        _allow(self._config.enable_topic_list)
        return lookup.topics_of_cluster(self._tables, header.cluster)

    @handles(GetSystemTopicListFromNs)
    def system_topics(self, _: GetSystemTopicListFromNs, __: Call) -> TopicList:
        """The names of clusters and brokers."""
        return lookup.system_topics(self._tables)

    @handles(GetUnitTopicList)
    def unit_topics(self, _: GetUnitTopicList, __: Call) -> TopicList:
        """Topics of a unit."""
        _allow(self._config.enable_topic_list)
        return lookup.unit_topics(self._tables)

    @handles(GetHasUnitSubTopicList)
    def unit_sub_topics(self, _: GetHasUnitSubTopicList, __: Call) -> TopicList:
        """Topics that units subscribe to."""
        _allow(self._config.enable_topic_list)
        return lookup.unit_sub_topics(self._tables)

    @handles(GetHasUnitSubUnunitTopicList)
    def unit_sub_ununit_topics(self, _: GetHasUnitSubUnunitTopicList, __: Call) -> TopicList:
        """Topics outside units that units subscribe to."""
        _allow(self._config.enable_topic_list)
        return lookup.unit_sub_ununit_topics(self._tables)

    @handles(RegisterTopicInNamesrv)
    def register_topic(self, header: RegisterTopicInNamesrv, call: Call) -> None:
        """Adds a topic to the routes."""
        if call.body:
            self._tables.register_topic(header.topic, call.json(TopicRouteData).queue_datas)

    @handles(DeleteTopicInNamesrv)
    def delete_topic(self, header: DeleteTopicInNamesrv, _: Call) -> None:
        """Removes a topic from the routes."""
        self._tables.delete_topic(header.topic, header.cluster_name)


def _allow(enabled: bool) -> None:
    if not enabled:
        raise RemotingError("disable")
