"""A name server and brokers in memory: an `Invoker` for the client's unit tests, driven by a fake clock.

It keeps messages, offsets and group members as a broker does, answers at once or holds pulls as brokers do, and can be
told to fail. What it was asked is kept in `calls`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from rmq.client.config import ClientConfig
from rmq.client.instance import ClientInstance
from rmq.remoting.calls import SUCCESS, Answer, accepted
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError
from rmq.wire.bodies.heartbeat import ConsumerIdList, HeartbeatData
from rmq.wire.bodies.lock import LockBatchBody, LockBatchReply
from rmq.wire.bodies.route import BrokerData, ClusterInfo, MessageQueue, QueueData, TopicRouteData
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command
from rmq.wire.declare import encode_body, encode_header
from rmq.wire.errors import QueryNotFoundError, RemotingError, TopicNotExistError
from rmq.wire.message import StoredMessage, decode_batch, encode_message, pack_host
from rmq.wire.requests.offset import OffsetReply
from rmq.wire.requests.pull import PullMessage, PullMessageReply
from rmq.wire.requests.send import RecallMessageReply, SendMessageReply, SendMessageV2

NAMESRV = "10.0.0.9:9876"
START = 1_700_000_000_000


@dataclass
class Call:
    """One request that came in."""

    address: str
    header: Any
    body: bytes
    timeout: float | None
    """Seconds; None for a one-way request."""


@dataclass
class Queue:
    """Stored records, and what their offsets begin at."""

    first: int = 0
    records: list[bytes] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.first + len(self.records)


@dataclass
class Held:
    """A pull that waits for messages."""

    call: Call
    answer: Deferred[Command]


class MemoryCluster:
    """Name server and brokers.

    Attributes:
        clock: time of the whole test.
        calls: every request, in order.
        failures: for a request class, what it meets: an error, or a function of the call that gives one or None.
        down: addresses that cannot be reached.
        instances: clients that are told of changes in their groups.
        locks: who has the lock on a group's queue; they do not expire.
    """

    def __init__(self, brokers: int = 1) -> None:
        self.clock = Clock()
        self.addresses = {f"broker-{letter}": f"10.0.0.{i + 1}:10911" for i, letter in enumerate("abcdef"[:brokers])}
        self.topics: dict[str, int] = {"TBW102": 8}
        self.queues: dict[MessageQueue, Queue] = {}
        self.offsets: dict[tuple[str, MessageQueue], int] = {}
        self.members: dict[str, dict[str, str]] = {}
        self.calls: list[Call] = []
        self.failures: dict[type[Any], RemotingError | Callable[[Call], RemotingError | None]] = {}
        self.down: set[str] = set()
        self.instances: dict[str, ClientInstance] = {}
        self.held: list[Held] = []
        self.silent: set[str] = set()
        self.locks: dict[tuple[str, MessageQueue], str] = {}

    # --- what tests use -----------------------------------------------------------------------------------------------

    def now(self) -> int:
        """ms since the epoch."""
        return START + round(self.clock.seconds() * 1000)

    def instance(self, name: str = "c1", **config: Any) -> ClientInstance:
        """A client of this cluster."""
        made = ClientInstance(
            self.clock,
            ClientConfig(namesrv_addr=NAMESRV, client_ip="10.1.1.1", instance_name=name, **config),
            invoker=self,
            now=self.now,
            choose=lambda below: 0,
        )
        self.instances[made.client_id] = made
        return made

    def create(self, topic: str, queues: int = 4) -> list[MessageQueue]:
        """Makes a topic on every broker."""
        self.topics[topic] = queues
        return [MessageQueue(topic, broker, i) for broker in self.addresses for i in range(queues)]

    def store(self, queue: MessageQueue, *bodies: str, **more: Any) -> None:
        """Puts messages into a queue."""
        for body in bodies:
            self._append(queue, body.encode(), **more)
        self._release(queue)

    def advance(self, seconds: float, step: float = 0.05) -> None:
        """Lets time pass, in steps, so that what is due in between happens in its order."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)

    def asked(self, kind: type[Any]) -> list[Any]:
        """The headers of all requests of a class."""
        return [call.header for call in self.calls if type(call.header) is kind]

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Committed offsets by queue id, of the first broker's queues."""
        return {
            queue.queue_id: at
            for (name, queue), at in sorted(self.offsets.items())
            if name == group and queue.topic == topic
        }

    # --- Invoker ------------------------------------------------------------------------------------------------------

    def call(
        self, address: str, header: Any, body: Any = b"", *, timeout: float = 3.0, accept: frozenset[int] = SUCCESS
    ) -> Deferred[Answer]:
        payload = body if isinstance(body, bytes) else encode_body(body)
        call = Call(address, header, payload, timeout)
        self.calls.append(call)
        if address in self.down:
            return fail(ConnectFailedError(address, "refused"))
        answering: Deferred[Command]
        if address in self.silent:
            answering = Deferred()
        else:
            try:
                answering = self._answer(call, body)
            except RemotingError as error:
                answering = succeed(Command(int(error.code), remark=error.remark))
        if not answering.called:
            answering.addTimeout(
                timeout, self.clock, onTimeoutCancel=lambda _, seconds: fail(CallTimeoutError(address, seconds))
            )
        return answering.addCallback(lambda command: accepted(header, command, address, accept))

    def send_oneway(self, address: str, header: Any, body: Any = b"") -> Deferred[None]:
        self.calls.append(Call(address, header, body, None))
        if address in self.down:
            return fail(ConnectFailedError(address, "refused"))
        with suppress(RemotingError):
            self._answer(self.calls[-1], body)
        return succeed(None)

    def _answer(self, call: Call, body: Any) -> Deferred[Command]:
        failure = self.failures.get(type(call.header))
        error = failure(call) if callable(failure) else failure
        if error is not None:
            raise error
        handler = getattr(self, f"_{type(call.header).__name__}")
        answer: Command | Deferred[Command] = handler(call, body)
        return answer if isinstance(answer, Deferred) else succeed(answer)

    def _broker(self, address: str) -> str:
        return next(name for name, known in self.addresses.items() if known == address)

    def _queue(self, call: Call) -> MessageQueue:
        return MessageQueue(call.header.topic, self._broker(call.address), call.header.queue_id)

    # --- routes and groups --------------------------------------------------------------------------------------------

    def _GetRouteInfoByTopic(self, call: Call, _: object) -> Command:
        topic = call.header.topic
        if topic not in self.topics:
            raise TopicNotExistError(f"No topic route info in name server for the topic: {topic}")
        route = TopicRouteData(
            [
                BrokerData(name, "DefaultCluster", {0: address})
                for name, address in self.addresses.items()
                if address not in self.down
            ],
            [
                QueueData(name, self.topics[topic], self.topics[topic], 6)
                for name, address in self.addresses.items()
                if address not in self.down
            ],
        )
        return Command(0, body=encode_body(route))

    def _GetBrokerClusterInfo(self, call: Call, _: object) -> Command:
        brokers = {
            name: BrokerData(name, "DefaultCluster", {0: address})
            for name, address in self.addresses.items()
            if address not in self.down
        }
        return Command(0, body=encode_body(ClusterInfo(brokers, {"DefaultCluster": list(brokers)})))

    def _Heartbeat(self, call: Call, data: HeartbeatData) -> Command:
        for consumer in data.consumer_data_set:
            self.topics.setdefault(f"%RETRY%{consumer.group_name}", 1)
            members = self.members.setdefault(consumer.group_name, {})
            if data.client_id not in members:
                members[data.client_id] = call.address
                self._notify(consumer.group_name)
        return Command(0)

    def _UnregisterClient(self, call: Call, _: object) -> Command:
        group = call.header.consumer_group
        if group is not None and self.members.get(group, {}).pop(call.header.client_id, None):
            self._notify(group)
        return Command(0)

    def _notify(self, group: str) -> None:
        for client_id in self.members[group]:
            if client_id in self.instances:
                self.clock.callLater(0, self.instances[client_id].rebalance_soon)

    def _GetConsumerListByGroup(self, call: Call, _: object) -> Command:
        members = self.members.get(call.header.consumer_group)
        if not members:
            raise RemotingError("no consumer for this group")
        return Command(0, body=encode_body(ConsumerIdList(list(members))))

    def _LockBatchMq(self, call: Call, wanted: LockBatchBody) -> Command:
        keys = [(wanted.consumer_group, queue) for queue in wanted.mq_set]
        granted = [key[1] for key in keys if self.locks.setdefault(key, wanted.client_id) == wanted.client_id]
        return Command(0, body=encode_body(LockBatchReply(granted)))

    def _UnlockBatchMq(self, call: Call, given: LockBatchBody) -> Command:
        for queue in given.mq_set:
            if self.locks.get((given.consumer_group, queue)) == given.client_id:
                del self.locks[given.consumer_group, queue]
        return Command(0)

    # --- offsets ------------------------------------------------------------------------------------------------------

    def _QueryConsumerOffset(self, call: Call, _: object) -> Command:
        offset = self.offsets.get((call.header.consumer_group, self._queue(call)))
        if offset is None:
            raise QueryNotFoundError("Not found, maybe this group consumer boot first")
        return Command(0, encode_header(OffsetReply(offset)))

    def _UpdateConsumerOffset(self, call: Call, _: object) -> Command:
        self.offsets[call.header.consumer_group, self._queue(call)] = call.header.commit_offset
        return Command(0)

    def _GetMaxOffset(self, call: Call, _: object) -> Command:
        return Command(0, encode_header(OffsetReply(self._at(self._queue(call)).end)))

    def _GetMinOffset(self, call: Call, _: object) -> Command:
        return Command(0, encode_header(OffsetReply(self._at(self._queue(call)).first)))

    def _SearchOffsetByTimestamp(self, call: Call, _: object) -> Command:
        return Command(0, encode_header(OffsetReply(call.header.timestamp - START)))

    # --- messages -----------------------------------------------------------------------------------------------------

    def _at(self, queue: MessageQueue) -> Queue:
        return self.queues.setdefault(queue, Queue())

    def _append(
        self,
        queue: MessageQueue,
        body: bytes,
        properties: str = "",
        flag: int = 0,
        sys_flag: int = 0,
        reconsume_times: int = 0,
    ) -> int:
        kept, message = self._at(queue), StoredMessage()
        message.queue_id, message.flag, message.queue_offset, message.sys_flag = (
            queue.queue_id,
            flag,
            kept.end,
            sys_flag,
        )
        message.physical_offset = sum(len(r) for stored in self.queues.values() for r in stored.records)
        message.born_timestamp = message.store_timestamp = self.now()
        message.born_host, message.store_host = pack_host("10.1.1.1", 5000), pack_host("10.0.0.1", 10911)
        message.reconsume_times, message.prepared_transaction_offset = reconsume_times, 0
        message.body, message.topic, message.properties_text, message._properties = body, queue.topic, properties, None
        kept.records.append(encode_message(message))
        return kept.end - 1

    def _SendMessageV2(self, call: Call, body: bytes) -> Command:
        header: SendMessageV2 = call.header
        if header.topic not in self.topics:
            self.topics[header.topic] = header.default_topic_queue_nums
        queue = self._queue(call)
        offset = self._append(
            queue, body, header.properties or "", header.flag, header.sys_flag, header.reconsume_times or 0
        )
        self._release(queue)
        return self._sent(queue, offset)

    def _SendBatchMessage(self, call: Call, body: bytes) -> Command:
        queue = self._queue(call)
        offsets = [self._append(queue, item.body, item.properties.decode(), item.flag) for item in decode_batch(body)]
        self._release(queue)
        return self._sent(queue, offsets[0])

    def _sent(self, queue: MessageQueue, offset: int) -> Command:
        reply = SendMessageReply(f"{offset:032X}", queue.queue_id, offset, transaction_id=f"transaction-{offset}")
        return Command(0, {**encode_header(reply), "MSG_REGION": "DefaultRegion", "TRACE_ON": "true"})

    _SendReplyMessageV2 = _SendMessageV2

    def _EndTransaction(self, call: Call, _: object) -> Command:
        return Command(0)

    def _RecallMessage(self, call: Call, _: object) -> Command:
        return Command(0, encode_header(RecallMessageReply("recalled")))

    def _ConsumerSendMsgBack(self, call: Call, _: object) -> Command:
        return Command(0)

    def _PullMessage(self, call: Call, _: object) -> Command | Deferred[Command]:
        header: PullMessage = call.header
        queue = self._queue(call)
        if header.sys_flag & 1:
            self.offsets[header.consumer_group, queue] = header.commit_offset
        answer = self._pulled(call)
        if answer.code != ResponseCode.PULL_NOT_FOUND or not header.sys_flag & 2:
            return answer
        held = Held(call, Deferred(lambda _: self.held.remove(held)))
        self.held.append(held)
        self.clock.callLater(header.suspend_timeout_millis / 1000, self._give_up, held)
        return held.answer

    _LitePullMessage = _PullMessage

    def _pulled(self, call: Call) -> Command:
        header: PullMessage = call.header
        kept = self._at(self._queue(call))
        start = header.queue_offset
        found = (
            kept.records[start - kept.first : start - kept.first + header.max_msg_nums]
            if kept.first <= start <= kept.end
            else []
        )
        code, after = ResponseCode.SUCCESS, start + len(found)
        if start < kept.first or start > kept.end:
            code, after = ResponseCode.PULL_OFFSET_MOVED, kept.first if start < kept.first else kept.end
        elif not found:
            code = ResponseCode.PULL_NOT_FOUND
        return Command(code, encode_header(PullMessageReply(0, after, kept.first, kept.end)), b"".join(found))

    def _release(self, queue: MessageQueue) -> None:
        for held in [held for held in self.held if self._queue(held.call) == queue]:
            self.held.remove(held)
            held.answer.callback(self._pulled(held.call))

    def _give_up(self, held: Held) -> None:
        if held in self.held:
            self.held.remove(held)
            held.answer.callback(self._pulled(held.call))
