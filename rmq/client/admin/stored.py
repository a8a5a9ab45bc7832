"""Stored messages in answers."""

from __future__ import annotations

from collections.abc import Iterator

from rmq.client.admin.errors import MalformedAnswerError
from rmq.client.message import MessageExt
from rmq.remoting.calls import Answer
from rmq.wire.message import MessageError, decode_messages


def messages_in(answer: Answer, broker_name: str = "") -> Iterator[MessageExt]:
    """The messages of an answer's body.

    Raises:
        MalformedAnswerError: the body holds something else.
        IllegalMessageError: a message's body cannot be decompressed.
    """
    try:
        for stored in decode_messages(answer.body):
            yield MessageExt(stored, broker_name)
    except MessageError as error:
        raise MalformedAnswerError(answer.address, str(error)) from None
