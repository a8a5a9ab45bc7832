"""Messages by id or key, from the brokers' indexes."""

from __future__ import annotations

from typing import Final

from rmq.client.admin.errors import NoMessageError
from rmq.client.admin.messages import FOREVER, messages_with_key, messages_with_unique_id, view_message
from rmq.client.message import MessageExt
from rmq.tui.service.live.known import Known
from rmq.tui.service.live.message_findings import Findings, selected
from rmq.tui.service.live.message_queues import message_of
from rmq.tui.service.query import Query
from rmq.wire.address import join_address
from rmq.wire.errors import RemotingError
from rmq.wire.message import MessageError, parse_offset_message_id, unpack_host

_MOST: Final = 64
"""Messages that a broker gives from its index at a time."""


async def look_up(known: Known, query: Query, findings: Findings) -> bool:
    """Takes into the findings what the index has; False when it has nothing at all.

    Raises:
        RemotingError: the topic is unknown, or brokers could not look.
    """
    masters = {address: name for name, address in (await known.masters()).items()}
    try:
        found = await _ask(known, query, findings, masters)
    except NoMessageError:
        found = []
    if len(found) >= _MOST:
        findings.note(f"an index gives {_MOST} messages of each broker at most: narrow it by time:")
    messages = [message_of(message, masters.get(message.store_host, "")) for message in found]
    findings.scanned = len(messages)
    findings.keep(await selected(query, messages))
    if not found and not findings.has_failed and query.topic:
        what = "no such key" if query.key else "no message of this id"
        findings.note(
            f"the index has {what}: the range is scanned, which takes longer"
            if query.is_ranged
            else f"the index has {what}: with time: or queue: added, the messages of that range are scanned"
        )
    return bool(found)


async def _ask(known: Known, query: Query, findings: Findings, masters: dict[str, str]) -> list[MessageExt]:
    begin, end = query.begin or 0, FOREVER if query.end is None else query.end
    if query.message_id:
        return await _with_id(known, query, findings, masters)
    if query.key:
        most = min(query.limit, _MOST)
        return await messages_with_key(
            known.admin, query.topic, query.key, most=most, begin=begin, end=end, failed=findings.failed
        )
    return await messages_with_unique_id(known.admin, query.topic, query.unique_id, begin=begin, end=end)


async def _with_id(known: Known, query: Query, findings: Findings, masters: dict[str, str]) -> list[MessageExt]:
    """By a broker's id; by a sender's where that leads nowhere, since both look alike."""
    text = query.message_id
    try:
        host, _ = parse_offset_message_id(text)
        address = join_address(*unpack_host(host))
    except MessageError:
        address = ""
    if address in masters:
        try:
            return [await view_message(known.admin, query.topic, text)]
        except RemotingError as error:
            if not query.topic:
                findings.failed(error)
                return []
    if not query.topic:
        findings.note("no broker here gave out this id: if it is a sender's, write the topic in front")
        return []
    return await messages_with_unique_id(known.admin, query.topic, text, begin=query.begin or 0)
