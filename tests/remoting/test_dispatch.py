"""Requests find their handlers, and what a handler returns or raises becomes the right reply."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

from rmq.remoting.dispatch import Call, Dispatcher, Late, Reply, handles, handles_raw
from rmq.remoting.protocol import Connection
from rmq.wire.bodies.broker import KVTable
from rmq.wire.codes import FLAG_ONEWAY, FLAG_RESPONSE
from rmq.wire.command import Command, encode
from rmq.wire.errors import InvalidParameterError, TopicNotExistError
from rmq.wire.requests.kv import DeleteKVConfig, GetKVConfig, GetKVConfigReply, GetKVListByNamespace, PutKVConfig
from tests.kit.peer import MemoryPeer


class Processor:
    """One handler that does what it is told, and a raw one."""

    def __init__(self) -> None:
        self.result: Any = None
        self.calls: list[tuple[Any, bytes]] = []

    @handles(PutKVConfig, GetKVConfig)
    def both(self, header: Any, call: Call) -> Any:
        self.calls.append((header, call.body))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    @handles(GetKVListByNamespace)
    def body(self, header: GetKVListByNamespace, call: Call) -> KVTable:
        return call.json(KVTable)

    @handles_raw(DeleteKVConfig)
    def raw(self, connection: Connection, command: Command) -> Any:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


class World:
    def __init__(self, **limits: int) -> None:
        self.processor = Processor()
        self.dispatcher = Dispatcher([self.processor], **limits)
        self.peer = MemoryPeer(self.dispatcher)

    def ask(self, result: Any, header: Any = None, body: bytes = b"") -> Command:
        self.processor.result = result
        return self.peer.ask(header or GetKVConfig("ns", "k"), body)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def events() -> Any:
    seen: list[Any] = []
    globalLogPublisher.addObserver(seen.append)
    yield seen
    globalLogPublisher.removeObserver(seen.append)


def test_the_handler_gets_header_and_body(world: World) -> None:
    world.ask(None, PutKVConfig("ns", "k", "v"), b"payload")
    assert world.processor.calls == [(PutKVConfig("ns", "k", "v"), b"payload")]


@pytest.mark.parametrize(
    ("result", "code", "ext", "body", "remark"),
    [
        (None, 0, {}, b"", None),
        (GetKVConfigReply("v"), 0, {"value": "v"}, b"", None),
        (KVTable({"k": "v"}), 0, {}, b'{"table":{"k":"v"}}', None),
        (
            Reply(GetKVConfigReply("v"), b"bytes", code=10, remark="slow", ext={"x": "1"}),
            10,
            {"value": "v", "x": "1"},
            b"bytes",
            "slow",
        ),
        (TopicNotExistError("no T"), 17, {}, b"", "no T"),
        (ValueError("oops"), 1, {}, b"", "ValueError: oops"),
    ],
    ids=["nothing", "header", "json", "all", "refusal", "bug"],
)
def test_what_a_handler_gives_becomes_the_reply(
    world: World, result: Any, code: int, ext: dict[str, str], body: bytes, remark: str | None
) -> None:
    answer = world.ask(result)
    assert (answer.code, answer.ext, answer.body, answer.remark) == (code, ext, body, remark)
    assert answer.flag == FLAG_RESPONSE


def test_the_reply_has_the_requests_header_encoding(world: World) -> None:
    for serialize_type in (0, 1):
        world.peer.send(Command(101, {"namespace": "n", "key": "k"}, opaque=5, serialize_type=serialize_type))
        (answer,) = world.peer.answers()
        assert (answer.serialize_type, answer.opaque) == (serialize_type, 5)


@pytest.mark.parametrize(
    ("code", "ext", "refused", "remark"),
    [
        (101, {"namespace": "n"}, 1, "the custom field <key> is null"),
        (4711, {}, 3, " request type 4711 not supported"),
    ],
)
def test_requests_that_cannot_be_handled_are_refused(
    world: World, code: int, ext: dict[str, str], refused: int, remark: str
) -> None:
    world.peer.send(Command(code, ext))
    (answer,) = world.peer.answers()
    assert (answer.code, answer.remark) == (refused, remark)


def test_a_body_of_another_class_is_refused(world: World) -> None:
    answer = world.ask(None, GetKVListByNamespace("ns"), b'{"table":[]}')
    assert (answer.code, answer.remark) == (1, "KVTable.table: object expected, got list")


@pytest.mark.parametrize("result", [None, TopicNotExistError("x"), ValueError("x"), GetKVConfigReply("v")])
def test_oneway_requests_are_never_answered(world: World, result: Any) -> None:
    world.processor.result = result
    world.peer.send(Command(101, {"namespace": "n", "key": "k"}, flag=FLAG_ONEWAY), Command(4711, flag=FLAG_ONEWAY))
    assert world.peer.answers() == []


def test_an_answer_may_come_later(world: World) -> None:
    late: Deferred[Any] = Deferred()
    world.processor.result = late
    world.peer.send(Command(101, {"namespace": "n", "key": "k"}, opaque=3))
    assert world.peer.answers() == []
    assert (world.dispatcher.waiting, world.peer.connection.waiting) == (1, 1)
    late.callback(GetKVConfigReply("v"))
    (answer,) = world.peer.answers()
    assert (answer.opaque, answer.ext) == (3, {"value": "v"})
    assert (world.dispatcher.waiting, world.peer.connection.waiting) == (0, 0)


def test_answers_that_come_late_together_leave_together(world: World) -> None:
    late: list[Deferred[Any]] = []
    for opaque in range(4):
        late.append(Deferred())
        world.processor.result = late[-1]
        world.peer.send(Command(101, {"namespace": "n", "key": "k"}, opaque=opaque))
    writes: list[bytes] = []
    put = world.peer.transport.write
    world.peer.transport.write = lambda data: (writes.append(data), put(data))[1]
    for waiting in late[:2]:
        waiting.callback(GetKVConfigReply("v"))
    assert writes == []
    world.peer.clock.advance(0)
    assert [answer.opaque for answer in world.peer.answers()] == [0, 1]
    # With the last one nobody waits any more, so that nothing is gained by waiting.
    for waiting in late[2:]:
        waiting.callback(GetKVConfigReply("v"))
    assert [answer.opaque for answer in world.peer.answers()] == [2, 3]
    world.peer.clock.advance(0)
    assert len(writes) == 2


def test_late_answers_to_a_peer_that_left_are_not_gathered(world: World) -> None:
    late: list[Deferred[Any]] = [Deferred(), Deferred()]
    for opaque, waiting in enumerate(late):
        world.processor.result = waiting
        world.peer.send(Command(101, {"namespace": "n", "key": "k"}, opaque=opaque))
    world.peer.leave()
    for waiting in late:
        waiting.callback(GetKVConfigReply("v"))
    assert world.peer.clock.getDelayedCalls() == []
    assert world.peer.connection._soon == []
    assert world.dispatcher.waiting == 0


def test_what_was_to_leave_soon_leaves_before_the_connection_closes(world: World) -> None:
    late: list[Deferred[Any]] = [Deferred(), Deferred()]
    for opaque, waiting in enumerate(late):
        world.processor.result = waiting
        world.peer.send(Command(101, {"namespace": "n", "key": "k"}, opaque=opaque))
    late[0].callback(GetKVConfigReply("v"))
    world.peer.connection.close()
    assert [answer.opaque for answer in world.peer.answers()] == [0]


def test_a_request_that_waits_keeps_no_body(world: World) -> None:
    kept: list[Command] = []
    late: Deferred[Any] = Deferred()

    class Holds:
        @handles_raw(PutKVConfig)
        def hold(self, connection: Connection, command: Command) -> Any:
            kept.append(command)
            assert command.body == b"payload"
            return late

    peer = MemoryPeer(Dispatcher([Holds()]))
    peer.send(Command(100, {}, b"payload"))
    assert [command.body for command in kept] == [b""]
    late.callback(encode(Command(0, opaque=kept[0].opaque, flag=FLAG_RESPONSE)))
    assert [answer.code for answer in peer.answers()] == [0]


def test_a_refusal_may_come_later(world: World) -> None:
    late: Deferred[Any] = Deferred()
    world.processor.result = late
    world.peer.send(Command(101, {"namespace": "n", "key": "k"}))
    late.errback(TopicNotExistError("gone"))
    (answer,) = world.peer.answers()
    assert (answer.code, answer.remark) == (17, "gone")
    assert world.dispatcher.waiting == 0


def test_a_late_oneway_is_not_answered_either(world: World) -> None:
    late: Deferred[Any] = Deferred()
    world.processor.result = late
    world.peer.send(Command(101, {"namespace": "n", "key": "k"}, flag=FLAG_ONEWAY))
    late.callback(None)
    assert world.peer.answers() == []


def test_a_late_answer_to_a_peer_that_left_is_dropped(world: World) -> None:
    late: Deferred[Any] = Deferred()
    world.processor.result = late
    world.peer.send(Command(101, {"namespace": "n", "key": "k"}))
    world.peer.leave()
    late.callback(None)
    assert world.dispatcher.waiting == 0


@pytest.mark.parametrize("limits", [{"max_waiting": 2}, {"max_waiting_per_connection": 2}])
def test_more_than_may_wait_are_refused_as_busy(limits: dict[str, int]) -> None:
    world = World(**limits)
    cancelled: list[Any] = []
    for opaque in range(3):
        world.processor.result = Deferred(cancelled.append)
        world.peer.send(Command(101, {"namespace": "n", "key": "k"}, opaque=opaque))
    (answer,) = world.peer.answers()
    assert (answer.code, answer.opaque) == (2, 2)
    assert cancelled == [world.processor.result]
    assert world.dispatcher.waiting == 2


def test_a_raw_handler_makes_its_own_frames_and_may_refuse(world: World) -> None:
    header = DeleteKVConfig("n", "k")
    frame = encode(Command(0, {"raw": "yes"}, opaque=1, flag=FLAG_RESPONSE))
    assert world.ask(frame, header).ext == {"raw": "yes"}
    assert world.ask(InvalidParameterError("bad"), header).code == 29
    late: Deferred[bytes] = Deferred()
    world.processor.result = late
    world.peer.send(Command(102, {"namespace": "n", "key": "k"}, opaque=7))
    late.callback(encode(Command(0, {}, b"late", opaque=7, flag=FLAG_RESPONSE)))
    assert world.peer.answers()[0].body == b"late"


def replying(answer: str) -> bytes:
    """The reply's frame; refuses an answer."""
    if answer == "bad":
        raise InvalidParameterError("bad answer")
    return encode(Command(0, {"value": answer}, opaque=7, flag=FLAG_RESPONSE))


