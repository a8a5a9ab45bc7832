"""Administration of the name server.

Source: WipeWritePermOfBrokerRequestHeader, AddWritePermOfBrokerRequestHeader, DeleteTopicFromNamesrvRequestHeader,
RegisterTopicRequestHeader, GetTopicsByClusterRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.route import TopicRouteData
from rmq.wire.bodies.topic import TopicList
from rmq.wire.declare import Int32, header, request


@header
class WipeWritePermReply:
    """How many topics lost their write permission."""

    wipe_topic_count: Int32


@request(205, "WIPE_WRITE_PERM_OF_BROKER", reply=WipeWritePermReply, changes=True)
class WipeWritePermOfBroker:
    """Takes the write permission from all topics of a broker, in the routes only."""

    broker_name: str


@request(206, "GET_ALL_TOPIC_LIST_FROM_NAMESERVER", reply_body=TopicList)
class GetAllTopicListFromNameserver:
    """Asks for the names of all topics."""


@request(216, "DELETE_TOPIC_IN_NAMESRV", changes=True)
class DeleteTopicInNamesrv:
    """Removes a topic from the routes, of one cluster if it is given."""

    topic: str
    cluster_name: str | None = None


@request(217, "REGISTER_TOPIC_IN_NAMESRV", body=TopicRouteData, changes=True)
class RegisterTopicInNamesrv:
    """Adds a topic to the routes; only the queue data of the body count."""

    topic: str


@request(224, "GET_TOPICS_BY_CLUSTER", reply_body=TopicList)
class GetTopicsByCluster:
    """Asks for the topics of a cluster."""

    cluster: str


@request(304, "GET_SYSTEM_TOPIC_LIST_FROM_NS", reply_body=TopicList)
class GetSystemTopicListFromNs:
    """Asks for cluster and broker names, which are topics too."""


@request(311, "GET_UNIT_TOPIC_LIST", reply_body=TopicList)
class GetUnitTopicList:
    """Asks for topics with the unit bit."""


@request(312, "GET_HAS_UNIT_SUB_TOPIC_LIST", reply_body=TopicList)
class GetHasUnitSubTopicList:
    """Asks for topics with the unit subscription bit."""


@request(313, "GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST", reply_body=TopicList)
class GetHasUnitSubUnunitTopicList:
    """Asks for topics with the unit subscription bit and without the unit bit."""


@request(318, "UPDATE_NAMESRV_CONFIG", changes=True)
class UpdateNamesrvConfig:
    """Changes settings; the body is properties text."""


@request(319, "GET_NAMESRV_CONFIG")
class GetNamesrvConfig:
    """Asks for the settings; the answer's body is properties text."""


@header
class AddWritePermReply:
    """How many topics got their write permission back."""

    add_topic_count: Int32


@request(327, "ADD_WRITE_PERM_OF_BROKER", reply=AddWritePermReply, changes=True)
class AddWritePermOfBroker:
    """Gives the write permission back to all topics of a broker, in the routes only."""

    broker_name: str
