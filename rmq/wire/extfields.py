"""Extension fields of the binary header: entry after entry of `key length, key, value length, value`.

This is run for every message, so nothing is done per entry that can be done once. The bytes become text once, as
Latin-1, in which a character is a byte and values are cut out by their positions; only when there was a byte above
127 are values looked at for UTF-8. One `unpack` reads both lengths of a one-letter key, which all keys of a sent
message are. `BinaryExtEntry` in `rmq.wire.frame` declares the same bytes.

Empty keys and values stand for absent ones. Of a repeated key the last counts.

Source: RocketMQSerializable.
"""

from __future__ import annotations

import struct

from rmq.wire.errors import HeaderError
from rmq.wire.layouts import LETTER_ENTRY_HEAD

Ext = dict[str, str]

_LETTER_HEAD_SIZE = LETTER_ENTRY_HEAD.size
_FIXED_SIZE = 6
_CACHED_LENGTHS = 1024
_MAX_CACHED_KEYS = 1024

_lengths = tuple(length.to_bytes(4, "big") for length in range(_CACHED_LENGTHS))
_keys: dict[str, bytes] = {}


def decode_ext(data: bytes) -> Ext:
    """Reads all entries.

    Raises:
        HeaderError: an entry is cut, or a key's length is negative.
    """
    ext: Ext = {}
    text = data.decode("latin-1")
    end = len(data)
    position = 0
    unpack = LETTER_ENTRY_HEAD.unpack_from
    # An entry without key and value is a byte shorter than what is unpacked.
    padded = data + b"\0"
    try:
        while position < end:
            key_length, _, value_length = unpack(padded, position)
            if key_length == 1:
                start = position + _LETTER_HEAD_SIZE
                key = text[position + 2]
            else:
                start = position + _FIXED_SIZE + key_length
                if key_length < 0 or start > end:
                    raise HeaderError("an extension field is cut")
                key = text[position + 2 : start - 4]
                value_length = int.from_bytes(data[start - 4 : start], "big")
            position = start + value_length
            if value_length and key_length:
                ext[key] = text[start:position]
    except struct.error:
        raise HeaderError("an extension field is cut") from None
    if position > end:
        raise HeaderError("an extension field is longer than the header")
    return ext if data.isascii() else {_utf8(key): _utf8(value) for key, value in ext.items()}


def encode_ext(ext: Ext) -> bytes:
    """The entries of all fields.

    Raises:
        ValueError: a key is longer than 32767 bytes, or a text holds a lone surrogate.
    """
    parts: list[bytes] = []
    lengths, keys = _lengths, _keys
    for key, value in ext.items():
        raw = value.encode()
        size = len(raw)
        parts += (
            keys.get(key) or _encode_key(key),
            lengths[size] if size < _CACHED_LENGTHS else size.to_bytes(4, "big"),
            raw,
        )
    return b"".join(parts)


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def _encode_key(key: str) -> bytes:
    raw = key.encode()
    if len(raw) > 0x7FFF:
        raise ValueError(f"extension field name of {len(raw)} bytes is too long")
    entry = len(raw).to_bytes(2, "big") + raw
    # Names repeat in every frame; the bound keeps a caller that invents names from growing the cache.
    if len(_keys) < _MAX_CACHED_KEYS:
        _keys[key] = entry
    return entry
