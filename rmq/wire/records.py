"""Records of the store, of message bodies on the wire and of the stream to slaves, declared with construct.

A *stored message* is what the commit log holds and what pull, query and view answers carry, byte for byte. Two magic
numbers tell how long a topic's length is (1 byte, or 2 for topics beyond 127 bytes); two bits of `sys_flag` tell
whether the born host and the store host are IPv4 or IPv6. A record never crosses a log file's end: what does not fit
leaves a *blank* of the remaining size there.

These declarations are the only place where the layouts are written down. `rmq.wire.message` and the store work with
formats derived from the runs of fixed fields (see `rmq.wire.derive`); property tests hold both equal.

Source: MessageDecoder, MessageExtEncoder, CommitLog, ConsumeQueue, IndexFile, IndexHeader, StoreCheckpoint,
DefaultHAConnection, DefaultHAClient.
"""

from __future__ import annotations

from typing import Any

from construct import (
    Bytes,
    Const,
    GreedyRange,
    IfThenElse,
    Int8ub,
    Int16sb,
    Int16ub,
    Int32sb,
    Int32ub,
    Int64sb,
    Int64ub,
    Padded,
    Prefixed,
    Rebuild,
    Struct,
    this,
)
from construct import GreedyBytes as Rest

from rmq.wire.sysflag import BLANK_MAGIC, BORN_HOST_V6, MAGIC_V1, STORE_HOST_V6


def _head(born_host: Any, store_host: Any) -> Struct:
    """The fixed run of a record, from its size to its body's length, for given host lengths."""
    return Struct(
        "total_size" / Int32sb,
        "magic" / Int32ub,
        "body_crc" / Int32sb,
        "queue_id" / Int32sb,
        "flag" / Int32sb,
        "queue_offset" / Int64sb,
        "physical_offset" / Int64sb,
        "sys_flag" / Int32sb,
        "born_timestamp" / Int64sb,
        "born_host" / Bytes(born_host),
        "store_timestamp" / Int64sb,
        "store_host" / Bytes(store_host),
        "reconsume_times" / Int32sb,
        "prepared_transaction_offset" / Int64sb,
        "body_length" / Int32sb,
    )


def _host_length(v6_bit: int) -> Any:
    """Packed address and int32 port."""
    return lambda ctx: 20 if ctx.sys_flag & v6_bit else 8


def _total_size(ctx: Any) -> int:
    hosts = (20 if ctx.sys_flag & BORN_HOST_V6 else 8) + (20 if ctx.sys_flag & STORE_HOST_V6 else 8)
    topic_length = 1 if ctx.magic == MAGIC_V1 else 2
    return 72 + hosts + len(ctx.body) + topic_length + len(ctx.topic) + 2 + len(ctx.properties)


StoredMessage = Struct(
    "total_size" / Rebuild(Int32sb, _total_size),
    *_head(_host_length(BORN_HOST_V6), _host_length(STORE_HOST_V6)).subcons[1:-1],
    "body" / Prefixed(Int32sb, Rest),
    "topic" / IfThenElse(this.magic == MAGIC_V1, Prefixed(Int8ub, Rest), Prefixed(Int16ub, Rest)),
    "properties" / Prefixed(Int16sb, Rest),
)
"""One stored message, whole. `body_crc` is the CRC-32 of the stored body without its top bit."""

RecordHead = _head(8, 8)
RecordHeadBorn6 = _head(20, 8)
RecordHeadStore6 = _head(8, 20)
RecordHeadBoth6 = _head(20, 20)

BlankRecord = Struct(
    "total_size" / Int32sb,
    "magic" / Const(BLANK_MAGIC, Int32ub),
)
"""The filler at the end of a log file; `total_size` runs to the file's end, what follows the magic is not cleared."""

BatchItemHead = Struct(
    "total_size" / Int32sb,
    "magic" / Int32sb,
    "body_crc" / Int32sb,
    "flag" / Int32sb,
    "body_length" / Int32sb,
)

BatchItem = Struct(
    "total_size" / Rebuild(Int32sb, lambda ctx: 22 + len(ctx.body) + len(ctx.properties)),
    "magic" / Rebuild(Int32sb, lambda _: 0),
    "body_crc" / Rebuild(Int32sb, lambda _: 0),
    "flag" / Int32sb,
    "body" / Prefixed(Int32sb, Rest),
    "properties" / Prefixed(Int16sb, Rest),
)
"""One message of a batch body; the broker makes a whole record of it."""

BatchBody = GreedyRange(BatchItem)
"""The body of a batch send: items back to back, no count."""

ConsumeQueueUnit = Struct(
    "physical_offset" / Int64sb,
    "size" / Int32sb,
    "tags_code" / Int64sb,
)
"""One message of a queue."""

IndexHeader = Struct(
    "begin_timestamp" / Int64sb,
    "end_timestamp" / Int64sb,
    "begin_physical_offset" / Int64sb,
    "end_physical_offset" / Int64sb,
    "hash_slot_count" / Int32sb,
    "index_count" / Int32sb,
)
"""Opens an index file. `index_count` starts at 1, because entry 0 stands for "none"."""

IndexSlot = Struct("newest_entry" / Int32sb)
"""One hash slot: the newest entry of its chain, 0 when there is none."""

