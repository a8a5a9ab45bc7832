"""Stored messages in memory: searches that stream, and new ones when a test says so."""

from collections.abc import Callable
from typing import Any

from rmq.tui.service.model import Batch, Problem, StoredMessage, Tailed, Track
from rmq.tui.service.query import Query, QueueRange
from rmq.tui.service.query.matching import matches

NOW = 1_795_269_720_000
STORE = "10.0.0.1:10911"
BODIES = (
    b'{"id": 17, "item": "book", "amount": 3, "price": 12.50, "tags": ["new", "paper"], "gift": null}',
    "plain text, with grüße and €\nand a second line".encode(),
    b"\x00\x01\xff\xfe binary \x1b[2J",
    b'{"id": 18, "item": "pen"}',
)


def stored(number: int, topic: str = "Orders", body: bytes | None = None) -> StoredMessage:
    """A message by its number; the larger, the newer."""
    key = f"order-{number}"
    message_id = f"0A00000B00001234ABCD{number:012X}"
    return StoredMessage(
        topic,
        "broker-a",
        number % 4,
        1200 + number,
        message_id,
        f"0A00000100002A9F{number * 256:016X}",
        BODIES[number % len(BODIES)] if body is None else body,
        f"Tag{'AB'[number % 2]}",
        key,
        (("KEYS", key), ("TAGS", f"Tag{'AB'[number % 2]}"), ("UNIQ_KEY", message_id), ("region", "eu")),
        NOW - 600_000 + number * 1371,
        NOW - 600_007 + number * 1371,
        "10.0.0.23:51002",
        STORE,
        321,
        number * 256,
    )


class FakeTail:
    """See `protocol.Tail`; what comes is what a test puts into `coming`."""

    def __init__(self, service: Any, topic: str, queue: QueueRange | None) -> None:
        self.topic, self.queue = topic, queue
        self.looks = 0
        self.coming: list[Tailed] = []
        self._service = service

    async def look(self) -> Tailed:
        self.looks += 1
        refused = await self._service._asked("tail", self.topic)
        if refused is not None:
            return Tailed(problem=refused)
        return self.coming.pop(0) if self.coming else Tailed()


class FakeMessages:
    """See `protocol.MessageQuestions`.

    Attributes:
        messages: all that are stored, oldest first.
        searched: what was asked for.
        notes: what each search says at its end.
        tails: what was followed.
        track: what groups made of each message.
        held_after: batches that a search tells before `("search", topic)` may hold it back.
    """

    _asked: Callable[..., Any]

    def __init__(self) -> None:
        super().__init__()
        self.messages = [stored(number) for number in range(24)]
        self.searched: list[Query] = []
        self.notes: tuple[str, ...] = ()
        self.tails: list[FakeTail] = []
        self.track = (
            Track("billing", "CONSUMED"),
            Track("audit-trail", "NOT_CONSUME_YET"),
            Track("mail-sender", "NOT_ONLINE", "CODE:206 DESC:the consumer group[mail-sender] not online"),
        )

    async def search(self, query: Query, tell: Callable[[Batch], None]) -> None:
        self.searched.append(query)
        chosen = [
            message for message in self.messages if query.topic in {"", message.topic} and matches(query, message)
        ]
        total = None if query.by_index else len(self.messages)
        half = len(self.messages) // 2
        first = [message for message in chosen if message in self.messages[half:]]
        tell(Batch(tuple(first), half, total))
        refused = await self._asked("search", query.topic)
        if refused is not None:
            tell(Batch((), half, total, problems=(refused,), done=True))
            return
        others = tuple(message for message in chosen if message not in first)
        tell(Batch(others, len(self.messages), total, self.notes, (), True))

    def tail(self, topic: str, queue: QueueRange | None = None) -> FakeTail:
        self.tails.append(FakeTail(self, topic, queue))
        return self.tails[-1]

    async def newest(self, topic: str, most: int) -> tuple[StoredMessage, ...] | Problem:
        refused: Problem | None = await self._asked("newest", topic)
        found = [message for message in reversed(self.messages) if message.topic == topic]
        return refused or tuple(found[:most])

    async def tracks(self, message: StoredMessage) -> tuple[Track, ...] | Problem:
        refused: Problem | None = await self._asked("tracks", message.message_id)
        return refused or self.track
