"""Divides queues for clients that leave it to the broker, and takes the modes of groups.

Source: QueryAssignmentProcessor.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred

from rmq.remoting.dispatch import Call, handles
from rmq.server.broker.clients import ConsumerTable
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop.assigning import STRATEGIES, assign_pop, assign_pull
from rmq.server.broker.pop.modes import ModeTable
from rmq.server.broker.pop.routes import RouteCache
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.assignment import (
    MessageQueueAssignment,
    MessageRequestMode,
    MessageRequestModeBody,
    MessageRequestModes,
    QueryAssignmentBody,
    QueryAssignmentReply,
)
from rmq.wire.bodies.heartbeat import MessageModel
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.errors import (
    InvalidFieldError,
    NoPermissionError,
    ServiceNotAvailableError,
    SubscriptionGroupNotExistError,
    TopicNotExistError,
)
from rmq.wire.names import RETRY_PREFIX
from rmq.wire.requests.assignment import GetAllMessageRequestMode, QueryAssignment, SetMessageRequestMode

_MAX_BODY: Final = 16 * 1024


class AssignmentProcessor:
    """Handles requests about who gets which queues, and how."""

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        groups: GroupTable,
        consumers: ConsumerTable,
        modes: ModeTable,
        routes: RouteCache,
    ) -> None:
        self._broker = settings.broker
        self._topics = topics
        self._groups = groups
        self._consumers = consumers
        self._modes = modes
        self._routes = routes

    @handles(QueryAssignment)
    def query(self, header: QueryAssignment, call: Call) -> Deferred[QueryAssignmentReply]:
        """The queues of a client; none at all when it should leave things as they are."""
        wanted = _body_of(call).json(QueryAssignmentBody)

        def answer(queues: list[MessageQueue]) -> QueryAssignmentReply:
            mode = self._modes.of(wanted.topic, wanted.consumer_group)
            mine = self._divide(wanted, queues, mode)
            if mine is None:
                return QueryAssignmentReply()
            return QueryAssignmentReply([MessageQueueAssignment(queue, mode.mode) for queue in mine])

        return self._routes.queues(wanted.topic).addCallback(answer)

    def _divide(
        self, wanted: QueryAssignmentBody, queues: list[MessageQueue], mode: MessageRequestModeBody
    ) -> list[MessageQueue] | None:
        if not queues:
            return None
        if wanted.message_model is MessageModel.BROADCASTING or not self._broker.server_load_balancer_enable:
            return queues
        group = self._consumers.groups.get(wanted.consumer_group)
        strategy = STRATEGIES.get(wanted.strategy_name or "")
        if group is None or strategy is None:
            return None
        client_ids = sorted(group.client_ids)
        if mode.mode is MessageRequestMode.POP:
            return assign_pop(strategy, wanted.client_id, queues, client_ids, mode.pop_share_queue_num)
        return assign_pull(strategy, wanted.client_id, queues, client_ids)

    @handles(SetMessageRequestMode)
    def set_mode(self, header: SetMessageRequestMode, call: Call) -> None:
        """Lets a group pull or pop a topic from now on; its clients learn it when they next ask for queues."""
        wanted = _body_of(call).json(MessageRequestModeBody)
        topic, group = wanted.topic or "", wanted.consumer_group or ""
        if topic.startswith(RETRY_PREFIX):
            raise NoPermissionError("retry topic is not allowed to set mode")
        if topic not in self._topics.configs:
            raise TopicNotExistError(f"topic[{topic}] not exist")
        if self._groups.find(group) is None:
            raise SubscriptionGroupNotExistError("subscription group does not exist")
        try:
            self._modes.put(topic, group, wanted)
        except OSError as error:
            raise ServiceNotAvailableError(f"the mode cannot be kept on the disk now: {error}") from None

    @handles(GetAllMessageRequestMode)
    def all_modes(self, header: GetAllMessageRequestMode, call: Call) -> MessageRequestModes:
        """Every mode that was set."""
        return self._modes.all()


def _body_of(call: Call) -> Call:
    if len(call.body) > _MAX_BODY:
        raise InvalidFieldError(f"body of {len(call.body)} bytes is longer than {_MAX_BODY}")
    return call
