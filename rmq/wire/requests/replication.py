"""Master and slave of one broker name.

Source: ExchangeHAInfoRequestHeader, ExchangeHAInfoResponseHeader, ResetMasterFlushOffsetHeader, AdminBrokerProcessor.
"""

from __future__ import annotations

from rmq.wire.bodies.broker import HARuntimeInfo, TimerMetrics
from rmq.wire.declare import Int64, header, request


@request(60, "GET_TIMER_CHECK_POINT")
class GetTimerCheckPoint:
    """A slave asks for the progress of the timer; the answer's body is the image of the file timercheck."""


@request(61, "GET_TIMER_METRICS", reply_body=TimerMetrics)
class GetTimerMetrics:
    """A slave asks how many timed messages wait."""


@header
class ExchangeBrokerHaInfoReply:
    """The master's addresses and how far its log is on disk."""

    master_ha_address: str | None = None
    master_flush_offset: Int64 | None = None
    master_address: str | None = None


@request(906, "EXCHANGE_BROKER_HA_INFO", reply=ExchangeBrokerHaInfoReply)
class ExchangeBrokerHaInfo:
    """A slave asks its master for these, or the lowest replica tells them to the others."""

    master_ha_address: str | None = None
    master_flush_offset: Int64 | None = None
    master_address: str | None = None


@request(907, "GET_BROKER_HA_STATUS", reply_body=HARuntimeInfo)
class GetBrokerHaStatus:
    """Asks for the state of replication."""


@request(908, "RESET_MASTER_FLUSH_OFFSET", changes=True)
class ResetMasterFlushOffset:
    """Sets what a slave believes of its master's log on disk."""

    master_flush_offset: Int64
