"""The reply to a send, written in one go.

Every stored message is answered with the same few fields, so their fixed parts are made once and a reply is one format
and one pack instead of a walk over a map. `encode` of `rmq.wire.command` is the readable twin; a property test holds
the two equal.

Source: SendMessageResponseHeader, its fast encoding in SendMessageResponseHeader.encode.
"""

from __future__ import annotations

from typing import Final

import orjson

from rmq.wire.codes import FLAG_RESPONSE, LANGUAGE, LANGUAGES, SERIALIZE_BINARY, SERIALIZE_JSON, VERSION
from rmq.wire.command import Command, Ext, encode
from rmq.wire.extfields import encode_ext
from rmq.wire.layouts import BINARY_PLAIN_HEAD, FRAME_HEAD

_LANGUAGE_CODE: Final = LANGUAGES.index(LANGUAGE)
_BINARY_TYPE: Final = SERIALIZE_BINARY << 24
_JSON_TYPE: Final = SERIALIZE_JSON << 24
_PLAIN_SIZE: Final = BINARY_PLAIN_HEAD.size - FRAME_HEAD.size
_LENGTHS: Final = tuple(length.to_bytes(4, "big") for length in range(24))
"""Lengths of the decimals of a 64-bit number."""

_pack_binary = BINARY_PLAIN_HEAD.pack
_pack_json = FRAME_HEAD.pack


class SendReplies:
    """Encodes replies to sends.

    Args:
        marks: fields that every reply carries, by wire name.
    """

    def __init__(self, marks: Ext) -> None:
        self._marks = marks
        binary = b"".join(map(_value_follows, ("msgId", "queueId", "queueOffset")))
        binary_marks = _literal(encode_ext(marks))
        self._binary = binary + binary_marks
        self._binary_with_id = binary + _value_follows("transactionId") + binary_marks
        json = b'{"code":%d,"extFields":{"msgId":"%b","queueId":"%d","queueOffset":"%d"'
        json_rest = (
            f'}},"flag":{FLAG_RESPONSE},"language":"{LANGUAGE}","opaque":%d,'
            f'"serializeTypeCurrentRPC":"JSON","version":{VERSION}}}'
        ).encode()
        json_marks = b"," + _literal(orjson.dumps(marks)[1:-1]) if marks else b""
        self._json = json + json_marks + json_rest
        self._json_with_id = json + b',"transactionId":"%b"' + json_marks + json_rest

    def encode(
        self,
        request: Command,
        code: int,
        message_id: bytes,
        queue_id: int,
        queue_offset: int,
        unique_id: bytes | None,
        recall_handle: str | None = None,
    ) -> bytes:
        """The frame that answers `request`.

        Args:
            code: how durable the message is.
            message_id: the broker's id, several joined by commas for a batch.
            queue_id: where it is.
            queue_offset: and at which place.
            unique_id: the client's id of it, in UTF-8.
            recall_handle: by what a timed message can be taken back.
        """
        if recall_handle is not None:
            return self._any(request, code, message_id, queue_id, queue_offset, unique_id, recall_handle)
        if request.serialize_type == SERIALIZE_BINARY:
            queue, offset = b"%d" % queue_id, b"%d" % queue_offset
            if unique_id:
                entries = self._binary_with_id % (
                    len(message_id).to_bytes(4, "big"), message_id,
                    _LENGTHS[len(queue)], queue,
                    _LENGTHS[len(offset)], offset,
                    len(unique_id).to_bytes(4, "big"), unique_id,
                )  # fmt: skip
            else:
                entries = self._binary % (
                    len(message_id).to_bytes(4, "big"), message_id,
                    _LENGTHS[len(queue)], queue,
                    _LENGTHS[len(offset)], offset,
                )  # fmt: skip
            entries_size = len(entries)
            size = _PLAIN_SIZE + entries_size
            return (
                _pack_binary(
                    4 + size, _BINARY_TYPE | size, code, _LANGUAGE_CODE, VERSION, request.opaque, FLAG_RESPONSE, 0,
                    entries_size,
                ) + entries
            )  # fmt: skip
        if not unique_id:
            header = self._json % (code, message_id, queue_id, queue_offset, request.opaque)
        elif unique_id.isalnum():
            header = self._json_with_id % (code, message_id, queue_id, queue_offset, unique_id, request.opaque)
        else:
            return self._any(request, code, message_id, queue_id, queue_offset, unique_id, None)
        return _pack_json(4 + len(header), _JSON_TYPE | len(header)) + header

    def _any(
        self,
        request: Command,
        code: int,
        message_id: bytes,
        queue_id: int,
        queue_offset: int,
        unique_id: bytes | None,
        recall_handle: str | None,
    ) -> bytes:
        """For an id with characters that JSON may have to quote, and for what has a handle."""
        ext = {"msgId": message_id.decode(), "queueId": str(queue_id), "queueOffset": str(queue_offset)}
        if unique_id:
            ext["transactionId"] = unique_id.decode()
        if recall_handle is not None:
            ext["recallHandle"] = recall_handle
        ext.update(self._marks)
        return encode(
            Command(
                code, ext, opaque=request.opaque, flag=FLAG_RESPONSE, serialize_type=request.serialize_type
            )
        )


def _literal(data: bytes) -> bytes:
    return data.replace(b"%", b"%%")


def _value_follows(name: str) -> bytes:
    """Format of an entry: the name, then a value's length and bytes."""
    raw = name.encode()
    return _literal(len(raw).to_bytes(2, "big") + raw) + b"%b%b"
