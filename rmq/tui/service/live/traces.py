"""The way of a message: what clients have told of it, when it was stored, and why nothing is told.

Clients tell in messages to the trace topic. That there is none of a message has one of several reasons, looked for
in this order:

    no trace topic          with traceTopicEnable off a broker makes none
    nothing in it           no client has tracing turned on
    message unknown         by the topic and the id that were given
    traceOn off             the broker told the sender not to trace, and the message says so
    else                    its sender does not trace, or the trace is still on its way or deleted already
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rmq.client.admin.errors import NoMessageError, NoTopicRouteError
from rmq.client.admin.messages import messages_with_unique_id
from rmq.client.admin.topics import topic_stats
from rmq.client.admin.traces import CONSUMED, PUBLISHED, TraceEvent, message_trace
from rmq.client.message import PROPERTY_TRACE_ON, MessageExt
from rmq.client.trace import ConsumeReturn
from rmq.tui.service.live.known import Known, or_problem
from rmq.tui.service.model import Problem
from rmq.tui.service.model.traces import StepKind, Traced, TraceStep
from rmq.tui.service.problems import problem_of
from rmq.wire.errors import RemotingError
from rmq.wire.names import TRACE_TOPIC

_CONSUMING: Final = "SubBefore"
_DECIDED: Final = "EndTransaction"
_RECALLED: Final = "Recall"
_STATES: Final = {"COMMIT_MESSAGE": "committed", "ROLLBACK_MESSAGE": "rolled back", "UNKNOW": "undecided"}
FLUSH_MILLIS: Final = 10_000
"""Clients tell of what they did at the latest so long after, and an index takes a moment."""


class LiveTraces:
    """See `protocol.TraceQuestions`."""

    _known: Known

    @or_problem
    async def trace(self, message_id: str, topic: str = "", trace_topic: str = "") -> Traced:
        """See `AdminService.trace`."""
        return await traced(self._known, message_id, topic, trace_topic or TRACE_TOPIC)


async def traced(known: Known, message_id: str, topic: str, trace_topic: str) -> Traced:
    """The way of a message.

    Raises:
        RemotingError: nobody could look.
    """
    problems: list[Problem] = []
    events: list[TraceEvent] = []
    no_route = False
    try:
        events = await message_trace(
            known.admin, message_id, topic=trace_topic, failed=lambda error: problems.append(problem_of(error))
        )
    except NoTopicRouteError:
        no_route = True
    except NoMessageError:
        pass
    found_topic = topic or next((event.facts["topic"] for event in events if event.facts.get("topic")), "")
    stored, unknown = await _stored(known, message_id, found_topic, problems)
    if not events:
        why, remedy = await _why_empty(known, trace_topic, no_route, stored, unknown or not found_topic, topic)
        return Traced(message_id, found_topic, tuple(_stores(stored)), why, remedy, tuple(problems))
    steps = sorted([*steps_of(events), *_stores(stored)], key=lambda step: (step.start, _ORDER[step.kind]))
    return Traced(message_id, found_topic, tuple(steps), problems=tuple(problems))


_ORDER: Final = {kind: place for place, kind in enumerate(StepKind)}


async def _stored(
    known: Known, message_id: str, topic: str, problems: list[Problem]
) -> tuple[list[MessageExt], bool]:
    """The message as it is stored, and whether the topic is known to hold none."""
    if not topic:
        return [], False
    try:
        return await messages_with_unique_id(known.admin, topic, message_id), False
    except (NoMessageError, NoTopicRouteError):
        return [], True
    except RemotingError as error:
        problems.append(problem_of(error))
        return [], False


# --- steps ---------------------------------------------------------------------------------------------------------


def steps_of(events: Sequence[TraceEvent]) -> list[TraceStep]:
    """What happened, from what clients told; a listener's call and its end are one step."""
    ends = {(event.client_host, event.facts.get("call")): event for event in events if event.kind == CONSUMED}
    steps = []
    for event in events:
        if event.kind == _CONSUMING:
            steps.append(_consumption(event, ends.pop((event.client_host, event.facts.get("call")), None)))
        elif event.kind != CONSUMED:
            steps.append(_step(event))
    steps += [_ending(event) for event in ends.values()]
    return steps


