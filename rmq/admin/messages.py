"""Messages as commands show them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rmq.client.message import MessageExt

BODY_DIRECTORY: Final = "/tmp/rocketmq/msgbodys"
"""Where bodies of queried messages are written."""

MESSAGE_HELP: Final = (
    "topic, tags, keys, msgId (the sender's), offsetMsgId (the broker's), brokerName, queueId, queueOffset,"
    " commitLogOffset, storeSize, flag, sysFlag, bornTimestamp and storeTimestamp in ms, bornHost, storeHost, bodyCrc,"
    " reconsumeTimes, preparedTransactionOffset, properties, and body: its text, or null with bodyBase64 where it is"
    " not UTF-8"
)
"""The members that `message_members` makes, for the manual."""


def message_members(message: MessageExt) -> dict[str, Any]:
    """A message as a JSON object."""
    members: dict[str, Any] = {
        "topic": message.topic,
        "tags": message.tags,
        "keys": message.keys,
        "msgId": message.msg_id,
        "offsetMsgId": message.offset_msg_id,
        "brokerName": message.broker_name or None,
        "queueId": message.queue_id,
        "queueOffset": message.queue_offset,
        "commitLogOffset": message.commit_log_offset,
        "storeSize": message.store_size,
        "flag": message.flag,
        "sysFlag": message.sys_flag,
        "bornTimestamp": message.born_timestamp,
        "storeTimestamp": message.store_timestamp,
        "bornHost": message.born_host,
        "storeHost": message.store_host,
        "bodyCrc": message.body_crc,
        "reconsumeTimes": message.reconsume_times,
        "preparedTransactionOffset": message.prepared_transaction_offset,
        "properties": message.properties,
    }
    try:
        members["body"] = message.body.decode()
    except UnicodeDecodeError:
        import base64

        members |= {"body": None, "bodyBase64": base64.b64encode(message.body).decode()}
    return members


def write_body(message: MessageExt, suffix: str = "") -> str:
    """Writes a message's body to a file named after its id and returns the path.

    Raises:
        OSError: it cannot be written.
    """
    # The id is whatever the sender made it; only one that is a plain name becomes a file's.
    name = message.msg_id if message.msg_id.isalnum() and message.msg_id.isascii() else message.offset_msg_id
    os.makedirs(BODY_DIRECTORY, exist_ok=True)
    path = f"{BODY_DIRECTORY}/{name}{suffix}"
    # Everybody may write to /tmp: a link that lies there already is not followed.
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644), "wb") as file:
        file.write(message.body)
    return path
