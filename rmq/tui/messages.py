"""What pollers post. Each carries the generation of its question, so that a screen can tell a late answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textual.message import Message

from rmq.tui.service.changes.change import Change, Item, Outcome, Preview
from rmq.tui.service.changes.definitions import Definitions
from rmq.tui.service.model import Batch, Cluster, Problem, StoredMessage, Tailed, Traced, Track


@dataclass
class ClusterCame(Message):
    """Brokers and name servers."""

    generation: int
    answer: Cluster | Problem


@dataclass
class NamesCame(Message):
    """All names of a list."""

    generation: int
    answer: tuple[str, ...] | Problem


@dataclass
class FiguresCame(Message):
    """Figures of some names; more of the same generation may follow."""

    generation: int
    figures: Mapping[str, Any]


@dataclass
class DetailCame(Message):
    """Everything about one name."""

    generation: int
    name: str
    answer: Any


@dataclass
class DefinitionsCame(Message):
    """Definitions of topics."""

    answer: Definitions | Problem


@dataclass
class FormReady(Message):
    """Everything about one thing, for a form that begins with it.

    Attributes:
        name: of what was asked for.
        delete: the form is one for deleting it.
    """

    name: str
    answer: Any
    delete: bool = False


@dataclass
class ResetReady(Message):
    """Everything about a group whose offsets are to be reset.

    Attributes:
        queue: the key of the queue that the user is on; empty for none.
    """

    answer: Any
    queue: str


@dataclass
class BatchCame(Message):
    """What a search has found since it told last."""

    generation: int
    batch: Batch


@dataclass
class TracksCame(Message):
    """What groups made of a message."""

    key: str
    answer: tuple[Track, ...] | Problem


@dataclass
class NewestCame(Message):
    """The last messages of a topic."""

    generation: int
    topic: str
    answer: tuple[StoredMessage, ...] | Problem


@dataclass
class TailCame(Message):
    """New messages of what is followed."""

    tailed: Tailed


@dataclass
class PreviewCame(Message):
    """What a change will do."""

    answer: Preview | Problem


@dataclass
class ItemDone(Message):
    """A part of a change has been done."""

    change: Change
    item: Item


@dataclass
class ChangeEnded(Message):
    """A change has been carried out, or could not be."""

    change: Change
    answer: Outcome | Problem


@dataclass
class TraceCame(Message):
    """The way of a message."""

    generation: int
    subject: str
    answer: Traced | Problem
