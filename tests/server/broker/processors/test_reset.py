"""Groups are moved to other offsets: kept by the broker, or told to the clients."""

from typing import Any

import pytest

from rmq.remoting.calls import request_command
from rmq.settings.store import BrokerRole
from rmq.wire import fastjson
from rmq.wire.bodies.offset import ConsumerStatus
from rmq.wire.bodies.route import MessageQueue
from rmq.wire.command import Command
from rmq.wire.declare import encode_body
from rmq.wire.requests.offset import CloneGroupOffset, UpdateConsumerOffset
from rmq.wire.requests.reset import InvokeBrokerToGetConsumerStatus, InvokeBrokerToResetOffset
from tests.kit.broker import EPOCH, Bench, beat, heartbeat, pull_header, send_header
from tests.kit.peer import MemoryPeer


@pytest.fixture
def filled(bench: Bench) -> Bench:
    """Topic T with four messages, a second apart, in each of two queues; group G has read all."""
    bench.topic("T", 2)
    bench.groups.find("G")
    peer = bench.peer()
    for _ in range(4):
        for queue_id in (0, 1):
            assert peer.ask(send_header("T", queue_id), b"x").code == 0
        bench.clock.advance(1)
    for queue_id in (0, 1):
        bench.offsets.commit("G", "T", queue_id, 4)
    return bench


def reset(bench: Bench, timestamp: int = 0, **fields: Any) -> Command:
    values: dict[str, Any] = {"group": "G", "topic": "T", "timestamp": timestamp, "is_force": True}
    return bench.peer().ask(InvokeBrokerToResetOffset(**{**values, **fields}))


def table(answer: Command, key: str = "offsetTable") -> dict[tuple[str, str, int], int]:
    assert answer.code == 0, answer.remark
    return plain(fastjson.loads(answer.body)[key])


def plain(offsets: Any) -> dict[tuple[str, str, int], int]:
    queues = {tuple(sorted(dict(queue).items())): offset for queue, offset in offsets.items()}
    return {
        (dict(queue)["topic"], dict(queue)["brokerName"], dict(queue)["queueId"]): offset
        for queue, offset in queues.items()
    }


# --- kept by the broker -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timestamp", "offset"), [(0, 0), (EPOCH * 1000 + 1500, 2), (1 << 60, 4), (-1, 4), (EPOCH * 1000 + 2000, 2)]
)
def test_all_queues_go_to_a_time(filled: Bench, timestamp: int, offset: int) -> None:
    answer = reset(filled, timestamp)
    assert table(answer) == {("T", "broker-a", 0): offset, ("T", "broker-a", 1): offset}
    assert filled.offsets.queues("G", "T") == {0: offset, 1: offset}
    pulled = filled.peer().ask(pull_header("T", 4))
    assert (pulled.code, pulled.ext["nextBeginOffset"]) == (21, str(offset))
    assert filled.offsets.take_reset("G", "T", 0) is None
    assert filled.offsets.take_reset("G", "T", 1) == offset


def test_a_slave_keeps_nothing(filled: Bench) -> None:
    filled.settings.store.broker_role = BrokerRole.SLAVE
    answer = reset(filled)
    assert (answer.code, answer.remark) == (1, "Can not reset offset in slave broker")
    assert filled.offsets.query("G", "T", 0) == 4
    filled.settings.broker.use_server_side_reset_offset = False
    answer = reset(filled)
    assert answer.code == 206, "clients are told as ever; none is there"


def test_commits_that_come_before_the_pull_do_not_count(filled: Bench) -> None:
    reset(filled)
    peer = filled.peer()
    assert peer.ask(UpdateConsumerOffset("G", "T", 0, 4)).remark == "Offset has been previously reset"
    peer.ask(pull_header("T", 4))
    assert peer.ask(UpdateConsumerOffset("G", "T", 0, 3)).remark is None
    assert filled.offsets.queues("G", "T") == {0: 3, 1: 0}


@pytest.mark.parametrize(("fields", "offset"), [({"offset": 3}, 3), ({"offset": 5}, 5), ({"offset": -1}, 0), ({}, 0)])
def test_one_queue_goes_to_an_offset_or_a_time(filled: Bench, fields: dict[str, int], offset: int) -> None:
    assert table(reset(filled, queue_id=1, **fields)) == {("T", "broker-a", 1): offset}
    assert filled.offsets.queues("G", "T") == {0: 4, 1: offset}


