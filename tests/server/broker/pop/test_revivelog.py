"""What the revive log's entries look like, and what a store that refuses them means."""

import pytest

from rmq.server.broker.pop.revivelog import ReviveLog
from rmq.server.broker.putting import MessageInner, MessagePutter
from rmq.wire.bodies.pop import AckRecord, PopCheckPoint
from rmq.wire.errors import ServiceNotAvailableError
from rmq.wire.message import decode_message
from tests.kit.broker import EPOCH, HOST, Bench
from tests.kit.pops import REVIVE_TOPIC

NOW = EPOCH * 1000
POINT = PopCheckPoint(
    5, NOW, 60_000, num=1, queue_id=3, topic="T", group="G", queue_offset_diff=[0], broker_name="broker-a"
)


@pytest.fixture
def putter(bench: Bench) -> MessagePutter:
    """Without the delay, so that entries are where they are meant to go."""
    return MessagePutter(bench.store)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (POINT, {"TAGS": "ck", "TIMER_DELIVER_MS": str(NOW + 59_000), "UNIQ_KEY": f"T@3@5@G@{NOW}@broker-a@ck"}),
        (
            AckRecord(7, 5, "G", "T", 3, NOW, "broker-a"),
            {"TAGS": "ack", "TIMER_DELIVER_MS": str(NOW + 60_000), "UNIQ_KEY": f"T@3@7@G@{NOW}@broker-a@ack"},
        ),
        (
            AckRecord(-1, 5, "G", "T", 3, NOW, "broker-a", [7, 8]),
            {"TAGS": "bAck", "TIMER_DELIVER_MS": str(NOW + 60_000), "UNIQ_KEY": f"T@3@-1@G@{NOW}@broker-a@ack"},
        ),
    ],
)
def test_entries(
    bench: Bench, putter: MessagePutter, record: PopCheckPoint | AckRecord, expected: dict[str, str]
) -> None:
    log = ReviveLog(putter, REVIVE_TOPIC, HOST, bench.now)
    if isinstance(record, PopCheckPoint):
        assert log.put_check_point(record, 6)
    else:
        assert log.put_ack(record, 6, NOW + 60_000)
    message = decode_message(bench.store.queue_message(REVIVE_TOPIC, 6, 0) or b"")
    assert message.properties == expected
    assert (message.born_host, message.born_timestamp, message.sys_flag) == (HOST, NOW, 0)


def test_a_store_that_refuses(bench: Bench, putter: MessagePutter) -> None:
    log = ReviveLog(putter, REVIVE_TOPIC, HOST, bench.now)
    bench.store._set_disk_full(True)
    assert not log.put_check_point(POINT, 0)
    bench.store._set_disk_full(False)

    def refuse(message: MessageInner) -> None:
        raise ServiceNotAvailableError("no")

    putter.hooks.append(refuse)
    assert not log.put_check_point(POINT, 0)
