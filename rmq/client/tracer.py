"""Reports what one producer or consumer does to the trace topic.

Traces are collected and sent together, ten at a time or every five seconds. When the trace topic cannot keep up, or
cannot be reached, traces are dropped: the work that they tell of goes on.

Source: AsyncTraceDispatcher, SendMessageTraceHookImpl, ConsumeMessageTraceHookImpl, EndTransactionTraceHookImpl.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from rmq.client import trace
from rmq.client.config import ProducerConfig
from rmq.client.instance import ClientInstance
from rmq.client.message import PROPERTY_MSG_REGION, PROPERTY_TRACE_ON, Message, MessageExt
from rmq.client.outgoing import Outgoing, outgoing_message
from rmq.client.results import SendResult, SendStatus
from rmq.client.sender import Sender
from rmq.client.trace import Consumed, ConsumeReturn, Trace
from rmq.client.waiting import Periodic
from rmq.wire.errors import RemotingError
from rmq.wire.message import parse_properties

BATCH: Final = 10
INTERVAL: Final = 5.0
MOST_HELD: Final = 2048
_MAX_BODY = 128_000
_CONFIG = ProducerConfig(send_timeout=5.0, max_message_size=4 * _MAX_BODY)
_DEFAULT_REGION = "DefaultRegion"

_numbers = itertools.count(1)

log = Logger()


class Tracer:
    """Traces of one group.

    Args:
        instance: whose connections are used.
        group: the group as its owner names it.
        role: `PRODUCE` or `CONSUME`.
    """

    def __init__(self, instance: ClientInstance, group: str, role: str) -> None:
        self._instance = instance
        self._group = group
        self._topic = instance.config.trace_topic
        self._sender = Sender(instance, f"_INNER_TRACE_PRODUCER-{group}-{role}-{next(_numbers)}", _CONFIG)
        self._held: deque[Trace] = deque()
        self._dropped = 0
        self._sending = DeferredLock()
        self._flushing = Periodic(instance.reactor, INTERVAL, self.flush, f"sending traces of {group}")

    def start(self) -> None:
        """Begins."""
        self._flushing.start()

    async def stop(self) -> None:
        """Sends what is left, and ends."""
        await self.flush()
        self._flushing.stop()

    # --- what is told -----------------------------------------------------------------------------------------------

    def sent(self, outgoing: Outgoing, address: str, result: SendResult, began: int) -> None:
        """A message or batch was sent to that broker, at a time in ms."""
        if outgoing.topic.startswith(self._topic) or not result.trace_on:
            return
        self._add(
            trace.published(
                parse_properties(outgoing.properties),
                time=began,
                region=result.region_id,
                group=self._group,
                topic=result.message_queue.topic,
                message_id=outgoing.message_id,
                broker=address,
                length=len(outgoing.body),
                cost=self._instance.now() - began,
                offset_id=result.offset_msg_id,
                success=result.send_status is SendStatus.SEND_OK,
            )
        )

    def consuming(self, messages: Sequence[MessageExt]) -> Callable[[bool, ConsumeReturn], None] | None:
        """A listener is called; gives what is to be called when it has ended."""
        traced = [message for message in messages if message.properties.get(PROPERTY_TRACE_ON) != "false"]
        if not traced:
            return None
        items = [Consumed(item.topic, item.msg_id, item.keys, item.reconsume_times) for item in traced]
        region = traced[-1].properties.get(PROPERTY_MSG_REGION)
        began = self._instance.now()
        call = self._instance.ids.next(began)
        self._add(trace.consuming(items, time=began, region=region, group=self._group, call=call))

        def ended(success: bool, outcome: ConsumeReturn) -> None:
            now = self._instance.now()
            cost = (now - began) // len(messages)
            self._add(
                trace.consumed(
                    items, time=now, group=self._group, call=call, cost=cost, success=success, outcome=outcome
                )
            )

        return ended

    def transaction_ended(
        self,
        topic: str,
        properties: Mapping[str, str],
        *,
        message_id: str,
        address: str,
        transaction_id: str | None,
        state: str,
        checked: bool,
    ) -> None:
        """A transaction was decided."""
        self._add(
            trace.transaction_ended(
                properties,
                time=self._instance.now(),
                region=properties.get(PROPERTY_MSG_REGION) or _DEFAULT_REGION,
                group=self._group,
                topic=topic,
                message_id=message_id,
                broker=address,
                transaction_id=transaction_id,
                state=state,
                checked=checked,
            )
        )

    # --- sending ----------------------------------------------------------------------------------------------------

    def _add(self, item: Trace) -> None:
        if len(self._held) >= MOST_HELD:
            self._dropped += 1
            return
        self._held.append(item)
        if len(self._held) >= BATCH:
            self._flushing.soon()

    async def flush(self) -> None:
        """Sends all that was collected until now."""
        await self._sending.acquire()
        try:
            if self._dropped:
                log.warn("{dropped} traces of {group} were dropped", dropped=self._dropped, group=self._group)
                self._dropped = 0
            while self._held:
                batch = [self._held.popleft() for _ in range(min(BATCH, len(self._held)))]
                for message in _messages(self._topic, batch):
                    await self._send(message)
        finally:
            self._sending.release()

    async def _send(self, message: Message) -> None:
        instance = self._instance
        try:
            outgoing = outgoing_message(message, _CONFIG, instance.ids, instance.now())
            await self._sender.send(outgoing, _CONFIG.send_timeout)
        except RemotingError as error:
            log.warn("traces of {group} are lost: {error}", group=self._group, error=error)


def _messages(topic: str, traces: Sequence[Trace]) -> Iterator[Message]:
    """The traces of each traced topic together, as far as they fit into one message."""
    by_topic: dict[str, list[Trace]] = {}
    for item in traces:
        by_topic.setdefault(item.topic, []).append(item)
    for items in by_topic.values():
        keys: set[str] = set()
        text = ""
        for item in items:
            if text and len(text) + len(item.text) > _MAX_BODY:
                yield Message(topic, text, keys=sorted(keys))
                keys, text = set(), ""
            keys |= item.keys
            text += item.text
        yield Message(topic, text, keys=sorted(keys))
