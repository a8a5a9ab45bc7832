"""Sends dead letters again, so many a second, and looks afterwards whether they are stored.

A letter becomes a new message with a new id. Its body, flag, tags, keys and the user's own properties are those of the
letter; what RocketMQ itself had written into it is left behind, since it would say of the new message what held for
the old one: its id, delay, number of tries, the queue of the first send. Only on the way to the group's retry topic is
the original topic told, because consumers take it from there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from rmq.client.admin.errors import NoTopicRouteError
from rmq.client.admin.groups import groups_of_topic
from rmq.client.admin.messages import view_message
from rmq.client.admin.sending import Sender
from rmq.client.admin.topics import topic_route
from rmq.client.message import (
    PROPERTY_ORIGIN_MESSAGE_ID,
    PROPERTY_RETRY_TOPIC,
    Message,
    MessageExt,
)
from rmq.client.results import SendResult, SendStatus
from rmq.tui.formats import count, span
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.dead_letters import ResendDead
from rmq.tui.service.changes.messages import is_reserved
from rmq.tui.service.live.changes.doer import Doer, Done
from rmq.tui.service.live.dead_letter_reading import letter_of, original_topic, read_letter
from rmq.tui.service.live.known import Known
from rmq.tui.service.model.dead_letters import DeadLetter, LetterPlace
from rmq.tui.service.problems import problem_of
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.message import MessageError
from rmq.wire.names import dlq_topic, retry_topic

PRODUCER_GROUP: Final = "CLIENT_INNER_PRODUCER"
SHOWN: Final = 200
"""Rows of a preview."""
LOOKED_AT: Final = 50
"""Messages that are read back."""
FASTEST: Final = 1000.0


class Sent(NamedTuple):
    """A letter that was stored again."""

    letter: MessageExt
    result: SendResult


# --- before --------------------------------------------------------------------------------------------------------


async def preview(known: Known, change: ResendDead) -> Preview:
    """Where each letter goes, and who will get it."""
    if not change.places:
        return Preview(refusal="no dead letter is chosen")
    if not 0 < change.rate <= FASTEST:
        return Preview(refusal=f"a rate from above 0 to {FASTEST:g} a second is needed")
    shown = change.places[:SHOWN]
    found = await known.admin.attempt_each(shown, lambda place: _read(known, change.group, place))
    targets: Counter[str] = Counter()
    rows: list[tuple[str, ...]] = []
    warnings: list[str] = []
    for place, letter in zip(shown, found, strict=True):
        target = _row(rows, change, place, letter)
        if target:
            targets[target] += 1
    lost = len(shown) - targets.total()
    if lost:
        warnings.append(f"{count(lost)} of them cannot be sent; the table says why")
    missing = [name for name in targets if not await _exists(known, name)]
    refusal = f"there is no topic {', '.join(missing)}" if missing else "" if targets else "none of them can be sent"
    for name in targets.keys() - set(missing):
        warnings += await _readers(known, change.group, name)
    millis = int(len(change.places) / change.rate * 1000)
    notes = [f"{count(number)} to {name}" for name, number in sorted(targets.items())]
    length = f"about {span(millis)}" if millis >= 1000 else "less than a second"
    notes.append(f"takes {length}; the dead letters stay where they are")
    if len(change.places) > SHOWN:
        notes.append(f"the table shows the first {SHOWN} of {count(len(change.places))}")
    if not change.keep_properties:
        notes.append("properties are left behind, but for tags and keys")
    return Preview(("LETTER", "TO", "TAG", "KEYS", "BYTES"), tuple(rows), tuple(notes), tuple(warnings), refusal)


def _row(
    rows: list[tuple[str, ...]], change: ResendDead, place: LetterPlace, letter: DeadLetter | RemotingError | None
) -> str:
    """Adds a row, and returns where its letter goes."""
    if letter is None or isinstance(letter, RemotingError):
        why = "is not there any more" if letter is None else problem_of(letter).cause
        rows.append((str(place), f"✗ {why}", "", "", ""))
        return ""
    target = change.topic or letter.topic
    shown = target or "✗ it does not tell its topic"
    rows.append((str(place), shown, letter.tags, letter.keys, f"{letter.size:,}"))
    return target


async def _read(known: Known, group: str, place: LetterPlace) -> DeadLetter | None:
    topic = dlq_topic(group)
    message = await read_letter(known.admin, await known.route.get(topic), topic, place)
    return None if message is None else letter_of(message)


async def _exists(known: Known, topic: str) -> bool:
    try:
        await topic_route(known.admin, topic)
    except (TopicNotExistError, NoTopicRouteError):
        return False
    return True


async def _readers(known: Known, group: str, topic: str) -> list[str]:
    if topic == retry_topic(group):
        return []
    try:
        others = sorted(set(await groups_of_topic(known.admin, topic)) - {group})
    except RemotingError as error:
        return [f"who else reads {topic} cannot be told: {problem_of(error).cause}"]
    if not others:
        return []
    return [
        f"{', '.join(others[:5])}{' …' * (len(others) > 5)} will get those for {topic} again too; "
        f"{retry_topic(group)} would reach {group} only"
    ]


# --- doing it ------------------------------------------------------------------------------------------------------


async def carry_out(known: Known, change: ResendDead, done: Done) -> Outcome:
    """Sends one letter after the other; ends where it is when it is cancelled."""
    sender = Sender(known.admin, PRODUCER_GROUP)
    begun, items, sent, stopped = known.admin.now(), list[Item](), list[Sent](), False
    for number, place in enumerate(change.places):
        due = begun + int(number * 1000 / change.rate)
        try:
            await known.admin.sleep(max(due - known.admin.now(), 0) / 1000)
        except asyncio.CancelledError:
            stopped = _go_on()
            break
        job = asyncio.ensure_future(_send(known, sender, change, place))
        try:
            item, stored = await asyncio.shield(job)
        except asyncio.CancelledError:
            # What is on its way is waited for, so that its outcome is told.
            stopped = _go_on()
            item, stored = await job
        items.append(item)
        done(item)
        if stored is not None:
            sent.append(stored)
        if stopped:
            break
    good, wanted = sum(item.ok for item in items), len(change.places)
    try:
        damaged, looked = await _read_back(known, sent)
    except asyncio.CancelledError:
        damaged, looked, stopped = 0, ("stopped before it was read back",), _go_on()
    parts = [f"{count(good)} of {count(wanted)} re-sent"]
    if good < len(items):
        parts.append(f"{count(len(items) - good)} failed")
    if stopped:
        parts.append(f"stopped, {count(wanted - len(items))} not tried")
    return Outcome(good == wanted and not damaged, ", ".join(parts), tuple(items), looked)


def _go_on() -> bool:
    """Takes a cancellation for the wish to stop, so that what was done can still be told."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    return True


