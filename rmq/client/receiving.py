"""From stored messages to what a program gets."""

from __future__ import annotations

from twisted.logger import Logger

from rmq.client.errors import IllegalMessageError
from rmq.client.message import MessageExt
from rmq.wire.message import StoredMessage

log = Logger()


def received(stored: StoredMessage, broker_name: str) -> MessageExt:
    """A stored message as a consumer gets it; a body that cannot be decompressed stays as it is."""
    try:
        return MessageExt(stored, broker_name)
    except IllegalMessageError as error:
        log.error("{topic} message {id}: {error}", topic=stored.topic, id=stored.offset_id, error=error)
        return MessageExt(stored, broker_name, decompressed=False)
