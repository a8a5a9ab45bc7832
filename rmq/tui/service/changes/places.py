"""Where something is changed: on all masters of a cluster, or on one broker. mqadmin knows the same two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster or a broker; exactly one of both is not empty.

    Attributes:
        cluster: its name.
        broker: an address.
    """

    cluster: str = ""
    broker: str = ""

    @property
    def words(self) -> tuple[str, str]:
        """As mqadmin is told."""
        return ("-b", self.broker) if self.broker else ("-c", self.cluster)

    @property
    def code(self) -> str:
        """One word that tells both, for choices of a form."""
        return f"b {self.broker}" if self.broker else f"c {self.cluster}"

    @classmethod
    def of_code(cls, code: str) -> Self:
        """The place of a `code`."""
        kind, _, name = code.partition(" ")
        return cls(broker=name) if kind == "b" else cls(cluster=name)

    def __str__(self) -> str:
        return self.broker or f"cluster {self.cluster}"
