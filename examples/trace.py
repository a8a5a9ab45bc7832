"""Traces a message: where it was stored, who consumed it, how often and with what success.

    NAMESRV_ADDR=127.0.0.1:9876 python examples/trace.py

prints `Pub example_trace_producer true`, `SubBefore example_trace retry 0` and `SubAfter example_trace true`. The same
can be looked up with `mqadmin queryMsgTraceById -i <message id>`.
"""

import asyncio

from rmq.client import ClientConfig, ConsumeFromWhere, LitePullConfig, Message, PushConfig, aio

FIRST = ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET


async def main():
    consumed = asyncio.Event()
    traced = ClientConfig(enable_trace=True)

    async def on_message(messages, context):
        consumed.set()

    consumer = aio.PushConsumer(
        "example_trace", on_message, config=PushConfig(consume_from_where=FIRST), client_config=traced
    )
    consumer.subscribe("ExampleTrace")
    async with consumer, aio.Producer("example_trace_producer", client_config=traced) as producer:
        result = await producer.send(Message("ExampleTrace", "who has seen me?"))
        await asyncio.wait_for(consumed.wait(), 60)
    # What was traced is sent every five seconds, or when producer and consumer are shut down.

    records = []
    puller = aio.LitePullConsumer("example_trace_reader", config=LitePullConfig(consume_from_where=FIRST))
    puller.subscribe("RMQ_SYS_TRACE_TOPIC")
    async with puller, asyncio.timeout(60):
        while len(records) < 3:
            for message in await puller.poll(timeout=5):
                fields = [record.split("\x01") for record in message.body.decode().split("\x02")]
                records += [record for record in fields if result.msg_id in record]
    for record in sorted(records, key=lambda record: ["Pub", "SubBefore", "SubAfter"].index(record[0])):
        match record:
            case ["Pub", _, _, group, *_, success] | ["SubAfter", _, _, _, success, _, _, _, group]:
                print(record[0], group, success)
            case ["SubBefore", _, _, group, _, _, times, _]:
                print(record[0], group, "retry", times)


asyncio.run(main())
