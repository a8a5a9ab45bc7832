"""Messages in work: what may be committed, and when there is room for more."""

from rmq.client.config import FetchConfig
from rmq.client.message import MessageExt
from rmq.client.process_queue import ProcessQueue
from rmq.wire.bodies.running import ProcessQueueInfo
from rmq.wire.message import StoredMessage, pack_host


def message(offset: int, size: int = 1) -> MessageExt:
    stored = StoredMessage()
    stored.total_size, stored.queue_id, stored.flag, stored.queue_offset, stored.physical_offset = 91, 0, 0, offset, 0
    stored.sys_flag, stored.born_timestamp, stored.store_timestamp, stored.body_crc = 0, 0, 0, 0
    stored.born_host = stored.store_host = pack_host("10.0.0.1", 1)
    stored.reconsume_times, stored.prepared_transaction_offset = 0, 0
    stored.body, stored.topic, stored.properties_text, stored._properties = bytes(size), "T", "", None
    return MessageExt(stored)


def filled(*offsets: int, **limits: int) -> tuple[ProcessQueue, list[MessageExt]]:
    queue, messages = ProcessQueue(FetchConfig(**limits)), [message(offset) for offset in offsets]
    queue.put(messages)
    return queue, messages


def test_commits_up_to_the_oldest_message_in_work() -> None:
    queue, (a, b, c) = filled(10, 11, 15)
    assert queue.remove([b]) == 10
    assert queue.remove([a]) == 15
    assert queue.remove([c]) == 16
    assert queue.remove([c]) == 16
    assert (len(queue), queue.size) == (0, 0)


def test_commits_nothing_when_nothing_ever_came() -> None:
    assert ProcessQueue(FetchConfig()).remove([]) == -1


def test_a_message_of_the_same_offset_is_another_message() -> None:
    """After a queue began again, what the former turn still holds must not count."""
    queue, (a,) = filled(10)
    assert message(10) not in queue
    assert queue.remove([message(10)]) == 10
    assert a in queue


def test_room_by_number_size_and_span() -> None:
    queue, messages = filled(*range(4), pull_threshold_for_queue=2)
    woken: list[None] = []
    assert not queue.has_room
    queue.room.wait().addCallback(woken.append)
    queue.remove(messages[:1])
    assert woken == []
    queue.remove(messages[1:2])
    assert woken == [None]
    by_span, _ = filled(0, 2001)
    assert not by_span.has_room
    by_size = ProcessQueue(FetchConfig(pull_threshold_size_for_queue=1))
    by_size.put([message(0, 1024 * 1024)])
    assert by_size.has_room
    by_size.put([message(1, 1)])
    assert not by_size.has_room


def test_dropping_lets_go_of_everything_and_wakes() -> None:
    queue, messages = filled(1, 2, 3, pull_threshold_for_queue=1)
    woken: list[None] = []
    queue.room.wait().addCallback(woken.append)
    queue.drop()
    assert (queue.dropped, len(queue), queue.size, woken) == (True, 0, 0, [None])
    assert messages[0] not in queue


def test_info() -> None:
    queue, _ = filled(5, 6, 9)
    queue.last_pull = 7
    assert queue.info(5) == ProcessQueueInfo(
        commit_offset=5, cached_msg_min_offset=5, cached_msg_max_offset=9, cached_msg_count=3, last_pull_timestamp=7
    )
    assert [m.queue_offset for m in queue.oldest(2)] == [5, 6]
    assert [m.queue_offset for m in queue.oldest(5, skip=1)] == [6, 9]
