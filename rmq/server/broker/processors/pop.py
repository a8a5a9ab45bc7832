"""Hands messages out to groups that pop, and lets a pop that finds none wait for some.

Order of checks, as Apache's: broker permission, number of messages, topic, topic permission, queue id, group,
expression. A pop that ends without a message is answered with POLLING_TIMEOUT, one that may not wait because too many
do with POLLING_FULL; both carry the same header as one that found some.

How long a pop waits is counted from its arrival, so a client's clock does not matter.

Source: PopMessageProcessor, PeekMessageProcessor, NotificationProcessor, PollingInfoProcessor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from twisted.python.failure import Failure

from rmq.remoting.dispatch import Call, Reply, handles, handles_raw, refusal
from rmq.remoting.protocol import Connection
from rmq.server.broker.filters import FilterTable
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.pop.hold import ALL_QUEUES, PopHold, parked_pop
from rmq.server.broker.pop.popping import Popped, Popper
from rmq.server.delivery.hold import ParkedPull
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.topic import PERM_READ
from rmq.wire.codes import FLAG_ONEWAY, ResponseCode
from rmq.wire.command import Command, encode
from rmq.wire.declare import decode_header
from rmq.wire.errors import (
    SEE_FAQ,
    InvalidParameterError,
    NoPermissionError,
    RemotingError,
    SubscriptionGroupNotExistError,
    TopicNotExistError,
)
from rmq.wire.requests.pop import (
    Notification,
    NotificationReply,
    PeekMessage,
    PollingInfo,
    PollingInfoReply,
    PopMessage,
    PopMessageReply,
)
from rmq.wire.subscription import SUB_ALL, build_subscription, is_tag_type

MOST_MESSAGES: Final = 32
MOST_WAIT_MILLIS: Final = 120_000

_FOUND: Final = "FOUND"
_NOTHING: Final = "NO_MESSAGE_IN_QUEUE"


class PopProcessor:
    """Handles pops and what asks about them.

    Args:
        settings: the broker's permission.
        filters: compiles SQL92 expressions.
        popper: takes the messages.
        hold: where pops wait.
        notices: where those wait who only want to know.
        seconds: the clock's time.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        groups: GroupTable,
        filters: FilterTable,
        popper: Popper,
        hold: PopHold,
        notices: PopHold,
        seconds: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._broker = settings.broker
        self._topics = topics
        self._groups = groups
        self._filters = filters
        self._popper = popper
        self._hold = hold
        self._notices = notices
        self._seconds = seconds
        hold.rerun = partial(self._rerun, self._pop)
        notices.rerun = partial(self._rerun, self._notify)

    @handles_raw(PopMessage)
    def pop(self, connection: Connection, command: Command) -> bytes | None:
        """Answers at once, or not before a message or the end of the waiting time."""
        return self._pop(connection, command, None)

    @handles_raw(Notification)
    def notify(self, connection: Connection, command: Command) -> bytes | None:
        """Answers as soon as a pop would bring something, or at the end of the waiting time."""
        return self._notify(connection, command, None)

    @handles(PeekMessage)
    def peek(self, header: PeekMessage, call: Call) -> Reply:
        """Shows what the next pops would bring, and hides nothing."""
        self._check(call.connection, header.topic, header.consumer_group, header.queue_id, "peeking")
        most = min(header.max_msg_nums, MOST_MESSAGES)
        chunks, rest = self._popper.peek(header.topic, header.consumer_group, header.queue_id, most)
        reply = PopMessageReply(pop_time=0, invisible_time=0, revive_qid=0, rest_num=rest)
        if not chunks:
            return Reply(reply, code=ResponseCode.PULL_NOT_FOUND, remark=_NOTHING)
        return Reply(reply, b"".join(chunks), remark=_FOUND)

    @handles(PollingInfo)
    def polling_info(self, header: PollingInfo, call: Call) -> PollingInfoReply:
        """How many pops of a group wait for a queue."""
        self._check(call.connection, header.topic, header.consumer_group, header.queue_id, "peeking")
        return PollingInfoReply(self._hold.waiting(header.topic, header.consumer_group, header.queue_id))

    def _rerun(
        self, again: Callable[[Connection, Command, float | None], bytes | None], parked: ParkedPull
    ) -> None:
        connection, command = parked.connection, parked.command
        try:
            frame = again(connection, command, parked.deadline)
        except Exception:
            frame = refusal(connection, command, Failure())  # type: ignore[no-untyped-call]
        if frame is not None:
            connection.write(frame)

    # --- popping --------------------------------------------------------------------------------------------------

    def _pop(self, connection: Connection, command: Command, deadline: float | None) -> bytes | None:
        """One try; `deadline` is that of a pop that has waited."""
        wanted = decode_header(PopMessage, command.ext)
        topic, group, queue_id = wanted.topic, wanted.consumer_group, wanted.queue_id
        if wanted.max_msg_nums > MOST_MESSAGES:
            raise InvalidParameterError(f"the broker[{self._broker.broker_ip1}] pop message's num is greater than 32")
        check_invisible_time(self._settings, wanted.invisible_time)
        self._check(connection, topic, group, queue_id, "pop")
        tags = _tags_of(wanted)
        match = None
        if wanted.exp and not is_tag_type(wanted.exp_type):
            match = self._filters.compile(wanted.exp, wanted.exp_type or "").matches_record
        popped = self._popper.pop(wanted, tags, match)
        if popped.count:
            if popped.rest > 0:
                self._hold.wake(topic, group, queue_id)
            return _reply(command, wanted, popped, ResponseCode.SUCCESS)
        if deadline is None:
            deadline = self._deadline(wanted.poll_time)
        if deadline <= self._seconds() or command.flag & FLAG_ONEWAY:
            return _reply(command, wanted, popped, ResponseCode.POLLING_TIMEOUT)
        if not self._park(self._hold, connection, command, (topic, group, queue_id), deadline, tags):
            return _reply(command, wanted, popped, ResponseCode.POLLING_FULL)
        if popped.moved and popped.rest > 0:
            # Messages of no interest were passed over, and there are more behind them.
            self._hold.wake(topic, group, queue_id)
        return None

    def _notify(self, connection: Connection, command: Command, deadline: float | None) -> bytes | None:
        wanted = decode_header(Notification, command.ext)
        topic, group, queue_id = wanted.topic, wanted.consumer_group, wanted.queue_id
        self._check(connection, topic, group, queue_id, "peeking")
        found = self._popper.has_messages(topic, group, queue_id, order=wanted.order, attempt_id=wanted.attempt_id)
        full = False
        if not found:
            if deadline is None:
                deadline = self._deadline(wanted.poll_time)
            if deadline > self._seconds() and not command.flag & FLAG_ONEWAY:
                full = not self._park(self._notices, connection, command, (topic, group, queue_id), deadline, None)
                if not full:
                    return None
        return encode(Reply(NotificationReply(found, full)).to_command(command))

    def _deadline(self, poll_millis: int) -> float:
        return self._seconds() + min(poll_millis, MOST_WAIT_MILLIS) / 1000

    def _park(
        self,
        hold: PopHold,
        connection: Connection,
        command: Command,
        place: tuple[str, str, int],
        deadline: float,
        tags: frozenset[int] | None,
    ) -> bool:
        topic, group, queue_id = place
        if hold.waiting(topic, group, queue_id) > self._broker.pop_polling_size:
            return False
        command.body = b""
        return hold.park(parked_pop(connection, command, place, deadline, tags), topic, group)

    # --- checks ---------------------------------------------------------------------------------------------------

    def _check(self, connection: Connection, topic: str, group: str, queue_id: int, what: str) -> None:
        broker = self._broker
        if not broker.broker_permission & PERM_READ:
            raise NoPermissionError(f"the broker[{broker.broker_ip1}] {what} message is forbidden")
        config = self._topics.configs.get(topic)
        if config is None:
            raise TopicNotExistError(f"topic[{topic}] not exist, apply first please! {SEE_FAQ}")
        if not config.perm & PERM_READ:
            raise NoPermissionError(f"the topic[{topic}] peeking message is forbidden")
        if not ALL_QUEUES <= queue_id < config.read_queue_nums:
            raise InvalidParameterError(
                f"queueId[{queue_id}] is illegal, topic:[{topic}] topicConfig.readQueueNums:[{config.read_queue_nums}] "
                f"consumer:[/{connection.address}]"
            )
        known = self._groups.configs.get(group) or self._groups.find(group)
        if known is None:
            raise SubscriptionGroupNotExistError(f"subscription group [{group}] does not exist, {SEE_FAQ}")
        if not known.consume_enable:
            raise NoPermissionError(f"subscription group no permission, {group}")


