"""Polls messages of chosen queues, goes back to read some again, and commits by itself.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/lite_pull.py

prints `polled 0 to 19`, `again from 15: 15 16 17 18 19` and `committed 20`, with larger numbers when it runs again.
"""

import asyncio

from rmq.client import LitePullConfig, Message, aio

TOPIC = "ExampleLitePull"
COUNT = 20


async def main():
    config = LitePullConfig(auto_commit=False)
    async with aio.Producer("example_lite_producer") as producer:
        first = await producer.send(Message(TOPIC, "0"))
        queue, begin = first.message_queue, first.queue_offset
        for i in range(1, COUNT):
            await producer.send(Message(TOPIC, str(i)), queue=queue)

    async with aio.LitePullConsumer("example_lite", config=config) as consumer, asyncio.timeout(60):
        # assign() takes queues whoever else reads them; subscribe() would share them with the group.
        await consumer.assign([queue])
        await consumer.seek(queue, begin)
        polled = []
        while len(polled) < COUNT:
            polled += [message.queue_offset for message in await consumer.poll(timeout=5)]
        print(f"polled {polled[0]} to {polled[-1]}")

        await consumer.seek(queue, begin + 15)
        again = [str(message.queue_offset) for message in await consumer.poll(timeout=5)]
        print(f"again from {begin + 15}: {' '.join(again)}")
        await consumer.commit()
        print(f"committed {await consumer.committed(queue)}")


asyncio.run(main())
