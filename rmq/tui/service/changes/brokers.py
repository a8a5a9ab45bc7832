"""Brokers: their settings, their write permission in the routes, and the end of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rmq.tui.service.changes.change import Change, Risk
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.settings import is_secret, shown


@dataclass(frozen=True, slots=True)
class ChangeBrokerSettings(Change):
    """Changes settings of a broker, or of a cluster's masters, and of its slaves if wanted; they keep them.

    Attributes:
        values: keys and values.
        slaves: with a cluster, whether its slaves are changed, too.
    """

    place: Place
    values: tuple[tuple[str, str], ...]
    slaves: bool = False

    @property
    def title(self) -> str:
        """See `Change`."""
        told = ", ".join(f"{key}={shown(key, value)}" for key, value in self.values)
        return f"set {told} on {self.place}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.place.broker or self.place.cluster

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`; that of the first setting, mqadmin changes one at a time."""
        return self.commands[0]

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """See `Change`."""
        everywhere = ("-a", "true") if self.slaves and self.place.cluster else ()
        return tuple(
            ("updateBrokerConfig", *self.place.words, *everywhere, "-k", key, "-v", value) for key, value in self.values
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """See `Change`."""
        return tuple(value for key, value in self.values if is_secret(key))


@dataclass(frozen=True, slots=True)
class WipeWritePerm(Change):
    """Takes the write permission from all topics of a broker in the routes of every name server.

    Attributes:
        broker: its name.
    """

    broker: str

    @property
    def title(self) -> str:
        """See `Change`."""
        return f"take the write permission from {self.broker}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.broker

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`."""
        return ("wipeWritePerm", "-b", self.broker)


@dataclass(frozen=True, slots=True)
class AddWritePerm(Change):
    """Makes all topics of a broker readable and writable in the routes of every name server.

    Attributes:
        broker: its name.
    """

    broker: str

    @property
    def title(self) -> str:
        """See `Change`."""
        return f"give the write permission back to {self.broker}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.broker

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`."""
        return ("addWritePerm", "-b", self.broker)


@dataclass(frozen=True, slots=True)
class ShutdownBroker(Change):
    """Ends a broker of ours that runs on this machine, as `mqshutdown broker` does. mqadmin has no such command.

    Attributes:
        name: its name.
        address: where it listens.
    """

    risk: ClassVar[Risk] = Risk.HIGH

    name: str
    address: str

    @property
    def title(self) -> str:
        """See `Change`."""
        return f"shut down {self.name} at {self.address}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.name

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`."""
        return ()
