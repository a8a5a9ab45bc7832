"""Tells tools who is connected and how far groups are behind, and passes their questions on to clients.

Source: AdminBrokerProcessor.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Final, NoReturn

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.remoting.errors import CallTimeoutError
from rmq.server.broker.clients import Client, ConsumerTable, ProducerTable
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.stats import BrokerStats
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.connection import (
    Connection,
    ConsumerConnection,
    ProducerConnection,
    ProducerInfo,
    ProducerTableInfo,
)
from rmq.wire.bodies.consume import (
    ConsumeStats,
    ConsumeStatsList,
    ConsumeTimeSpans,
    GroupList,
    GroupSubscription,
    OffsetWrapper,
    QueueTimeSpan,
)
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.bodies.topic import TopicList
from rmq.wire.codes import VERSION_RUNNING_INFO, ResponseCode, version_name
from rmq.wire.command import Command, Ext
from rmq.wire.errors import ConsumerNotOnlineError, InvalidParameterError, RemotingError, TopicNotExistError
from rmq.wire.message import MessageError, parse_offset_message_id
from rmq.wire.requests.consumer import (
    ConsumeMessageDirectly,
    GetAllProducerInfo,
    GetBrokerConsumeStats,
    GetConsumerConnectionList,
    GetConsumerRunningInfo,
    GetConsumeStats,
    GetProducerConnectionList,
    QueryConsumeTimeSpan,
    QuerySubscriptionByConsumer,
    QueryTopicConsumeByWho,
    QueryTopicsByConsumer,
)

MOST_QUEUES: Final = 65536
"""Most queues of which one answer tells the progress: it must fit into a frame."""

RELAY_SECONDS: Final = 10.0
"""Time that a client has to answer a question which the broker passes on (Broker2Client.callClient)."""


class ConsumerProcessor:
    """Handles questions about clients and groups."""

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        groups: GroupTable,
        offsets: OffsetTable,
        producers: ProducerTable,
        consumers: ConsumerTable,
        store: MessageStore,
        stats: BrokerStats,
        address: str,
        now: Callable[[], int],
        static: Container[str] = (),
    ) -> None:
        self._static = static
        self._settings = settings
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._producers = producers
        self._consumers = consumers
        self._store = store
        self._stats = stats
        self._address = address
        self._now = now

    # --- who is connected -----------------------------------------------------------------------------------------

    @handles(GetConsumerConnectionList)
    def consumer_connections(self, header: GetConsumerConnectionList, call: Call) -> ConsumerConnection:
        """Members and subscriptions of an online consumer group."""
        group = self._consumers.groups.get(header.consumer_group)
        if group is None:
            raise ConsumerNotOnlineError(f"the consumer group[{header.consumer_group}] not online")
        return ConsumerConnection(
            connection_set=_connections(group.clients.values()),
            subscription_table=dict(group.subscriptions),
            consume_type=group.consume_type,
            message_model=group.message_model,
            consume_from_where=group.consume_from_where,
        )

    @handles(GetProducerConnectionList)
    def producer_connections(self, header: GetProducerConnectionList, call: Call) -> ProducerConnection:
        """Members of an online producer group."""
        clients = self._producers.groups.get(header.producer_group)
        if clients is None:
            raise RemotingError(f"the producer group[{header.producer_group}] not exist")
        return ProducerConnection(connection_set=_connections(clients.values()))

    @handles(GetAllProducerInfo)
    def all_producers(self, header: GetAllProducerInfo, call: Call) -> ProducerTableInfo:
        """Every producer that is connected."""
        return ProducerTableInfo(
            data={
                group: [
                    ProducerInfo(
                        client_id=client.client_id,
                        remote_ip=f"/{client.connection.address}",  # as a Java socket address is written
                        language=client.language,
                        version=client.version,
                        last_update_timestamp=int(client.last_update * 1000),
                    )
                    for client in clients.values()
                ]
                for group, clients in self._producers.groups.items()
            }
        )

    @handles(QueryTopicConsumeByWho)
    def groups_of_topic(self, header: QueryTopicConsumeByWho, call: Call) -> GroupList:
        """Groups that consume a topic: online with a subscription, or with an offset in it."""
        online = self._consumers.groups_of(header.topic)
        stored = self._offsets.groups_of(header.topic)
        return GroupList(group_list=list(dict.fromkeys(online + stored)))

    @handles(QueryTopicsByConsumer)
    def topics_of_group(self, header: QueryTopicsByConsumer, call: Call) -> TopicList:
        """Topics in which a group has offsets."""
        return TopicList(topic_list=self._offsets.topics_of(header.group), broker_addr=self._address)

    @handles(QuerySubscriptionByConsumer)
    def subscription(self, header: QuerySubscriptionByConsumer, call: Call) -> GroupSubscription:
        """What an online group subscribes of a topic."""
        topic = header.topic or ""
        return GroupSubscription(
            subscription_data=self._consumers.subscription(header.group, topic), group=header.group, topic=topic
        )

    # --- asked of clients -----------------------------------------------------------------------------------------

    @handles(GetConsumerRunningInfo)
    def running_info(self, header: GetConsumerRunningInfo, call: Call) -> Deferred[Reply]:
        """What a consumer says of itself, fetched from it."""
        return self._relay(call.command, call.command.ext, b"", header.consumer_group, header.client_id)

    @handles(ConsumeMessageDirectly)
    def consume_directly(self, header: ConsumeMessageDirectly, call: Call) -> Deferred[Reply]:
        """What a consumer makes of one stored message, which is pushed to it now."""
        try:
            _, offset = parse_offset_message_id(header.msg_id or "")
        except MessageError as error:
            raise InvalidParameterError(str(error)) from None
        message = self._store.message_at(offset)
        if message is None:
            raise RemotingError(f"can not find message by the offset, {offset}")
        ext = {**call.command.ext, "brokerName": self._settings.broker.broker_name}
        topic = self._topics.configs.get(header.topic or "")
        if topic is not None:
            ext["topicSysFlag"] = str(topic.topic_sys_flag)
        group = self._groups.configs.get(header.consumer_group)
        if group is not None:
            ext["groupSysFlag"] = str(group.group_sys_flag)
        return self._relay(call.command, ext, message, header.consumer_group, header.client_id or "")

    def _relay(self, command: Command, ext: Ext, body: bytes, group: str, client_id: str) -> Deferred[Reply]:
        """Sends a question on to a member of a group; fires with its answer."""
        online = self._consumers.groups.get(group)
        client = online.find(client_id) if online is not None else None
        if client is None:
            raise RemotingError(f"The Consumer <{group}> <{client_id}> not online")
        if client.version < VERSION_RUNNING_INFO:
            raise RemotingError(
                f"The Consumer <{client_id}> Version <{version_name(client.version)}> too low to finish, "
                "please upgrade it to V3_1_8_SNAPSHOT"
            )
        answer = client.connection.call(Command(command.code, dict(ext), body), RELAY_SECONDS)
        return answer.addCallbacks(_relayed, _unanswered, errbackArgs=(group, client_id))

    # --- how far behind -------------------------------------------------------------------------------------------

    @handles(GetConsumeStats)
    def consume_stats(self, header: GetConsumeStats, call: Call) -> ConsumeStats:
        """A group's offsets beside the ends of its queues."""
        group = header.consumer_group
        stats = ConsumeStats()
        topics = self._topics_to_show(group, header.topic, header.topic_list)
        _check_size(sum(self._topics.configs[topic].read_queue_nums for topic in topics))
        for topic in topics:
            stats.offset_table.update(self._progress(group, topic))
            stats.consume_tps += self._stats.group_rate(topic, group)
        return stats

    @handles(GetBrokerConsumeStats)
    def broker_consume_stats(self, header: GetBrokerConsumeStats, call: Call) -> ConsumeStatsList:
        """The same for all groups at once."""
        result = ConsumeStatsList(broker_addr=self._address)
        queues = 0
        topics_by_group = self._offsets.topics_by_group()
        for group in sorted(self._groups.configs):
            shown = []
            for topic in self._subscribed(group, topics_by_group.get(group, [])):
                if header.is_order and not self._topics.is_order(topic):
                    continue
                queues += self._topics.configs[topic].read_queue_nums
                _check_size(queues)
                stats = ConsumeStats(
                    offset_table=self._progress(group, topic), consume_tps=self._stats.group_rate(topic, group)
                )
                for queue in stats.offset_table.values():
                    result.total_diff += queue.broker_offset - queue.consumer_offset
                    result.total_inflight_diff += queue.pull_offset - queue.consumer_offset
                shown.append(stats)
            result.consume_stats_list.append({group: shown})
        return result

    @handles(QueryConsumeTimeSpan)
    def time_spans(self, header: QueryConsumeTimeSpan, call: Call) -> ConsumeTimeSpans:
        """Which times the queues of a topic cover, and up to which time a group has come in each."""
        topic = self._topics.configs.get(header.topic)
        if topic is None:
            raise TopicNotExistError(f"topic[{header.topic}] not exist")
        _check_size(topic.write_queue_nums)
        return ConsumeTimeSpans(
            [self._time_span(header.group, header.topic, queue_id) for queue_id in range(topic.write_queue_nums)]
        )

    def _time_span(self, group: str, topic: str, queue_id: int) -> QueueTimeSpan:
        store = self._store
        earliest, end = store.earliest_store_time(topic, queue_id), store.max_offset(topic, queue_id)
        consumed = max(self._offsets.query(group, topic, queue_id), 0)
        behind = self._now() - store.store_time(topic, queue_id, consumed) if consumed < end else 0
        return QueueTimeSpan(
            message_queue=MessageQueue(topic, self._settings.broker.broker_name, queue_id),
            min_time_stamp=earliest,
            max_time_stamp=store.store_time(topic, queue_id, end - 1),
            consume_time_stamp=store.store_time(topic, queue_id, consumed - 1) if consumed else earliest,
            delay_time=behind,
        )

    def _topics_to_show(self, group: str, topic: str | None, topic_list: str | None) -> list[str]:
        """Topics named by the request; else those with offsets, less what an online group no longer subscribes."""
        if topic_list:
            return [name for name in dict.fromkeys(topic_list.split(";")) if name in self._topics.configs]
        return self._subscribed(group, [topic] if topic else self._offsets.topics_of(group))

    def _subscribed(self, group: str, topics: list[str]) -> list[str]:
        """Those that exist and that the group subscribes, if it is online."""
        online = self._consumers.groups.get(group)
        wanted = online.subscriptions if online is not None else {}
        return [name for name in topics if name in self._topics.configs and (not wanted or name in wanted)]

    def _progress(self, group: str, topic: str) -> dict[MessageQueue, OffsetWrapper]:
        config = self._topics.configs[topic]
        table: dict[MessageQueue, OffsetWrapper] = {}
        for queue_id in range(config.read_queue_nums):
            consumed = self._offsets.query(group, topic, queue_id)
            if topic not in self._static:
                # Of a static topic it matters whether a group has come to a physical queue at all.
                consumed = max(consumed, 0)
            last = self._store.store_time(topic, queue_id, consumed - 1) if consumed > 0 else 0
            table[MessageQueue(topic, self._settings.broker.broker_name, queue_id)] = OffsetWrapper(
                broker_offset=max(self._store.max_offset(topic, queue_id), 0),
                consumer_offset=consumed,
                pull_offset=max(consumed, self._offsets.pulled(group, topic, queue_id)),
                last_timestamp=max(last, 0),
            )
        return table


def _check_size(queues: int) -> None:
    if queues > MOST_QUEUES:
        raise InvalidParameterError(f"an answer shows at most {MOST_QUEUES} queues, ask for fewer topics")


def _relayed(answer: Command) -> Reply:
    return Reply(body=answer.body, code=answer.code, remark=answer.remark)


def _unanswered(failure: Failure, group: str, client_id: str) -> NoReturn:
    error = failure.value
    if isinstance(error, CallTimeoutError):
        raise RemotingError(f"consumer <{group}> <{client_id}> Timeout: {error}", ResponseCode.CONSUME_MSG_TIMEOUT)
    raise RemotingError(f"invoke consumer <{group}> <{client_id}> Exception: {error}")


def _connections(clients: Iterable[Client]) -> list[Connection]:
    return [
        Connection(
            client_id=client.client_id,
            client_addr=client.connection.address,
            language=client.language,
            version=client.version,
        )
        for client in clients
    ]
