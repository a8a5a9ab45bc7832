"""How a broker stores: the entries of its queues, the engine of its timer, reading its log.

Source: MQClientAPIImpl.
"""

from __future__ import annotations

from rmq.client.admin.session import Admin
from rmq.client.errors import ClientError
from rmq.wire.bodies.consume import ConsumeQueueContent
from rmq.wire.bodies.rocksdb import CheckRocksdbCqWriteResult
from rmq.wire.requests.broker import CheckRocksdbCqWriteProgress, SetCommitLogReadMode, SwitchTimerEngine
from rmq.wire.requests.message import QueryConsumeQueue


async def queue_entries(
    admin: Admin, address: str, topic: str, queue_id: int, index: int, *, count: int, group: str | None = None
) -> ConsumeQueueContent:
    """Entries of a queue from an index on, at most so many, and what a group subscribes of its topic.

    Raises:
        ClientError: the queue has no entry at the index.
        RemotingError: the broker has no such queue.
    """
    answer = await admin.call(address, QueryConsumeQueue(topic, queue_id, index, count, group))
    if not answer.body:
        raise ClientError(answer.remark or f"Index {index} of {queue_id}@{topic} is not exist!")
    return answer.json(ConsumeQueueContent)


async def check_rocksdb_queues(admin: Admin, address: str, topic: str, since: int) -> CheckRocksdbCqWriteResult:
    """Lets a broker begin to compare its RocksDB queues with its queue files; its log tells the outcome.

    Args:
        admin: the session.
        address: the broker.
        topic: only this topic, or "" for all.
        since: store time in ms of the first message that is compared.
    """
    return (await admin.call(address, CheckRocksdbCqWriteProgress(topic, since))).json(CheckRocksdbCqWriteResult)


async def set_read_ahead(admin: Admin, address: str, mode: int) -> str:
    """Lets the system read a commit log ahead (0), or not (1); the broker's words, maybe none."""
    return (await admin.call(address, SetCommitLogReadMode(mode))).remark or ""


async def switch_timer_engine(admin: Admin, address: str, engine: str) -> None:
    """Chooses what is behind messages with a time: `R` RocksDB, `F` files."""
    await admin.call(address, SwitchTimerEngine(engine))