@pytest.mark.parametrize(("answer", "code", "ext"), [("v", 0, {"value": "v"}), ("bad", 29, {})])
def test_what_a_raw_handler_gives_may_be_late(world: World, answer: str, code: int, ext: dict[str, str]) -> None:
    late = world.processor.result = Late(replying)
    world.peer.send(Command(102, {"namespace": "n", "key": "k"}, b"body", opaque=7))
    assert (world.peer.answers(), world.dispatcher.waiting, world.peer.connection.waiting) == ([], 1, 1)
    late(answer)
    (reply,) = world.peer.answers()
    assert (reply.opaque, reply.code, reply.ext) == (7, code, ext)
    assert (world.dispatcher.waiting, world.peer.connection.waiting) == (0, 0)


@pytest.mark.parametrize(("answer", "made"), [("v", ["v"]), ("other", ["v", "other"])])
def test_what_is_expected_is_made_before_it_comes(world: World, answer: str, made: list[str]) -> None:
    seen: list[str] = []

    def make(answer: str) -> bytes:
        seen.append(answer)
        return replying(answer)

    late = world.processor.result = Late(make)
    late.expect("v")
    assert seen == ["v"]
    world.peer.send(Command(102, {"namespace": "n", "key": "k"}, opaque=7))
    assert world.peer.answers() == []
    late(answer)
    assert [reply.ext for reply in world.peer.answers()] == [{"value": answer}]
    assert seen == made


