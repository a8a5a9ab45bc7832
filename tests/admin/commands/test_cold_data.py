"""How brokers read old data."""

from typing import Any

import pytest

from rmq.admin.errors import CommandLineError
from rmq.wire.errors import RemotingError, SystemBusyError
from rmq.wire.requests.broker import (
    GetColdDataFlowCtrInfo,
    RemoveColdDataFlowCtrConfig,
    SetCommitLogReadMode,
    UpdateColdDataFlowCtrConfig,
)
from tests.kit.adminfake import MASTER_A, MASTER_B, NOW, SLAVE_A, FakeServers, Reply, report, text

EMPTY = (
    b'{"runtimeTable":{},"configTable":{},"cgColdReadThreshold":3145728,"globalColdReadThreshold":104857600,'
    b'"globalAcc":0}'
)
SHOWN = """{
	"runtimeTable":{
		
	},
	"configTable":{
		
	},
	"cgColdReadThreshold":3145728,
	"globalColdReadThreshold":104857600,
	"globalAcc":0
}
"""  # noqa: W293
HEADS = {
    MASTER_A: f" ============Master: {MASTER_A}============\n",
    SLAVE_A: f" ============My Master: {MASTER_A}=====Slave: {SLAVE_A}============\n",
    MASTER_B: f" ============Master: {MASTER_B}============\n",
}
UNKNOWN_CLUSTER = "[error] Make sure the specified clusterName exists or the name server connected to is correct."


def test_limits_of_one_broker() -> None:
    made = report(FakeServers({GetColdDataFlowCtrInfo: EMPTY}), "getColdDataFlowCtrInfo", "-b", MASTER_A)
    assert made.render("text") == f" ============{MASTER_A}============\n" + SHOWN
    assert made.members["brokers"][MASTER_A]["globalColdReadThreshold"] == 104857600


def test_limits_of_a_cluster() -> None:
    def info(address: str, header: Any) -> Any:
        return {MASTER_A: EMPTY, SLAVE_A: b"", MASTER_B: SystemBusyError("busy")}[address]

    made = report(FakeServers({GetColdDataFlowCtrInfo: info}), "getColdDataFlowCtrInfo", "-c", "C1")
    assert made.render("text") == (
        HEADS[MASTER_A] + SHOWN + HEADS[SLAVE_A] + f"Broker[{SLAVE_A}] has no cold ctr table !\n" + HEADS[MASTER_B]
    )
    assert made.members["brokers"][SLAVE_A] is None
    assert [failure.address for failure in made.failures] == [MASTER_B]


def test_what_groups_have_read() -> None:
    known = (
        f'{{"runtimeTable":{{"G":{{"coldAcc":7,"lastColdReadTimeMills":{NOW},"createTimeMills":{NOW}}}}},'
        '"configTable":{"G":5}}'
    ).encode()
    shown = text(FakeServers({GetColdDataFlowCtrInfo: known}), "getColdDataFlowCtrInfo", "-b", MASTER_A)
    assert '"G":{\n\t\t\t"coldAcc":7,\n\t\t\t"lastColdReadTimeFormat":"' in shown
    assert '"createTimeFormat":"2026-11-' in shown
    assert "Mills" not in shown


@pytest.mark.parametrize("answer", [b"no JSON", b"[1]"])
def test_limits_that_are_none(answer: bytes) -> None:
    made = report(FakeServers({GetColdDataFlowCtrInfo: answer}), "getColdDataFlowCtrInfo", "-b", MASTER_A)
    assert [MASTER_A in failure.remark for failure in made.failures] == [True]


def test_limit_a_group() -> None:
    servers = FakeServers()
    words = ["updateColdDataFlowCtrGroupConfig", "-c", "C1", "-g", "G", "-v", "1000"]
    made = report(servers, *words)
    assert made.render("text") == "".join(
        f"updateColdDataFlowCtrGroupConfig success, {address}\n" for address in (MASTER_A, MASTER_B)
    )
    assert [body for _, header, body in servers.calls if isinstance(header, UpdateColdDataFlowCtrConfig)] == [
        b"G=1000\n",
        b"G=1000\n",
    ]
    assert made.members == {"group": "G", "threshold": 1000, "brokers": [MASTER_A, MASTER_B]}


def test_a_limit_that_is_no_number_is_not_sent() -> None:
    servers = FakeServers()
    with pytest.raises(CommandLineError, match='"x"'):
        report(servers, "updateColdDataFlowCtrGroupConfig", "-b", MASTER_A, "-g", "G", "-v", "x")
    assert servers.calls == []


def test_lift_a_limit() -> None:
    servers = FakeServers()
    shown = text(servers, "removeColdDataFlowCtrGroupConfig", "-b", MASTER_A, "-g", "G")
    assert shown == f"remove broker cold read threshold success, {MASTER_A}\n"
    assert servers.calls == [(MASTER_A, RemoveColdDataFlowCtrConfig(), b"G")]


def test_brokers_that_refuse_a_limit() -> None:
    servers = FakeServers({RemoveColdDataFlowCtrConfig: lambda address, header: SystemBusyError("busy")})
    made = report(servers, "removeColdDataFlowCtrGroupConfig", "-c", "C1", "-g", "G")
    assert made.render("text") == ""
    assert [failure.address for failure in made.failures] == [MASTER_A, MASTER_B]


def test_read_ahead() -> None:
    def answer(address: str, header: SetCommitLogReadMode) -> Any:
        return Reply(remark=f"set, mode: {header.mode}" if address == MASTER_A else None)

    servers = FakeServers({SetCommitLogReadMode: answer})
    made = report(servers, "setCommitLogReadAheadMode", "-c", "C1", "-m", "1")
    assert made.render("text") == (
        HEADS[MASTER_A]
        + "commitLog set readAhead mode rstStrset, mode: 1\n"
        + HEADS[SLAVE_A]
        + "commitLog set readAhead mode rstStrnull\n"
        + HEADS[MASTER_B]
        + "commitLog set readAhead mode rstStrnull\n"
    )
    assert made.members["mode"] == "random"
    assert text(servers, "setCommitLogReadAheadMode", "-b", MASTER_A, "-m", "0") == (
        f" ============{MASTER_A}============\ncommitLog set readAhead mode rstStrset, mode: 0\n"
    )


def test_a_mode_that_there_is_not() -> None:
    servers = FakeServers()
    made = report(servers, "setCommitLogReadAheadMode", "-b", MASTER_A, "-m", "2")
    assert made.render("text") == "set the read mode error; 0 is default, 1 random read\n"
    assert made.refusal == "set the read mode error; 0 is default, 1 random read"
    assert servers.calls == []


@pytest.mark.parametrize(
    "words",
    [
        ["getColdDataFlowCtrInfo"],
        ["updateColdDataFlowCtrGroupConfig", "-g", "G", "-v", "1"],
        ["removeColdDataFlowCtrGroupConfig", "-g", "G"],
        ["setCommitLogReadAheadMode", "-m", "1"],
    ],
)
def test_unknown_cluster(words: list[str]) -> None:
    made = report(FakeServers(), *words, "-c", "nope")
    assert made.render("text") == UNKNOWN_CLUSTER
    assert len(made.failures) == 1
    assert isinstance(made.failures[0], RemotingError)
