"""What a screen may ask, whoever answers.

Every question is answered by a value or by a `Problem`; nothing that servers do is raised. The lists of names are one
request, whatever their length. Figures are asked for names that the caller sees, and for no others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from rmq.tui.service.changes.change import Change, Item, Outcome, Preview
from rmq.tui.service.model import Cluster, Group, GroupDetail, Problem, Setting, Topic, TopicDetail


class ClusterQuestions(Protocol):
    """Brokers, name servers, settings."""

    async def cluster(self) -> Cluster | Problem:
        """Brokers and name servers; a broker that does not answer is there with its problem."""
        ...

    async def broker_config(self, address: str) -> tuple[Setting, ...] | Problem:
        """A broker's settings."""
        ...


class TopicQuestions(Protocol):
    """Topics."""

    async def topic_names(self) -> tuple[str, ...] | Problem:
        """Every topic, the system's own included."""
        ...

    async def topics(self, names: Sequence[str]) -> Mapping[str, Topic]:
        """Figures of these topics."""
        ...

    async def topic(self, name: str) -> TopicDetail | Problem:
        """One topic."""
        ...


class GroupQuestions(Protocol):
    """Consumer groups."""

    async def group_names(self) -> tuple[str, ...] | Problem:
        """Every consumer group that users made."""
        ...

    async def groups(self, names: Sequence[str]) -> Mapping[str, Group]:
        """Figures of these groups."""
        ...

    async def group(self, name: str) -> GroupDetail | Problem:
        """One group."""
        ...


class Changes(Protocol):
    """What alters the cluster."""

    async def preview(self, change: Change) -> Preview | Problem:
        """What a change will do; nothing is altered."""
        ...

    async def change(self, change: Change, done: Callable[[Item], None]) -> Outcome | Problem:
        """Carries a change out and reads back what became of it.

        Args:
            change: what is to be done.
            done: is told of each part as it is done.
        """
        ...


class AdminService(ClusterQuestions, TopicQuestions, GroupQuestions, Changes, Protocol):
    """A cluster, as an operator looks at it."""

    @property
    def address(self) -> str:
        """The name servers, `host:port` joined by `;`."""
        ...

    def forget(self) -> None:
        """Lets go of answers that were kept to spare questions: the next ones are all new."""
        ...

    async def close(self) -> None:
        """Ends all connections."""
        ...
