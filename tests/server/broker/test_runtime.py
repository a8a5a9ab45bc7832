"""Runtime information: Apache's keys, and values in the form that its tools parse."""

from pathlib import Path

import pytest

from rmq.server.broker.runtime import _duration, _size
from tests.kit.broker import Bench, send_header

_WORDS = """
brokerActive brokerVersionDesc bootTimestamp runtime msgPutTotalYesterdayMorning msgPutTotalTodayMorning
msgPutTotalTodayNow msgGetTotalYesterdayMorning msgGetTotalTodayMorning msgGetTotalTodayNow dispatchBehindBytes
pageCacheLockTimeMills earliestMessageTimeStamp startAcceptSendRequestTimeStamp putMessageEntireTimeMax
putMessageTimesTotal putMessageFailedTimes putMessageSizeTotal putMessageDistributeTime putMessageAverageSize
dispatchMaxBuffer getMessageEntireTimeMax putTps getFoundTps getMissTps getTotalTps getTransferredTps
putLatency99 putLatency999 commitLogDiskRatio consumeQueueDiskRatio commitLogMinOffset commitLogMaxOffset
commitLogDirCapacity timerReadBehind timerOffsetBehind timerCongestNum timerEnqueueTps timerDequeueTps
remainTransientStoreBufferNumbs remainHowManyDataToFlush sendThreadPoolQueueSize sendThreadPoolQueueCapacity
sendThreadPoolQueueHeadWaitTimeMills pullThreadPoolQueueSize ackThreadPoolQueueCapacity EndTransactionQueueSize
EndTransactionThreadPoolQueueCapacity
"""
APACHES = frozenset(_WORDS.split())


def test_keys_and_values(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.topic("T")
    peer = bench.peer()
    bench.stats.start()
    for _ in range(4):
        peer.ask(send_header("T"), b"x" * 50)
    bench.clock.advance(10)
    table = bench.runtime.table()
    assert table.keys() >= APACHES
    assert all(isinstance(value, str) for value in table.values())
    assert table["brokerActive"] == "true"
    assert table["brokerVersionDesc"] == "V5_4_0"
    assert table["bootTimestamp"] == "1700000000000"
    assert table["runtime"] == "[ 0 days, 0 hours, 0 minutes, 10 seconds ]"
    assert table["putTps"] == "0.4 0.4 0.4"
    assert (table["msgPutTotalTodayNow"], table["msgPutTotalTodayMorning"]) == ("4", "0")
    assert table["commitLogDirCapacity"] == "Total : 3.0 GiB, Free : 1.0 GiB."
    assert table["commitLogMaxOffset"] == str(bench.store.log_max_offset)
    assert table["putMessageSizeTotal"] == str(bench.store.log_max_offset)
    assert table["earliestMessageTimeStamp"] == "1700000000000"
    assert f"commitLogDiskRatio_{tmp_path}/commitlog" in table
    bench.close()


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB")]
)
def test_sizes(count: int, text: str) -> None:
    assert _size(count) == text


def test_durations() -> None:
    assert _duration(((2 * 24 + 3) * 60 + 4) * 60_000 + 5_999) == "[ 2 days, 3 hours, 4 minutes, 5 seconds ]"