def _step(event: TraceEvent) -> TraceStep:
    kinds = {PUBLISHED: StepKind.SEND, _DECIDED: StepKind.DECIDE, _RECALLED: StepKind.RECALL}
    kind = kinds.get(event.kind, StepKind.SEND)
    outcome = "failed" if event.success is False else "sent" if kind is StepKind.SEND else "recalled"
    if kind is StepKind.DECIDE:
        state = event.facts.get("state", "")
        checked = " when asked" if event.facts.get("checked") == "true" else ""
        outcome = f"{_STATES.get(state, state.lower())}{checked}"
    return TraceStep(
        kind, event.group or "", event.client_host, event.time, event.cost, event.success, outcome, facts=event.facts
    )


def _consumption(begun: TraceEvent, ended: TraceEvent | None) -> TraceStep:
    tries = begun.facts.get("reconsumeTimes", "")
    attempt = int(tries) + 1 if tries.isdigit() else 0
    common = (StepKind.CONSUME, begun.group or "", begun.client_host, begun.time)
    if ended is None:
        return TraceStep(*common, outcome="not ended", attempt=attempt, facts=begun.facts)
    return TraceStep(
        *common, ended.cost, ended.success, _returned(ended), attempt, {**begun.facts, **ended.facts}
    )


def _ending(event: TraceEvent) -> TraceStep:
    """The end of a call whose beginning is not told."""
    start = event.time - (event.cost or 0)
    return TraceStep(
        StepKind.CONSUME, event.group or "", event.client_host, start, event.cost, event.success, _returned(event),
        facts=event.facts,
    )  # fmt: skip


def _returned(event: TraceEvent) -> str:
    told = event.facts.get("outcome", "")
    if told.isdigit() and int(told) < len(ConsumeReturn):
        return ConsumeReturn(int(told)).name.lower().replace("_", " ")
    return "success" if event.success else "failed"


def _stores(messages: Iterable[MessageExt]) -> list[TraceStep]:
    return [
        TraceStep(
            StepKind.STORE,
            message.broker_name,
            message.store_host,
            message.store_timestamp,
            0,
            True,
            f"queue {message.queue_id} @ {message.queue_offset:,}",
            facts={"born": str(message.born_timestamp), "born host": message.born_host, "keys": message.keys or ""},
        )
        for message in messages
    ]


# --- why there is none ---------------------------------------------------------------------------------------------


async def _why_empty(
    known: Known, trace_topic: str, no_route: bool, stored: Sequence[MessageExt], unknown: bool, topic: str
) -> tuple[str, str]:
    if no_route:
        return await _why_no_topic(known, trace_topic)
    bounds = (await topic_stats(known.admin, trace_topic)).offset_table
    if not any(at.max_offset > at.min_offset for at in bounds.values()):
        return (
            f"nothing is recorded in {trace_topic}: no client has tracing turned on, or its traces are deleted already",
            "turn it on in producers and consumers (enable_trace, enableMsgTrace)",
        )
    if not stored and unknown:
        if topic:
            return (
                f"{topic} has no message with this id in the last three days, and nothing is traced of it",
                "is it the sender's id (UNIQ_KEY), and is it this topic?",
            )
        return (
            "nothing is traced of this id; whether there is such a message cannot be told without its topic",
            "ask with the topic: TOPIC/ID",
        )
    if any(message.properties.get(PROPERTY_TRACE_ON) == "false" for message in stored):
        return (
            "the broker told the sender not to trace this message (traceOn is off)",
            "turn traceOn on in the broker's settings; it holds for messages sent from then on",
        )
    if any(known.now() - message.store_timestamp < FLUSH_MILLIS for message in stored):
        return ("nothing is told of it yet: clients tell some seconds later", "it is asked again with each refresh")
    return (
        "the message is stored, but neither its sender nor a consumer told of it: they do not trace",
        "turn it on in producers and consumers (enable_trace, enableMsgTrace); traces that are deleted look the same",
    )


async def _why_no_topic(known: Known, trace_topic: str) -> tuple[str, str]:
    masters = await known.masters()
    told = await known.admin.attempt_each(list(masters.values()), known.settings.get)
    off = [
        name
        for name, settings in zip(masters, told, strict=True)
        if not isinstance(settings, RemotingError) and settings.get("traceTopicEnable", "false") != "true"
    ]
    if off and trace_topic == TRACE_TOPIC:
        return (
            f"there is no trace topic: traceTopicEnable is off on {', '.join(off)}, so {trace_topic} was not made",
            "set traceTopicEnable=true and start the broker again, or have clients trace to a topic of your own",
        )
    return (
        f"the trace topic {trace_topic} does not exist",
        "make it, or name the one that the clients use: ID, TRACE-TOPIC",
    )
