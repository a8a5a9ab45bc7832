"""Sends many small messages as a few large ones; consumers get them one by one.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/batch.py

prints `10000 messages went in N batches` and `received 10000 messages`.
"""

import asyncio

from rmq.client import ConsumeFromWhere, Message, PushConfig, aio, split_batches

COUNT = 10000


async def main():
    received = 0
    complete = asyncio.Event()

    async def on_message(messages, context):
        nonlocal received
        received += len(messages)
        if received == COUNT:
            complete.set()

    async with aio.Producer("example_batch_producer") as producer:
        messages = [Message("ExampleBatch", f"message {i}", tags="batch") for i in range(COUNT)]
        # All messages of a batch go to one queue of one topic. About 256 KiB a batch.
        batches = list(split_batches(messages, 256 * 1024))
        for batch in batches:
            await producer.send_batch(batch)
        print(f"{COUNT} messages went in {len(batches)} batches")

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET, consume_batch_size=32)
    consumer = aio.PushConsumer("example_batch", on_message, config=config)
    consumer.subscribe("ExampleBatch")
    async with consumer:
        await asyncio.wait_for(complete.wait(), 60)
    print(f"received {received} messages")


asyncio.run(main())
