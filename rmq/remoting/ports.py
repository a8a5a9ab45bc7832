"""Ports of this machine that nobody listens on, for servers which other processes will start there.

They lie below the range from which systems take the ports of outgoing connections, so none of those can come between
this look and the server. Where the search begins depends on the process: two that search at the same time find
different ports.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import Final

_FIRST: Final = 12_000
_LAST: Final = 32_000
_SHARE: Final = 64
"""So many ports lie between the beginnings of two processes whose numbers follow each other."""
_TAKEN: Final = frozenset({errno.EADDRINUSE, errno.EACCES})


class NoPortError(OSError):
    """There is no port to listen on; the text says where and why."""


class FreePorts:
    """Gives free ports, each once.

    Args:
        host: address to listen on.
        process_id: number of this process.
        bind: opens and closes a port; raises OSError when that cannot be.
    """

    def __init__(
        self, host: str, process_id: int | None = None, bind: Callable[[str, int], None] | None = None
    ) -> None:
        self._host = host
        self._bind = bind or _bind
        number = os.getpid() if process_id is None else process_id
        self._next = _FIRST + number * _SHARE % (_LAST - _FIRST)

    def take(self, below: int = 0, above: int = 0) -> int:
        """A port that is free together with so many below and above it.

        Raises:
            NoPortError: there is none, or the host is no address of this machine.
        """
        for _ in range(_FIRST, _LAST):
            if self._next + below + above >= _LAST:
                self._next = _FIRST
            first, self._next = self._next, self._next + 1
            if all(self._is_free(port) for port in range(first, first + below + above + 1)):
                self._next = first + below + above + 1
                return first + below
        raise NoPortError(f"there is no free port from {_FIRST} to {_LAST} on {self._host}")

    def _is_free(self, port: int) -> bool:
        try:
            self._bind(self._host, port)
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            raise NoPortError(f"cannot listen on {self._host}: {error.strerror or error}") from None
        return True


def _bind(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
