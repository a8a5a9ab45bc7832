"""Servers of ours that run on this machine, as whoever starts the interface can tell and end them."""

from __future__ import annotations

from typing import Protocol


class LocalServer(Protocol):
    """A process of ours."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    @property
    def roles(self) -> tuple[str, ...]:
        """What runs in it, such as `broker`."""
        ...


class LocalServers(Protocol):
    """Finds and ends processes of ours. Both may read files, and are called in a thread."""

    def find(self, address: str) -> LocalServer | None:
        """The process whose broker is told to clients as this address; None when there is none."""
        ...

    def stop(self, address: str) -> int | None:
        """Asks that process to end, and gives its number; None when there is none.

        Raises:
            OSError: it cannot be signalled.
        """
        ...

    def has_ended(self, pid: int) -> bool:
        """Whether a process that was asked to end has ended."""
        ...


class NoLocalServers:
    """Knows none."""

    def find(self, address: str) -> LocalServer | None:
        """See `LocalServers`."""
        return None

    def stop(self, address: str) -> int | None:
        """See `LocalServers`."""
        return None

    def has_ended(self, pid: int) -> bool:
        """See `LocalServers`."""
        return True