IndexEntry = Struct(
    "key_hash" / Int32sb,
    "physical_offset" / Int64sb,
    "time_diff" / Int32sb,
    "previous_entry" / Int32sb,
)
"""One indexed key; `time_diff` is seconds since the file's `begin_timestamp`."""

CheckpointHead = Struct(
    "physic_msg_timestamp" / Int64sb,
    "logics_msg_timestamp" / Int64sb,
    "index_msg_timestamp" / Int64sb,
    "master_flushed_offset" / Int64sb,
    "confirm_physical_offset" / Int64sb,
)
"""The part of the checkpoint page that Apache reads and writes."""

CheckpointExtension = Struct(
    "magic" / Int64ub,
    "head_copy" / Bytes(CheckpointHead.sizeof()),
    "safe_offset" / Int64sb,
    "queue_digest" / Int64ub,
    "index_digest" / Int64ub,
    "index_behind" / Int64sb,
    "crc" / Int32ub,
)
"""Our addition behind it, which Apache leaves alone. Log, queues and index are on disk up to `safe_offset`, if the
head is still what `head_copy` says and `crc` is the CRC-32 of the fields before it. `index_behind` is the physical
offset from which records are not indexed yet, -1 when all are."""

CheckpointNote = Struct(
    "magic" / Int64ub,
    "head_copy" / Bytes(CheckpointHead.sizeof()),
    "boot_id" / Bytes(16),
    "safe_offset" / Int64sb,
    "queue_digest" / Int64ub,
    "index_digest" / Int64ub,
    "index_behind" / Int64sb,
    "crc" / Int32ub,
)
"""Our second addition: what the extension says, not of the disk but of the files as everybody on this machine sees
them until it is started anew, which changes `boot_id`."""

CheckpointPage = Padded(
    4096,
    Struct(
        "head" / CheckpointHead,
        "extension" / Padded(512 - CheckpointHead.sizeof(), CheckpointExtension),
        "note" / CheckpointNote,
    ),
)
"""The whole checkpoint file. The note has a disk's sector of its own, since it is written alone."""

TimerUnit = Struct(
    "size" / Int32sb,
    "previous" / Int64sb,
    "magic" / Int32sb,
    "write_time" / Int64sb,
    "delay" / Int32sb,
    "physical_offset" / Int64sb,
    "message_size" / Int32sb,
    "topic_hash" / Int32sb,
    "reserved" / Int64sb,
)
"""One message in the timer log; it is due in the slot `write_time` + `delay` (ms). `previous` is the position of the
unit before it in that slot, -1 for the slot's first."""

TimerBlank = Struct(
    "size" / Int32sb,
    "previous" / Int64sb,
    "magic" / Int32sb,
)
"""The filler at the end of a timer log file; `size` runs to the file's end."""

TimerSlot = Struct(
    "time" / Int64sb,
    "first" / Int64sb,
    "last" / Int64sb,
    "count" / Int32sb,
    "magic" / Int32sb,
)
"""One slot of the timer wheel: its time in units of the precision, positions in the timer log, messages in it."""

TimerCheckpoint = Struct(
    "read_time" / Int64sb,
    "log_position" / Int64sb,
    "queue_offset" / Int64sb,
    "master_queue_offset" / Int64sb,
    "state_version" / Int64sb,
    "timestamp" / Int64sb,
    "counter" / Int64sb,
)
"""How far the timer has come: the slot to read next (ms), the timer log on the disk, the queue of its topic."""


HaReport = Struct("max_offset" / Int64sb)
"""All that a slave ever says: how far its log goes. See `rmq.wire.hastream`."""

HaTransferHead = Struct(
    "physical_offset" / Int64sb,
    "size" / Int32sb,
)
"""Opens what a master says: so many bytes of its log, from that offset, follow; none in a heartbeat."""


def derived() -> dict[str, str]:
    """Names and `struct` formats of the layouts that the fast codec and the store use."""
    from rmq.wire.derive import struct_format

    return {
        "RECORD_HEAD": struct_format(RecordHead),
        "RECORD_HEAD_BORN6": struct_format(RecordHeadBorn6),
        "RECORD_HEAD_STORE6": struct_format(RecordHeadStore6),
        "RECORD_HEAD_BOTH6": struct_format(RecordHeadBoth6),
        "RECORD_HEAD_BEGIN": struct_format(RecordHead, last="physical_offset"),
        "BLANK_RECORD": struct_format(BlankRecord),
        "BATCH_ITEM_HEAD": struct_format(BatchItemHead),
        "CONSUME_QUEUE_UNIT": struct_format(ConsumeQueueUnit),
        "INDEX_HEADER": struct_format(IndexHeader),
        "INDEX_SLOT": struct_format(IndexSlot),
        "INDEX_ENTRY": struct_format(IndexEntry),
        "CHECKPOINT_HEAD": struct_format(CheckpointHead),
        "CHECKPOINT_EXTENSION": struct_format(CheckpointExtension),
        "CHECKPOINT_NOTE": struct_format(CheckpointNote),
        "TIMER_UNIT": struct_format(TimerUnit),
        "TIMER_BLANK": struct_format(TimerBlank),
        "TIMER_SLOT": struct_format(TimerSlot),
        "TIMER_CHECKPOINT": struct_format(TimerCheckpoint),
        "HA_REPORT": struct_format(HaReport),
        "HA_TRANSFER_HEAD": struct_format(HaTransferHead),
    }
