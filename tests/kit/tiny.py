"""Tiny real servers for command lines: each connection is served by a function."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A TCP server that does with each connection what it is told; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            serve(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        # A thread in accept() wakes up when the listener is shut down, not when it is closed.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in connections:
            connection.close()


def answering(code: int, remark: str | None, body: bytes) -> Callable[[socket.socket], None]:
    """Answers one request."""

    def serve(connection: socket.socket) -> None:
        (length,) = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))
        frame = connection.recv(length, socket.MSG_WAITALL)
        size = struct.unpack(">I", frame[:4])[0] & 0xFFFFFF
        opaque = json.loads(frame[4 : 4 + size])["opaque"]
        header = {"code": code, "flag": 1, "language": "JAVA", "opaque": opaque, "remark": remark, "version": 493}
        head = json.dumps(header).encode()
        connection.sendall(struct.pack(">II", 4 + len(head) + len(body), len(head)) + head + body)

    return serve


def answering_always(answer: Callable[[int], tuple[int, str | None, bytes]]) -> Callable[[socket.socket], None]:
    """Answers every request of every connection: gets its code, gives code, remark and body."""

    def follow(connection: socket.socket) -> None:
        try:
            while (start := connection.recv(4, socket.MSG_WAITALL)) and len(start) == 4:
                frame = connection.recv(struct.unpack(">I", start)[0], socket.MSG_WAITALL)
                size = struct.unpack(">I", frame[:4])[0] & 0xFFFFFF
                request = json.loads(frame[4 : 4 + size])
                code, remark, body = answer(request["code"])
                header = {"code": code, "flag": 1, "language": "JAVA", "opaque": request["opaque"], "remark": remark}
                head = json.dumps({**header, "version": 493}).encode()
                connection.sendall(struct.pack(">II", 4 + len(head) + len(body), len(head)) + head + body)
        except OSError:
            return

    return lambda connection: threading.Thread(target=follow, args=(connection,), daemon=True).start()
