"""Bodies that the application has packed with gzip or zlib."""

from __future__ import annotations

import zlib
from typing import Final

from rmq.tui.decoders.decoded import Decoded, UndecodableError

UNPACKED_MOST: Final = 4 << 20
"""Bytes that are unpacked at most, so that a small body cannot fill the memory."""
_GZIP: Final = b"\x1f\x8b"
_EITHER: Final = 32 + zlib.MAX_WBITS
"""zlib or gzip, whichever the header says."""


class PackedDecoder:
    """gzip and zlib."""

    def matches(self, body: bytes) -> bool:
        """By the first two bytes, and whether a beginning can be unpacked."""
        zipped = body[:1] == b"\x78" and len(body) > 1 and int.from_bytes(body[:2], "big") % 31 == 0
        if not zipped and body[:2] != _GZIP:
            return False
        try:
            zlib.decompressobj(_EITHER).decompress(body[:4096], 1)
        except zlib.error:
            return False
        return True

    def decode(self, body: bytes, limit: int) -> Decoded:
        """What was packed, as far as it goes and no more than `UNPACKED_MOST` of it."""
        kind = "gzip" if body[:2] == _GZIP else "zlib"
        unpacker = zlib.decompressobj(_EITHER)
        try:
            whole = unpacker.decompress(body, UNPACKED_MOST)
            bounded = not unpacker.eof and bool(unpacker.unconsumed_tail or unpacker.decompress(b"", 1))
        except zlib.error as error:
            raise UndecodableError(f"it is neither gzip nor zlib: {error}") from None
        remarks = []
        if bounded:
            remarks.append(f"unpacking stopped at {UNPACKED_MOST:,} bytes")
        elif not unpacker.eof:
            remarks.append(f"the {kind} data end too early")
        if unpacker.unused_data:
            remarks.append(f"{len(unpacker.unused_data):,} bytes behind the {kind} data are not shown")
        of = None if bounded else len(whole)
        return Decoded(unpacked=whole, shown=len(whole), of=of, steps=(kind,), remark="; ".join(remarks))