async def _send(known: Known, sender: Sender, change: ResendDead, place: LetterPlace) -> tuple[Item, Sent | None]:
    topic = dlq_topic(change.group)
    try:
        letter = await read_letter(known.admin, await known.route.get(topic), topic, place)
        if letter is None:
            return Item(str(place), False, "it is not there any more"), None
        target = change.topic or original_topic(letter.properties)
        if not target:
            return Item(str(place), False, "it does not tell its topic; choose one"), None
        await topic_route(known.admin, target)
        result = await sender.send(message_again(letter, target, change))
    except RemotingError as error:
        return Item(str(place), False, str(problem_of(error))), None
    queue, status = result.message_queue, result.send_status
    text = f"{target} {queue.broker_name}/{queue.queue_id}@{result.queue_offset} as {result.msg_id}"
    fine = status is SendStatus.SEND_OK
    return Item(str(place), fine, text if fine else f"{text}, but {status.name}"), Sent(letter, result)


def message_again(letter: MessageExt, topic: str, change: ResendDead) -> Message:
    """A letter as a new message."""
    own = {name: value for name, value in letter.properties.items() if not is_reserved(name)}
    message = Message(topic, letter.body, tags=letter.tags, keys=letter.keys, flag=letter.flag)
    if change.keep_properties:
        # As they were stored: what a user may not write anew, such as an empty value, is kept too.
        message.properties.update(own)
    if topic == retry_topic(change.group):
        original = letter_of(letter).original
        message.properties[PROPERTY_RETRY_TOPIC] = original_topic(letter.properties) or topic
        if original:
            message.properties[PROPERTY_ORIGIN_MESSAGE_ID] = original
    return message


async def _read_back(known: Known, sent: Sequence[Sent]) -> tuple[int, tuple[str, ...]]:
    """How many of the new messages are not stored as they were sent, and what is to be said about it."""

    async def look(one: Sent) -> bool:
        try:
            found = await view_message(known.admin, one.result.message_queue.topic, one.result.offset_msg_id)
        except (RemotingError, MessageError):
            return False
        return found.body == one.letter.body

    some = sent[:LOOKED_AT]
    if not some:
        return 0, ()
    fine = sum(await known.admin.each(some, look))
    text = f"read back: {count(fine)} of {count(len(some))} looked at are stored, with the same body"
    return len(some) - fine, (text,)


DOERS: Final = (Doer(ResendDead, preview, carry_out),)
