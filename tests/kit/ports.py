"""Free TCP ports of the loopback address."""

import random
from collections import deque
from contextlib import ExitStack
from typing import Final

from rmq.remoting.ports import reserve

_FIRST: Final = 12_000
_LAST: Final = 32_000
_MOST_KEPT: Final = 64
"""How many blocks are kept from others, the last ones that were given."""

_kept: deque[ExitStack] = deque()


def free_port() -> int:
    """A port nobody listens on."""
    return free_block(0)


def free_block(*offsets: int) -> int:
    """A port whose neighbours at these offsets are free too.

    Picked below the range from which the system takes the ports of outgoing connections, so that none of those
    can take it between this look and the server's own bind; and reserved as the clusters of `rmq.server.clusters`
    reserve theirs, so that no other process of a test run (pytest-xdist) can.
    """
    for _ in range(200):
        port = random.randrange(_FIRST + 10, _LAST - 10)
        if _reserve_all([port + offset for offset in offsets]):
            return port
    raise RuntimeError("no free port found")


def _reserve_all(ports: list[int]) -> bool:
    try:
        with ExitStack() as undo:
            for port in ports:
                # Servers of the tests listen on all addresses.
                undo.callback(reserve("0.0.0.0", port).close)
            _kept.append(undo.pop_all())
    except OSError:
        return False
    while len(_kept) > _MOST_KEPT:
        _kept.popleft().close()
    return True
