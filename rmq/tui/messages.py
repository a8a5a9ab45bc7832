"""What pollers post. Each carries the generation of its question, so that a screen can tell a late answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textual.message import Message

from rmq.tui.service.model import Cluster, Problem


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
