"""Cluster commands."""

import pytest

from rmq.admin.errors import CommandLineError
from rmq.wire.bodies.broker import HAConnectionRuntimeInfo, HARuntimeInfo, KVTable
from rmq.wire.errors import NotSupportedError
from rmq.wire.requests.broker import GetBrokerRuntimeInfo
from rmq.wire.requests.replication import GetBrokerHaStatus
from tests.kit.adminfake import MASTER_A, NOW, SLAVE_A, FakeServers, report, reports

STATUS = KVTable(
    {
        "brokerActive": "true",
        "brokerVersionDesc": "V5_4_0",
        "putTps": "12.345 1.0 0.5",
        "getTransferredTps": "7.0  ",
        "sendThreadPoolQueueSize": "3",
        "sendThreadPoolQueueHeadWaitTimeMills": "4",
        "pullThreadPoolQueueSize": "5",
        "pullThreadPoolQueueHeadWaitTimeMills": "6",
        "pageCacheLockTimeMills": "9",
        "earliestMessageTimeStamp": str(NOW - 5_400_000),
        "commitLogDiskRatio": "0.25",
        "timerReadBehind": "1",
        "timerOffsetBehind": "2",
        "timerCongestNum": "25000",
        "timerEnqueueTps": "0.5",
        "timerDequeueTps": "1.25",
        "msgPutTotalYesterdayMorning": "100",
        "msgPutTotalTodayMorning": "150",
        "msgPutTotalTodayNow": "175",
        "msgGetTotalYesterdayMorning": "10",
        "msgGetTotalTodayMorning": "20",
        "msgGetTotalTodayNow": "21",
    }
)
HEAD = (
    f"{'#Cluster Name':<22}  {'#Broker Name':<22}  #BID  {'#Addr':<22} {'#Version':<16}  {'#InTPS(LOAD)':>16}"
    f"  {'#OutTPS(LOAD)':>30}  {'#Timer(Progress)':<22}  #PCWait(ms)  {'#Hour':<12}  {'#SPACE':<8}  #ACTIVATED\n"
)


def line(name: str, number: int, address: str, *cells: str) -> str:
    version, taken, given, timer, wait, hour, space, active = cells
    return (
        f"{'C1':<22}  {name:<22}  {number:<4}  {address:<22} {version:<16}  {taken:>16}  {given:>30}  {timer:<22}"
        f"  {wait:>11}  {hour:<12}  {space:<8}  {active:>10}\n"
    )


def servers() -> FakeServers:
    fake = FakeServers({GetBrokerRuntimeInfo: STATUS, GetBrokerHaStatus: NotSupportedError("no")})
    fake.down = {SLAVE_A}
    return fake


def test_load() -> None:
    made = report(servers(), "clusterList")
    known = (
        "V5_4_0",
        "    12.35(3,4ms)",
        "     7.00(5,6ms|N,Nms)",
        "1-2(2.5w, 0.5, 1.3)",
        "9",
        "1.50",
        "0.2500",
        "true",
    )
    silent = ("", "     0.00(,ms)", "     0.00(,ms|,ms)", "0-0(0.0w, 0.0, 0.0)", "", "0.00", "0.0000", "false")
    assert made.render("text") == (
        HEAD
        + line("broker-a", 0, MASTER_A, *known)
        + line("broker-a", 1, SLAVE_A, *silent)
        + line("broker-b", 0, "10.0.0.3:10911", *known)
    )
    assert [failure.address for failure in made.failures] == [SLAVE_A]
    first, second, _ = made.members["brokers"]
    assert (first["hours"], first["pageCacheWait"], first["activated"]) == (1.5, 9, True)
    assert first["in"] == {"tps": 12.345, "sendQueue": 3, "sendWait": 4}
    assert first["out"] == {"tps": 7.0, "pullQueue": 5, "pullWait": 6, "ackQueue": None, "ackWait": None}
    assert first["timer"] == {
        "readBehind": 1, "offsetBehind": 2, "congestNum": 25000, "enqueueTps": 0.5, "dequeueTps": 1.25
    }  # fmt: skip
    assert list(second.values()) == ["C1", "broker-a", 1, SLAVE_A, *[None] * 8, "slave", None, None, None]
    assert first["role"] == "master"


def test_how_far_slaves_are() -> None:
    fake = servers()
    seen = HAConnectionRuntimeInfo("10.0.0.2:5", 90, 10, True, lag_millis=40)
    fake.answers[GetBrokerHaStatus] = HARuntimeInfo(True, 100, 1, [seen])
    made = report(fake, "clusterList")
    told = [[row[name] for name in ("role", "lag", "lagMillis", "inSync")] for row in made.members["brokers"]]
    assert told == [["master", None, None, None], ["slave", 10, 40, True], ["master", None, None, None]]
    # The lines are those that Apache prints, and a master without slaves is not asked.
    assert made.render("text") == report(servers(), "clusterList").render("text")
    assert fake.sent(GetBrokerHaStatus) == [(MASTER_A, GetBrokerHaStatus())]


def test_totals() -> None:
    row = "{:<16}  {:<32} {:>14} {:>14} {:>14} {:>14}\n".format
    assert report(servers(), "clusterList", "-m", "-c", "C1").render("text") == (
        row("#Cluster Name", "#Broker Name", "#InTotalYest", "#OutTotalYest", "#InTotalToday", "#OutTotalToday")
        + row("C1", "broker-a", 50, 10, 25, 1)
        + row("C1", "broker-a", 0, 0, 0, 0)
        + row("C1", "broker-b", 50, 10, 25, 1)
    )


def test_unknown_cluster() -> None:
    made = report(servers(), "clusterList", "-c", "nope")
    assert made.render("text") == HEAD
    assert len(made.failures) == 1


def test_again_and_again() -> None:
    slept: list[float] = []
    made = reports(servers(), ["clusterList", "-i", "5"], slept)
    assert len(made) == 3
    assert slept == [5, 5]
    with pytest.raises(CommandLineError, match="interval -1"):
        reports(servers(), ["clusterList", "-i", "-1"])
