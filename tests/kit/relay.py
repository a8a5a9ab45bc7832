"""Relays in front of servers, in threads of their own, that do what networks and broken servers do."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from typing import Any, Final

from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.sendcommand import decode_frame

Forger = Callable[[int, bytes], bytes]
"""Gives a body in place of an answer's, from the request's code and the true body."""

_CHUNK: Final = 64 * 1024
_CHUNKS: Final = 256
"""Bytes that a `Line` reads at once, and how many such pieces it holds of one direction of a connection."""


class _Listener:
    """Accepts connections on a port of its own and opens one to the server for each."""

    def __init__(self, server: str) -> None:
        host, port = server.rsplit(":", 1)
        self._server = (host, int(port))
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
        try:
            upstream, downstream = await asyncio.open_connection(*self._server)
            try:
                await self._pass_on((reader, writer), (upstream, downstream))
            finally:
                downstream.close()
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pass_on(self, client: "_Ends", server: "_Ends") -> None:
        """Serves one connection until it raises EOFError."""
        raise NotImplementedError


_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Way(Enum):
    """What becomes of answers."""

    TRUE = auto()
    SLOW = auto()
    GARBAGE = auto()
    HUGE = auto()
    HALF = auto()
    FORGED = auto()


class Relay(_Listener):
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
        self.way = Way.TRUE
        self.forge: Forger = lambda code, body: b"{"
        self.delay = 2.0
        self.asked: list[int] = []
        super().__init__(server)

    async def _pass_on(self, client: _Ends, server: _Ends) -> None:
        codes: dict[int, int] = {}
        await asyncio.gather(self._requests(client[0], server[1], codes), self._answers(server[0], client[1], codes))

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


class Line(_Listener):
    """Hands bytes on as they are, as late as a network may.

    It holds at most 16 MiB of each direction of a connection, which is what a delay may need, and takes nothing more
    while it stalls. What it does holds for every connection, present and future, when a call returns.

    Attributes:
        opened: connections that came so far.
    """

    def __init__(self, server: str) -> None:
        self.opened = 0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        super().__init__(server)

    def stall(self) -> None:
        """Nothing passes either way from now on, not even that an end has closed; connections stay."""
        self._do(self._set(flowing=False, delay=self._delay))

    def delay(self, seconds: float) -> None:
        """What comes from now on arrives so much later, either way."""
        self._do(self._set(flowing=True, delay=seconds))

    def heal(self) -> None:
        """As it was at first; what was held by a stall arrives now."""
        self._do(self._set(flowing=True, delay=0.0))

    def cut(self) -> None:
        """Every connection is reset, and what was under way in it is lost; new ones are accepted."""
        self._do(self._reset())

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _set(self, *, flowing: bool, delay: float) -> None:
        self._delay = delay
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    async def _reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()

    async def _pass_on(self, client: _Ends, server: _Ends) -> None:
        self.opened += 1
        writers = {client[1], server[1]}
        self._writers |= writers
        pumps = [asyncio.create_task(work) for work in (*self._pumps(client, server), *self._pumps(server, client))]
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            self._writers -= writers

    def _pumps(self, source: _Ends, target: _Ends) -> tuple[Coroutine[Any, Any, None], Coroutine[Any, Any, None]]:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS)
        return self._take(source[0], under_way), self._give(under_way, target[1])

    async def _take(self, reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]]) -> None:
        data = b"."
        while data:
            await self._flowing.wait()
            data = await reader.read(_CHUNK)
            await under_way.put((self._loop.time() + self._delay, data))

    async def _give(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - self._loop.time())
            await self._flowing.wait()
            if not data:
                raise EOFError
            writer.write(data)
            await writer.drain()
