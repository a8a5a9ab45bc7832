"""Takes messages: one, one-way, or a batch.

This is the product's first hot path: no header object, no Deferred when nothing is to be waited for, properties kept
as the text that came plus a fixed tail. What the broker adds to every message is what Apache's adds: region, tracing
switch, cluster, and a unique id where the client gave none. To the messages of a batch it adds nothing:
the properties of the request belong to the batch, and only its unique id is told back.

Order of checks, as Apache's: broker permission, topic name, topics closed to clients, topic existence (made now if
it may be), queue id, then what the store says.

Source: SendMessageProcessor, AbstractSendMessageProcessor, MessageExtEncoder.
"""

from __future__ import annotations

from collections.abc import Callable
from random import randrange
from typing import Final

from twisted.internet.defer import Deferred

from rmq.remoting.dispatch import handles_raw
from rmq.remoting.protocol import Connection
from rmq.server.broker.meta.topics import TopicTable
from rmq.server.broker.stats import BrokerStats
from rmq.server.store.api import AppendResult, PutStatus
from rmq.server.store.store import MessageStore
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.topic import PERM_WRITE, TopicConfig, TopicFilterType
from rmq.wire.codes import ResponseCode
from rmq.wire.command import Command, Ext
from rmq.wire.declare import decode_header, header_fault
from rmq.wire.errors import (
    InvalidParameterError,
    MessageIllegalError,
    NoPermissionError,
    RemotingError,
    ServiceNotAvailableError,
    TopicNotExistError,
)
from rmq.wire.message import (
    MessageError,
    UniqueIds,
    format_properties,
    parse_properties,
    tags_code,
)
from rmq.wire.names import RETRY_PREFIX, check_topic, is_not_allowed_send_topic
from rmq.wire.requests.send import SendBatchMessage, SendMessage, SendMessageV2
from rmq.wire.sendreply import SendReplies
from rmq.wire.sysflag import BORN_HOST_V6, COMPRESSED, COMPRESSION_MASK, MULTI_TAGS

_V2_NAMES: Final = {
    "producerGroup": "a",
    "topic": "b",
    "defaultTopic": "c",
    "defaultTopicQueueNums": "d",
    "queueId": "e",
    "sysFlag": "f",
    "bornTimestamp": "g",
    "flag": "h",
    "properties": "i",
    "reconsumeTimes": "j",
    "unitMode": "k",
    "maxReconsumeTimes": "l",
    "batch": "m",
}
_CLIENT_SYS_FLAGS: Final = COMPRESSED | MULTI_TAGS | COMPRESSION_MASK
_INT32: Final = 1 << 31
_INT64: Final = 1 << 63
_MAX_TOPIC_OF_BATCH: Final = 127
_STAMPED: Final = frozenset({"MSG_REGION", "TRACE_ON", "CLUSTER", "POP_CK"})
_DELAYS: Final = frozenset({"DELAY", "TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"})
_UNUSUAL: Final = _STAMPED | _DELAYS | {"TRAN_MSG"}
_SUGGEST_TOPIC: Final = "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."

_STORED: Final = {
    PutStatus.PUT_OK: ResponseCode.SUCCESS,
    PutStatus.FLUSH_DISK_TIMEOUT: ResponseCode.FLUSH_DISK_TIMEOUT,
    PutStatus.FLUSH_SLAVE_TIMEOUT: ResponseCode.FLUSH_SLAVE_TIMEOUT,
    PutStatus.SLAVE_NOT_AVAILABLE: ResponseCode.SLAVE_NOT_AVAILABLE,
}


