"""What is stored when a message's time has come."""

from pathlib import Path
from typing import Any

import pytest

from rmq.server.broker.delay.delivering import Deliverer
from rmq.server.store.api import PutStatus
from rmq.wire.message import StoredMessage, decode_message, format_properties
from tests.kit.delays import BORN, NOW, Delays


def waiting(delays: Delays, **properties: str) -> StoredMessage:
    text = format_properties({"REAL_TOPIC": "T", "REAL_QID": "3", "TAGS": "a", **properties}).encode()
    result = delays.store.append("Waiting", 0, 7, 1, NOW - 5, BORN, 2, 0, b"body", text, 0)
    record = delays.store.message_at(result.physical_offset)
    assert record is not None
    return decode_message(record)


@pytest.fixture
def delays(tmp_path: Path) -> Delays:
    return Delays(tmp_path)


def test_all_of_it_is_kept(delays: Delays) -> None:
    assert Deliverer(delays.store, delays.stats).deliver(waiting(delays, DELAY="3"))
    (message,) = delays.messages("T", 3)
    assert message.properties == {"REAL_TOPIC": "T", "REAL_QID": "3", "TAGS": "a", "DELAY": "3"}
    assert (message.body, message.flag, message.sys_flag, message.reconsume_times) == (b"body", 7, 1, 2)
    assert (message.born_timestamp, message.born_host, message.prepared_transaction_offset) == (NOW - 5, BORN, 0)
    assert delays.store.queue_units("T", 3, 0, 1)[0][2] == 97
    assert (delays.stats.put_total, delays.stats.put_bytes) == (1, message.total_size)


def test_marks_replace_what_is_there_and_give_way_to_long_properties(delays: Delays) -> None:
    deliverer = Deliverer(delays.store, delays.stats)
    deliverer.deliver(waiting(delays, mark="old"), {"mark": "new", "other": "x"})
    deliverer.deliver(waiting(delays, long="x" * 32_690), {"mark": "new", "other": "x" * 50})
    first, second = delays.messages("T", 3)
    assert (first.properties["mark"], first.properties["other"]) == ("new", "x")
    assert "mark" not in second.properties


@pytest.mark.parametrize(
    "properties",
    [
        {"REAL_TOPIC": ""},
        {"REAL_TOPIC": "../../etc"},
        {"REAL_TOPIC": "x" * 200},
        {"REAL_TOPIC": "RMQ_SYS_TRANS_HALF_TOPIC"},
        {"REAL_QID": "-1"},
        {"REAL_QID": "x"},
        {"REAL_QID": "99999999999"},
        {"REAL_QID": ""},
    ],
)
def test_what_can_go_nowhere_is_done_with(delays: Delays, properties: dict[str, str]) -> None:
    assert Deliverer(delays.store, delays.stats).deliver(waiting(delays, **properties))
    assert delays.store.queues() == [("Waiting", 0)]


@pytest.mark.parametrize(
    ("status", "done"),
    [
        (PutStatus.SERVICE_NOT_AVAILABLE, False),
        (PutStatus.CREATE_MAPPED_FILE_FAILED, False),
        (PutStatus.MESSAGE_ILLEGAL, True),
        (PutStatus.PROPERTIES_SIZE_EXCEEDED, True),
    ],
)
def test_what_the_store_refuses(delays: Delays, monkeypatch: Any, status: PutStatus, done: bool) -> None:
    message = waiting(delays)
    delays.store._appender.refused = status
    assert Deliverer(delays.store, delays.stats).deliver(message) is done
    assert delays.stats.put_failures == 1
