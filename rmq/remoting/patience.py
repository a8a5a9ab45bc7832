"""How long a server watches for the next event before it sleeps, see `rmq.remoting.epoll`."""

from __future__ import annotations

from typing import Final

PATIENCE: Final = 0.00015
"""Seconds. The next message of a client that sends one at a time comes 20 to 130 microseconds after the reply."""

REPLICATED_PATIENCE: Final = 0.0004
"""The same for a master that replies only when its slaves have a message: their way comes on top. A slave gains
nothing by it: what it waits for is the client as well, and on a small machine it only takes the processor from both."""
