"""The same calls on asyncio, against a small server on the same loop."""

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from rmq.remoting.aio import AsyncioClient
from rmq.remoting.calls import request_command
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError, ConnectionClosedError
from rmq.wire.codes import FLAG_RESPONSE
from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.errors import QueryNotFoundError
from rmq.wire.requests.kv import GetKVConfig
from tests.kit import tiny

Answer = Callable[[Command], Command | bytes | None]
HEADER = GetKVConfig("n", "k")


class Server:
    """Answers with what a function makes of each request; None is no answer, empty bytes hang up."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.seen: list[Command] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        stream = CommandStream()
        while data := await reader.read(65536):
            stream.feed(data)
            while (command := stream.next_command()) is not None:
                self.seen.append(command)
                made = self.answer(command)
                if made == b"":
                    writer.close()
                    return
                if made is not None:
                    writer.write(made if isinstance(made, bytes) else encode(made))
        writer.close()


def run(answer: Answer, use: Callable[[AsyncioClient, str, Server], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        server = Server(answer)
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        address = "127.0.0.1:%d" % listening.sockets[0].getsockname()[1]  # noqa: UP031
        client = AsyncioClient()
        try:
            return await use(client, address, server)
        finally:
            await client.close()
            listening.close()

    return asyncio.run(asyncio.wait_for(main(), 20))


def value(command: Command) -> Command:
    return Command(0, {"value": command.ext["key"]}, opaque=command.opaque, flag=FLAG_RESPONSE)


def test_calls_share_one_connection_and_get_their_own_answers() -> None:
    async def use(client: AsyncioClient, address: str, server: Server) -> None:
        answers = await asyncio.gather(*(client.call(address, GetKVConfig("n", str(n))) for n in range(20)))
        assert [answer.header.value for answer in answers] == [str(n) for n in range(20)]
        assert server.connections == 1

    run(value, use)


def test_other_codes_are_raised_unless_accepted() -> None:
    async def use(client: AsyncioClient, address: str, server: Server) -> None:
        with pytest.raises(QueryNotFoundError, match=f"CODE: 22  DESC: nothing BROKER: {address}"):
            await client.call(address, HEADER)
        assert (await client.call(address, HEADER, accept=frozenset({0, 22}))).code == 22

    run(lambda command: Command(22, opaque=command.opaque, flag=FLAG_RESPONSE, remark="nothing"), use)


def test_no_answer_times_out_and_others_still_work() -> None:
    async def use(client: AsyncioClient, address: str, server: Server) -> None:
        with pytest.raises(CallTimeoutError, match=r"timeout, 50\(ms\)"):
            await client.call(address, HEADER, timeout=0.05)
        server.answer = value
        assert (await client.call(address, HEADER)).header.value == "k"
        assert server.connections == 1

    run(lambda command: None, use)


def test_a_hang_up_ends_the_call_and_the_next_one_connects_again() -> None:
    async def use(client: AsyncioClient, address: str, server: Server) -> None:
        with pytest.raises(ConnectionClosedError):
            await client.call(address, HEADER)
        server.answer = value
        assert (await client.call(address, HEADER)).header.value == "k"
        assert server.connections == 2

    run(lambda command: b"", use)


def test_an_answer_that_is_no_frame_ends_the_call() -> None:
    async def use(client: AsyncioClient, address: str, server: Server) -> None:
        with pytest.raises(ConnectionClosedError, match="what it sent is no frame"):
            await client.call(address, HEADER)

    run(lambda command: b"\xff\xff\xff\xffgarbage", use)


def test_garbage_before_the_first_call_is_what_ends_it() -> None:
    class Greeting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"\xff\xff\xff\xffgarbage")

    async def use(client: AsyncioClient, _: str, server: Server) -> None:
        greeting = await asyncio.get_running_loop().create_server(Greeting, "127.0.0.1", 0)
        address = "127.0.0.1:%d" % greeting.sockets[0].getsockname()[1]  # noqa: UP031
        channel = await client._channel(address)
        while channel.alive:
            await asyncio.sleep(0)
        expected = f"^connection to {address} closed before the answer came: what it sent is no frame: "
        with pytest.raises(ConnectionClosedError, match=expected):
            await channel.call(request_command(HEADER))
        await channel.close()
        with pytest.raises(ConnectionClosedError, match=expected):
            channel.send(request_command(HEADER, oneway=True))
        with pytest.raises(ConnectionClosedError, match=expected):
            await client.call(address, HEADER)
        greeting.close()

    run(value, use)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "Connection refused"),
        ("localhost:1", "Connection refused"),
        ("nowhere", "address 'nowhere' is not of the form host:port"),
    ],
)
def test_who_cannot_be_reached(address: str, reason: str) -> None:
    async def use(client: AsyncioClient, _: str, server: Server) -> None:
        for _attempt in range(2):
            with pytest.raises(ConnectFailedError) as caught:
                await client.call(address, HEADER)
            assert str(caught.value) == f"connect to {address} failed: {reason}"

    run(value, use)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1), [Errno 111] ..."), os.strerror(111)),
        (OSError("something else"), "something else"),
    ],
)
def test_reasons_are_plain(monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str) -> None:
    async def fail(*_: Any) -> None:
        raise error

    async def use(client: AsyncioClient, address: str, server: Server) -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", fail)
        with pytest.raises(ConnectFailedError) as caught:
            await client.call(address, HEADER)
        assert str(caught.value) == f"connect to {address} failed: {reason}"

    run(value, use)


def test_a_oneway_goes_out_and_a_servers_request_is_refused() -> None:
    refusals: list[Command] = []

    def answer(command: Command) -> Command | None:
        if command.flag & FLAG_RESPONSE:
            refusals.append(command)
            return None
        return Command(40, opaque=77)

    async def use(client: AsyncioClient, address: str, server: Server) -> None:
        await client.send_oneway(address, HEADER)
        while not refusals:
            await asyncio.sleep(0.01)
        assert server.seen[0].is_oneway
        assert (refusals[0].code, refusals[0].opaque) == (3, 77)

    run(answer, use)


def test_closing_does_not_wait_for_a_connection_that_is_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    async def never(*_: Any) -> None:
        begun.append("connect")
        await asyncio.get_running_loop().create_future()

    async def use(client: AsyncioClient, address: str, server: Server) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "create_connection", never)
            with pytest.raises(CallTimeoutError):
                await client.call(address, HEADER, timeout=0.01)
            assert begun == ["connect"]
            async with asyncio.timeout(20):
                await client.close()

    run(value, use)


def test_a_reset_is_told_plainly() -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(4)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    async def use(client: AsyncioClient, _: str, server: Server) -> None:
        with tiny.server(reset) as address, pytest.raises(ConnectionClosedError) as caught:
            await client.call(address, HEADER)
        assert str(caught.value).endswith(": Connection reset by peer")

    run(value, use)


def test_closing_gives_a_peer_that_does_not_read_up() -> None:
    class Deaf(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            deaf.append(transport)

    deaf: list[asyncio.Transport] = []

    async def use(_: AsyncioClient, __: str, server: Server) -> None:
        listening = await asyncio.get_running_loop().create_server(Deaf, "127.0.0.1", 0)
        address = "127.0.0.1:%d" % listening.sockets[0].getsockname()[1]  # noqa: UP031
        client = AsyncioClient(connect_timeout=1.0)
        with pytest.raises(CallTimeoutError):
            await client.call(address, HEADER, bytes(16_000_000), timeout=1.0)
        async with asyncio.timeout(20):
            await client.close()
        listening.close()
        deaf[0].abort()

    run(value, use)


def test_a_cancelled_call_does_not_break_the_connection_for_others() -> None:
    async def use(client: AsyncioClient, address: str, server: Server) -> None:
        waiting = asyncio.ensure_future(client.call(address, HEADER))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        server.answer = value
        assert (await client.call(address, HEADER)).header.value == "k"

    run(lambda command: None, use)
