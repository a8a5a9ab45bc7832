"""Pulling messages.

Source: PullMessageRequestHeader, PullMessageResponseHeader.
"""

from __future__ import annotations

from rmq.wire.declare import Int32, Int64, header, request, wire


@header
class PullMessageReply:
    """Where to pull next, and the queue's bounds. The body is stored messages back to back."""

    suggest_which_broker_id: Int64
    next_begin_offset: Int64
    min_offset: Int64
    max_offset: Int64
    offset_delta: Int64 | None = None
    topic_sys_flag: Int32 | None = None
    group_sys_flag: Int32 | None = None
    forbidden_type: Int32 | None = None


@request(11, "PULL_MESSAGE", reply=PullMessageReply)
class PullMessage:
    """Pulls from one queue.

    `sys_flag` bits: 1 `commit_offset` counts, 2 the broker may hold the request for `suspend_timeout_millis`,
    4 `subscription` counts, 8 class filter, 16 lite pull. With `lo` false a static topic's physical queue is meant.
    """

    consumer_group: str
    topic: str
    queue_id: Int32
    queue_offset: Int64
    max_msg_nums: Int32
    sys_flag: Int32
    commit_offset: Int64
    suspend_timeout_millis: Int64
    sub_version: Int64
    subscription: str | None = None
    expression_type: str | None = None
    max_msg_bytes: Int32 | None = None
    request_source: Int32 | None = None
    proxy_froward_client_id: str | None = None
    broker_name: str | None = wire("bname", default=None)
    lo: bool | None = None


@request(361, "LITE_PULL_MESSAGE", reply=PullMessageReply)
class LitePullMessage(PullMessage):
    """Pulls from one queue, on behalf of a lite pull consumer."""
