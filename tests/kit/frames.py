"""One remoting request over a plain socket: readiness is asked for without any of the code under test."""

import json
import socket
import struct
import time
from typing import Any

UPDATE_AND_CREATE_TOPIC = 17
GET_BROKER_RUNTIME_INFO = 28
UPDATE_BROKER_CONFIG = 25
GET_ROUTE_BY_TOPIC = 105
GET_BROKER_CLUSTER_INFO = 106


class NoAnswerError(Exception):
    """The server was not there, or hung up before it answered."""


def ask(
    address: str, code: int, fields: dict[str, str] | None = None, body: bytes = b"", *, timeout: float = 20.0
) -> tuple[dict[str, Any], bytes]:
    """Header and body of the response."""
    host, port = address.rsplit(":", 1)
    header = {
        "code": code,
        "language": "JAVA",
        "version": 475,
        "opaque": 1,
        "flag": 0,
        "serializeTypeCurrentRPC": "JSON",
    }
    if fields is not None:
        header["extFields"] = fields
    head = json.dumps(header).encode()
    try:
        with socket.create_connection((host, int(port)), timeout=timeout) as sock:
            sock.sendall(struct.pack(">II", 4 + len(head) + len(body), len(head)) + head + body)
            (length,) = struct.unpack(">I", _exactly(sock, 4))
            frame = _exactly(sock, length)
    except OSError as error:
        raise NoAnswerError(f"{address}: {error}") from error
    head_length = struct.unpack_from(">I", frame)[0] & 0xFFFFFF
    return json.loads(frame[4 : 4 + head_length]), frame[4 + head_length :]


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        chunk = sock.recv(count - len(data))
        if not chunk:
            raise NoAnswerError("connection closed")
        data += chunk
    return data


def wait_for_broker(namesrv_addr: str, broker_addr: str, *, timeout: float = 60.0) -> None:
    """Until the name server names the broker and gives a route that leads to it."""
    deadline = time.monotonic() + timeout
    seen = "nothing"
    while time.monotonic() < deadline:
        try:
            _, cluster = ask(namesrv_addr, GET_BROKER_CLUSTER_INFO)
            route_header, route = ask(namesrv_addr, GET_ROUTE_BY_TOPIC, {"topic": "TBW102"})
        except NoAnswerError as error:
            seen = str(error)
        else:
            if broker_addr.encode() in cluster and route_header["code"] == 0 and broker_addr.encode() in route:
                return
            seen = f"{cluster!r} {route_header} {route!r}"
        time.sleep(0.05)
    raise TimeoutError(f"{namesrv_addr} does not know {broker_addr}; last seen: {seen}")


def wait_for_figures(broker_addr: str, *, timeout: float = 60.0) -> None:
    """Until the broker tells its runtime figures: Apache's fails at that until it has taken its first sample."""
    deadline = time.monotonic() + timeout
    while ask(broker_addr, GET_BROKER_RUNTIME_INFO)[0]["code"] != 0:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{broker_addr} tells no figures")
        time.sleep(0.05)


def create_topic(namesrv_addr: str, broker_addr: str, topic: str, queues: int) -> None:
    """Create a topic at the broker, which answers when the name server has its route."""
    fields = {
        "topic": topic,
        "defaultTopic": "TBW102",
        "readQueueNums": str(queues),
        "writeQueueNums": str(queues),
        "perm": "6",
        "topicFilterType": "SINGLE_TAG",
        "topicSysFlag": "0",
        "order": "false",
    }
    header, _ = ask(broker_addr, UPDATE_AND_CREATE_TOPIC, fields)
    if header["code"] != 0:
        raise RuntimeError(f"topic {topic} not created: {header}")
    header, _ = ask(namesrv_addr, GET_ROUTE_BY_TOPIC, {"topic": topic})
    if header["code"] != 0:
        raise RuntimeError(f"no route of topic {topic}, which was just created: {header}")
