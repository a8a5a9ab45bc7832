"""Sends a hundred messages at once and consumes them, on asyncio.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/asynchronous.py

prints `sent 100 messages to 4 queues`, then `received 100 messages, the sum of their numbers is 4950`.
"""

import asyncio

from rmq.client import ConsumeFromWhere, Message, PushConfig, aio


async def main():
    arrived = asyncio.Queue()

    async def on_message(messages, context):
        for message in messages:
            await arrived.put(int(message.body))

    async with aio.Producer("example_async_producer") as producer:
        sends = [producer.send(Message("ExampleAsync", str(i))) for i in range(100)]
        results = await asyncio.gather(*sends)
        queues = {result.message_queue for result in results}
        print(f"sent {len(results)} messages to {len(queues)} queues")

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    consumer = aio.PushConsumer("example_async", on_message, config=config)
    consumer.subscribe("ExampleAsync")
    async with consumer, asyncio.timeout(30):
        numbers = [await arrived.get() for _ in range(100)]
    print(f"received {len(numbers)} messages, the sum of their numbers is {sum(numbers)}")


asyncio.run(main())
