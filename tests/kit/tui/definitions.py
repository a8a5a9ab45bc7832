"""Definitions of topics in memory."""

from collections.abc import Callable
from typing import Any

from rmq.tui.service.changes.definitions import Definitions
from rmq.tui.service.changes.topics import TopicDefinition
from rmq.tui.service.model import Problem

TOPICS = (
    TopicDefinition("Orders", attributes=(("message.type", "NORMAL"),)),
    TopicDefinition("Payments", 4, 4, attributes=(("message.type", "TRANSACTION"),)),
    TopicDefinition("audit", 2, 2),
)


class FakeDefinitions:
    """See `protocol.TopicQuestions`."""

    _asked: Callable[..., Any]

    async def topic_definitions(self, cluster: str) -> Definitions | Problem:
        return await self._asked("topic_definitions", cluster) or Definitions(TOPICS, added_up=True)
