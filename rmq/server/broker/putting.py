"""The road into the store for messages that need more than a place in their queue.

Most messages go straight from a send request into the store (`processors/send.py`). One that is to wait, that belongs
to a transaction, or that the broker itself stores goes through `MessagePutter`: its hooks look at its properties
and may send it to another topic first.

Source: MessageExtBrokerInner, HookUtils.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rmq.server.store.api import AppendResult
from rmq.server.store.store import MessageStore
from rmq.wire.message import PROPERTY_TAGS, format_properties, tags_code


@dataclass(slots=True)
class MessageInner:
    """A message on its way into the store.

    Attributes:
        topic: where it goes; a hook may change it.
        queue_id: the queue of that topic.
        body: as the client sent it.
        properties: all of them, system's and user's.
        flag: the client's flag.
        sys_flag: bits of `rmq.wire.sysflag`.
        born_timestamp: milliseconds.
        born_host: packed address and port of the client.
        reconsume_times: how often it was consumed without success.
        prepared_transaction_offset: offset of the half message it ends, 0 for none.
        tags_code: what the consume queue keeps of it; None: that of its tags.
    """

    topic: str
    queue_id: int
    body: bytes
    properties: dict[str, str]
    flag: int
    sys_flag: int
    born_timestamp: int
    born_host: bytes
    reconsume_times: int = 0
    prepared_transaction_offset: int = 0
    tags_code: int | None = None


PutHook = Callable[[MessageInner], None]
"""Looks at a message before it is stored and may change it; raises a RemotingError to refuse it."""


class MessagePutter:
    """Stores such messages.

    Attributes:
        hooks: asked in their order, each with what the one before made of the message.
    """

    def __init__(self, store: MessageStore) -> None:
        self._store = store
        self.hooks: list[PutHook] = []

    def put(self, message: MessageInner) -> AppendResult:
        """Stores a message where the hooks send it; look at the result's status.

        Raises:
            RemotingError: a hook refuses it.
        """
        for hook in self.hooks:
            hook(message)
        code = message.tags_code
        return self._store.append(
            message.topic,
            message.queue_id,
            message.flag,
            message.sys_flag,
            message.born_timestamp,
            message.born_host,
            message.reconsume_times,
            message.prepared_transaction_offset,
            message.body,
            format_properties(message.properties).encode(),
            code if code is not None else tags_code(message.properties.get(PROPERTY_TAGS)),
        )
