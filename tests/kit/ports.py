"""Free TCP ports of the loopback address."""

import contextlib
import os
import random
import socket
from typing import Final

_FIRST: Final = 12_000
_SHARE: Final = 2_500
_SHARES: Final = 8
"""Ports of each process of a test run, and how many processes have ports of their own."""


def _bindable(port: int) -> bool:
    with contextlib.closing(socket.socket()) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port nobody listens on."""
    return free_block(0)


def free_block(*offsets: int) -> int:
    """A port whose neighbours at these offsets are free too.

    Picked below the range from which the system takes the ports of outgoing connections, so that none of those
    can take it between this look and the server's own bind; and in a share of this process of the test run
    (pytest-xdist), so that none of the others can.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = _FIRST + worker % _SHARES * _SHARE
    for _ in range(200):
        port = random.randrange(first + 10, first + _SHARE - 10)
        if all(_bindable(port + offset) for offset in offsets):
            return port
    raise RuntimeError("no free port found")
