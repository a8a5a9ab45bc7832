"""Controllers."""

import pytest

from rmq.client.admin.controllers import NoLeaderError, broker_epochs, sync_state
from rmq.client.admin.errors import NoControllerError
from rmq.wire.bodies.controller import BrokerReplicasInfo, EpochEntry, EpochEntryCache
from rmq.wire.errors import NotSupportedError
from rmq.wire.requests.controller import (
    ControllerMetadata,
    GetBrokerEpochCache,
    GetControllerMetadata,
    GetSyncStateData,
)
from tests.kit.adminfake import MASTER_A, FakeServers, Reply, operate

ASKED, LEADER = "10.0.1.1:9878", "10.0.1.2:9878"


def test_the_leader_is_asked() -> None:
    servers = FakeServers(
        {
            GetControllerMetadata: Reply(header=ControllerMetadata(controller_leader_address=LEADER)),
            GetSyncStateData: BrokerReplicasInfo(),
        }
    )
    operate(servers, lambda admin: sync_state(admin, ASKED, ["a", "b"]))
    assert servers.calls == [(ASKED, GetControllerMetadata(), b""), (LEADER, GetSyncStateData(), b'["a","b"]')]


def test_there_is_no_leader() -> None:
    servers = FakeServers({GetControllerMetadata: Reply(header=ControllerMetadata(controller_leader_address=""))})
    with pytest.raises(NoLeaderError, match=ASKED):
        operate(servers, lambda admin: sync_state(admin, ASKED, ["a"]))


def test_what_is_asked_is_no_controller() -> None:
    servers = FakeServers({GetControllerMetadata: NotSupportedError("request type 1005 not supported")})
    with pytest.raises(NoControllerError, match="1005") as caught:
        operate(servers, lambda admin: sync_state(admin, ASKED, ["a"]))
    assert (caught.value.code, caught.value.address) == (3, ASKED)


@pytest.mark.parametrize("entries", [[], [EpochEntry(1, 0, 5), EpochEntry(2, 5)]])
def test_the_last_epoch_ends_with_the_log(entries: list[EpochEntry]) -> None:
    servers = FakeServers({GetBrokerEpochCache: EpochEntryCache("C1", "broker-a", 1, entries, 9)})
    found = operate(servers, lambda admin: broker_epochs(admin, MASTER_A)).epoch_list
    assert [entry.end_offset for entry in found] == [5, 9][: len(entries)]
