"""Every member of a group gets every message, and keeps its place in a file of its own.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/broadcast.py

prints `first: reload 1`, `first: reload 2`, `second: reload 1` and `second: reload 2`.
"""

import asyncio
import tempfile
from pathlib import Path

from rmq.client import ClientConfig, ConsumeFromWhere, Message, MessageModel, PushConfig, aio

TOPIC = "ExampleBroadcast"


async def main():
    arrived = asyncio.Queue()

    def member(name, directory):
        async def on_message(messages, context):
            for message in messages:
                await arrived.put(f"{name}: {message.body.decode()}")

        config = PushConfig(
            message_model=MessageModel.BROADCASTING,
            # Without offsets in the file it begins with the next message. The default place is ~/.rocketmq_offsets.
            consume_from_where=ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET,
            offset_store_dir=Path(directory),
        )
        consumer = aio.PushConsumer(
            "example_broadcast", on_message, config=config, client_config=ClientConfig(instance_name=name)
        )
        consumer.subscribe(TOPIC)
        return consumer

    with tempfile.TemporaryDirectory() as directory:
        async with aio.Producer("example_broadcast_producer") as producer, asyncio.timeout(60):
            await producer.send(Message(TOPIC, "before they came"))
            members = [member("first", directory), member("second", directory)]
            async with members[0], members[1]:
                while not all(consumer.assignment() for consumer in members):
                    await asyncio.sleep(0.1)
                for i in (1, 2):
                    await producer.send(Message(TOPIC, f"reload {i}"))
                for line in sorted([await arrived.get() for _ in range(4)]):
                    print(line)


asyncio.run(main())
