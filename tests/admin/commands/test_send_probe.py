"""Commands that send messages to see how long it takes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from rmq.admin.declare import Call, find
from rmq.admin.errors import CommandLineError
from rmq.admin.parser import parse
from rmq.client.admin.errors import UnknownClusterError
from rmq.client.admin.session import Admin
from rmq.wire.bodies.route import QueueData
from rmq.wire.errors import RemotingError, SystemBusyError
from rmq.wire.requests.send import SendMessageReply, SendMessageV2
from tests.kit.adminfake import MASTER_A, MASTER_B, NOW, FakeServers, Reply, fake_admin, report, reports, route


def sent(address: str, header: SendMessageV2) -> Any:
    return Reply(header=SendMessageReply("0A", header.queue_id, 7))


@pytest.fixture
def servers() -> FakeServers:
    fake = FakeServers({SendMessageV2: sent})
    fake.routes = {
        "T": route(QueueData("broker-b", 2, 2, 6)),
        "broker-a": route(QueueData("broker-a", 1, 1, 6)),
        "broker-b": route(QueueData("broker-b", 1, 1, 6)),
    }
    return fake


def bodies(servers: FakeServers) -> list[bytes]:
    return [body for _, header, body in servers.calls if isinstance(header, SendMessageV2)]


# --- checkMsgSendRT ------------------------------------------------------------------------------------------------

HEAD = f"{'#Broker Name':<32}  #QID  {'#Send Result':<20}    #RT\n"
ROW = "{:<32}  {:<4}  {:<20}    {}\n"


def test_check(servers: FakeServers) -> None:
    made = report(servers, "checkMsgSendRT", "-t", "T", "-a", "3", "-s", "16")
    assert made.render("text") == (
        HEAD
        + ROW.format("broker-b", 0, "true", 0)
        + ROW.format("broker-b", 1, "true", 0)
        + ROW.format("broker-b", 0, "true", 0)
        + "Avg RT: 0.00\n"
    )
    assert bodies(servers) == [b"a" * 16] * 3
    assert made.members == {
        "sends": [{"brokerName": "broker-b", "queueId": queue, "success": True, "rt": 0} for queue in (0, 1, 0)],
        "avgRt": 0.0,
    }
    assert made.render("csv").splitlines()[:2] == ["brokerName,queueId,success,rt", "broker-b,0,true,0"]


def test_check_by_default_sends_a_hundred_of_128_bytes(servers: FakeServers) -> None:
    report(servers, "checkMsgSendRT", "-t", "T")
    assert bodies(servers) == [b"a" * 128] * 100


def test_check_tells_what_failed(servers: FakeServers) -> None:
    servers.answers[SendMessageV2] = lambda address, header: (
        SystemBusyError("busy") if header.queue_id else sent(address, header)
    )
    made = report(servers, "checkMsgSendRT", "-t", "T", "-a", "4")
    assert [row["success"] for row in made.members["sends"]] == [True, False, True, False]
    assert ROW.format("broker-b", 1, "false", 0) in made.render("text")
    assert [failure.remark for failure in made.failures] == ["busy"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-a", "0"), "amount 0: at least 1 is expected"),
        (("-a", "x"), 'For input string: "x"'),
        (("-s", "0"), "size 0: at least 1 and at most 4194304 is expected"),
        (("-s", "4194305"), "size 4194305: at least 1 and at most 4194304 is expected"),
    ],
)
def test_numbers_that_make_no_sense(servers: FakeServers, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandLineError, match=message):
        report(servers, "checkMsgSendRT", "-t", "T", *words)
    with pytest.raises(CommandLineError, match=message):
        report(servers, "clusterRT", *words)
    assert bodies(servers) == []


def test_check_of_an_unknown_topic(servers: FakeServers) -> None:
    with pytest.raises(RemotingError, match="No route info of this topic: nope"):
        report(servers, "checkMsgSendRT", "-t", "nope")


# --- sendMsgStatus -------------------------------------------------------------------------------------------------


def test_status(servers: FakeServers) -> None:
    made = report(servers, "sendMsgStatus", "-b", "broker-b", "-c", "2", "-s", "32")
    ids = [member["msgId"] for member in made.members["sends"]]
    assert made.render("text") == "".join(
        f"rt=0ms, SendResult=SendResult [sendStatus=SEND_OK, msgId={each}, offsetMsgId=0A, "
        "messageQueue=MessageQueue [topic=broker-b, brokerName=broker-b, queueId=0], queueOffset=7, "
        "recallHandle=null]\n"
        for each in ids
    )
    assert bodies(servers) == [b"hello jodie" * 2, b"hello jodie" * 3, b"hello jodie" * 3]
    assert made.members["sends"][0] == {
        "rt": 0,
        "sendStatus": "SEND_OK",
        "msgId": ids[0],
        "offsetMsgId": "0A",
        "brokerName": "broker-b",
        "queueId": 0,
        "queueOffset": 7,
    }
    assert {header.producer_group for _, header in servers.sent(SendMessageV2)} == {"PID_SMSC"}


def test_status_ends_with_the_first_failure(servers: FakeServers) -> None:
    servers.answers[SendMessageV2] = lambda address, header: (
        SystemBusyError("busy") if len(bodies(servers)) == 3 else sent(address, header)
    )
    made = report(servers, "sendMsgStatus", "-b", "broker-a")
    assert made.render("text").count("\n") == len(made.members["sends"]) == 1
    assert [failure.remark for failure in made.failures] == ["busy"]
    assert len(bodies(servers)) == 3
    with pytest.raises(CommandLineError, match="count 0: at least 1 is expected"):
        report(servers, "sendMsgStatus", "-b", "broker-a", "-c", "0")


# --- clusterRT -----------------------------------------------------------------------------------------------------

RT_HEAD = f"{'#Cluster Name':<24}  {'#Broker Name':<24}  #RT   #successCount  #failCount\n"
RT_ROW = "{:<24}  {:<24}  {:<8}  {:<16}  {:<16}\n"


def test_cluster(servers: FakeServers) -> None:
    slept: list[float] = []
    first, second, third = reports(servers, ["clusterRT", "-a", "3", "-s", "16", "-i", "1"], slept)
    rows = RT_ROW.format("C1", "broker-a", "0.00", 3, 0) + RT_ROW.format("C1", "broker-b", "0.00", 3, 0)
    assert first.render("text") == RT_HEAD + rows
    assert second.render("text") == third.render("text") == rows, "the heading once"
    assert slept == [1, 1]
    assert [address for address, _ in servers.sent(SendMessageV2)][:6] == [MASTER_A] * 3 + [MASTER_B] * 3
    assert bodies(servers)[0] == b"a" * 16
    assert first.members["brokers"][0] == {
        "cluster": "C1",
        "brokerName": "broker-a",
        "rt": 0.0,
        "successCount": 3,
        "failCount": 0,
    }


def test_cluster_counts_failures(servers: FakeServers) -> None:
    servers.down = {MASTER_A}
    del servers.routes["broker-b"]
    made = report(servers, "clusterRT", "-a", "2", "-c", "C1")
    assert made.render("text") == (
        RT_HEAD + RT_ROW.format("C1", "broker-a", "0.00", 0, 2) + RT_ROW.format("C1", "broker-b", "0.00", 0, 2)
    )
    assert [failure.address or failure.remark.split("\n")[0] for failure in made.failures] == [
        MASTER_A,
        "No route info of this topic: broker-b",
    ]


def test_cluster_as_a_log(servers: FakeServers) -> None:
    made = report(servers, "clusterRT", "-a", "1", "-p", "true", "-m", "room1")
    moment = "2026-11-18 19:06:40"
    assert made.render("text") == f"{moment}|room1|C1|broker-a|0\n{moment}|room1|C1|broker-b|0\n"
    assert made.render("csv").splitlines()[:2] == [
        "time,machineRoom,cluster,brokerName,rt",
        f"{moment},room1,C1,broker-a,0.0",
    ]
    made = report(servers, "clusterRT", "-a", "1", "--print", "true", "--machine room", "other")
    assert "|other|" in made.render("text")
    assert "|noname|" in report(servers, "clusterRT", "-a", "1", "-p", "true").render("text")


def test_an_unknown_cluster_ends_it(servers: FakeServers) -> None:
    [made] = reports(servers, ["clusterRT", "-c", "nope"])
    assert made.render("text") == RT_HEAD + "cluster [nope] not exist"
    assert [type(failure) for failure in made.failures] == [UnknownClusterError]
    with pytest.raises(CommandLineError, match="interval -1: seconds are expected"):
        report(servers, "clusterRT", "-i", "-1")


def test_a_rehearsal_has_one_round(servers: FakeServers) -> None:
    assert len(reports(servers, ["clusterRT", "-a", "1", "--dry-run"])) == 1


# --- times ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def timed(servers: FakeServers) -> Callable[..., str]:
    """What a command line prints while sends take these milliseconds."""

    def run(line: list[str], *millis: int) -> str:
        command = find(line[0])
        assert command is not None
        admin: Admin = fake_admin(servers)
        taken = iter(millis)
        clock = [NOW]
        admin.now = lambda: clock[0]

        def answer(address: str, header: SendMessageV2) -> Any:
            clock[0] += next(taken)
            return sent(address, header)

        servers.answers[SendMessageV2] = answer
        outcome: Any = command.function(Call(parse(command.accepted, line[1:], command.extras), admin))

        async def first() -> Any:
            return await anext(outcome) if hasattr(outcome, "__aiter__") else await outcome

        return str(asyncio.run(first()).render("text"))

    return run


def test_times(timed: Callable[..., str]) -> None:
    printed = timed(["checkMsgSendRT", "-t", "T", "-a", "4"], 2812, 16, 5, 8)
    assert [line.split()[-1] for line in printed.splitlines()[1:]] == ["2812", "16", "5", "8", "9.67"]
    assert timed(["checkMsgSendRT", "-t", "T", "-a", "1"], 12).endswith("Avg RT: 12.00\n")
    printed = timed(["sendMsgStatus", "-b", "broker-a", "-c", "2"], 100, 4, 7)
    assert [line.partition(",")[0] for line in printed.splitlines()] == ["rt=4ms", "rt=7ms"]
    assert RT_ROW.format("C1", "broker-a", "24.50", 3, 0) in timed(["clusterRT", "-a", "3"], 100, 20, 29, 0, 0, 0)
    printed = timed(["clusterRT", "-a", "3", "-p", "true"], 100, 20, 29, 0, 0, 1)
    assert [line.rpartition("|")[2] for line in printed.splitlines()] == ["25", "1"], "a half is rounded up"
