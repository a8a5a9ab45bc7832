"""Ports of this machine that nobody listens on, for servers which other processes will start there.

They lie below the range from which systems take the ports of outgoing connections, so none of those can come between
this look and the server. Where the search begins depends on the process, so that two that search at the same time
seldom look at the same ports.

Who has found a TCP port keeps the UDP port of the same number bound until `close`. That says to others who search in
this way, whoever they are, that the port is given away, also before its server listens and while that is restarted;
and the system takes it back from a process that ends in whatever way. A program that does not search like this can
still be faster: a server may find its port taken, and then needs another one.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Protocol

_FIRST: Final = 12_000
_LAST: Final = 32_000
_SHARE: Final = 64
"""So many ports lie between the beginnings of two processes whose numbers follow each other."""
_TAKEN: Final = frozenset({errno.EADDRINUSE, errno.EACCES})


class NoPortError(OSError):
    """There is no port to listen on; the text says where and why."""


class Reservation(Protocol):
    """Keeps a port from others until it is closed."""

    def close(self) -> None:
        """Gives the port back."""
        ...


class FreePorts:
    """Gives free ports, each once, and keeps others from choosing them.

    Args:
        host: address to listen on.
        process_id: number of this process.
        reserving: takes a port; raises OSError when that cannot be.
    """

    def __init__(
        self,
        host: str,
        process_id: int | None = None,
        reserving: Callable[[str, int], Reservation] | None = None,
    ) -> None:
        self._host = host
        self._reserving = reserving or reserve
        number = os.getpid() if process_id is None else process_id
        self._next = _FIRST + number * _SHARE % (_LAST - _FIRST)
        self._held = ExitStack()

    def take(self, below: int = 0, above: int = 0) -> int:
        """A port that is free together with so many below and above it; all are kept from others.

        Raises:
            NoPortError: there is none, or the host is no address of this machine.
        """
        for _ in range(_FIRST, _LAST):
            if self._next + below + above >= _LAST:
                self._next = _FIRST
            first, self._next = self._next, self._next + 1
            if self._take_all(range(first, first + below + above + 1)):
                self._next = first + below + above + 1
                return first + below
        raise NoPortError(f"there is no free port from {_FIRST} to {_LAST} on {self._host}")

    def close(self) -> None:
        """Others may choose these ports again. A second call does nothing."""
        self._held.close()

    def _take_all(self, ports: range) -> bool:
        try:
            with ExitStack() as undo:
                for port in ports:
                    undo.callback(self._reserving(self._host, port).close)
                self._held.callback(undo.pop_all().close)
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            raise NoPortError(f"cannot listen on {self._host}: {error.strerror or error}") from None
        return True


def reserve(host: str, port: int) -> Reservation:
    """Keeps others who ask here from a port on which a server of this process, or of one that it starts, will listen.

    Raises:
        OSError: somebody listens there, or has it reserved, or the host is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    reservation = socket.socket(family, socket.SOCK_DGRAM)
    try:
        reservation.bind((host, port))
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except BaseException:
        reservation.close()
        raise
    return reservation
