"""Hands messages out, and lets a pull that finds none wait for some.

The second hot path: header fields are read directly, records leave as they lie in the log.

Order of checks, as Apache's: broker permission, group, topic, topic permission, queue id, subscription, filter. A
subscription comes with the pull, or is the one of the group's heartbeats; so does its SQL92 filter, if its expression
is one. Whatever is answered, the client learns where to go on and what the queue's ends are. What a slave does
otherwise is in `rmq.server.broker.processors.slave`.

Source: PullMessageProcessor, DefaultPullMessageResultHandler.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rmq.remoting.dispatch import handles_raw, refusal
from rmq.remoting.protocol import Connection
from rmq.server.broker.clients import ConsumerTable
from rmq.server.broker.filters import FilterTable
from rmq.server.broker.mapping.forward import Forwarder
from rmq.server.broker.mapping.pulls import Bounds, LogicalPull, pull_elsewhere
from rmq.server.broker.mapping.queues import led_queue
from rmq.server.broker.mapping.table import MappingTable
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.processors.slave import SlaveReads
from rmq.server.broker.stats import BrokerStats
from rmq.server.delivery.hold import ParkedPull, PullHold
from rmq.server.filter import Filter
from rmq.server.filter.record import properties_of
from rmq.server.store.api import GetResult, GetStatus, MatchRecord
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.heartbeat import MessageModel, SubscriptionData
from rmq.wire.bodies.topic import PERM_READ, TopicConfig
from rmq.wire.codes import FLAG_ONEWAY, FLAG_RESPONSE, ResponseCode
from rmq.wire.command import Command, Ext, encode
from rmq.wire.declare import header_fault
from rmq.wire.errors import (
    SEE_FAQ,
    FilterDataNotExistError,
    FilterDataNotLatestError,
    InvalidParameterError,
    NoPermissionError,
    RemotingError,
    SubscriptionGroupNotExistError,
    SubscriptionNotExistError,
    SubscriptionNotLatestError,
    SubscriptionParseError,
    SystemBusyError,
    TopicNotExistError,
)
from rmq.wire.message import find_property
from rmq.wire.names import RETRY_PREFIX
from rmq.wire.requests.pull import LitePullMessage, PullMessage
from rmq.wire.subscription import SUB_ALL, build_subscription, is_tag_type

FLAG_COMMIT_OFFSET: Final = 1
FLAG_SUSPEND: Final = 2
FLAG_SUBSCRIPTION: Final = 4
_INT64: Final = 1 << 63
_MAX_PULL: Final = 1024
_MAX_SUSPEND_MILLIS: Final = 120_000
_READ_INDEX: Final = 2

_FOUND: Final = int(ResponseCode.SUCCESS)
_NOT_FOUND: Final = int(ResponseCode.PULL_NOT_FOUND)
_RETRY: Final = int(ResponseCode.PULL_RETRY_IMMEDIATELY)
_MOVED: Final = int(ResponseCode.PULL_OFFSET_MOVED)

_CODES: Final = {
    GetStatus.FOUND: _FOUND,
    GetStatus.NO_MATCHED_MESSAGE: _RETRY,
    GetStatus.MESSAGE_WAS_REMOVING: _RETRY,
    GetStatus.OFFSET_FOUND_NULL: _NOT_FOUND,
    GetStatus.OFFSET_OVERFLOW_ONE: _NOT_FOUND,
    GetStatus.OFFSET_OVERFLOW_BADLY: _MOVED,
    GetStatus.OFFSET_TOO_SMALL: _MOVED,
}


class PullProcessor:
    """Handles pulls.

    Args:
        settings: permissions and long-polling times.
        filters: the SQL92 filters of groups.
        hold: where pulls wait that found nothing.
        seconds: the clock's time.
        mappings: which topics have logical queues.
        forwarder: pulls from queues of other brokers that logical queues of this one go on from.
        slave: what is different on a slave; None on a master.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        groups: GroupTable,
        consumers: ConsumerTable,
        filters: FilterTable,
        offsets: OffsetTable,
        store: MessageStore,
        stats: BrokerStats,
        hold: PullHold,
        seconds: Callable[[], float],
        mappings: MappingTable,
        forwarder: Forwarder,
        slave: SlaveReads | None = None,
    ) -> None:
        self._mappings = mappings.details
        self._forwarder = forwarder
        self._own_name = mappings.broker_name
        self._broker = settings.broker
        self._topics = topics
        self._groups = groups
        self._consumers = consumers
        self._filters = filters
        self._offsets = offsets
        self._store = store
        self._stats = stats
        self._seconds = seconds
        self._slave = slave
        self._hold = hold
        hold.rerun = self.rerun

    @handles_raw(PullMessage, LitePullMessage)
    def pull(self, connection: Connection, command: Command) -> bytes | Deferred[bytes] | None:
        """Answers at once, or not before a message or the end of the waiting time."""
        return self._pull(connection, command, may_wait=True)

    def rerun(self, parked: ParkedPull) -> None:
        """Runs a parked pull again and sends its reply."""
        try:
            frame = self._pull(parked.connection, parked.command, may_wait=False)
        except Exception:
            frame = refusal(parked.connection, parked.command, Failure())  # type: ignore[no-untyped-call]
        if isinstance(frame, Deferred):
            # While it waited, the queue has moved, and the message it wants next lies on another broker.
            frame.addErrback(lambda failure: refusal(parked.connection, parked.command, failure))
            frame.addCallback(parked.connection.write)
        elif frame is not None:
            parked.connection.write(frame)

    def _pull(
        self, connection: Connection, command: Command, *, may_wait: bool
    ) -> bytes | Deferred[bytes] | None:
        slave = self._slave
        if slave is not None:
            slave.check()
        ext = command.ext
        try:
            group_name, topic_name = ext["consumerGroup"], ext["topic"]
            queue_id, offset = int(ext["queueId"]), int(ext["queueOffset"])
            max_messages, flags = int(ext["maxMsgNums"]), int(ext["sysFlag"])
            suspend_millis = int(ext["suspendTimeoutMillis"])
            max_bytes = int(ext.get("maxMsgBytes") or 0)
            commit_offset, sub_version = int(ext["commitOffset"]), int(ext["subVersion"])
        except (KeyError, ValueError):
            raise header_fault(PullMessage, ext) from None
        if not -_INT64 <= commit_offset < _INT64:
            raise header_fault(PullMessage, ext)
        logical = None
        mapping = self._mappings.get(topic_name)
        if mapping is not None and ext.get("lo") != "false":
            logical = LogicalPull.of(led_queue(mapping, queue_id), offset)
            if logical.item.bname != self._own_name:
                return pull_elsewhere(self._forwarder, command, topic_name, logical)
            queue_id, offset = logical.item.queue_id, logical.offset
            commit_offset = logical.committed(commit_offset)
        group, topic = self._checked(connection, command, group_name, topic_name, queue_id)
        subscription = self._subscription(ext, group, topic_name, flags, sub_version)
        tags = match = None
        if is_tag_type(subscription.expression_type):
            tags = _wanted_tags(subscription)
        else:
            match = self._match(subscription, group_name, flags, sub_version)
        reset = self._offsets.take_reset(group_name, topic_name, queue_id)
        if reset is not None:
            result = self._at(topic_name, queue_id, reset)
            code = _MOVED
        else:
            count = max(1, min(max_messages, _MAX_PULL))
            result = self._store.get(topic_name, queue_id, offset, count, max_bytes, tags, match)
            code = self._code(result.status, offset)
            if slave is not None:
                code, result = slave.answered(code, result, offset)
        self._offsets.note_pulled(group_name, topic_name, queue_id, result.next_begin_offset)
        if may_wait and reset is None and flags & FLAG_COMMIT_OFFSET and commit_offset >= 0:
            self._offsets.commit(group_name, topic_name, queue_id, commit_offset)
        delta = None
        if logical is not None:
            found = Bounds(result.next_begin_offset, result.min_offset, result.max_offset)
            code, (begin, low, high), delta = logical.answered(code, found, settled=reset is not None)
            result = result._replace(next_begin_offset=begin, min_offset=low, max_offset=high)
        if code == _NOT_FOUND:
            self._stats.get_miss += 1
            if may_wait and flags & FLAG_SUSPEND and not command.flag & FLAG_ONEWAY:
                self._wait(connection, command, (topic_name, queue_id), offset, suspend_millis, tags, match)
                return None
        elif code == _FOUND:
            self._stats.got(topic_name, group_name, result.count, result.size)
        return self._reply(command, code, result, group, topic, delta)

    # --- checks ---------------------------------------------------------------------------------------------------

    def _checked(
        self, connection: Connection, command: Command, group_name: str, topic_name: str, queue_id: int
    ) -> tuple[SubscriptionGroupConfig, TopicConfig]:
        if not self._broker.broker_permission & PERM_READ:
            raise NoPermissionError(f"the broker[{self._broker.broker_ip1}] pulling message is forbidden")
        if command.code == _LITE_PULL and not self._broker.lite_pull_message_enable:
            raise NoPermissionError(f"the broker[{self._broker.broker_ip1}] for lite pull consumer is forbidden")
        group = self._groups.configs.get(group_name) or self._groups.find(group_name)
        if group is None:
            raise SubscriptionGroupNotExistError(f"subscription group [{group_name}] does not exist, {SEE_FAQ}")
        if not group.consume_enable:
            raise NoPermissionError(f"subscription group no permission, {group_name}")
        topic = self._topics.configs.get(topic_name)
        if topic is None:
            raise TopicNotExistError(f"topic[{topic_name}] not exist, apply first please! {SEE_FAQ}")
        if not topic.perm & PERM_READ:
            raise NoPermissionError(f"the topic[{topic_name}] pulling message is forbidden")
        if not 0 <= queue_id < topic.read_queue_nums:
            raise InvalidParameterError(
                f"queueId[{queue_id}] is illegal, topic:[{topic_name}] "
                f"topicConfig.readQueueNums:[{topic.read_queue_nums}] consumer:[/{connection.address}]"
            )
        return group, topic

    def _subscription(
        self, ext: Ext, group: SubscriptionGroupConfig, topic: str, flags: int, sub_version: int
    ) -> SubscriptionData:
        if flags & FLAG_SUBSCRIPTION:
            return build_subscription(topic, ext.get("subscription"), ext.get("expressionType"))
        return self._known_subscription(group, topic, sub_version)

    def _known_subscription(self, group: SubscriptionGroupConfig, topic: str, sub_version: int) -> SubscriptionData:
        name = group.group_name
        online = self._consumers.groups.get(name)
        if online is None:
            raise SubscriptionNotExistError(f"the consumer's group info not exist{SEE_FAQ}")
        if online.message_model is MessageModel.BROADCASTING and not group.consume_broadcast_enable:
            raise NoPermissionError(f"the consumer group[{name}] can not consume by broadcast way")
        if self._groups.is_forbidden(name, topic, _READ_INDEX):
            raise NoPermissionError(f"the consumer group[{name}] is forbidden for topic[{topic}]")
        subscription = online.subscriptions.get(topic)
        if subscription is None:
            raise SubscriptionNotExistError(f"the consumer's subscription not exist{SEE_FAQ}")
        if subscription.sub_version < sub_version:
            raise SubscriptionNotLatestError("the consumer's subscription not latest")
        return subscription

    def _match(
        self, subscription: SubscriptionData, group: str, flags: int, sub_version: int
    ) -> MatchRecord | None:
        """What a subscription that is not one of tags makes of a message."""
        topic, kind = subscription.topic, subscription.expression_type
        brought = bool(flags & FLAG_SUBSCRIPTION)
        known = None if brought else self._known_filter(topic, group, sub_version)
        if not self._broker.enable_property_filter:
            raise RemotingError(f"The broker does not support consumer to filter message by {kind}")
        if known is None:
            try:
                known = self._filters.compile(subscription.sub_string, kind)
            except SubscriptionParseError as error:
                raise SubscriptionParseError(f"parse the consumer's subscription failed, {error.remark}") from None
        if subscription.class_filter_mode:
            return None
        if self._broker.filter_support_retry and topic.startswith(RETRY_PREFIX):
            return self._match_retried(topic.removeprefix(RETRY_PREFIX))
        return known.matches_record

    def _known_filter(self, topic: str, group: str, sub_version: int) -> Filter:
        data = self._filters.find(topic, group)
        if data is None:
            raise FilterDataNotExistError(
                "The broker's consumer filter data is not exist!Your expression may be wrong!"
            )
        if data.client_version < sub_version:
            raise FilterDataNotLatestError("the consumer's consumer filter data not latest")
        return data.filter

    def _match_retried(self, group: str) -> MatchRecord:
        """Messages of a retry topic, by what the group wants of the topics that they come from."""
        find = self._filters.find

        def match(record: bytes | memoryview) -> bool:
            properties = properties_of(record)
            topic = find_property(properties, b"RETRY_TOPIC") or b""
            data = find(topic.decode("utf-8", "replace"), group)
            return data is None or data.filter.matches(properties)

        return match

    # --- waiting and answering ------------------------------------------------------------------------------------

    def _code(self, status: GetStatus, offset: int) -> int:
        code = _CODES.get(status)
        if code is None:
            # An empty or missing queue: only a reader at its start is right.
            code = _NOT_FOUND if offset == 0 else _MOVED
        return code

    def _at(self, topic: str, queue_id: int, offset: int) -> GetResult:
        low, high = self._store.min_offset(topic, queue_id), self._store.max_offset(topic, queue_id)
        return GetResult(GetStatus.OFFSET_OVERFLOW_BADLY, [], 0, 0, offset, low, high, False)

    def _wait(
        self,
        connection: Connection,
        command: Command,
        queue: tuple[str, int],
        offset: int,
        suspend_millis: int,
        tags: frozenset[int] | None,
        match: MatchRecord | None,
    ) -> None:
        millis = min(suspend_millis, _MAX_SUSPEND_MILLIS)
        if not self._broker.long_polling_enable:
            millis = self._broker.short_polling_time_mills
        deadline = self._seconds() + millis / 1000
        command.body = b""
        wants = _Newcomers(self._store, queue, offset, match).any_wanted if match is not None else None
        if not self._hold.park(ParkedPull(connection, command, queue, offset, deadline, tags, wants)):
            # Clients come back after seconds then; told that nothing was found they would come back at once.
            raise SystemBusyError("too many pulls of this client wait for messages")

    def _reply(
        self,
        command: Command,
        code: int,
        result: GetResult,
        group: SubscriptionGroupConfig,
        topic: TopicConfig,
        delta: int | None,
    ) -> bytes:
        ext = {
            "suggestWhichBrokerId": self._suggested_broker(result, group),
            "nextBeginOffset": str(result.next_begin_offset),
            "minOffset": str(result.min_offset),
            "maxOffset": str(result.max_offset),
            "topicSysFlag": str(topic.topic_sys_flag),
            "groupSysFlag": str(group.group_sys_flag),
        }
        if delta is not None:
            ext["offsetDelta"] = str(delta)
        return encode(
            Command(
                code,
                ext,
                b"".join(result.chunks) if code == _FOUND else b"",
                opaque=command.opaque,
                flag=FLAG_RESPONSE,
                remark=None if code == _FOUND else result.status.name,
                serialize_type=command.serialize_type,
            )
        )

    def _suggested_broker(self, result: GetResult, group: SubscriptionGroupConfig) -> str:
        if not self._broker.slave_read_enable:
            return "0"
        stay = None if self._slave is None else self._slave.stay
        if stay is not None:
            return str(stay)
        return str(group.which_broker_when_consume_slowly if result.suggest_slave else group.broker_id)


_LITE_PULL: Final = 361
_MOST_LOOKS: Final = 1024


def _wanted_tags(subscription: SubscriptionData) -> frozenset[int] | None:
    # Some clients leave the hashes out; they compare tags themselves anyway.
    if subscription.sub_string == SUB_ALL or subscription.class_filter_mode or not subscription.code_set:
        return None
    return frozenset(subscription.code_set)


class _Newcomers:
    """Looks at what comes into a queue while a pull with a filter waits, at each message once."""

    def __init__(self, store: MessageStore, queue: tuple[str, int], offset: int, match: MatchRecord) -> None:
        self._store = store
        self._queue = queue
        self._seen = offset
        self._match = match

    def any_wanted(self, end: int) -> bool:
        """Whether one before this offset passes the filter; many at once are left to the pull."""
        if end - self._seen > _MOST_LOOKS:
            return True
        for offset in range(self._seen, end):
            record = self._store.queue_message(*self._queue, offset)
            if record is None or self._match(record):
                return True
        self._seen = end
        return False
