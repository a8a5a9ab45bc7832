"""Sends three messages and consumes them, with calls that return when they are done.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/simple.py

prints `sent N: SEND_OK` for each message, then `received hello N`.
"""

import queue

from rmq.client import ConsumeFromWhere, Message, PushConfig, blocking

arrived: queue.Queue[str] = queue.Queue()


def on_message(messages, context):  # called in threads of a pool
    for message in messages:
        arrived.put(message.body.decode())


with blocking.Producer("example_simple_producer") as producer:
    for i in range(3):
        result = producer.send(Message("ExampleSimple", f"hello {i}", tags="greeting", keys=f"key-{i}"))
        print(f"sent {i}: {result.send_status}")

# A new group begins with the oldest message; by default it would begin with the next one.
config = PushConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
consumer = blocking.PushConsumer("example_simple", on_message, config=config)
consumer.subscribe("ExampleSimple")
with consumer:
    for body in sorted(arrived.get(timeout=30) for _ in range(3)):
        print(f"received {body}")
