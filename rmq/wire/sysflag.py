"""Magic numbers and `sysFlag` bits of stored messages (MessageDecoder, CommitLog, MessageSysFlag)."""

from __future__ import annotations

from typing import Final

MAGIC_V1: Final = 0xDAA320A7
"""A record whose topic has a one-byte length."""
MAGIC_V2: Final = 0xDAA320AB
"""A record whose topic is longer than 127 bytes and has a two-byte length."""
BLANK_MAGIC: Final = 0xCBD43194
"""The filler at the end of a log file."""

COMPRESSED: Final = 0x1
MULTI_TAGS: Final = 0x2
TRANSACTION_PREPARED: Final = 0x4
TRANSACTION_COMMIT: Final = 0x8
TRANSACTION_ROLLBACK: Final = 0xC
TRANSACTION_MASK: Final = 0xC
NOT_DISPATCHED: Final = frozenset((TRANSACTION_PREPARED, TRANSACTION_ROLLBACK))
"""Of the `TRANSACTION_MASK` bits: messages that are in the log and have no place in a queue."""
BORN_HOST_V6: Final = 0x10
STORE_HOST_V6: Final = 0x20
COMPRESSION_LZ4: Final = 0x100
COMPRESSION_ZSTD: Final = 0x200
COMPRESSION_ZLIB: Final = 0x300
COMPRESSION_MASK: Final = 0x700
"""Which compression `COMPRESSED` means; none of its bits stands for zlib."""
