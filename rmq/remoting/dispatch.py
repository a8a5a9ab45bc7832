"""From a request to its handler, and from what the handler returns to the bytes of a reply.

A processor is an object whose methods are marked `@handles(RequestClass)`. Such a method gets the decoded header and
the `Call`, and returns a reply header, a JSON body, a `Reply`, None for plain success, or a Deferred of any of these.
To refuse it raises a `RemotingError`.

The few requests that make up a broker's life are marked `@handles_raw(RequestClass)`: the method gets the connection
and the undecoded command, and returns the reply's frame, or a Deferred of it, or `Late`. Refusing works the same.

A one-way request is never answered, not even with an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, Generic, TypeAlias, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rmq.remoting.protocol import Connection
from rmq.wire.codes import FLAG_ONEWAY, FLAG_RESPONSE, ResponseCode
from rmq.wire.command import Command, Ext, encode
from rmq.wire.declare import decode_body, decode_header, encode_body, encode_header, is_header, spec_of
from rmq.wire.errors import (
    InvalidFieldError,
    InvalidParameterError,
    MissingFieldError,
    NotSupportedError,
    RemotingError,
    SystemBusyError,
)

B = TypeVar("B")
V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Any])

RawReply: TypeAlias = "bytes | Late[Any] | Deferred[bytes | None] | None"
RawHandler = Callable[[Connection, Command], RawReply]

_HANDLES: Final = "_rmq_handles"
_RAW: Final = "_rmq_raw"

_LENIENT_LIMIT: Final = 256 * 1024
"""Bytes of a request's body that may be other than strict JSON: reading it leniently takes a second for two MiB."""

_OFFENCES: Final = (InvalidFieldError, InvalidParameterError, MissingFieldError)
"""Refusals that no proper client ever gets; each is a line in the log."""

log = Logger()


class Call:
    """One request being handled."""

    __slots__ = ("command", "connection")

    def __init__(self, connection: Connection, command: Command) -> None:
        self.connection = connection
        self.command = command

    @property
    def body(self) -> bytes:
        """The request's payload."""
        return self.command.body

    def json(self, kind: type[B]) -> B:
        """The payload as a declared JSON body.

        Raises:
            InvalidFieldError: it is not of that class.
        """
        return decode_body(kind, self.command.body, lenient_limit=_LENIENT_LIMIT)


class Reply:
    """A reply with more to it than a header or a body alone."""

    __slots__ = ("body", "code", "ext", "header", "remark")

    def __init__(
        self,
        header: object = None,
        body: bytes = b"",
        *,
        code: int = ResponseCode.SUCCESS,
        remark: str | None = None,
        ext: Ext | None = None,
    ) -> None:
        self.header = header
        self.body = body
        self.code = code
        self.remark = remark
        self.ext = ext

    def to_command(self, request: Command) -> Command:
        """The response to that request, in the request's own header encoding."""
        ext = encode_header(self.header) if self.header is not None else {}
        if self.ext:
            ext.update(self.ext)
        return Command(
            int(self.code),
            ext,
            self.body,
            opaque=request.opaque,
            flag=FLAG_RESPONSE,
            remark=self.remark,
            serialize_type=request.serialize_type,
        )


def handles(*headers: type[Any]) -> Callable[[F], F]:
    """Marks a processor's method as the handler of these requests."""

    def mark(method: F) -> F:
        setattr(method, _HANDLES, headers)
        return method

    return mark


def handles_raw(*headers: type[Any]) -> Callable[[F], F]:
    """Marks a processor's method as the raw handler of these requests."""

    def mark(method: F) -> F:
        setattr(method, _RAW, headers)
        return method

    return mark


class Late(Generic[V]):
    """A reply that comes later, where a Deferred costs too much.

    Whoever has the answer calls it, once and not before the handler has returned it.

    Args:
        make: gives the reply's frame for the answer; refuses as a handler does.

    Attributes:
        make: as given, until `expect`.
        then: gets the answer; None where nobody waits, since there was no room to.
    """

    __slots__ = ("make", "then")

    def __init__(self, make: Callable[[V], bytes]) -> None:
        self.make = make
        self.then: Callable[[V], object] | None = None

    def expect(self, answer: V) -> None:
        """Makes the reply for the answer that will probably come, while it is waited for."""
        make, frame = self.make, self.make(answer)
        self.make = lambda other: frame if other is answer else make(other)

    def __call__(self, answer: V) -> None:
        """Passes the answer on."""
        if self.then is not None:
            self.then(answer)

    def deferred(self) -> Deferred[bytes | None]:
        """The same as a Deferred, where something else is to be waited for, too."""
        answered: Deferred[Any] = Deferred()
        self.then = answered.callback
        return answered.addCallback(self.make)


