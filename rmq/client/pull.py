"""Pulls messages of one queue.

The broker filters by the hash of tags only, so tags are compared once more here. It also says which replica should be
asked next; a slave is never asked to commit.

Source: PullAPIWrapper, PullSysFlag, PullResult.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from rmq.client.config import FetchConfig
from rmq.client.errors import BrokerNotExistError
from rmq.client.instance import ClientInstance
from rmq.client.message import PROPERTY_MAX_OFFSET, PROPERTY_MIN_OFFSET, PROPERTY_TRAN_MSG, MessageExt
from rmq.client.receiving import received
from rmq.client.routes import MASTER_ID
from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.codes import ResponseCode
from rmq.wire.message import decode_messages
from rmq.wire.requests.pull import LitePullMessage, PullMessage, PullMessageReply

COMMIT_OFFSET: Final = 1
SUSPEND: Final = 2
SUBSCRIPTION: Final = 4
LITE_PULL: Final = 16

_MAX_BYTES = 256 * 1024


class PullStatus(Enum):
    """What came of a pull."""

    FOUND = int(ResponseCode.SUCCESS)
    NO_NEW_MSG = int(ResponseCode.PULL_NOT_FOUND)
    NO_MATCHED_MSG = int(ResponseCode.PULL_RETRY_IMMEDIATELY)
    OFFSET_ILLEGAL = int(ResponseCode.PULL_OFFSET_MOVED)


_ANSWERS = frozenset(status.value for status in PullStatus)


@dataclass(frozen=True, slots=True)
class PullResult:
    """Messages, and where to go on; `min_offset` and `max_offset` are the queue's bounds, `address` is who answered."""

    status: PullStatus
    next_begin_offset: int
    min_offset: int
    max_offset: int
    messages: list[MessageExt]
    address: str


class Puller:
    """Pulls for one group.

    Args:
        instance: whose routes and connections are used.
        group: the consumer group.
        config: how much and how long.
        lite: whether on behalf of a lite pull consumer.
    """

    def __init__(self, instance: ClientInstance, group: str, config: FetchConfig, *, lite: bool = False) -> None:
        self._instance = instance
        self._group = group
        self._config = config
        self._lite = lite
        self._replica: dict[MessageQueue, int] = {}

    async def pull(
        self, queue: MessageQueue, subscription: SubscriptionData, offset: int, commit_offset: int | None = None
    ) -> PullResult:
        """Messages from an offset on; the broker may hold the request until there are some.

        Args:
            queue: the queue.
            subscription: what is wanted of it.
            offset: where to begin.
            commit_offset: committed along with the pull.

        Raises:
            RemotingError: the broker refused or cannot be reached.
            MessageError: what it sent are no messages.
        """
        wanted = self._replica.get(queue, MASTER_ID)
        try:
            address = self.address(queue)
        except BrokerNotExistError:
            await self._instance.routes.refresh(queue.topic)
            address = self.address(queue)
        flags = SUSPEND | (SUBSCRIPTION | LITE_PULL if self._lite else 0)
        if commit_offset is not None and wanted == MASTER_ID:
            flags |= COMMIT_OFFSET
        header = (LitePullMessage if self._lite else PullMessage)(
            consumer_group=self._group,
            topic=queue.topic,
            queue_id=queue.queue_id,
            queue_offset=offset,
            max_msg_nums=self._config.pull_batch_size,
            sys_flag=flags,
            commit_offset=commit_offset or 0,
            suspend_timeout_millis=int(self._config.suspend_time * 1000),
            sub_version=0 if self._lite else subscription.sub_version,
            subscription=subscription.sub_string if self._lite else None,
            expression_type=subscription.expression_type,
            max_msg_bytes=_MAX_BYTES,
            broker_name=queue.broker_name,
        )
        answer = await self._instance.invoker.call(
            address, header, timeout=self._config.suspend_timeout, accept=_ANSWERS
        )
        reply: PullMessageReply = answer.header
        self._replica[queue] = reply.suggest_which_broker_id
        status = PullStatus(answer.code)
        messages = _messages(answer.body, queue, subscription, reply) if status is PullStatus.FOUND else []
        return PullResult(status, reply.next_begin_offset, reply.min_offset, reply.max_offset, messages, address)

    def address(self, queue: MessageQueue) -> str:
        """Who is asked for the queue next, as far as the route tells now.

        Raises:
            BrokerNotExistError: no route names any replica.
        """
        return self._instance.routes.replica_address(queue.broker_name, self._replica.get(queue, MASTER_ID))

    def forget(self, queue: MessageQueue) -> None:
        """The queue is no longer pulled."""
        self._replica.pop(queue, None)


def _messages(
    data: bytes, queue: MessageQueue, subscription: SubscriptionData, reply: PullMessageReply
) -> list[MessageExt]:
    messages = []
    bounds = {PROPERTY_MIN_OFFSET: str(reply.min_offset), PROPERTY_MAX_OFFSET: str(reply.max_offset)}
    for stored in decode_messages(data):
        message = received(stored, queue.broker_name)
        if subscription.tags_set and message.tags not in subscription.tags_set:
            continue
        if message.properties.get(PROPERTY_TRAN_MSG, "").lower() == "true":
            message.transaction_id = message.unique_id
        message.properties.update(bounds)
        message.queue_id = queue.queue_id
        message.queue_offset += reply.offset_delta or 0
        messages.append(message)
    return messages
