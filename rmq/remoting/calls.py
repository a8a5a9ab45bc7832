"""Typed calls, whatever carries them: what is sent for a header, and what comes back.

`Invoker` is the one thing that the client and the admin operations know of the network. Two classes provide it:
`rmq.remoting.client.RemotingClient` on a Twisted reactor and `rmq.remoting.aio.AsyncioClient` on an asyncio loop,
so the same operation runs in a broker, a command that lives for a tenth of a second, and a terminal interface.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final, Protocol, TypeVar, cast

from rmq.wire.codes import FLAG_ONEWAY, ResponseCode
from rmq.wire.command import Command
from rmq.wire.declare import Declared, decode_body, decode_header, encode_body, encode_header, spec_of
from rmq.wire.errors import error_for
from rmq.wire.signing import Credentials

B = TypeVar("B")

DEFAULT_TIMEOUT: Final = 3.0
"""Seconds a caller waits for an answer unless told otherwise (NettyClientConfig, DefaultMQProducer)."""

SUCCESS: Final = frozenset({int(ResponseCode.SUCCESS)})


class Answer:
    """A response that was accepted.

    Attributes:
        code: the response code.
        ext: the reply header's fields by wire name.
        body: the payload.
        address: who answered, `host:port`.
        version: the answering peer's MQVersion ordinal.
    """

    __slots__ = ("_request", "address", "body", "code", "ext", "remark", "version")

    def __init__(self, request: type[Any], command: Command, address: str) -> None:
        self._request = request
        self.code = command.code
        self.ext = command.ext
        self.body = command.body
        self.remark = command.remark
        self.version = command.version
        self.address = address

    @property
    def header(self) -> Any:
        """The reply header, of the class that the request declares.

        Raises:
            MissingFieldError, InvalidFieldError: the peer's reply is not of that class.
            TypeError: the request declares no reply header.
        """
        reply = spec_of(self._request).reply
        if reply is None:
            raise TypeError(f"{self._request.__name__} declares no reply header")
        return decode_header(reply, self.ext)

    def json(self, kind: type[B] | None = None) -> B:
        """The JSON body, as the class that the request declares, or as `kind`.

        Raises:
            InvalidFieldError: the body is not of that class.
            TypeError: the request declares no reply body and no kind is given.
        """
        declared = kind or spec_of(self._request).reply_body
        if declared is None:
            raise TypeError(f"{self._request.__name__} declares no reply body")
        return cast(B, decode_body(declared, self.body))


class Invoker(Protocol):
    """Calls peers by address."""

    def call(
        self,
        address: str,
        header: Declared,
        body: bytes | Declared = b"",
        *,
        timeout: float = DEFAULT_TIMEOUT,
        accept: frozenset[int] = SUCCESS,
    ) -> Awaitable[Answer]:
        """Sends a request and waits for its answer.

        Args:
            address: `host:port` of the peer.
            header: a declared request header; its class gives the code.
            body: bytes as they are, or a declared body that is sent as JSON.
            timeout: seconds, connecting included.
            accept: response codes that are answers; every other one is raised.

        Raises:
            RemotingError: the peer refused; its subclass tells why.
            TransportError: the peer could not be reached or did not answer.
        """
        ...

    def send_oneway(self, address: str, header: Declared, body: bytes | Declared = b"") -> Awaitable[None]:
        """Sends a request that is never answered; waits only until it is on its way."""
        ...


def request_command(
    header: Declared, body: bytes | Declared = b"", credentials: Credentials | None = None, *, oneway: bool = False
) -> Command:
    """The command of a declared request, without its opaque; signed when there are credentials."""
    payload = body if isinstance(body, bytes) else encode_body(body)
    command = Command(spec_of(type(header)).code, encode_header(header), payload, flag=FLAG_ONEWAY if oneway else 0)
    if credentials is not None:
        credentials.sign(command)
    return command


def accepted(header: Declared, command: Command, address: str, accept: frozenset[int]) -> Answer:
    """The answer, or the error that its code stands for."""
    if command.code not in accept:
        raise error_for(command.code, command.remark, address)
    return Answer(type(header), command, address)