class Dispatcher:
    """The table of handlers of one server, and the limits on what waits for an answer.

    Args:
        processors: objects with marked methods.
        max_waiting: requests of all connections that may wait for a late answer; more are refused as busy.
        max_waiting_per_connection: the same for one connection.

    Raises:
        TypeError: two methods handle the same request.
    """

    def __init__(
        self, processors: Iterable[object], *, max_waiting: int = 32768, max_waiting_per_connection: int = 8192
    ) -> None:
        self._table: dict[int, RawHandler] = {}
        self._max_waiting = max_waiting
        self._max_per_connection = max_waiting_per_connection
        self.waiting = 0
        for processor in processors:
            self.add(processor)

    @property
    def codes(self) -> frozenset[int]:
        """The request codes that are handled."""
        return frozenset(self._table)

    def add(self, processor: object) -> None:
        """Enters the marked methods of one more processor.

        Raises:
            TypeError: one of its requests has a handler already.
        """
        for name in dir(type(processor)):
            method = getattr(processor, name)
            for header in getattr(method, _HANDLES, ()):
                self._register(header, _typed(header, method))
            for header in getattr(method, _RAW, ()):
                self._register(header, method)

    def _register(self, header: type[Any], handler: RawHandler) -> None:
        spec = spec_of(header)
        if spec.code in self._table:
            raise TypeError(f"{spec.name} has two handlers")
        self._table[spec.code] = handler

    def dispatch(self, connection: Connection, command: Command) -> bytes | None:
        """Handles one request; returns the reply's frame, or None when there is none now."""
        try:
            result = self._table.get(command.code, _unsupported)(connection, command)
            if isinstance(result, (Late, Deferred)):
                self._later(connection, command, result)
                return None
        except Exception:
            result = refusal(connection, command, Failure())  # type: ignore[no-untyped-call]
        return None if command.flag & FLAG_ONEWAY else result

    def _later(self, connection: Connection, command: Command, result: Deferred[bytes | None] | Late[Any]) -> None:
        if self.waiting >= self._max_waiting or connection.waiting >= self._max_per_connection:
            if isinstance(result, Deferred):
                result.addErrback(lambda _: None)
                result.cancel()
            raise SystemBusyError("too many requests wait for an answer")
        self.waiting += 1
        connection.waiting += 1
        # Whoever answers later has read the body; thousands that wait must not keep theirs.
        command.body = b""
        if isinstance(result, Late):
            result.then = partial(self._make_and_answer, connection, command, result.make)
        else:
            result.addErrback(lambda failure: refusal(connection, command, failure))
            result.addCallback(lambda frame: self._answer(connection, command, frame))

    def _make_and_answer(self, connection: Connection, command: Command, make: Callable[[V], bytes], answer: V) -> None:
        try:
            frame = make(answer)
        except Exception:
            frame = refusal(connection, command, Failure())  # type: ignore[no-untyped-call]
        self._answer(connection, command, frame)

    def _answer(self, connection: Connection, command: Command, frame: bytes | None) -> None:
        self.waiting -= 1
        connection.waiting -= 1
        if frame is not None and not command.flag & FLAG_ONEWAY:
            # What one is waiting for has often come for many.
            (connection.write_soon if connection.waiting else connection.write)(frame)


def _typed(header: type[Any], method: Callable[[Any, Call], Any]) -> RawHandler:
    def handle(connection: Connection, command: Command) -> bytes | Deferred[bytes | None] | None:
        result = method(decode_header(header, command.ext), Call(connection, command))
        if isinstance(result, Deferred):
            return result.addCallback(lambda late: _frame(late, command))
        return _frame(result, command)

    return handle


def _frame(result: Any, command: Command) -> bytes:
    if result is None:
        reply = Reply()
    elif isinstance(result, Reply):
        reply = result
    elif is_header(result):
        reply = Reply(result)
    else:
        reply = Reply(body=encode_body(result))
    return encode(reply.to_command(command))


def _unsupported(_: Connection, command: Command) -> bytes:
    raise NotSupportedError(f" request type {command.code} not supported")


def refusal(connection: Connection, command: Command, failure: Failure) -> bytes:
    """The frame that tells a peer why its request failed; offences and unexpected errors get a line in the log."""
    error = failure.value
    if isinstance(error, RemotingError):
        reply = Reply(code=error.code, remark=error.remark)
        tell = log.warn if isinstance(error, _OFFENCES) else log.debug
        tell(
            "{peer} request {code} refused: {remark:.200}",
            peer=connection.address, code=command.code, remark=error.remark,
        )  # fmt: skip
    else:
        reply = Reply(code=ResponseCode.SYSTEM_ERROR, remark=f"{type(error).__name__}: {error}")
        log.failure("request {code} of {peer} failed unexpectedly", failure, code=command.code, peer=connection.address)
    return encode(reply.to_command(command))
