"""Traces in memory."""

from collections.abc import Callable
from typing import Any

from rmq.tui.service.model import Problem, StepKind, Traced, TraceStep

SENT = 1_795_269_600_000
MESSAGE_ID = "0A00000B00001234ABCD000000000011"
STEPS = (
    TraceStep(
        StepKind.SEND, "shop", "10.0.0.11", SENT, 12, True, "sent", 0, {"keys": "order-17", "broker": "10.0.0.1:10911"}
    ),
    TraceStep(StepKind.STORE, "broker-a", "10.0.0.1:10911", SENT + 9, 0, True, "queue 3 @ 81,204"),
    TraceStep(StepKind.CONSUME, "audit-trail", "10.0.0.25", SENT + 30, 4, True, "success", 1),
    TraceStep(StepKind.CONSUME, "billing", "10.0.0.20", SENT + 31, 2400, False, "exception", 1),
    TraceStep(StepKind.CONSUME, "billing", "10.0.0.21", SENT + 12_600, 1310, True, "success", 2),
    TraceStep(StepKind.CONSUME, "warehouse", "10.0.0.30", SENT + 9_000, None, None, "not ended", 1),
)
NOTHING = Traced(
    "unknown",
    "Orders",
    why="there is no trace topic: traceTopicEnable is off on broker-a, so RMQ_SYS_TRACE_TOPIC was not made",
    remedy="set traceTopicEnable=true and start the broker again, or have clients trace to a topic of your own",
)


class FakeTraces:
    """See `protocol.TraceQuestions`; a message of any other id than `MESSAGE_ID` has no trace."""

    _asked: Callable[..., Any]

    async def trace(self, message_id: str, topic: str = "", trace_topic: str = "") -> Traced | Problem:
        refused = await self._asked("trace", ",".join(filter(None, (f"{topic}/{message_id}", trace_topic))))
        if refused is not None:
            return refused
        if message_id != MESSAGE_ID:
            return NOTHING
        return Traced(message_id, topic or "Orders", tuple(sorted(STEPS, key=lambda step: step.start)))
