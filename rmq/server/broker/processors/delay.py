"""Tells slaves and tools how far delay levels and timer have come.

Source: AdminBrokerProcessor.getAllDelayOffset, getTimerCheckPoint, getTimerMetrics.
"""

from __future__ import annotations

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.delay.service import DelayService
from rmq.wire.requests.offset import GetAllDelayOffset
from rmq.wire.requests.replication import GetTimerCheckPoint, GetTimerMetrics


class DelayProcessor:
    """Handles questions about the progress of deliveries."""

    def __init__(self, delays: DelayService) -> None:
        self._delays = delays

    @handles(GetAllDelayOffset)
    def delay_offsets(self, header: GetAllDelayOffset, call: Call) -> Reply:
        """How far the delay levels have come."""
        return Reply(body=self._delays.offsets.to_json())

    @handles(GetTimerCheckPoint)
    def timer_checkpoint(self, header: GetTimerCheckPoint, call: Call) -> Reply:
        """How far the timer has come, as its checkpoint file holds it."""
        return Reply(body=self._delays.timer_checkpoint())

    @handles(GetTimerMetrics)
    def timer_metrics(self, header: GetTimerMetrics, call: Call) -> Reply:
        """How many messages of each topic wait in the timer."""
        return Reply(body=self._delays.timer_metrics())
