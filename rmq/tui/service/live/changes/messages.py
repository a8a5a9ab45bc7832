"""Messages: where one would go, that it is sent, and that the broker has it."""

from __future__ import annotations

from typing import Final

from rmq.client.admin.messages import view_message
from rmq.client.admin.sending import Place, Sender, place_on, places
from rmq.client.admin.topics import addresses_of
from rmq.client.errors import IllegalMessageError
from rmq.client.message import Message
from rmq.client.results import SendStatus
from rmq.tui.formats import plural
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.messages import SendMessage
from rmq.tui.service.changes.topics import MESSAGE_TYPE
from rmq.tui.service.live.changes.doer import Doer, Done
from rmq.tui.service.live.known import Known
from rmq.tui.service.problems import problem_of
from rmq.wire.errors import RemotingError, TopicNotExistError

_GROUP: Final = "rmq_tui"
_SHARDING_KEY: Final = "__SHARDINGKEY"
_MOST_GROUPS: Final = 5


async def preview(known: Known, change: SendMessage) -> Preview:
    """Queues that may take it, and groups that will get it."""
    try:
        message_of(change)
    except IllegalMessageError as error:
        return Preview(refusal=str(error.remark))
    where = await _places(known, change)
    if not where:
        queue = f"{change.broker}/{change.queue_id}" if change.broker else "no queue"
        return Preview(refusal=f"{queue} of {change.topic} {'cannot' if change.broker else 'can'} be written to")
    first = where[0].queue
    taker = f"{first.broker_name}/{first.queue_id}" if len(where) == 1 else f"any of {len(where)} queues"
    notes = [f"{taker} takes it: {plural(len(change.body), 'byte')}"]
    warnings = []
    try:
        route = await known.route.get(change.topic)
    except TopicNotExistError:
        warnings.append("the topic does not exist: the broker makes it")
    else:
        address = addresses_of(route)[0]
        readers = await known.readers.get((address, change.topic))
        notes.append(_readers(readers))
        config = await known.config.get((address, change.topic))
        warnings += _kind_warnings(config.attributes.get(MESSAGE_TYPE, ""), change)
    return Preview(notes=tuple(notes), warnings=tuple(warnings))


def _readers(groups: list[str]) -> str:
    if not groups:
        return "no group reads the topic"
    more = f" and {len(groups) - _MOST_GROUPS} more" if len(groups) > _MOST_GROUPS else ""
    named = ", ".join(sorted(groups)[:_MOST_GROUPS])
    return f"{plural(len(groups), 'group')} will get it: {named}{more}"


def _kind_warnings(kind: str, change: SendMessage) -> list[str]:
    if kind == "FIFO" and not change.broker and _SHARDING_KEY not in dict(change.properties):
        return ["the topic is FIFO, and neither queue nor message group is given: its place in the order is any"]
    if kind == "DELAY" and not change.delay:
        return ["the topic is for delayed messages, and this one has no delay"]
    if kind == "TRANSACTION":
        return ["the topic is for transactions: this message is sent without one"]
    if change.delay and kind not in {"", "DELAY"}:
        return [f"the topic is for messages of the type {kind}, and this one is delayed"]
    return []


async def carry_out(known: Known, change: SendMessage, done: Done) -> Outcome:
    """Sends it and reads it back."""
    admin = known.admin
    where = await place_on(admin, change.topic, change.broker, change.queue_id) if change.broker else None
    result = await Sender(admin, _GROUP).send(message_of(change), where)
    queue = result.message_queue
    place = f"{queue.broker_name}/{queue.queue_id} @ {result.queue_offset}"
    stored = result.send_status is SendStatus.SEND_OK
    item = Item(place, stored, f"{result.send_status.name} {result.msg_id}")
    done(item)
    try:
        found = await view_message(admin, change.topic, result.offset_msg_id)
    except RemotingError as error:
        said = f"it could not be read back: {problem_of(error)}"
        return Outcome(False, f"sent as {result.msg_id}", (item,), (said,))
    same = found.body == change.body
    compared = "as sent" if same else "not those that were sent"
    told = f"{result.offset_msg_id}: {plural(len(found.body), 'byte')}, {compared}"
    return Outcome(stored and same, f"sent as {result.msg_id}", (item,), (told,))


def message_of(change: SendMessage) -> Message:
    """The message as a client sends it.

    Raises:
        IllegalMessageError: a property is not allowed.
    """
    return Message(
        change.topic,
        change.body,
        tags=change.tags or None,
        keys=change.keys or None,
        properties=dict(change.properties),
        delay_seconds=change.delay / 1000 if change.delay else None,
    )


async def _places(known: Known, change: SendMessage) -> list[Place]:
    found = await places(known.admin, change.topic)
    wanted = (change.broker, change.queue_id)
    return [place for place in found if not change.broker or (place.queue.broker_name, place.queue.queue_id) == wanted]


DOERS: Final = (Doer(SendMessage, preview, carry_out),)
"""What this file does."""
