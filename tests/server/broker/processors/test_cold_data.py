"""Limits for reading old data, and reading the log ahead."""

import json
import re
from pathlib import Path

from rmq.wire.requests.broker import (
    GetColdDataFlowCtrInfo,
    RemoveColdDataFlowCtrConfig,
    SetCommitLogReadMode,
    UpdateColdDataFlowCtrConfig,
)
from tests.kit.broker import Bench, send_header
from tests.kit.logs import logged
from tests.kit.peer import MemoryPeer


def limits(peer: MemoryPeer) -> dict[str, int]:
    table = json.loads(peer.ask(GetColdDataFlowCtrInfo()).body)["configTable"]
    assert isinstance(table, dict)
    return table


def test_what_apache_shows_of_a_broker_without_limits(bench: Bench) -> None:
    assert bench.peer().ask(GetColdDataFlowCtrInfo()).body == (
        b'{"runtimeTable":{},"configTable":{},"cgColdReadThreshold":3145728,'
        b'"globalColdReadThreshold":104857600,"globalAcc":0}'
    )


def test_limits_come_and_go(bench: Bench) -> None:
    peer = bench.peer()
    assert peer.ask(UpdateColdDataFlowCtrConfig(), b"b=2000\na=1\n").code == 0
    assert peer.ask(UpdateColdDataFlowCtrConfig(), b"a=1000\n").code == 0
    assert list(limits(peer).items()) == [("a", 1000), ("b", 2000)]
    assert peer.ask(RemoveColdDataFlowCtrConfig(), b"a").code == 0
    assert peer.ask(RemoveColdDataFlowCtrConfig(), b"nobody").code == 0
    assert limits(peer) == {"b": 2000}


def test_what_is_no_number_is_passed_over(bench: Bench) -> None:
    peer = bench.peer()
    assert peer.ask(UpdateColdDataFlowCtrConfig(), b"a=x\nb=5\n").code == 0
    assert limits(peer) == {"b": 5}
    assert peer.ask(UpdateColdDataFlowCtrConfig(), b"a\\uXX=5").code == 29


def test_limits_are_bounded(bench: Bench) -> None:
    peer = bench.peer()
    many = "".join(f"g{number}=1\n" for number in range(4097))
    answer = peer.ask(UpdateColdDataFlowCtrConfig(), many.encode())
    assert (answer.code, answer.remark) == (29, "limits of 4096 groups are kept, no more")
    assert peer.ask(UpdateColdDataFlowCtrConfig(), b"g1=2").code == 0
    assert limits(peer)["g1"] == 2


def test_a_request_for_limits_is_bounded_and_changes_nothing_when_refused(bench: Bench) -> None:
    peer = bench.peer()
    answer = peer.ask(UpdateColdDataFlowCtrConfig(), b"a=1\n" * 16385)
    assert (answer.code, answer.remark) == (29, "65540 bytes of limits are more than 65536")
    answer = peer.ask(UpdateColdDataFlowCtrConfig(), b"a=1\n%b=1\n" % (b"g" * 121))
    assert (answer.code, answer.remark) == (29, "a group of 121 characters is longer than 120")
    assert peer.ask(UpdateColdDataFlowCtrConfig(), "".join(f"g{number}=1\n" for number in range(4097)).encode()).code
    assert limits(peer) == {}


def test_wrong_limits_are_one_line_in_the_log(bench: Bench) -> None:
    with logged() as heard:
        assert bench.peer().ask(UpdateColdDataFlowCtrConfig(), b"a=x\nb=\nc=1\n").code == 0
    lines = [line for line in heard if "passed over" in line]
    assert len(lines) == 1
    assert lines[0].endswith(": 2 limits passed over, the first of a: 'x' is no integer")


def read_at_random(path: Path) -> list[bool]:
    """Of each map of the log, whether the system was told not to read ahead."""
    maps = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text(), flags=re.MULTILINE)
    ours = [entry for entry in maps if f"{path}/commitlog/" in entry]
    return ["rr" in entry.rpartition("VmFlags:")[2].split() for entry in ours]


def test_reading_ahead(bench: Bench, tmp_path: Path) -> None:
    bench.topic("T")
    peer = bench.peer()
    peer.ask(send_header("T"), b"x")
    assert read_at_random(tmp_path) == [False]
    answer = peer.ask(SetCommitLogReadMode(1))
    assert (answer.code, answer.remark) == (0, "set commitlog readahead mode success, mode: 1")
    assert read_at_random(tmp_path) == [True]
    assert bench.settings.value("dataReadAheadEnable") is False
    for _ in range(3):
        peer.ask(send_header("T"), bytes(500_000))
    assert len(list((tmp_path / "commitlog").iterdir())) == 2
    # The old file is mapped again when it is read.
    assert bench.store.message_at(0) is not None
    assert read_at_random(tmp_path) == [True, True]
    assert peer.ask(SetCommitLogReadMode(0)).code == 0
    assert read_at_random(tmp_path) == [False, False]
    answer = peer.ask(SetCommitLogReadMode(2))
    assert (answer.code, answer.remark) == (29, "set commitlog readahead mode param value error")
