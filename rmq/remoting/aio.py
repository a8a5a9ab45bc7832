"""Calls peers over asyncio, without Twisted: for commands that live for a tenth of a second.

Provides the same `Invoker` as `rmq.remoting.client`; importing Twisted would take longer than most commands run.

Source: NettyRemotingClient.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from typing import cast

from rmq.remoting.calls import DEFAULT_TIMEOUT, SUCCESS, Answer, accepted, request_command
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError, ConnectionClosedError
from rmq.wire.address import split_address
from rmq.wire.codes import FLAG_RESPONSE, ResponseCode
from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.declare import Declared
from rmq.wire.errors import FrameError
from rmq.wire.signing import Credentials


class AsyncioClient:
    """A pool of connections, one an address, on the running asyncio loop.

    Args:
        connect_timeout: seconds for making a connection.
        credentials: with what requests are signed; they are not without any.
    """

    def __init__(self, *, connect_timeout: float = 3.0, credentials: Credentials | None = None) -> None:
        self._connect_timeout = connect_timeout
        self._credentials = credentials
        self._channels: dict[str, asyncio.Task[_Channel]] = {}

    async def call(
        self,
        address: str,
        header: Declared,
        body: bytes | Declared = b"",
        *,
        timeout: float = DEFAULT_TIMEOUT,
        accept: frozenset[int] = SUCCESS,
    ) -> Answer:
        """Sends a request and waits for its answer; see `rmq.remoting.calls.Invoker`."""
        try:
            async with asyncio.timeout(timeout):
                channel = await self._channel(address)
                command = await channel.call(request_command(header, body, self._credentials))
        except TimeoutError:
            raise CallTimeoutError(address, timeout) from None
        return accepted(header, command, address, accept)

    async def send_oneway(self, address: str, header: Declared, body: bytes | Declared = b"") -> None:
        """Sends a request that is never answered; returns when it is on its way."""
        channel = await self._channel(address)
        channel.send(request_command(header, body, self._credentials, oneway=True))

    async def close(self) -> None:
        """Ends all connections, after what was written has been sent.

        A peer that does not read gets no more time than one that is connected to.
        """
        tasks, self._channels = list(self._channels.values()), {}
        for task in tasks:
            # Nobody waits any more for one that is still being made.
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        channels = [outcome for outcome in outcomes if isinstance(outcome, _Channel)]
        await asyncio.gather(*(channel.close(self._connect_timeout) for channel in channels))

    async def _channel(self, address: str) -> _Channel:
        task = self._channels.get(address)
        if task is None or (task.done() and (task.exception() or not task.result().alive)):
            task = self._channels[address] = asyncio.ensure_future(self._connect(address))
        return await asyncio.shield(task)

    async def _connect(self, address: str) -> _Channel:
        loop = asyncio.get_running_loop()
        try:
            host, port = split_address(address)
            async with asyncio.timeout(self._connect_timeout):
                _, channel = await loop.create_connection(lambda: _Channel(address), host, port)
        except TimeoutError:
            raise ConnectFailedError(address, "no answer") from None
        except (OSError, ValueError) as error:
            raise ConnectFailedError(address, _plain(error)) from None
        return channel


def _plain(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return str(error.strerror)
    # asyncio puts words of its own in place of the system's, and those of several attempts together.
    number = re.search(r"\[Errno (\d+)\]", str(error))
    return os.strerror(int(number[1])) if number else str(error)


class _Channel(asyncio.Protocol):
    """One connection."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._stream = CommandStream()
        self._pending: dict[int, asyncio.Future[Command]] = {}
        self._opaque = 0
        self._closed = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._reason = ""
        self.alive = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.alive = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("" if exc is None else _plain(exc))
        if not self._closed.done():
            self._closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._stream.feed(data)
        try:
            while (command := self._stream.next_command()) is not None:
                self._received(command)
        except FrameError as error:
            self._end(f"what it sent is no frame: {error}")
            if self._transport is not None:
                self._transport.abort()

    def _received(self, command: Command) -> None:
        if command.flag & FLAG_RESPONSE:
            future = self._pending.pop(command.opaque, None)
            if future is not None and not future.done():
                future.set_result(command)
        elif not command.is_oneway:
            self.send(
                Command(
                    ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
                    opaque=command.opaque,
                    flag=FLAG_RESPONSE,
                    remark=f" request type {command.code} not supported",
                ),
                command.opaque,
            )

    def _end(self, reason: str) -> None:
        """Fails what waits, and what will still be asked of this connection; the first reason is the one."""
        self.alive = False
        self._reason = self._reason or reason
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(ConnectionClosedError(self._address, self._reason))

    async def call(self, command: Command) -> Command:
        future: asyncio.Future[Command] = asyncio.get_running_loop().create_future()
        self._opaque += 1
        opaque = self._opaque
        self._pending[opaque] = future
        try:
            self.send(command, opaque)
            return await future
        finally:
            self._pending.pop(opaque, None)

    def send(self, command: Command, opaque: int | None = None) -> None:
        if self._transport is None or not self.alive:
            raise ConnectionClosedError(self._address, self._reason)
        if opaque is None:
            self._opaque += 1
            opaque = self._opaque
        command.opaque = opaque
        self._transport.write(encode(command))

    async def close(self, patience: float = 3.0) -> None:
        if self._transport is not None and self.alive:
            self._transport.close()
            await asyncio.wait([self._closed], timeout=patience)
            self._transport.abort()
        await self._closed
