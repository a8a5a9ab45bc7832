"""An operator moves a group to other offsets, gives it those of another group, and asks where its clients are.

Two ways to move. With useServerSideResetOffset (the default) the broker keeps the new offsets and marks the queues: the
next pull of each is told to go on there, wherever its consumer was, and commits that come before do not count. It works
for groups that are offline too. Without it the broker only computes the offsets and tells every client of the group,
which drops what it holds and goes on there; a group that is offline cannot be moved.

    way                  which queues                  forward          who keeps the offset
    kept by the broker   all for reading, or one       always           the broker
    told to the clients  all for writing               with isForce     the clients, who commit it

A time before the first message means the first message, one after the last the end, and -1 the end too. A slave keeps
nothing: its offsets are the master's.

Source: AdminBrokerProcessor.resetOffset, AdminBrokerProcessor.resetOffsetInner,
AdminBrokerProcessor.cloneGroupOffset, Broker2Client.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.calls import request_command
from rmq.remoting.dispatch import Call, handles
from rmq.server.broker.clients import Client, ConsumerTable
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.settings.store import BrokerRole
from rmq.wire.bodies.offset import ConsumerStatus, MessageQueueOffset, ResetOffsetBody, ResetOffsetList
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.codes import VERSION_RESET_OFFSET, ResponseCode, version_name
from rmq.wire.command import Command
from rmq.wire.declare import decode_body
from rmq.wire.errors import (
    ConsumerNotOnlineError,
    InvalidParameterError,
    RemotingError,
    SubscriptionGroupNotExistError,
    TopicNotExistError,
)
from rmq.wire.requests.offset import CloneGroupOffset
from rmq.wire.requests.reset import (
    GetConsumerStatusFromClient,
    InvokeBrokerToGetConsumerStatus,
    InvokeBrokerToResetOffset,
    ResetConsumerClientOffset,
)

STATUS_SECONDS: Final = 5.0
"""Time that a client has to tell its offsets."""
MOST_STATUS_BYTES: Final = 256 * 1024
"""Longest answer of a client that is read."""
MOST_CLIENTS: Final = 1024
"""Most clients of which one answer tells the offsets."""

_CPP: Final = "CPP"

log = Logger()


class ResetProcessor:
    """Handles resets of offsets."""

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        groups: GroupTable,
        offsets: OffsetTable,
        consumers: ConsumerTable,
        store: MessageStore,
    ) -> None:
        self._broker = settings.broker
        self._store_settings = settings.store
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._consumers = consumers
        self._store = store

    @handles(InvokeBrokerToResetOffset)
    def reset(self, header: InvokeBrokerToResetOffset, call: Call) -> ResetOffsetBody:
        """Moves a group to a time, or one queue of it to an offset; tells the offsets."""
        if self._broker.use_server_side_reset_offset:
            if self._store_settings.broker_role is BrokerRole.SLAVE:
                raise RemotingError("Can not reset offset in slave broker")
            return self._keep(header)
        return self._tell(header, for_cpp=call.command.language == _CPP)

    # --- kept by the broker ---------------------------------------------------------------------------------------

    def _keep(self, header: InvokeBrokerToResetOffset) -> ResetOffsetBody:
        topic = self._topics.configs.get(header.topic)
        if topic is None:
            raise TopicNotExistError(f"Topic {header.topic} does not exist")
        if header.group not in self._groups.configs:
            raise SubscriptionGroupNotExistError(f"Group {header.group} does not exist")
        if header.queue_id < 0:
            queues = list(range(topic.read_queue_nums))
            if not queues:
                raise RemotingError("No queues to reset.")
            wanted = {queue_id: self._at(header.topic, queue_id, header.timestamp) for queue_id in queues}
        else:
            wanted = {header.queue_id: self._in_one(header, topic)}
        for queue_id, offset in wanted.items():
            self._offsets.reset(header.group, header.topic, queue_id, offset)
        log.info(
            "offsets of group {group} in topic {topic} are reset to {offsets}",
            group=header.group, topic=header.topic, offsets=wanted,
        )  # fmt: skip
        return self._body(header.topic, wanted)

    def _in_one(self, header: InvokeBrokerToResetOffset, topic: TopicConfig) -> int:
        name, queue_id, offset = header.topic, header.queue_id, header.offset
        queues = max(topic.read_queue_nums, topic.write_queue_nums)
        end = self._store.max_offset(name, queue_id)
        if queue_id >= queues and not end:
            raise InvalidParameterError(f"topic[{name}] has no queue {queue_id}")
        if offset is None or offset == -1:
            return self._at(name, queue_id, header.timestamp)
        start = self._store.min_offset(name, queue_id)
        if not start <= offset <= end + 1:
            raise RemotingError(f"Target offset {offset} not in consume queue range [{start}-{end}]")
        return offset

    def _at(self, topic: str, queue_id: int, timestamp: int) -> int:
        if timestamp < 0:
            return self._store.max_offset(topic, queue_id)
        return self._store.offset_by_time(topic, queue_id, timestamp)

    def _body(self, topic: str, wanted: dict[int, int]) -> ResetOffsetBody:
        name = self._broker.broker_name
        return ResetOffsetBody({MessageQueue(topic, name, queue_id): offset for queue_id, offset in wanted.items()})

    # --- told to the clients --------------------------------------------------------------------------------------

    def _tell(self, header: InvokeBrokerToResetOffset, *, for_cpp: bool) -> ResetOffsetBody:
        topic = self._topics.configs.get(header.topic)
        if topic is None:
            raise TopicNotExistError(f"reset offset failed, no topic in this broker. topic={header.topic}")
        wanted: dict[int, int] = {}
        for queue_id in range(topic.write_queue_nums):
            consumed = self._offsets.query(header.group, header.topic, queue_id)
            if consumed < 0:
                raise RemotingError(f"The consumer group <{header.group}> not exist")
            offset = self._at(header.topic, queue_id, header.timestamp)
            wanted[queue_id] = offset if header.is_force or offset < consumed else consumed
        body = self._body(header.topic, wanted)
        group = self._consumers.groups.get(header.group)
        if group is None:
            raise ConsumerNotOnlineError(
                f"Consumer not online, so can not reset offset, Group: {header.group} Topic: {header.topic} "
                f"Timestamp: {header.timestamp}"
            )
        clients = list(group.clients.values())
        _check_versions(clients)
        told = ResetConsumerClientOffset(group=header.group, topic=header.topic, timestamp=header.timestamp)
        payload = _listed(body) if for_cpp else body
        for client in clients:
            client.connection.send_oneway(request_command(told, payload, oneway=True))
        return body

    # --- copied ---------------------------------------------------------------------------------------------------

    @handles(CloneGroupOffset)
    def clone(self, header: CloneGroupOffset, call: Call) -> None:
        """Gives a group the offsets of another one, in one topic or in all in which that one has any.

        A source that is online gives only what it subscribes, unless `offline` says not to look.
        """
        source = self._consumers.groups.get(header.src_group)
        subscribed = source.subscriptions if source is not None and not header.offline else {}
        for topic in [header.topic] if header.topic else self._offsets.topics_of(header.src_group):
            if topic in self._topics.configs and (not subscribed or topic in subscribed):
                self._offsets.clone(header.src_group, header.dest_group, topic)

    # --- where clients are ----------------------------------------------------------------------------------------

    @handles(InvokeBrokerToGetConsumerStatus)
    def status(self, header: InvokeBrokerToGetConsumerStatus, call: Call) -> Deferred[ConsumerStatus]:
        """Offsets that the clients of a group hold of a topic; of one client if its id is given.

        Clients that do not answer are left out.
        """
        group = self._consumers.groups.get(header.group)
        if group is None:
            raise RemotingError(f"No Any Consumer online in the consumer group: [{header.group}]")
        clients = [
            client for client in group.clients.values()
            if not header.client_addr or client.client_id == header.client_addr
        ][:MOST_CLIENTS]  # fmt: skip
        _check_versions(clients)
        found = ConsumerStatus()

        def keep(answer: Command, client: Client) -> None:
            if answer.code == ResponseCode.SUCCESS and answer.body:
                held = decode_body(ConsumerStatus, answer.body, lenient_limit=MOST_STATUS_BYTES)
                found.consumer_table[client.client_id] = held.message_queue_table

        def skip(failure: Failure, client: Client) -> None:
            why = failure.getErrorMessage()
            log.warn("client {client} does not tell its offsets: {why}", client=client.client_id, why=why)

        asked = []
        for client in clients:
            question = request_command(GetConsumerStatusFromClient(topic=header.topic, group=header.group))
            answer = client.connection.call(question, STATUS_SECONDS)
            asked.append(answer.addCallback(keep, client).addErrback(skip, client))
        return gatherResults(asked).addCallback(lambda _: found)


def _check_versions(clients: Iterable[Client]) -> None:
    for client in clients:
        if client.version < VERSION_RESET_OFFSET:
            raise RemotingError(f"the client does not support this feature. version={version_name(client.version)}")


def _listed(body: ResetOffsetBody) -> ResetOffsetList:
    """The form that C++ clients read."""
    return ResetOffsetList(
        [
            MessageQueueOffset(topic=queue.topic, broker_name=queue.broker_name, queue_id=queue.queue_id, offset=offset)
            for queue, offset in body.offset_table.items()
        ]
    )
