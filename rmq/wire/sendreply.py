"""The reply to a send, written in one go.

Every stored message is answered with the same few fields, so their fixed parts are made once and a reply is a handful
of joins instead of a walk over a map. `encode` of `rmq.wire.command` is the readable twin; a property test holds the
two equal.

Source: SendMessageResponseHeader, its fast encoding in SendMessageResponseHeader.encode.
"""

from __future__ import annotations

from rmq.wire.codes import FLAG_RESPONSE, LANGUAGE, LANGUAGES, SERIALIZE_BINARY, SERIALIZE_JSON, VERSION
from rmq.wire.command import Command, Ext, encode
from rmq.wire.layouts import BINARY_HEADER_HEAD, FRAME_HEAD

_LANGUAGE_CODE = LANGUAGES.index(LANGUAGE)
_ENTRIES_AT = BINARY_HEADER_HEAD.size
_BINARY_TYPE = SERIALIZE_BINARY << 24


class SendReplies:
    """Encodes replies to sends.

    Args:
        marks: fields that every reply carries, by wire name.
    """

    def __init__(self, marks: Ext) -> None:
        self._marks = marks
        self._binary_marks = b"".join(_entry(name, value.encode()) for name, value in marks.items())
        marks_text = "".join(f',"{name}":"{value}"' for name, value in marks.items())
        self._json_tail = (
            f'{marks_text}}},"flag":{FLAG_RESPONSE},"language":"{LANGUAGE}","opaque":%d,'
            f'"serializeTypeCurrentRPC":"JSON","version":{VERSION}}}'
        )

    def encode(
        self,
        request: Command,
        code: int,
        message_id: str,
        queue_id: int,
        queue_offset: int,
        unique_id: str | None,
    ) -> bytes:
        """The frame that answers `request`.

        Args:
            code: how durable the message is.
            message_id: the broker's id, several joined by commas for a batch.
            queue_id: where it is.
            queue_offset: and at which place.
            unique_id: the client's id of it.
        """
        if unique_id is not None and not unique_id.isalnum():
            return self._plain(request, code, message_id, queue_id, queue_offset, unique_id)
        if request.serialize_type == SERIALIZE_BINARY:
            return self._binary(request.opaque, code, message_id, queue_id, queue_offset, unique_id)
        transaction = f',"transactionId":"{unique_id}"' if unique_id else ""
        header = (
            f'{{"code":{code:d},"extFields":{{"msgId":"{message_id}","queueId":"{queue_id}",'
            f'"queueOffset":"{queue_offset}"{transaction}{self._json_tail % request.opaque}'
        ).encode()
        return FRAME_HEAD.pack(4 + len(header), SERIALIZE_JSON << 24 | len(header)) + header

    def _binary(
        self, opaque: int, code: int, message_id: str, queue_id: int, queue_offset: int, unique_id: str | None
    ) -> bytes:
        identifier, queue, offset = message_id.encode(), b"%d" % queue_id, b"%d" % queue_offset
        transaction = _entry("transactionId", unique_id.encode()) if unique_id else b""
        entries = b"".join(
            (
                _MESSAGE_ID, len(identifier).to_bytes(4, "big"), identifier,
                _QUEUE_ID, len(queue).to_bytes(4, "big"), queue,
                _QUEUE_OFFSET, len(offset).to_bytes(4, "big"), offset,
                transaction, self._binary_marks,
            )
        )  # fmt: skip
        size = _ENTRIES_AT + 4 + len(entries)
        return b"".join(
            (
                FRAME_HEAD.pack(4 + size, _BINARY_TYPE | size),
                BINARY_HEADER_HEAD.pack(code, _LANGUAGE_CODE, VERSION, opaque, FLAG_RESPONSE, 0),
                len(entries).to_bytes(4, "big"),
                entries,
            )
        )

    def _plain(
        self, request: Command, code: int, message_id: str, queue_id: int, queue_offset: int, unique_id: str
    ) -> bytes:
        ext = {
            "msgId": message_id,
            "queueId": str(queue_id),
            "queueOffset": str(queue_offset),
            "transactionId": unique_id,
            **self._marks,
        }
        return encode(
            Command(code, ext, opaque=request.opaque, flag=FLAG_RESPONSE, serialize_type=request.serialize_type)
        )


def _key(name: str) -> bytes:
    raw = name.encode()
    return len(raw).to_bytes(2, "big") + raw


def _entry(name: str, value: bytes) -> bytes:
    return _key(name) + len(value).to_bytes(4, "big") + value


_MESSAGE_ID = _key("msgId")
_QUEUE_ID = _key("queueId")
_QUEUE_OFFSET = _key("queueOffset")
