"""Look-up of routes at the name server.

Source: GetRouteInfoRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.route import ClusterInfo, TopicRouteData
from rmq.wire.declare import request


@request(105, "GET_ROUTEINFO_BY_TOPIC", reply_body=TopicRouteData)
class GetRouteInfoByTopic:
    """Asks where a topic's queues are. `accept_standard_json_only` wants quoted integer keys."""

    topic: str
    accept_standard_json_only: bool | None = None


@request(106, "GET_BROKER_CLUSTER_INFO", reply_body=ClusterInfo)
class GetBrokerClusterInfo:
    """Asks for all clusters and brokers."""