def check_invisible_time(settings: BrokerSettings, millis: int) -> None:
    """Refuses times that check points cannot have.

    Raises:
        RemotingError: there is no timer, which is to deliver the check point.
        InvalidParameterError: the time is negative, or longer than the timer's.
    """
    store = settings.store
    if not store.timer_wheel_enable:
        raise RemotingError(
            f"the broker[{settings.broker.broker_ip1}] pop message is forbidden because timerWheelEnable is false"
        )
    if not 0 <= millis <= store.timer_max_delay_sec * 1000:
        raise InvalidParameterError(
            f"invisibleTime[{millis}] is illegal, 0 to {store.timer_max_delay_sec * 1000} ms are possible"
        )


def _tags_of(wanted: PopMessage) -> frozenset[int] | None:
    """Hashes of the tags that a pop wants, None for all.

    Raises:
        SubscriptionParseError: the expression has none.
    """
    if not is_tag_type(wanted.exp_type):
        return None
    subscription = build_subscription(wanted.topic, wanted.exp, wanted.exp_type)
    return None if subscription.sub_string == SUB_ALL else frozenset(subscription.code_set)


def _reply(command: Command, wanted: PopMessage, popped: Popped, code: ResponseCode) -> bytes:
    header = PopMessageReply(
        pop_time=popped.time,
        invisible_time=wanted.invisible_time,
        revive_qid=popped.revive_queue,
        rest_num=popped.rest,
        start_offset_info=";".join(popped.starts),
        msg_offset_info=";".join(popped.offsets),
        order_count_info=";".join(popped.counts) if wanted.order else None,
    )
    remark = _FOUND if code is ResponseCode.SUCCESS else _NOTHING
    return encode(Reply(header, b"".join(popped.chunks), code=code, remark=remark).to_command(command))