def test_what_cannot_be_reset(filled: Bench) -> None:
    filled.topic("none", 0)
    for fields, code, remark in (
        ({"topic": "U"}, 17, "Topic U does not exist"),
        ({"group": "H"}, 26, "Group H does not exist"),
        ({"queue_id": 0, "offset": 6}, 1, "Target offset 6 not in consume queue range [0-4]"),
        ({"queue_id": 0, "offset": -2}, 1, "Target offset -2 not in consume queue range [0-4]"),
        ({"queue_id": 9}, 29, "topic[T] has no queue 9"),
        ({"queue_id": (1 << 31) - 1, "offset": 0}, 29, "topic[T] has no queue 2147483647"),
        ({"topic": "none"}, 1, "No queues to reset."),
    ):
        answer = reset(filled, **fields)
        assert (answer.code, answer.remark) == (code, remark)
    assert filled.offsets.queues("G", "T") == {0: 4, 1: 4}


def test_a_group_without_offsets_gets_some(filled: Bench) -> None:
    filled.groups.find("H")
    assert reset(filled, -1, group="H").code == 0
    assert filled.offsets.queues("H", "T") == {0: 4, 1: 4}


# --- told to the clients ------------------------------------------------------------------------------------------


@pytest.fixture
def told(filled: Bench) -> Bench:
    filled.settings.set("useServerSideResetOffset", False)
    filled.offsets.commit("G", "T", 1, 2)
    return filled


def member(bench: Bench, client_id: str = "c@1", group: str = "G") -> MemoryPeer:
    peer = bench.peer()
    beat(peer, heartbeat(client_id, group, {"T": "*"}))
    return peer


@pytest.mark.parametrize(
    ("timestamp", "force", "offsets"),
    [
        (0, False, (0, 0)), (0, True, (0, 0)), (-1, False, (4, 2)), (-1, True, (4, 4)),
        (EPOCH * 1000 + 3000, False, (3, 2)),
    ],
)
def test_clients_are_told(told: Bench, timestamp: int, force: bool, offsets: tuple[int, int]) -> None:
    clients = [member(told, name) for name in ("c@1", "c@2")]
    for client in clients:
        client.answers()
    expected = {("T", "broker-a", 0): offsets[0], ("T", "broker-a", 1): offsets[1]}
    assert table(reset(told, timestamp, is_force=force)) == expected
    for client in clients:
        (order,) = client.answers()
        assert (order.code, order.flag) == (220, 2)
        assert order.ext == {
            "group": "G", "topic": "T", "timestamp": str(timestamp), "queueId": "-1", "isForce": "false",
        }  # fmt: skip
        assert plain(fastjson.loads(order.body)["offsetTable"]) == expected
    assert told.offsets.queues("G", "T") == {0: 4, 1: 2}
    assert not told.offsets.has_reset("G", "T", 0)


def test_for_a_tool_in_cpp_clients_are_told_a_list(told: Bench) -> None:
    client = member(told)
    client.answers()
    tool = told.peer()
    command = request_command(InvokeBrokerToResetOffset("G", "T", 0, is_force=True))
    command.language = "CPP"
    tool.send(command)
    (order,) = client.answers()
    assert fastjson.loads(order.body) == {
        "offsetTable": [{"brokerName": "broker-a", "offset": 0, "queueId": i, "topic": "T"} for i in (0, 1)]
    }
    (answer,) = tool.answers()
    assert table(answer) == {("T", "broker-a", 0): 0, ("T", "broker-a", 1): 0}


def test_clients_that_cannot_be_told(told: Bench) -> None:
    text = "Consumer not online, so can not reset offset, Group: G Topic: T Timestamp: 0"
    assert (reset(told).code, reset(told).remark) == (206, text)
    assert reset(told, topic="U").code == 17
    answer = reset(told, group="H")
    assert (answer.code, answer.remark) == (1, "The consumer group <H> not exist")
    old = member(told)
    told.consumers.groups["G"].clients[old.connection].version = 27
    old.answers()
    answer = reset(told)
    assert (answer.code, answer.remark) == (1, "the client does not support this feature. version=V3_0_6")
    assert old.answers() == []


