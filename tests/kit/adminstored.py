"""Records of stored messages for tests of commands."""

from rmq.wire.message import StoredMessage, encode_message, format_properties, pack_host

STORED_AT = 1_794_999_000_000


def record(
    body: bytes,
    *,
    topic: str = "T",
    queue_id: int = 1,
    queue_offset: int = 0,
    properties: dict[str, str] | None = None,
    store_host: tuple[str, int] = ("10.0.0.3", 10911),
    stored_at: int = STORED_AT,
    sys_flag: int = 0,
) -> bytes:
    """The bytes of one stored message."""
    message = StoredMessage()
    message.queue_id, message.flag, message.queue_offset = queue_id, 0, queue_offset
    message.physical_offset, message.sys_flag = queue_offset * 100, sys_flag
    message.born_timestamp, message.born_host = STORED_AT - 5, pack_host("10.1.1.1", 55000)
    message.store_timestamp, message.store_host = stored_at, pack_host(*store_host)
    message.reconsume_times, message.prepared_transaction_offset = 0, 0
    message.body, message.topic = body, topic
    message.properties_text = format_properties({"TAGS": "TagA"} if properties is None else properties)
    return encode_message(message)
