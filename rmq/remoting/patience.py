"""How long a server watches for the next event before it sleeps, see `rmq.remoting.epoll`."""

from __future__ import annotations

from typing import Final

PATIENCE: Final = 0.00015
"""Seconds. The next message of a client that sends one at a time comes 20 to 130 microseconds after the reply."""

REPLICATED_PATIENCE: Final = 0.0004
"""The same where a message goes through a slave before it is answered: for a master that waits for slaves, and for a
slave, which waits for master and client. With a master that does not wait a slave spends it ten times a second, after
what comes every 100 ms."""
