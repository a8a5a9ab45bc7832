"""Dead letters that were read: they never change where they lie, so each is read once.

Of a queue, what was read is one range of offsets. A look at the newest ones reads what has come since, and what is
missing below.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from rmq.client.admin.pulling import Reader
from rmq.client.admin.session import Admin
from rmq.client.message import PROPERTY_ORIGIN_MESSAGE_ID, PROPERTY_RETRY_TOPIC, MessageExt
from rmq.tui.formats import one_line
from rmq.tui.service.model.dead_letters import DeadLetter, LetterPlace
from rmq.wire.bodies.route import MessageQueue, TopicRouteData
from rmq.wire.bodies.topic import TopicOffset
from rmq.wire.message import PROPERTY_UNIQ_KEY

PREVIEW: Final = 200
"""Characters of a body that are kept."""
_TOPICS: Final = 4
_ORIGIN_TOPIC, _ORIGIN_ID = "DLQ_ORIGIN_TOPIC", "DLQ_ORIGIN_MESSAGE_ID"


class Letters:
    """Letters of a few dead-letter topics, the ones that were looked at last."""

    def __init__(self) -> None:
        self._topics: OrderedDict[str, _Topic] = OrderedDict()

    async def newest(
        self, admin: Admin, route: TopicRouteData, topic: str, bounds: dict[MessageQueue, TopicOffset], most: int
    ) -> list[DeadLetter]:
        """The newest letters of a topic, newest first.

        Args:
            admin: the session.
            route: the topic's route.
            topic: the dead-letter topic.
            bounds: the offsets that each queue holds.
            most: so many from each queue, and altogether.

        Raises:
            RemotingError: a queue cannot be read.
        """
        kept = self._topics.setdefault(topic, _Topic())
        self._topics.move_to_end(topic)
        while len(self._topics) > _TOPICS:
            self._topics.popitem(last=False)
        reader = Reader(admin, route, topic)
        await admin.each(sorted(bounds), lambda queue: kept.read(reader, queue, bounds[queue], most))
        found = sorted(kept.letters.values(), key=lambda letter: (letter.stored, letter.place), reverse=True)
        return found[:most]


class _Topic:
    """Letters of one topic by place, and the range that was read of each queue."""

    def __init__(self) -> None:
        self.letters: dict[LetterPlace, DeadLetter] = {}
        self._read: dict[MessageQueue, tuple[int, int]] = {}

    async def read(self, reader: Reader, queue: MessageQueue, bounds: TopicOffset, most: int) -> None:
        first, last = max(bounds.min_offset, bounds.max_offset - most), bounds.max_offset
        low, high = self._read.get(queue, (last, last))
        if high < first or high > last:
            # Too much has come since, or the topic was made anew.
            low = high = last
            self._forget(queue, last, last)
        await self._pull(reader, queue, high, last)
        await self._pull(reader, queue, first, min(low, last))
        self._read[queue] = (first, last)
        self._forget(queue, first, last)

    async def _pull(self, reader: Reader, queue: MessageQueue, first: int, last: int) -> None:
        if first >= last:
            return
        async for pulled in reader.read(queue, first, last):
            for message in pulled.messages:
                letter = letter_of(message)
                self.letters[letter.place] = letter

    def _forget(self, queue: MessageQueue, first: int, last: int) -> None:
        where = (queue.broker_name, queue.queue_id)
        gone = [
            place
            for place in self.letters
            if (place.broker, place.queue_id) == where and not first <= place.offset < last
        ]
        for place in gone:
            del self.letters[place]


async def read_letter(admin: Admin, route: TopicRouteData, topic: str, place: LetterPlace) -> MessageExt | None:
    """One letter as it is stored, None when it is not there any more.

    Raises:
        RemotingError: its broker cannot be asked.
    """
    queue = MessageQueue(topic, place.broker, place.queue_id)
    pulled = await Reader(admin, route, topic).pull(queue, place.offset, 1)
    return next((message for message in pulled.messages if message.queue_offset == place.offset), None)


def letter_of(message: MessageExt) -> DeadLetter:
    """What is shown of a message in a dead-letter topic."""
    properties = message.properties
    original = first_of(properties, PROPERTY_ORIGIN_MESSAGE_ID, _ORIGIN_ID)
    return DeadLetter(
        LetterPlace(message.broker_name, message.queue_id, message.queue_offset),
        original_topic(properties),
        properties.get(PROPERTY_UNIQ_KEY) or original or message.msg_id,
        original,
        message.tags or "",
        message.keys or "",
        message.reconsume_times,
        message.store_timestamp,
        message.born_timestamp,
        len(message.body),
        preview_of(message.body),
    )


def original_topic(properties: dict[str, str]) -> str:
    """The topic that a dead letter was sent to; empty when it does not tell."""
    return first_of(properties, PROPERTY_RETRY_TOPIC, _ORIGIN_TOPIC)


def first_of(properties: dict[str, str], *names: str) -> str:
    """The first of several properties that says something."""
    return next((value for name in names if (value := properties.get(name))), "")


def preview_of(body: bytes) -> str:
    """The beginning of a body in a line: as text where it is text, else its first bytes."""
    head = body[: PREVIEW * 4]
    try:
        text = head.decode("utf-8", "strict" if len(body) <= len(head) else "ignore")
    except UnicodeDecodeError:
        return _bytes_text(head)
    return one_line(text[:PREVIEW]) if _readable(text) else _bytes_text(head)


def _readable(text: str) -> bool:
    return all(letter.isprintable() or letter in "\r\n\t" for letter in text)


def _bytes_text(head: bytes) -> str:
    return head[: PREVIEW // 4].hex(" ")


def groups_in(topics: Sequence[str], prefix: str) -> list[str]:
    """The groups that have a topic with a prefix, in order."""
    return sorted(name.removeprefix(prefix) for name in topics if name.startswith(prefix))
