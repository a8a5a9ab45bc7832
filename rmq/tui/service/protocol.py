"""What a screen may ask, whoever answers.

Every question is answered by a value or by a `Problem`; nothing that servers do is raised. The lists of names are one
request, whatever their length. Figures are asked for names that the caller sees, and for no others.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Protocol

from rmq.tui.service.changes.change import Change, Item, Outcome, Preview
from rmq.tui.service.changes.definitions import Definitions
from rmq.tui.service.model import (
    Batch,
    ClientDetail,
    Clients,
    Cluster,
    Connected,
    DeadGroup,
    DeadLetters,
    Group,
    GroupDetail,
    LetterBody,
    LetterPlace,
    Problem,
    Rights,
    Running,
    Setting,
    StoredMessage,
    Tailed,
    Topic,
    TopicDetail,
    Traced,
    Track,
)
from rmq.tui.service.model.commands import CommandKind, Ended
from rmq.tui.service.query import Query, QueueRange


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

    async def topic_definitions(self, cluster: str) -> Definitions | Problem:
        """The topics that users made in a cluster; of several masters, the queues are added up."""
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


class Tail(Protocol):
    """The new messages of a topic, a look at a time."""

    async def look(self) -> Tailed:
        """What has come since the last look; the first one only finds out where to begin."""
        ...


class MessageQuestions(Protocol):
    """Messages. Nothing is committed, and no group is registered."""

    async def search(self, query: Query, tell: Callable[[Batch], None]) -> None:
        """Looks for messages; returns when it is over, which the last batch says.

        Args:
            query: what is asked for.
            tell: takes what is found as it is found, with how far the search is.

        Cancelling it ends it.
        """
        ...

    def tail(self, topic: str, queue: QueueRange | None = None) -> Tail:
        """Follows a topic, or one queue of it, from its end, or from the queue's first offset when it names one."""
        ...

    async def newest(self, topic: str, most: int) -> tuple[StoredMessage, ...] | Problem:
        """The last messages of a topic, the newest first."""
        ...

    async def tracks(self, message: StoredMessage) -> tuple[Track, ...] | Problem:
        """What became of a message in each group that consumes its topic."""
        ...


class ClientQuestions(Protocol):
    """Producers and consumers that are connected."""

    async def clients(self, first: str = "") -> Clients | Problem:
        """All producers, and consumers of groups as far as they were asked: each question asks a few more.

        Args:
            first: a group that is to be asked now.
        """
        ...

    async def running(self, client: Connected) -> Running:
        """What a consumer does; it is asked itself."""
        ...

    async def client(self, client: Connected) -> ClientDetail | Problem:
        """Everything about one client."""
        ...

    async def stack(self, client: Connected) -> str | Problem:
        """What each thread of a consumer does."""
        ...


class DeadLetterQuestions(Protocol):
    """Messages that groups have given up on."""

    async def dead_groups(self) -> tuple[str, ...] | Problem:
        """Every group with a dead-letter topic."""
        ...

    async def dead_figures(self, groups: Sequence[str]) -> Mapping[str, DeadGroup]:
        """How many dead letters these groups have, and from when."""
        ...

    async def dead_letters(self, group: str, most: int) -> DeadLetters | Problem:
        """The newest dead letters of a group, so many at most."""
        ...

    async def letter_bodies(self, group: str, places: Sequence[LetterPlace]) -> tuple[LetterBody, ...]:
        """Whole bodies and properties of dead letters; one that cannot be read has its problem."""
        ...


class TraceQuestions(Protocol):
    """What happened to messages."""

    async def trace(self, message_id: str, topic: str = "", trace_topic: str = "") -> Traced | Problem:
        """The way of a message.

        Args:
            message_id: its sender's id.
            topic: its topic; without it, when it was stored is told only if its sender tells the topic.
            trace_topic: where traces are; empty for the usual place.
        """
        ...


class RightsQuestions(Protocol):
    """Users and rules."""

    async def rights(self) -> Rights | Problem:
        """Users and rules of every master; no passwords."""
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


class Addresses(Protocol):
    """Where servers are reached."""

    @property
    def address_map(self) -> Mapping[str, str]:
        """Where servers are reached, by the addresses that they advertise."""
        ...

    def map_address(self, advertised: str, reachable: str) -> None:
        """Looks for a server elsewhere from now on; with an empty address, where it says."""
        ...


class Commands(Protocol):
    """Commands of mqadmin, as one would type them."""

    def command_summaries(self) -> Mapping[str, str]:
        """Every command's name and summary."""
        ...

    def command_kind(self, name: str) -> CommandKind | None:
        """What a command is; None when there is none."""
        ...

    def run_command(self, words: Sequence[str]) -> AsyncGenerator[str | Ended, None]:
        """Runs a command on this cluster: its lines, then how it ended. Closing the generator ends the command."""
        ...


class AdminService(
    ClusterQuestions,
    TopicQuestions,
    GroupQuestions,
    MessageQuestions,
    ClientQuestions,
    DeadLetterQuestions,
    TraceQuestions,
    RightsQuestions,
    Changes,
    Addresses,
    Commands,
    Protocol,
):
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
