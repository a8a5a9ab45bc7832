"""Stored messages as programs get them."""

import zlib

from rmq.client.receiving import received
from rmq.wire.message import StoredMessage, decode_message
from rmq.wire.sysflag import COMPRESSED, COMPRESSION_ZLIB
from tests.kit.cluster import MemoryCluster


def stored(body: bytes) -> StoredMessage:
    cluster = MemoryCluster()
    (queue,) = cluster.create("T", 1)
    cluster._append(queue, body, sys_flag=COMPRESSED | COMPRESSION_ZLIB)
    return decode_message(cluster.queues[queue].records[0])


def test_bodies_are_decompressed() -> None:
    message = received(stored(zlib.compress(b"plain")), "broker-a")
    assert (message.body, message.sys_flag & COMPRESSED, message.broker_name) == (b"plain", 0, "broker-a")


def test_a_body_that_cannot_be_decompressed_stays_as_it_is() -> None:
    message = received(stored(b"no zlib"), "broker-a")
    assert (message.body, message.sys_flag & COMPRESSED) == (b"no zlib", COMPRESSED)
