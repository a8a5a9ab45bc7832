"""Prints messages as they come, as Apache's quickstart consumer does, until it is stopped or has seen enough.

Source: org.apache.rocketmq.example.quickstart.Consumer.
"""

from __future__ import annotations

import argparse
import base64
from collections.abc import Sequence
from typing import Any, Final

import orjson
from twisted.internet.defer import CancelledError, Deferred

from rmq.client.config import PushConfig
from rmq.client.consume import ConsumeContext, ConsumeStatus
from rmq.client.message import MessageExt
from rmq.client.push import PushConsumer
from rmq.quickstart.program import DONE, FAILED, parser, positive, run_program
from rmq.wire.bodies.heartbeat import ConsumeFromWhere
from rmq.wire.subscription import SUB_ALL

GROUP: Final = "please_rename_unique_group_name_4"


def main(argv: list[str] | None = None) -> int:
    """Runs the program; gives its exit code."""
    return run_program(lambda: _options(argv), _consume)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("consumer", "Prints messages as they come, until it is interrupted.", group=GROUP)
    made.add_argument("-c", "--count", type=positive(int), help="end after so many messages (default: never)")
    made.add_argument("--tag", default=SUB_ALL, help="tags to consume, joined by '||' (default: all)")
    made.add_argument("--timeout", type=positive(float), help="give up after so many seconds (default: never)")
    return made.parse_args(argv)


class _Printer:
    """Prints messages and counts them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._seen = 0
        self.enough: Deferred[None] = Deferred()

    def consume(self, messages: list[MessageExt], context: ConsumeContext) -> ConsumeStatus:
        """The listener."""
        try:
            self._print(messages, context.worker)
        except OSError as error:
            if not self.enough.called:
                self.enough.errback(error)
            return ConsumeStatus.RECONSUME_LATER
        self._seen += len(messages)
        if self._seen == self._options.count:
            # Whoever waits for this shuts the consumer down at once, so what came beyond is left to the group.
            self.enough.callback(None)
        return ConsumeStatus.CONSUME_SUCCESS

    def _print(self, messages: list[MessageExt], worker: int) -> None:
        if self._options.json:
            text = "\n".join(map(_json, messages))
        else:
            thread = f"ConsumeMessageThread_{self._options.group[:100]}_{worker}"
            text = f"{thread} Receive New Messages: [{', '.join(map(str, messages))}] "
        print(text, flush=True)


async def _consume(reactor: Any, options: argparse.Namespace) -> int:
    printer = _Printer(options)
    consumer = PushConsumer(
        reactor,
        options.group,
        printer.consume,
        namesrv_addr=options.namesrv_addr,
        config=PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET),
    )
    consumer.subscribe(options.topic, options.tag)
    status = DONE
    if options.timeout is not None:
        reactor.callLater(options.timeout, printer.enough.cancel)
    async with consumer:
        if not options.json:
            print("Consumer Started.", flush=True)
        try:
            await printer.enough
        except CancelledError:
            # Interrupted, which is how it usually ends; or out of time before it had seen enough.
            status = DONE if options.count is None else FAILED
    return status


def _json(message: MessageExt) -> str:
    try:
        body = {"body": message.body.decode()}
    except UnicodeDecodeError:
        body = {"bodyBase64": base64.b64encode(message.body).decode()}
    return orjson.dumps(
        {
            "topic": message.topic,
            "brokerName": message.broker_name,
            "queueId": message.queue_id,
            "queueOffset": message.queue_offset,
            "msgId": message.msg_id,
            "offsetMsgId": message.offset_msg_id,
            "tags": message.tags,
            "keys": message.keys,
            "properties": message.properties,
            "reconsumeTimes": message.reconsume_times,
            "bornTimestamp": message.born_timestamp,
            "storeTimestamp": message.store_timestamp,
            **body,
        }
    ).decode()
