"""Static topics are made and changed.

Source: AdminBrokerProcessor.updateAndCreateStaticTopic.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rmq.remoting.dispatch import Call, handles
from rmq.server.broker.mapping.table import MappingTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.processors.topic import TopicProcessor
from rmq.server.delivery.hold import PullHold
from rmq.wire.bodies.mapping import TopicQueueMappingDetail
from rmq.wire.errors import InvalidParameterError
from rmq.wire.requests.topic import UpdateAndCreateStaticTopic


class StaticTopicProcessor:
    """Handles static topics.

    Args:
        checks: tells which configurations a topic may have.
    """

    def __init__(self, topics: TopicTable, mappings: MappingTable, checks: TopicProcessor, hold: PullHold) -> None:
        self._topics = topics
        self._mappings = mappings
        self._checks = checks
        self._hold = hold

    @handles(UpdateAndCreateStaticTopic)
    def update(self, header: UpdateAndCreateStaticTopic, call: Call) -> Deferred[None] | None:
        """Takes this broker's share of a static topic: its physical queues, and what they stand for."""
        detail = call.json(TopicQueueMappingDetail)
        if detail.topic != header.topic:
            raise InvalidParameterError(f"the mapping is of topic {detail.topic:.80}, not of {header.topic:.80}")
        # A topic keeps the attributes that it has: the request brings none.
        config = self._checks.wanted(header)
        self._topics.check_room([config])
        self._mappings.keep(self._mappings.accepted(detail, force=header.force))
        # Also where nothing but the mapping has changed: name servers look at topics only when their version is new.
        self._topics.put(config)
        self._hold.notify_all(config.topic_name)
        return self._topics.told()
