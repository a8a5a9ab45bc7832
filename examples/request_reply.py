"""Asks a question by a message and waits for the answer, which goes straight to who asked.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/request_reply.py

prints `6 * 7 = 42`, then `nobody answered in time`.
"""

import asyncio

from rmq.client import ConsumeFromWhere, Message, PushConfig, RequestTimeoutError, aio, reply_to


async def main():
    async with aio.Producer("example_answering") as answering, aio.Producer("example_asking") as asking:

        async def on_message(messages, context):
            for message in messages:
                left, _, right = message.body.decode().split()
                await answering.send(reply_to(message, str(int(left) * int(right))))

        config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
        consumer = aio.PushConsumer("example_calculator", on_message, config=config)
        consumer.subscribe("ExampleRequest")
        async with consumer:
            answer = await asking.request(Message("ExampleRequest", "6 * 7"), timeout=30)
            print(f"6 * 7 = {answer.body.decode()}")
        try:
            await asking.request(Message("ExampleNobody", "hello?"), timeout=0.5)
        except RequestTimeoutError:
            print("nobody answered in time")


asyncio.run(main())
