"""Messages that a consumer gives back.

Source: ConsumerSendMsgBackRequestHeader.
"""

from __future__ import annotations

from rmq.wire.declare import Int32, Int64, request


@request(36, "CONSUMER_SEND_MSG_BACK", changes=True)
class ConsumerSendMsgBack:
    """Asks to deliver the message at a physical offset again; `delay_level` -1 is the dead-letter topic, 0 by count."""

    offset: Int64
    group: str
    delay_level: Int32
    origin_msg_id: str | None = None
    origin_topic: str | None = None
    unit_mode: bool | None = None
    max_reconsume_times: Int32 | None = None
