"""Sends messages that are delivered later, by the broker's delay levels: 1s 5s 10s 30s 1m 2m ... 2h.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/delay.py

prints `level 0 after 0 s`, `level 1 after 1 s` and `level 2 after 5 s`.
"""

import asyncio
import time

from rmq.client import ConsumeFromWhere, Message, PushConfig, aio


async def main():
    arrived = asyncio.Queue()

    async def on_message(messages, context):
        for message in messages:
            await arrived.put((message.body.decode(), time.time() - message.born_timestamp / 1000))

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    consumer = aio.PushConsumer("example_delay", on_message, config=config)
    consumer.subscribe("ExampleDelay")
    async with aio.Producer("example_delay_producer") as producer:
        for level in (2, 1, 0):
            await producer.send(Message("ExampleDelay", f"level {level}", delay_level=level))
        async with consumer, asyncio.timeout(60):
            for _ in range(3):
                text, seconds = await arrived.get()
                print(f"{text} after {int(seconds)} s")


asyncio.run(main())
