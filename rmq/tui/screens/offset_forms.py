"""The form of an offset reset: which topic or queue, and where the groups go on."""

from __future__ import annotations

from collections.abc import Sequence

from rmq.tui.screens.forms import Field, FormDialog, Values
from rmq.tui.service.changes.change import Change
from rmq.tui.service.changes.offsets import EXAMPLES, Kind, ResetOffsets, TargetError, target_of
from rmq.tui.service.model import GroupQueue
from rmq.tui.state.session import Session
from rmq.wire.names import RETRY_PREFIX

_EVERY_TOPIC = ("every topic it reads, without retries", "")
_EVERY_QUEUE = ("every queue", "")


def reset_form(
    session: Session, groups: Sequence[str], queues: Sequence[GroupQueue], chosen: GroupQueue | None = None
) -> FormDialog:
    """A form for moving groups.

    Args:
        session: what all screens share.
        groups: their names.
        queues: those of the only group; empty for several, and for one that has read nothing yet.
        chosen: the queue that the user is on.
    """

    def check(text: str) -> str:
        try:
            target_of(text, session.now(), session.zone)
        except TargetError as error:
            return str(error)
        return ""

    def make(values: Values) -> Change | str:
        target = target_of(values["target"], session.now(), session.zone)
        topic = values["topic"].strip()
        queue = _queue(values.get("queue", ""))
        if queue is not None:
            if topic not in {"", queue[0]}:
                return f"{queue[1]}/{queue[2]} was chosen of {queue[0]}, not of {topic}"
            return ResetOffsets(tuple(groups), queue[0], target, queue[1:])
        if target.kind is Kind.OFFSET:
            return "an offset is one queue's: choose the queue, too" if queues else "an offset is one queue's"
        return ResetOffsets(tuple(groups), topic, target)

    target_field = Field("target", "Go on from", check=check, hint=EXAMPLES)
    name = groups[0] if len(groups) == 1 else f"{len(groups)} groups"
    return FormDialog(f"Reset offsets of {name}", [target_field, *_places(queues, chosen, groups)], make)


def _places(queues: Sequence[GroupQueue], chosen: GroupQueue | None, groups: Sequence[str]) -> list[Field]:
    topics = list(dict.fromkeys(queue.topic for queue in queues))
    if not topics:
        hint = "A topic's name; empty for every topic that each of the groups reads, without retries."
        return [Field("topic", "Topic", check=lambda text: _needed(text, groups), hint=hint)]
    own = [topic for topic in topics if not topic.startswith(RETRY_PREFIX)]
    first = chosen.topic if chosen is not None else own[0] if len(own) == 1 else ""
    rows = [(f"{one.broker}/{one.queue_id} of {one.topic}, at {one.consumer_offset:,}", _code(one)) for one in queues]
    return [
        Field("topic", "Topic", first, [_EVERY_TOPIC, *((topic, topic) for topic in topics)]),
        Field("queue", "Queue", _code(chosen) if chosen is not None else "", [_EVERY_QUEUE, *rows]),
    ]


def _needed(topic: str, groups: Sequence[str]) -> str:
    return "it has read nothing yet: name the topic" if len(groups) == 1 and not topic.strip() else ""


def _code(queue: GroupQueue) -> str:
    return f"{queue.topic} {queue.broker} {queue.queue_id}"


def _queue(code: str) -> tuple[str, str, int] | None:
    if not code:
        return None
    topic, broker, number = code.split(" ")
    return topic, broker, int(number)
