"""Consumes only messages whose properties fit an SQL92 expression; the broker sends no others.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/sql_filter.py

prints `Kiel: 30 degrees` and `Rome: 35 degrees`. The broker needs enablePropertyFilter=true.
"""

import asyncio

from rmq.client import SQL92, ConsumeFromWhere, Message, PushConfig, aio

READINGS = [("Kiel", 18), ("Kiel", 30), ("Rome", 35), ("Rome", 41), ("Oslo", 33)]


async def main():
    arrived = asyncio.Queue()

    async def on_message(messages, context):
        for message in messages:
            await arrived.put(message.body.decode())

    async with aio.Producer("example_sql_producer") as producer:
        for city, degrees in READINGS:
            properties = {"city": city, "degrees": str(degrees)}
            await producer.send(Message("ExampleSql", f"{city}: {degrees} degrees", properties=properties))

    config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
    consumer = aio.PushConsumer("example_sql", on_message, config=config)
    consumer.subscribe("ExampleSql", "degrees BETWEEN 25 AND 40 AND city IN ('Kiel', 'Rome')", expression_type=SQL92)
    async with consumer, asyncio.timeout(60):
        for text in sorted([await arrived.get(), await arrived.get()]):
            print(text)


asyncio.run(main())
