"""From messages to what goes over the wire: checks, ids, compression, batches.

A batch is one body that holds several messages of one topic; the broker gives them neighbouring offsets of one queue.
It is never compressed, and its messages can be neither delayed nor retried.

Source: Validators.checkMessage, DefaultMQProducerImpl.sendKernelImpl, MessageBatch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rmq.client.compression import compress
from rmq.client.config import ProducerConfig
from rmq.client.errors import ClientError, IllegalMessageError
from rmq.client.message import (
    PROPERTY_INSTANCE_ID,
    PROPERTY_MAX_RECONSUME_TIMES,
    PROPERTY_MESSAGE_TYPE,
    PROPERTY_RECONSUME_TIME,
    PROPERTY_TRAN_MSG,
    PROPERTY_WAIT,
    REPLY,
    Message,
    properties_text,
)
from rmq.client.namespace import Namespace
from rmq.wire.message import PROPERTY_UNIQ_KEY, BatchMessage, UniqueIds, encode_batch, format_properties
from rmq.wire.names import RETRY_PREFIX, check_topic, is_not_allowed_send_topic
from rmq.wire.requests.reply import SendReplyMessageV2
from rmq.wire.requests.send import SendBatchMessage, SendMessageV2
from rmq.wire.sysflag import COMPRESSED, TRANSACTION_PREPARED

BATCH_LIMIT = 1024 * 1024
"""Bytes of a batch body that are a good measure: few calls, no long pauses."""

_BATCH_ITEM = 4 + 4 + 4 + 4 + 4 + 2
_NO_NAMESPACE = Namespace()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message or batch that is ready to be sent.

    Attributes:
        topic: where it goes, as brokers know it.
        message_id: the client's id; ids joined by commas for a batch.
        kind: the request that carries it.
        reconsume_times: how often its consumption failed, for messages that a consumer gives back.
    """

    topic: str
    body: bytes
    sys_flag: int
    flag: int
    properties: str
    message_id: str
    kind: type[SendMessageV2] = SendMessageV2
    reconsume_times: int = 0
    max_reconsume_times: int | None = None

    def header(self, group: str, queue_id: int, broker_name: str, now: int, config: ProducerConfig) -> SendMessageV2:
        """The request header for one attempt."""
        return self.kind(
            producer_group=group,
            topic=self.topic,
            default_topic=config.create_topic_key,
            default_topic_queue_nums=config.default_topic_queue_nums,
            queue_id=queue_id,
            sys_flag=self.sys_flag,
            born_timestamp=now,
            flag=self.flag,
            properties=self.properties,
            reconsume_times=self.reconsume_times,
            unit_mode=False,
            max_reconsume_times=self.max_reconsume_times,
            batch=self.kind is SendBatchMessage,
            broker_name=broker_name,
        )


def outgoing_message(
    message: Message, config: ProducerConfig, ids: UniqueIds, now: int, namespace: Namespace = _NO_NAMESPACE
) -> Outgoing:
    """Checks a message, gives it an id, compresses its body.

    Raises:
        InvalidParameterError: the topic's name is not allowed.
        ClientError: nobody may send to the topic.
        IllegalMessageError: the body is empty or too large.
    """
    topic = namespace.wrap(message.topic)
    _check(message, topic, config)
    message_id = _identify(message, ids, now)
    body, sys_flag = message.body, 0
    if len(body) >= config.compress_over:
        body = compress(body, config.compression, config.compression_level)
        sys_flag = COMPRESSED | config.compression
    if message.properties.get(PROPERTY_TRAN_MSG, "").lower() == "true":
        sys_flag |= TRANSACTION_PREPARED
    properties = dict(message.properties)
    if namespace.name:
        properties[PROPERTY_INSTANCE_ID] = namespace.name
    if not topic.startswith(RETRY_PREFIX):
        kind = SendReplyMessageV2 if properties.get(PROPERTY_MESSAGE_TYPE) == REPLY else SendMessageV2
        return Outgoing(topic, body, sys_flag, message.flag, format_properties(properties), message_id, kind)
    times = int(properties.pop(PROPERTY_RECONSUME_TIME, "0"))
    most = properties.pop(PROPERTY_MAX_RECONSUME_TIMES, None)
    return Outgoing(
        topic,
        body,
        sys_flag,
        message.flag,
        format_properties(properties),
        message_id,
        reconsume_times=times,
        max_reconsume_times=None if most is None else int(most),
    )


def outgoing_batch(
    messages: Sequence[Message],
    config: ProducerConfig,
    ids: UniqueIds,
    now: int,
    namespace: Namespace = _NO_NAMESPACE,
) -> Outgoing:
    """Checks the messages of a batch and joins them.

    Raises:
        InvalidParameterError, ClientError, IllegalMessageError: as for one message; also when there is none, when
            topics or `wait_store_ok` differ, for delayed messages and retry topics, and when the batch is too large.
    """
    if not messages:
        raise IllegalMessageError("a batch needs a message")
    first = messages[0]
    topic = namespace.wrap(first.topic)
    for message in messages:
        _check(message, namespace.wrap(message.topic), config)
        if message.topic != first.topic:
            raise IllegalMessageError("The topic of the messages in one batch should be the same")
        if message.wait_store_ok != first.wait_store_ok:
            raise IllegalMessageError("The waitStoreMsgOK of the messages in one batch should the same")
        if message.delayed:
            raise IllegalMessageError("TimeDelayLevel is not supported for batching")
    if topic.startswith(RETRY_PREFIX):
        raise IllegalMessageError("Retry Group is not supported for batching")
    identifiers = [_identify(message, ids, now) for message in messages]
    body = encode_batch([BatchMessage(item.flag, item.body, properties_text(item).encode()) for item in messages])
    if len(body) > config.max_message_size:
        raise IllegalMessageError(
            f"the message body size over max value, MAX: {config.max_message_size}; this batch has {len(body)} bytes"
        )
    outer = {PROPERTY_WAIT: first.properties.get(PROPERTY_WAIT, "true"), PROPERTY_UNIQ_KEY: ids.next(now)}
    if namespace.name:
        outer[PROPERTY_INSTANCE_ID] = namespace.name
    return Outgoing(topic, body, 0, 0, format_properties(outer), ",".join(identifiers), SendBatchMessage)


def split_batches(messages: Iterable[Message], limit: int = BATCH_LIMIT) -> Iterator[list[Message]]:
    """Splits messages, in order, into lists that make batch bodies of at most so many bytes.

    A message that alone is larger than `limit` comes in a list of its own.
    """
    batch: list[Message] = []
    total = 0
    for message in messages:
        # The id that sending adds counts too.
        size = _BATCH_ITEM + len(message.body) + len(properties_text(message).encode()) + 70
        if batch and total + size > limit:
            yield batch
            batch, total = [], 0
        batch.append(message)
        total += size
    if batch:
        yield batch


def _check(message: Message, topic: str, config: ProducerConfig) -> None:
    check_topic(topic)
    if is_not_allowed_send_topic(topic):
        raise ClientError(f"Sending message to topic[{topic}] is forbidden.")
    if not message.body:
        raise IllegalMessageError("the message body length is zero")
    if len(message.body) > config.max_message_size:
        raise IllegalMessageError(f"the message body size over max value, MAX: {config.max_message_size}")


def _identify(message: Message, ids: UniqueIds, now: int) -> str:
    known = message.properties.get(PROPERTY_UNIQ_KEY)
    if known is None:
        known = message.properties[PROPERTY_UNIQ_KEY] = ids.next(now)
    return known
