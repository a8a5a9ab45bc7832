"""The remoting frame and its two header encodings, declared with construct.

A frame is `length | serialize type + header length | header | body`; `length` counts everything after itself.
The header is a JSON object (type 0) or the ROCKETMQ binary form (type 1). `rmq.wire.command` holds the fast codec
that runs in production; it takes its formats from here and property tests hold the two equal.

Source: NettyDecoder, RemotingCommand, RocketMQSerializable.
"""

from __future__ import annotations

from construct import (
    Bytes,
    FixedSized,
    GreedyBytes,
    GreedyRange,
    Int8ub,
    Int16sb,
    Int24ub,
    Int32sb,
    Int32ub,
    Prefixed,
    Rebuild,
    Struct,
    len_,
    this,
)

FrameHead = Struct(
    "length" / Int32sb,
    "type_and_header_length" / Int32ub,
)
"""The fixed eight bytes: signed length, then the serialize type in the top byte and a 24-bit header length."""

Frame = Struct(
    "length" / Rebuild(Int32sb, lambda ctx: 4 + len(ctx.header) + len(ctx.body)),
    "serialize_type" / Int8ub,
    "header_length" / Rebuild(Int24ub, len_(this.header)),
    "header" / Bytes(this.header_length),
    "body" / FixedSized(this.length - 4 - this.header_length, GreedyBytes),
)
"""One whole frame."""

BinaryHeaderHead = Struct(
    "code" / Int16sb,
    "language" / Int8ub,
    "version" / Int16sb,
    "opaque" / Int32sb,
    "flag" / Int32sb,
    "remark_length" / Int32sb,
)
"""The run of fixed fields that opens a binary header; the remark's bytes follow."""

BinaryFrameHead = Struct(*FrameHead.subcons, *BinaryHeaderHead.subcons)
"""What precedes the remark of a frame with a binary header."""

BinaryPlainHead = Struct(*BinaryFrameHead.subcons, "ext_length" / Int32sb)
"""What precedes the extension fields when there is no remark, as in nearly all frames."""

BinaryExtEntry = Struct(
    "key" / Prefixed(Int16sb, GreedyBytes),
    "value" / Prefixed(Int32sb, GreedyBytes),
)
"""One entry of the binary extension map."""

LetterEntryHead = Struct(
    "key_length" / Int16sb,
    "key" / Int8ub,
    "value_length" / Int32ub,
)
"""What precedes the value of an entry whose key is one letter."""

BinaryHeader = Struct(
    "code" / Int16sb,
    "language" / Int8ub,
    "version" / Int16sb,
    "opaque" / Int32sb,
    "flag" / Int32sb,
    "remark" / Prefixed(Int32sb, GreedyBytes),
    "ext_fields" / Prefixed(Int32sb, GreedyRange(BinaryExtEntry)),
)
"""The ROCKETMQ binary header; an empty remark and empty keys or values stand for absent."""


def derived() -> dict[str, str]:
    """Names and `struct` formats of the layouts that the fast codec uses."""
    from rmq.wire.derive import struct_format

    return {
        "FRAME_HEAD": struct_format(FrameHead),
        "BINARY_HEADER_HEAD": struct_format(BinaryHeaderHead),
        "BINARY_FRAME_HEAD": struct_format(BinaryFrameHead),
        "BINARY_PLAIN_HEAD": struct_format(BinaryPlainHead),
        "LETTER_ENTRY_HEAD": struct_format(LetterEntryHead),
    }