# --- clone --------------------------------------------------------------------------------------------------------


def test_a_group_gets_the_offsets_of_another(filled: Bench) -> None:
    filled.topic("U")
    for group, topic, queue_id, offset in (("G", "U", 0, 9), ("H", "T", 0, 1), ("H", "T", 3, 3), ("G", "gone", 0, 1)):
        filled.offsets.commit(group, topic, queue_id, offset)
    peer = filled.peer()
    assert peer.ask(CloneGroupOffset("G", "H", "T")).code == 0
    assert filled.offsets.queues("H", "T") == {0: 4, 1: 4}
    assert filled.offsets.queues("H", "U") == {}
    assert peer.ask(CloneGroupOffset("G", "H")).code == 0
    assert filled.offsets.queues("H", "U") == {0: 9}
    assert filled.offsets.queues("H", "gone") == {}
    assert peer.ask(CloneGroupOffset("nobody", "H", "T")).code == 0
    assert filled.offsets.queues("H", "T") == {0: 4, 1: 4}


def test_a_group_that_is_online_gives_what_it_subscribes(filled: Bench) -> None:
    filled.topic("U")
    filled.offsets.commit("G", "U", 0, 9)
    beat(filled.peer(), heartbeat("c", "G", {"U": "*"}))
    peer = filled.peer()
    peer.ask(CloneGroupOffset("G", "H", "T"))
    assert filled.offsets.queues("H", "T") == {}
    peer.ask(CloneGroupOffset("G", "H", "U"))
    assert filled.offsets.queues("H", "U") == {0: 9}
    peer.ask(CloneGroupOffset("G", "H", "T", offline=True))
    assert filled.offsets.queues("H", "T") == {0: 4, 1: 4}


# --- where clients are --------------------------------------------------------------------------------------------


def held(answer: Command) -> dict[str, dict[tuple[str, str, int], int]]:
    assert answer.code == 0, answer.remark
    return {client: plain(queues) for client, queues in fastjson.loads(answer.body)["consumerTable"].items()}


def test_clients_tell_the_offsets_they_hold(filled: Bench) -> None:
    tool, clients = filled.peer(), [member(filled, name) for name in ("c@1", "c@2", "c@3", "c@4")]
    for client in clients:
        client.answers()
    tool.send(request_command(InvokeBrokerToGetConsumerStatus("T", "G")))
    bodies = (encode_body(ConsumerStatus({MessageQueue("T", "broker-a", 1): 3})), b"nonsense", b"")
    for client, body in zip(clients, bodies, strict=False):
        (question,) = client.answers()
        assert (question.code, question.ext) == (221, {"topic": "T", "group": "G"})
        client.send(Command(0, body=body, opaque=question.opaque, flag=1))
    assert tool.answers() == []
    filled.clock.advance(5)
    (answer,) = tool.answers()
    assert held(answer) == {"c@1": {("T", "broker-a", 1): 3}}


def test_one_client_is_asked_by_its_id(filled: Bench) -> None:
    tool, first, second = filled.peer(), member(filled, "c@1"), member(filled, "c@2")
    for client in (first, second):
        client.answers()
    tool.send(request_command(InvokeBrokerToGetConsumerStatus("T", "G", "c@2")))
    assert first.answers() == []
    (question,) = second.answers()
    second.send(Command(0, body=encode_body(ConsumerStatus()), opaque=question.opaque, flag=1))
    (answer,) = tool.answers()
    assert held(answer) == {"c@2": {}}
    assert held(tool.ask(InvokeBrokerToGetConsumerStatus("T", "G", "nobody"))) == {}


def test_a_group_that_is_offline_or_too_old_tells_nothing(filled: Bench) -> None:
    answer = filled.peer().ask(InvokeBrokerToGetConsumerStatus("T", "G"))
    assert (answer.code, answer.remark) == (1, "No Any Consumer online in the consumer group: [G]")
    old = member(filled)
    filled.consumers.groups["G"].clients[old.connection].version = 27
    assert filled.peer().ask(InvokeBrokerToGetConsumerStatus("T", "G")).code == 1
