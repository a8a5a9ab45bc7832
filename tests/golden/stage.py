"""Sets the stage for mqadmin over the bare protocol: commits offsets, keeps clients connected."""

import json
import socket
import struct
from typing import Any

from tests.kit.frames import ask

_UPDATE_CONSUMER_OFFSET = 15
_HEART_BEAT = 34

_CONSUMER = {
    "clientID": "127.0.0.1@live-consumer",
    "consumerDataSet": [
        {
            "groupName": "GID_live",
            "consumeType": "CONSUME_PASSIVELY",
            "messageModel": "CLUSTERING",
            "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET",
            "subscriptionDataSet": [
                {"topic": "T_two", "subString": "TagA || TagB", "tagsSet": ["TagA", "TagB"], "subVersion": 1},
                {"topic": "%RETRY%GID_live", "subString": "*", "tagsSet": [], "subVersion": 1},
            ],
            "unitMode": False,
        }
    ],
    "producerDataSet": [],
}
_PRODUCER = {
    "clientID": "127.0.0.1@live-producer",
    "consumerDataSet": [],
    "producerDataSet": [{"groupName": "PID_live"}],
}


class Stage:
    """What stands around the commands."""

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._clients: list[socket.socket] = []

    def do(self, line: str) -> None:
        """One line of the scenario that begins with `@`."""
        match line.split():
            case ["@offset", group, topic, queue, offset]:
                fields = {"consumerGroup": group, "topic": topic, "queueId": queue, "commitOffset": offset}
                header, _ = ask(self._broker, _UPDATE_CONSUMER_OFFSET, fields)
                assert header["code"] == 0, header
            case ["@connect"]:
                self._clients = [_connected(self._broker, body) for body in (_CONSUMER, _PRODUCER)]
            case ["@disconnect"]:
                self.close()
            case _:
                raise ValueError(f"unknown stage direction {line}")

    def close(self) -> None:
        """Disconnects the clients."""
        for client in self._clients:
            client.close()
        self._clients = []


def _connected(broker: str, body: dict[str, Any]) -> socket.socket:
    host, port = broker.rsplit(":", 1)
    header = {"code": _HEART_BEAT, "language": "JAVA", "version": 493, "opaque": 1, "flag": 0}
    head, payload = json.dumps(header).encode(), json.dumps(body).encode()
    client = socket.create_connection((host, int(port)), timeout=10)
    client.sendall(struct.pack(">II", 4 + len(head) + len(payload), len(head)) + head + payload)
    assert client.recv(4), "the broker hung up"
    return client
