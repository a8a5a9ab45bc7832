"""Sends messages that are delivered only if a local transaction succeeds, here an entry in a dictionary.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/transaction.py

prints `order 1: COMMIT_MESSAGE`, `order 2: ROLLBACK_MESSAGE` and `order 3: UNKNOW`, then `delivered: order 1`, and when
the broker has asked what became of the third, which takes up to a minute, `the broker asks about order 3` and
`delivered: order 3`.
"""

import asyncio

from rmq.client import ConsumeFromWhere, Message, PushConfig, TransactionState, aio

booked = {}


async def book(message, amount):
    """The local transaction."""
    if amount > 100:
        return TransactionState.ROLLBACK
    booked[message.keys] = amount
    # As if the program stopped here with the third one: booked, and nobody was told.
    return TransactionState.UNKNOWN if amount == 3 else TransactionState.COMMIT


async def check(message):
    """Asked by the broker when it was not told, possibly in another process."""
    print(f"the broker asks about {message.body.decode()}")
    return TransactionState.COMMIT if message.keys in booked else TransactionState.ROLLBACK


async def main():
    arrived = asyncio.Queue()

    async def on_message(messages, context):
        for message in messages:
            await arrived.put(message.body.decode())

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    consumer = aio.PushConsumer("example_transaction", on_message, config=config)
    consumer.subscribe("ExampleTransaction")
    async with aio.TransactionProducer("example_transaction_producer", check) as producer:
        for number, amount in ((1, 20), (2, 1000), (3, 3)):
            message = Message("ExampleTransaction", f"order {number}", keys=str(number))
            result = await producer.send_in_transaction(message, book, amount)
            print(f"order {number}: {result.state}")
        async with consumer, asyncio.timeout(120):
            print(f"delivered: {await arrived.get()}")
            print(f"delivered: {await arrived.get()}")


asyncio.run(main())
