"""Each order is created, paid, pushed and finished, in this order, while different orders overtake each other.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/order.py

prints `order N: create -> pay -> push -> finish` for five orders, although the payment of order 3 fails at first.
"""

import asyncio

from rmq.client import ConsumeFromWhere, Message, OrderlyStatus, PushConfig, aio, select_by_hash

STEPS = ["create", "pay", "push", "finish"]
ORDERS = range(1, 6)


async def main():
    history = {order: [] for order in ORDERS}
    complete = asyncio.Event()
    declined = False

    async def on_message(messages, context):
        nonlocal declined
        for message in messages:
            order, step = int(message.keys), message.body.decode()
            if (order, step) == (3, "pay") and not declined:
                declined = True
                # The queue waits: this message comes again before anything that follows it.
                return OrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT
            history[order].append(step)
        if all(len(steps) == len(STEPS) for steps in history.values()):
            complete.set()
        return OrderlyStatus.SUCCESS

    async with aio.Producer("example_order_producer") as producer:
        for step in STEPS:
            for order in ORDERS:
                # The same argument, the same queue: that is what keeps the steps of an order in their order.
                message = Message("ExampleOrder", step, keys=str(order))
                await producer.send(message, selector=select_by_hash, arg=order)

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    consumer = aio.OrderlyPushConsumer("example_order", on_message, config=config)
    consumer.subscribe("ExampleOrder")
    async with consumer:
        await asyncio.wait_for(complete.wait(), 60)
    for order, steps in history.items():
        print(f"order {order}: {' -> '.join(steps)}")


asyncio.run(main())
