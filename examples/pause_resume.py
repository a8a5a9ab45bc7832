"""Pauses a consumer, for example while the database behind it is away, and resumes it.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/pause_resume.py

prints `consumed before the pause: 5`, `consumed during the pause: at most 4 more`, `consumed after the pause: 105`.
"""

import asyncio

from rmq.client import ConsumeFromWhere, Message, PushConfig, aio

TOPIC = "ExamplePause"


async def main():
    count = 0

    async def on_message(messages, context):
        nonlocal count
        count += len(messages)

    async def reached(wanted):
        while count < wanted:
            await asyncio.sleep(0.05)

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    consumer = aio.PushConsumer("example_pause", on_message, config=config)
    consumer.subscribe(TOPIC)
    async with aio.Producer("example_pause_producer") as producer, consumer, asyncio.timeout(60):
        for i in range(5):
            await producer.send(Message(TOPIC, str(i)))
        await reached(5)
        print(f"consumed before the pause: {count}")

        consumer.suspend_all()
        for i in range(100):
            await producer.send(Message(TOPIC, str(i)))
        await asyncio.sleep(1)
        # A question that the broker holds already is still answered, with one message of each queue.
        print(f"consumed during the pause: {'at most 4 more' if count <= 9 else count}")

        consumer.resume_all()
        await reached(105)
        print(f"consumed after the pause: {count}")


asyncio.run(main())
