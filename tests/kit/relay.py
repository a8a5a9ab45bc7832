"""A relay in front of a server, in a thread of its own, that does to answers what networks and broken servers do."""

import asyncio
import threading
from collections.abc import Callable
from enum import Enum, auto

from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.sendcommand import decode_frame

Forger = Callable[[int, bytes], bytes]
"""Gives a body in place of an answer's, from the request's code and the true body."""


class Way(Enum):
    """What becomes of answers."""

    TRUE = auto()
    SLOW = auto()
    GARBAGE = auto()
    HUGE = auto()
    HALF = auto()
    FORGED = auto()


class Relay:
    """Hands requests on to a server, and its answers back in the way that is set.

    Args:
        server: `host:port` of the server.

    Attributes:
        way: what becomes of answers from now on.
        forge: makes the bodies of `Way.FORGED`.
        delay: seconds by which `Way.SLOW` is late.
        asked: codes of the requests that came.
    """

    def __init__(self, server: str) -> None:
        host, port = server.rsplit(":", 1)
        self._server = (host, int(port))
        self.way = Way.TRUE
        self.forge: Forger = lambda code, body: b"{"
        self.delay = 2.0
        self.asked: list[int] = []
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        listening = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listening,), daemon=True)
        self._thread.start()
        listening.wait(10)

    def _run(self, listening: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        listening.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        codes: dict[int, int] = {}
        try:
            upstream, downstream = await asyncio.open_connection(*self._server)
            try:
                await asyncio.gather(self._requests(reader, downstream, codes), self._answers(upstream, writer, codes))
            finally:
                downstream.close()
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _requests(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, codes: dict[int, int]) -> None:
        stream = CommandStream()
        while data := await reader.read(1 << 16):
            stream.feed(data)
            while (command := stream.next_command()) is not None:
                codes[command.opaque] = command.code
                self.asked.append(command.code)
                out.write(encode(command))
        raise EOFError

    async def _answers(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, codes: dict[int, int]) -> None:
        while True:
            head = await reader.readexactly(4)
            frame = head + await reader.readexactly(int.from_bytes(head, "big"))
            if self.way is Way.SLOW:
                self._loop.call_later(self.delay, out.write, frame)
            else:
                out.write(self._spoilt(frame, codes))
                await out.drain()

    def _spoilt(self, frame: bytes, codes: dict[int, int]) -> bytes:
        if self.way is Way.GARBAGE:
            return b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n" * 8
        if self.way is Way.HUGE:
            return b"\x7f\xff\xff\xff" + frame[4:]
        if self.way is Way.HALF:
            return frame[: len(frame) // 2]
        if self.way is Way.FORGED:
            command: Command = decode_frame(frame, 4, len(frame))
            command.body = self.forge(codes.get(command.opaque, -1), command.body)
            return encode(command)
        return frame