def test_what_is_late_for_a_oneway_is_made_but_not_sent(world: World) -> None:
    made: list[str] = []

    def make(answer: str) -> bytes:
        made.append(answer)
        return replying(answer)

    late = world.processor.result = Late(make)
    world.peer.send(Command(102, {"namespace": "n", "key": "k"}, flag=FLAG_ONEWAY))
    late("v")
    assert (made, world.peer.answers(), world.dispatcher.waiting) == (["v"], [], 0)


def test_what_is_late_may_be_refused_as_busy() -> None:
    world = World(max_waiting=1)
    lates = [Late(replying), Late(replying)]
    for late in lates:
        world.processor.result = late
        world.peer.send(Command(102, {"namespace": "n", "key": "k"}, opaque=7))
    assert [answer.code for answer in world.peer.answers()] == [2]
    for late in reversed(lates):
        late("v")
    assert [answer.ext for answer in world.peer.answers()] == [{"value": "v"}]
    assert world.dispatcher.waiting == 0


def test_what_is_late_can_be_a_deferred() -> None:
    late = Late(replying)
    found: list[Any] = []
    late.deferred().addCallback(found.append)
    assert found == []
    late("v")
    assert found == [replying("v")]


def test_offences_are_one_line_in_the_log_and_ordinary_refusals_none(world: World, events: list[Any]) -> None:
    world.ask(TopicNotExistError("x"))
    assert [event for event in events if event["log_level"].name == "warn"] == []
    world.ask(InvalidParameterError("name " + "y" * 1000))
    world.peer.send(Command(101, {}))
    assert len([event for event in events if event["log_level"].name == "warn"]) == 2


def test_two_handlers_of_one_request_are_a_mistake() -> None:
    with pytest.raises(TypeError, match="has two handlers"):
        Dispatcher([Processor(), Processor()])


def test_the_codes_are_known(world: World) -> None:
    assert world.dispatcher.codes == {100, 101, 102, 219}
