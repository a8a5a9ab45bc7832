"""How long a server watches for the next event before it sleeps, see `rmq.remoting.epoll`."""

from __future__ import annotations

from typing import Final

PATIENCE: Final = 0.00015
"""Seconds. The next message of a client that sends one at a time comes 20 to 130 microseconds after the reply."""

REPLICATED_PATIENCE: Final = 0.0004
"""The same where each message goes through a slave before its reply, for master and slave: the way is twice as long."""
