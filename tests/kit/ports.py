"""Free TCP ports of the loopback address."""

import contextlib
import random
import socket


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
    can take it between this look and the server's own bind.
    """
    for _ in range(200):
        port = random.randrange(12_000, 32_000)
        if all(_bindable(port + offset) for offset in offsets):
            return port
    raise RuntimeError("no free port found")
