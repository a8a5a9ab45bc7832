"""Runs producers and consumers of rmq.client on command, on plain asyncio.

Standard input: one JSON object a line, {"id":N,"do":verb,...}. Standard output: {"id":N,"ok":...} or
{"id":N,"error":text} for each, in any order, and {"event":...} lines between them. The name server address is the first
argument. Each named client is a client of its own. End of input ends it.
"""

import asyncio
import base64
import sys
from collections.abc import Sequence
from typing import Any

import orjson

from rmq.client import (
    ClientConfig,
    ConsumeContext,
    ConsumeFromWhere,
    LitePullConfig,
    Message,
    MessageExt,
    MessageModel,
    MessageQueue,
    ProducerConfig,
    PushConfig,
    SendResult,
    aio,
)

Facts = dict[str, Any]


def print_line(line: Facts) -> None:
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.flush()


def described(message: MessageExt) -> Facts:
    return {
        "topic": message.topic,
        "brokerName": message.broker_name,
        "queueId": message.queue_id,
        "queueOffset": message.queue_offset,
        "msgId": message.msg_id,
        "offsetMsgId": message.offset_msg_id,
        "body": base64.b64encode(message.body).decode(),
        "tags": message.tags,
        "keys": message.keys,
        "properties": message.properties,
        "reconsumeTimes": message.reconsume_times,
        "sysFlag": message.sys_flag,
        "bornTimestamp": message.born_timestamp,
        "storeTimestamp": message.store_timestamp,
    }


def to_message(topic: str, item: Facts) -> Message:
    body = base64.b64decode(item["body"])
    return Message(topic, body, tags=item.get("tags"), keys=item.get("keys"), properties=item["properties"])


def report(result: SendResult) -> list[Any]:
    queue = result.message_queue
    return [
        str(result.send_status),
        result.msg_id,
        result.offset_msg_id,
        queue.broker_name,
        queue.queue_id,
        result.queue_offset,
    ]


def by_queue_id(queues: Sequence[MessageQueue], message: Message, arg: int) -> MessageQueue:
    return next(queue for queue in queues if queue.queue_id == arg)


class Driver:
    def __init__(self, namesrv: str) -> None:
        self.namesrv = namesrv
        self.clients: dict[str, Any] = {}
        self.topics: dict[str, str] = {}

    def common(self, command: Facts) -> Facts:
        return {"namesrv_addr": self.namesrv, "client_config": ClientConfig(instance_name=command["name"])}

    async def begin(self, name: str, client: Any) -> Facts:
        self.clients[name] = client
        await client.start()
        return {"clientId": client._member.instance.client_id}

    async def do_producer(self, command: Facts) -> Facts:
        # Of ten thousand sends at once the time of the last begins with that of the first, on a busy machine, too.
        config = ProducerConfig(send_timeout=60.0)
        return await self.begin(command["name"], aio.Producer(command["group"], config=config, **self.common(command)))

    async def do_send(self, command: Facts) -> list[list[Any]]:
        producer: aio.Producer = self.clients[command["name"]]
        messages = [to_message(command["topic"], item) for item in command["messages"]]
        if command["mode"] == "batch":
            size = command["size"]
            batches = [messages[i : i + size] for i in range(0, len(messages), size)]
            return [report(await producer.send_batch(batch)) for batch in batches]
        to = {} if command.get("queue") is None else {"selector": by_queue_id, "arg": command["queue"]}
        if command["mode"] == "oneway":
            for message in messages:
                await producer.send_oneway(message, **to)
            return []
        if command["mode"] == "async":
            return [report(result) for result in await asyncio.gather(*(producer.send(m, **to) for m in messages))]
        results: list[Any] = [None] * len(messages)
        numbered = iter(enumerate(messages))

        async def worker() -> None:
            for number, message in numbered:
                results[number] = report(await producer.send(message, **to))

        await asyncio.gather(*(worker() for _ in range(command["threads"])))
        return results

    async def do_publishQueues(self, command: Facts) -> list[list[Any]]:
        queues = await self.clients[command["name"]].fetch_publish_queues(command["topic"])
        return [[queue.broker_name, queue.queue_id] for queue in queues]

    async def do_push(self, command: Facts) -> Facts:
        name = command["name"]

        async def listener(messages: list[MessageExt], context: ConsumeContext) -> None:
            for message in messages:
                print_line({"event": "message", "name": name, **described(message)})

        config = PushConfig(
            message_model=MessageModel(command["model"]), consume_from_where=ConsumeFromWhere(command["from"])
        )
        consumer = aio.PushConsumer(command["group"], listener, config=config, **self.common(command))
        consumer.subscribe(command["topic"], command["expression"])
        self.topics[name] = command["topic"]
        return await self.begin(name, consumer)

    async def do_lite(self, command: Facts) -> Facts:
        name, topic = command["name"], command["topic"]
        config = LitePullConfig(consume_from_where=ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET)
        consumer = aio.LitePullConsumer(command["group"], config=config, **self.common(command))
        self.topics[name] = topic
        if not command["assign"]:
            consumer.subscribe(topic, command["expression"])
        facts = await self.begin(name, consumer)
        if command["assign"]:
            await consumer.assign(await consumer.fetch_message_queues(topic))
        return facts

    async def do_ask(self, command: Facts) -> Any:
        name, client, what = command["name"], self.clients[command["name"]], command["what"]
        queue = MessageQueue(self.topics[name], "broker-a", command.get("queue", 0))
        if what == "queues":
            return [[q.broker_name, q.queue_id] for q in client.assignment() if q.topic == queue.topic]
        if what == "poll":
            return [described(message) for message in await client.poll(command["seconds"])]
        if what == "commit":
            return await client.commit()
        if what == "committed":
            return await client.committed(queue)
        if what == "seek":
            return await client.seek(queue, command["offset"])
        if what == "offsetForTimestamp":
            return await client.offset_for_timestamp(queue, command["timestamp"])
        raise ValueError(f"unknown question {what}")

    async def do_stop(self, command: Facts) -> bool:
        await self.clients.pop(command["name"]).shutdown()
        return True

    async def answer(self, command: Facts) -> None:
        try:
            print_line({"id": command["id"], "ok": await getattr(self, f"do_{command['do']}")(command)})
        except Exception as error:
            print_line({"id": command["id"], "error": f"{type(error).__name__}: {error}"})


async def main() -> None:
    driver = Driver(sys.argv[1])
    loop = asyncio.get_running_loop()
    running = set()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        task = asyncio.create_task(driver.answer(orjson.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


asyncio.run(main())