class SendProcessor:
    """Handles the three send requests.

    Args:
        settings: names and permissions of the broker.
        topics: the topics, which may be made by a send.
        store: where messages go.
        stats: counts what was stored.
        unique_ids: makes ids for clients that give none.
        now: milliseconds since the epoch.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: TopicTable,
        store: MessageStore,
        stats: BrokerStats,
        unique_ids: UniqueIds,
        store_host: bytes,
        now: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._store = store
        self._stats = stats
        self._unique_ids = unique_ids
        # An offset message id (see `rmq.wire.message`) is this and the physical offset.
        self._host_hex = store_host.hex().upper()
        self._now = now
        self._broker = settings.broker
        self._stamp()

    def _stamp(self) -> None:
        """Makes what every message and reply gets; tracing can be switched while the broker runs."""
        broker = self._broker
        self._traced = broker.trace_on
        marks = {"MSG_REGION": broker.region_id, "TRACE_ON": "true" if self._traced else "false"}
        self._replies = SendReplies(marks)
        self._tail = format_properties({**marks, "CLUSTER": broker.broker_cluster_name})

    @handles_raw(SendMessage)
    def send(self, connection: Connection, command: Command) -> bytes | Deferred[bytes | None] | None:
        """The old long-named form."""
        command.ext = {_V2_NAMES.get(name, name): value for name, value in command.ext.items()}
        return self.send_v2(connection, command)

    @handles_raw(SendMessageV2, SendBatchMessage)
    def send_v2(self, connection: Connection, command: Command) -> bytes | Deferred[bytes | None] | None:
        """The short-named form, for one message or a batch."""
        ext = command.ext
        try:
            topic_name = ext["b"]
            queue_id = int(ext["e"])
            born = int(ext["g"])
            flag = int(ext["h"])
            sys_flag = int(ext["f"]) & _CLIENT_SYS_FLAGS
            reconsume = int(ext.get("j") or 0)
            in_range = -_INT32 <= flag < _INT32 and -_INT64 <= born < _INT64 and -_INT32 <= reconsume < _INT32
        except (KeyError, ValueError):
            in_range = False
        if not in_range or "a" not in ext:
            raise header_fault(SendMessageV2, ext)
        broker = self._broker
        if broker.trace_on is not self._traced:
            self._stamp()
        if broker.start_accept_send_request_time_stamp and broker.start_accept_send_request_time_stamp > self._now():
            raise RemotingError(f"broker unable to service, until {broker.start_accept_send_request_time_stamp} ms")
        topic = self._topics.configs.get(topic_name)
        if topic is None or is_not_allowed_send_topic(topic_name) or not self._may_write(topic):
            topic = self._checked_topic(topic_name, ext)
        if queue_id < 0:
            queue_id = randrange(topic.write_queue_nums) if topic.write_queue_nums else topic.read_queue_nums
        if queue_id >= topic.write_queue_nums and queue_id >= topic.read_queue_nums:
            raise InvalidParameterError(
                f"request queueId[{queue_id}] is illegal, {topic} Producer: {connection.address}"
            )
        if len(connection.host) != 8:
            sys_flag |= BORN_HOST_V6
        if topic.topic_filter_type is TopicFilterType.MULTI_TAG:
            sys_flag |= MULTI_TAGS
        append = self._append_batch if ext.get("m", "").lower() == "true" else self._append
        result, unique_id, wait = append(
            connection, command, topic, queue_id, flag, sys_flag, born, reconsume, ext.get("i") or ""
        )
        durable = self._store.when_durable(result) if wait and self._store.sync_flush else None
        if durable is None:
            return self._reply(command, result.status, result, topic_name, queue_id, unique_id)
        return durable.addCallback(lambda status: self._reply(command, status, result, topic_name, queue_id, unique_id))

    # --- storing --------------------------------------------------------------------------------------------------

    def _append(
        self,
        connection: Connection,
        command: Command,
        topic: TopicConfig,
        queue_id: int,
        flag: int,
        sys_flag: int,
        born: int,
        reconsume: int,
        text: str,
    ) -> tuple[AppendResult, str | None, bool]:
        properties = parse_properties(text)
        if not _UNUSUAL.isdisjoint(properties):
            text = self._unusual(properties)
        elif text and text[-1] != "\x02":
            text += "\x02"
        unique_id = properties.get("UNIQ_KEY")
        if unique_id is None:
            unique_id = self._unique_ids.next(self._now())
            text += f"UNIQ_KEY\x01{unique_id}\x02"
        tags = properties.get("TAGS")
        result = self._store.append(
            topic.topic_name,
            queue_id,
            flag,
            sys_flag,
            born,
            connection.host,
            reconsume,
            0,
            command.body,
            (text + self._tail).encode("utf-8", "replace"),
            tags_code(tags) if tags else 0,
            unique_id,
            properties.get("KEYS"),
            tags,
        )
        return result, unique_id, properties.get("WAIT") != "false"

    def _append_batch(
        self,
        connection: Connection,
        command: Command,
        topic: TopicConfig,
        queue_id: int,
        flag: int,
        sys_flag: int,
        born: int,
        reconsume: int,
        text: str,
    ) -> tuple[AppendResult, str | None, bool]:
        name = topic.topic_name
        if len(name) > _MAX_TOPIC_OF_BATCH:
            raise MessageIllegalError(f"message topic length too long {len(name)}")
        if name.startswith(RETRY_PREFIX):
            raise MessageIllegalError(f"batch request does not support retry group {name}")
        outer = parse_properties(text)
        if not (_DELAYS | {"TRAN_MSG"}).isdisjoint(outer):
            raise MessageIllegalError("a batch can be neither delayed nor transactional")
        if not command.body:
            raise MessageIllegalError("the batch is empty")
        try:
            result = self._store.append_batch(
                name, queue_id, sys_flag, born, connection.host, reconsume, command.body
            )
        except MessageError as error:
            raise MessageIllegalError(str(error)) from None
        return result, outer.get("UNIQ_KEY"), outer.get("WAIT") != "false"

    def _unusual(self, properties: dict[str, str]) -> str:
        """Properties text of a message that carries names which mean something to the broker."""
        if properties.get("TRAN_MSG", "").lower() == "true":
            raise NoPermissionError(
                f"the broker[{self._broker.broker_ip1}] sending transaction message is forbidden"
            )
        if any(properties.get(name, "0") != "0" for name in _DELAYS):
            raise MessageIllegalError("this broker does not deliver delayed messages")
        return format_properties({name: value for name, value in properties.items() if name not in _STAMPED})

    # --- checks ---------------------------------------------------------------------------------------------------

    def _may_write(self, topic: TopicConfig) -> bool:
        return bool(self._broker.broker_permission & PERM_WRITE) or not topic.order

    def _checked_topic(self, name: str, ext: Ext) -> TopicConfig:
        if not self._broker.broker_permission & PERM_WRITE and self._topics.is_order(name):
            raise NoPermissionError(f"the broker[{self._broker.broker_ip1}] sending message is forbidden")
        check_topic(name)
        if is_not_allowed_send_topic(name):
            raise NoPermissionError(f"Sending message to topic[{name}] is forbidden.")
        header = decode_header(SendMessageV2, ext)
        sys_flag = (2 if name.startswith(RETRY_PREFIX) else 1) if header.unit_mode else 0
        topic = self._topics.create_on_send(name, header.default_topic, header.default_topic_queue_nums, sys_flag)
        if topic is None:
            raise TopicNotExistError(f"topic[{name}] not exist, apply first please!{_SUGGEST_TOPIC}")
        return topic

    # --- answering ------------------------------------------------------------------------------------------------

    def _reply(
        self,
        command: Command,
        status: PutStatus,
        result: AppendResult,
        topic: str,
        queue_id: int,
        unique_id: str | None,
    ) -> bytes:
        code = _STORED.get(status)
        if code is None:
            self._stats.put_failed()
            raise self._refusal(status)
        if result.offsets:
            count = len(result.offsets)
            message_id = ",".join([f"{self._host_hex}{offset:016X}" for offset in result.offsets])
        else:
            count = 1
            message_id = f"{self._host_hex}{result.physical_offset:016X}"
        self._stats.put(topic, count, result.wrote_bytes)
        return self._replies.encode(command, code, message_id, queue_id, result.queue_offset, unique_id)

    def _refusal(self, status: PutStatus) -> RemotingError:
        if status in {PutStatus.MESSAGE_ILLEGAL, PutStatus.PROPERTIES_SIZE_EXCEEDED}:
            return MessageIllegalError(
                "the message is illegal, maybe msg body or properties length not matched. msg body length limit "
                f"{self._settings.store.max_message_size}B, msg properties length limit 32KB."
            )
        if status is PutStatus.SERVICE_NOT_AVAILABLE:
            return ServiceNotAvailableError(
                "service not available now. It may be caused by one of the following reasons: the broker's disk is "
                f"full [CL: {self._store.commit_log_disk_ratio():5.2f} CQ: "
                f"{self._store.consume_queue_disk_ratio():5.2f}], messages are put to the slave, message store has "
                "been shut down, etc."
            )
        if status is PutStatus.CREATE_MAPPED_FILE_FAILED:
            return RemotingError("create mapped file failed, server is busy or broken.")
        return RemotingError(status.name)
