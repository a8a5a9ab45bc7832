"""A namespace: what a client puts before the names of topics and groups, so that several may share a cluster.

Only clients know of it; on the wire `orders` in the namespace `shop` is the topic `shop%orders`. Names of the system
stay as they are.

Source: NamespaceUtil, ClientConfig.withNamespace, queueWithNamespace.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rmq.wire.bodies.route import MessageQueue
from rmq.wire.names import with_namespace, without_namespace


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace; the empty one leaves all names alone."""

    name: str = ""

    def wrap(self, name: str) -> str:
        """A topic or group as brokers know it."""
        return with_namespace(self.name, name) if self.name else name

    def unwrap(self, name: str) -> str:
        """A topic or group as the program knows it."""
        return without_namespace(self.name, name) if self.name else name

    def wrap_queue(self, queue: MessageQueue) -> MessageQueue:
        """A queue as brokers know it."""
        return replace(queue, topic=self.wrap(queue.topic)) if self.name else queue

    def unwrap_queue(self, queue: MessageQueue) -> MessageQueue:
        """A queue as the program knows it."""
        return replace(queue, topic=self.unwrap(queue.topic)) if self.name else queue
