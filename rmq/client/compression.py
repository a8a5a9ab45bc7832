"""Compressed message bodies: zlib streams, LZ4 frames and Zstandard frames.

The bits of the stored `sysFlag` say which; none of them means zlib, because old clients set none. The libraries are
loaded when first needed.

Source: CompressorFactory, ZlibCompressor, Lz4Compressor, ZstdCompressor, MessageSysFlag.
"""

from __future__ import annotations

import zlib
from enum import IntEnum
from typing import Final

from rmq.client.errors import IllegalMessageError
from rmq.wire.sysflag import COMPRESSION_LZ4, COMPRESSION_ZLIB, COMPRESSION_ZSTD

MAX_BODY: Final = 256 * 1024 * 1024
"""Most bytes that a body may have after decompression; more is taken for an attack."""


class Compression(IntEnum):
    """The kinds, with their bits in the stored flags."""

    ZLIB = COMPRESSION_ZLIB
    LZ4 = COMPRESSION_LZ4
    ZSTD = COMPRESSION_ZSTD


def compress(body: bytes, kind: Compression, level: int) -> bytes:
    """The compressed body; `level` means what it means for zlib, 1 fast to 9 small."""
    if kind is Compression.ZLIB:
        return zlib.compress(body, level)
    if kind is Compression.LZ4:
        import lz4.frame

        return bytes(lz4.frame.compress(body))
    import zstandard

    return zstandard.ZstdCompressor(level=level).compress(body)


def decompress(body: bytes, flags: int, limit: int = MAX_BODY) -> bytes:
    """The body as it was before compression.

    Args:
        body: the stored bytes.
        flags: the compression bits of the stored flags.
        limit: most bytes that may come out.

    Raises:
        IllegalMessageError: the bytes are not of that kind, or more than `limit` come out.
    """
    try:
        if flags == COMPRESSION_LZ4:
            import lz4.frame

            plain = bytes(lz4.frame.LZ4FrameDecompressor().decompress(body, limit + 1))
        elif flags == COMPRESSION_ZSTD:
            import zstandard

            with zstandard.ZstdDecompressor().stream_reader(body) as reader:
                plain = reader.read(limit + 1)
        else:
            plain = zlib.decompressobj().decompress(body, limit + 1)
    except Exception as error:
        raise IllegalMessageError(f"a compressed body cannot be read: {error}") from None
    if len(plain) > limit:
        raise IllegalMessageError(f"a compressed body holds more than {limit} bytes")
    return plain
