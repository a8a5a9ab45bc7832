"""Sends messages that are delivered at any time, to the second, and takes one of them back.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/timer.py

prints `recalled: never`, then `in three seconds` and `at a time`. The broker needs recallMessageEnable=true.
"""

import asyncio
import time

from rmq.client import ConsumeFromWhere, Message, PushConfig, aio

TOPIC = "ExampleTimer"


async def main():
    arrived = asyncio.Queue()

    async def on_message(messages, context):
        for message in messages:
            await arrived.put(message.body.decode())

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    consumer = aio.PushConsumer("example_timer", on_message, config=config)
    consumer.subscribe(TOPIC)
    async with aio.Producer("example_timer_producer") as producer:
        await producer.send(Message(TOPIC, "at a time", deliver_at=round((time.time() + 6) * 1000)))
        await producer.send(Message(TOPIC, "in three seconds", delay_seconds=3))
        pending = await producer.send(Message(TOPIC, "never", delay_seconds=5))
        await producer.recall(TOPIC, pending.recall_handle)
        print("recalled: never")
        async with consumer, asyncio.timeout(60):
            print(await arrived.get())
            print(await arrived.get())


asyncio.run(main())
