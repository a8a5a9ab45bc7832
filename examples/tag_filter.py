"""Consumes only messages with certain tags; the broker sends no others.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/tag_filter.py

prints `paid: order 1` and `shipped: order 1`, but not that it was created.
"""

import asyncio

from rmq.client import ConsumeFromWhere, Message, OrderlyStatus, PushConfig, aio, select_by_hash


async def main():
    arrived = asyncio.Queue()

    async def on_message(messages, context):
        for message in messages:
            await arrived.put(f"{message.tags}: {message.body.decode()}")
        return OrderlyStatus.SUCCESS

    async with aio.Producer("example_tags_producer") as producer:
        for tag in ("created", "paid", "shipped"):
            await producer.send(Message("ExampleTags", "order 1", tags=tag), selector=select_by_hash, arg=1)

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    consumer = aio.OrderlyPushConsumer("example_tags", on_message, config=config)
    consumer.subscribe("ExampleTags", "paid || shipped")
    async with consumer, asyncio.timeout(60):
        print(await arrived.get())
        print(await arrived.get())


asyncio.run(main())
