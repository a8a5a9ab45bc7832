"""Sends log lines without asking what became of them: the fastest way, for what may be lost.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/oneway.py

prints `sent 1000 lines without an answer`, then `the topic holds 1000 lines more`.
"""

import asyncio

from rmq.client import LitePullConfig, Message, aio

TOPIC = "ExampleOneway"


async def stored(puller):
    """How many messages the topic has taken."""
    return sum([await puller.max_offset(queue) for queue in await puller.fetch_message_queues(TOPIC)])


async def main():
    config = LitePullConfig(auto_commit=False)
    async with aio.Producer("example_oneway_producer") as producer, aio.LitePullConsumer(
        "example_oneway", config=config
    ) as puller:
        await producer.send(Message(TOPIC, "the first message makes the topic"))
        before = await stored(puller)
        for i in range(1000):
            await producer.send_oneway(Message(TOPIC, f"line {i}"))
        print("sent 1000 lines without an answer")

        while await stored(puller) < before + 1000:
            await asyncio.sleep(0.1)
        print(f"the topic holds {await stored(puller) - before} lines more")


asyncio.run(asyncio.wait_for(main(), 60))
