"""What master and slaves ask each other, and how far the slaves are."""

import json
from typing import Any

import pytest

from rmq.remoting.dispatch import Dispatcher
from rmq.server.broker.processors.replication import ReplicationProcessor
from rmq.server.ha.master import SlaveState
from rmq.wire.bodies.broker import HAClientRuntimeInfo
from rmq.wire.declare import Declared
from rmq.wire.requests.registration import NotifyMinBrokerIdChange
from rmq.wire.requests.replication import ExchangeBrokerHaInfo, GetBrokerHaStatus, ResetMasterFlushOffset
from tests.kit.peer import MemoryPeer


class Store:
    """How far a log is."""

    log_max_offset = 1000
    flushed_offset = 900
    master_flushed_offset = 0


def peer_of(store: Any, *slaves: SlaveState, following: Any = None) -> MemoryPeer:
    processor = ReplicationProcessor(store, "10.0.0.9:10911", lambda: "10.0.0.9:10912", lambda: slaves, following)
    return MemoryPeer(Dispatcher([processor]))


def following() -> HAClientRuntimeInfo:
    return HAClientRuntimeInfo("10.0.0.9:10912", 5, 77, 1, 2, 66)


def test_a_master_tells_its_slaves() -> None:
    near = SlaveState("10.0.0.1:5000", 1000, 1000, 7, True, 0)
    far = SlaveState("10.0.0.2:5000", 400, 600, 0, False, None)
    peer = peer_of(Store(), near, far)
    body = json.loads(peer.ask(GetBrokerHaStatus()).body)
    assert (body["master"], body["masterCommitLogMaxOffset"], body["inSyncSlaveNums"]) == (True, 1000, 1)
    first, second = body["haConnectionInfo"]
    assert first == {
        "addr": "10.0.0.1:5000", "diff": 0, "inSync": True, "lagMillis": 0, "slaveAckOffset": 1000,
        "transferFromWhere": 1000, "transferredByteInSecond": 7,
    }  # fmt: skip
    assert second == {
        "addr": "10.0.0.2:5000", "diff": 600, "inSync": False, "slaveAckOffset": 400, "transferFromWhere": 600,
        "transferredByteInSecond": 0,
    }  # fmt: skip


def test_a_slave_tells_of_its_master() -> None:
    body = json.loads(peer_of(Store(), following=following).ask(GetBrokerHaStatus()).body)
    assert body == {
        "haClientRuntimeInfo": {
            "lastReadTimestamp": 1, "lastWriteTimestamp": 2, "masterAddr": "10.0.0.9:10912", "masterFlushOffset": 66,
            "maxOffset": 77, "transferredByteInSecond": 5,
        },
        "haConnectionInfo": [], "inSyncSlaveNums": 0, "master": False, "masterCommitLogMaxOffset": 0,
    }  # fmt: skip


def test_a_master_tells_where_slaves_connect() -> None:
    answer = peer_of(Store()).ask(ExchangeBrokerHaInfo())
    assert (answer.code, answer.ext) == (
        0,
        {"masterHaAddress": "10.0.0.9:10912", "masterFlushOffset": "900", "masterAddress": "10.0.0.9:10911"},
    )


@pytest.mark.parametrize(
    ("header", "of"),
    [
        (ExchangeBrokerHaInfo(), following),
        (ExchangeBrokerHaInfo("10.0.0.8:10912", 5, "10.0.0.8:10911"), following),
        (ExchangeBrokerHaInfo("10.0.0.8:10912", 5, "10.0.0.8:10911"), None),
    ],
)
def test_nobody_is_told_another_master(header: ExchangeBrokerHaInfo, of: Any) -> None:
    answer = peer_of(Store(), following=of).ask(header)
    assert (answer.code, answer.ext) == (0, {})


@pytest.mark.parametrize(("of", "believed"), [(following, 5), (None, 0)])
def test_a_slave_believes_what_it_is_told_of_the_masters_disk(of: Any, believed: int) -> None:
    store = Store()
    assert peer_of(store, following=of).ask(ResetMasterFlushOffset(5)).code == 0
    assert store.master_flushed_offset == believed


@pytest.mark.parametrize("of", [following, None])
def test_nobody_stands_in_for_a_master(of: Any) -> None:
    header: Declared = NotifyMinBrokerIdChange(1, "broker-a", "10.0.0.1:10911")
    assert peer_of(Store(), following=of).ask(header).code == 0
