"""A load whose every acknowledgement is remembered, and a reader that tells what a broker really holds.

Bodies are unique, so that a message can be told from every other: lost, invented and doubled ones all show.
"""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from rmq.wire.codes import SERIALIZE_BINARY
from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.message import BatchMessage, StoredMessage, decode_messages, encode_batch

WINDOW = 32
BATCH = 8


class Channel:
    """A blocking connection."""

    def __init__(self, address: str, *, timeout: float = 30.0) -> None:
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=timeout)
        self._stream = CommandStream()

    def send(self, command: Command) -> None:
        self._socket.sendall(encode(command))

    def receive(self) -> Command:
        while (command := self._stream.next_command()) is None:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError("closed by the server")
            self._stream.feed(data)
        return command

    def ask(self, code: int, ext: dict[str, str], body: bytes = b"") -> Command:
        self.send(Command(code, ext, body, opaque=1))
        return self.receive()

    def close(self) -> None:
        self._socket.close()


@dataclass
class Ledger:
    """What was sent, and what was acknowledged at which place."""

    sent: set[bytes] = field(default_factory=set)
    acknowledged: dict[tuple[int, int], bytes] = field(default_factory=dict)
    refused: int = 0


class Sender(threading.Thread):
    """Sends until the connection breaks or it is told to stop; every fourth send is a batch.

    Args:
        padding: bodies are shorter than this, and of every length below it.
    """

    def __init__(self, address: str, topic: str, name: str, queues: int, ledger: Ledger, *, padding: int = 300) -> None:
        super().__init__(daemon=True)
        self._padding = padding
        self._address = address
        self._topic = topic
        self._label = name
        self._queues = queues
        self._ledger = ledger
        self._stopping = threading.Event()
        self.first_acknowledgement = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        waiting: dict[int, list[bytes]] = {}
        try:
            channel = Channel(self._address)
            number = 0
            while not self._stopping.is_set() or waiting:
                while len(waiting) < WINDOW and not self._stopping.is_set():
                    number += 1
                    waiting[number] = self._send(channel, number)
                self._acknowledge(channel.receive(), waiting)
            channel.close()
        except OSError:
            return

    def _send(self, channel: Channel, number: int) -> list[bytes]:
        count = BATCH if number % 4 == 0 else 1
        bodies = [
            f"{self._label}-{number}-{index}-".encode() + b"." * (number % self._padding) for index in range(count)
        ]
        self._ledger.sent.update(bodies)
        ext = {
            "a": "p", "b": self._topic, "c": "TBW102", "d": "4", "e": str(number % self._queues), "f": "0",
            "g": "1700000000000", "h": "0", "i": "", "m": "true" if count > 1 else "false",
        }  # fmt: skip
        if count == 1:
            ext["i"] = f"KEYS\x01k{number % 100}\x02"
            body = bodies[0]
        else:
            body = encode_batch([BatchMessage(0, item, b"") for item in bodies])
        channel.send(Command(320 if count > 1 else 310, ext, body, opaque=number, serialize_type=SERIALIZE_BINARY))
        return bodies

    def _acknowledge(self, reply: Command, waiting: dict[int, list[bytes]]) -> None:
        bodies = waiting.pop(reply.opaque)
        if reply.code != 0:
            self._ledger.refused += 1
            return
        queue_id, offset = int(reply.ext["queueId"]), int(reply.ext["queueOffset"])
        for index, body in enumerate(bodies):
            self._ledger.acknowledged[queue_id, offset + index] = body
        self.first_acknowledgement.set()


def stored(channel: Channel, topic: str, queue_id: int, offset: int = 0) -> Iterator[StoredMessage]:
    """Every message of a queue from an offset on."""
    while True:
        ext = {
            "consumerGroup": "reader", "topic": topic, "queueId": str(queue_id), "queueOffset": str(offset),
            "maxMsgNums": "32", "sysFlag": "4", "commitOffset": "0", "suspendTimeoutMillis": "0",
            "subscription": "*", "subVersion": "0", "expressionType": "TAG",
        }  # fmt: skip
        reply = channel.ask(11, ext)
        if reply.code != 0:
            assert reply.code == 19, reply
            return
        for message in decode_messages(reply.body):
            yield message
            offset = message.queue_offset + 1
