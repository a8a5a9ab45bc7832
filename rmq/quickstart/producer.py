"""Sends a thousand messages, as Apache's quickstart producer does, or what the options say.

Source: org.apache.rocketmq.example.quickstart.Producer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, Final

import orjson

from rmq.client.message import Message
from rmq.client.producer import Producer
from rmq.client.results import SendResult
from rmq.client.waiting import sleep
from rmq.quickstart.program import DONE, FAILED, parser, positive, run_program
from rmq.wire.errors import RemotingError

GROUP: Final = "please_rename_unique_group_name"
TAG: Final = "TagA"
COUNT: Final = 1000
BODY: Final = "Hello RocketMQ {i}"

_TIMEOUT = 20.0
_PAUSE_AFTER_FAILURE = 1.0
_NUMBER = "{i}"


def main(argv: list[str] | None = None) -> int:
    """Runs the program; gives its exit code."""
    return run_program(lambda: _options(argv), _send_all)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("producer", "Sends messages and prints where each of them went.", group=GROUP)
    made.add_argument(
        "-c", "--count", type=positive(int), default=COUNT, help="how many messages (default: %(default)s)"
    )
    made.add_argument(
        "--body", default=BODY, help="the body; {i} stands for the message's number (default: %(default)r)"
    )
    made.add_argument("--tag", default=TAG, help="the tag; empty for none (default: %(default)s)")
    made.add_argument("--key", help="the key; {i} stands for the message's number")
    made.add_argument("--rate", type=positive(float), help="messages a second (default: as fast as it goes)")
    options = made.parse_args(argv)
    if not options.body:
        made.error("argument --body: a message needs a body")
    return options


async def _send_all(reactor: Any, options: argparse.Namespace) -> int:
    failed = False
    async with Producer(reactor, options.group, namesrv_addr=options.namesrv_addr) as producer:
        begun = reactor.seconds()
        for number in range(options.count):
            if options.rate is not None:
                await sleep(reactor, max(0.0, begun + number / options.rate - reactor.seconds()))
            try:
                result = await producer.send(_message(options, number), timeout=_TIMEOUT)
            except RemotingError as error:
                failed = True
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                await sleep(reactor, _PAUSE_AFTER_FAILURE)
            else:
                print(_json(result) if options.json else result, flush=True)
    return FAILED if failed else DONE


def _message(options: argparse.Namespace, number: int) -> Message:
    key = options.key.replace(_NUMBER, str(number)) if options.key else None
    return Message(options.topic, options.body.replace(_NUMBER, str(number)), tags=options.tag or None, keys=key)


def _json(result: SendResult) -> str:
    queue = result.message_queue
    return orjson.dumps(
        {
            "sendStatus": result.send_status,
            "msgId": result.msg_id,
            "offsetMsgId": result.offset_msg_id,
            "topic": queue.topic,
            "brokerName": queue.broker_name,
            "queueId": queue.queue_id,
            "queueOffset": result.queue_offset,
        }
    ).decode()
