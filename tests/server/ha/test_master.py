"""All slaves of a master: who connects, when they are sent what, what is told of them, how it stops."""

from typing import Any

import pytest
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from rmq.remoting.server import ListenError
from rmq.server.ha.acks import AckTable
from rmq.server.ha.master import PUMP_SECONDS, HaMaster, SlaveState
from rmq.server.store.api import PutStatus
from rmq.settings.model import BrokerSettings
from rmq.wire.hastream import encode_report
from tests.kit.ha import BytesLog, pattern, transfers
from tests.kit.peer import MemoryTransport


class World:
    def __init__(self, length: int = 500) -> None:
        self.reactor = MemoryReactorClock()
        self.log = BytesLog(pattern(length))
        self.settings = BrokerSettings()
        self.acks = AckTable(self.reactor, lambda: 2, lambda: 3.0)
        self.master = HaMaster(self.reactor, self.log, self.settings, self.acks)
        self.master.listen("127.0.0.1", 10912)

    def connect(self, report: int | None = None, port: int = 40000) -> MemoryTransport:
        sender = self.reactor.tcpServers[0][1].buildProtocol(None)
        transport = MemoryTransport(port)
        transport.connection = sender
        sender.makeConnection(transport)
        if report is not None:
            sender.dataReceived(encode_report(report))
        return transport

    def grow(self, length: int) -> None:
        self.log.data = pattern(length)


@pytest.fixture
def world() -> World:
    return World()


def test_it_listens_and_a_taken_port_names_the_setting(world: World) -> None:
    assert world.reactor.tcpServers[0][0] == 10912
    assert world.reactor.tcpServers[0][3] == "127.0.0.1"
    assert world.master.port == 10912

    def listen(port: int, *words: Any, **more: Any) -> Any:
        raise CannotListenError("127.0.0.1", port, OSError(98, "Address already in use"))

    world.reactor.listenTCP = listen
    with pytest.raises(ListenError, match="Choose another haListenPort"):
        HaMaster(world.reactor, world.log, world.settings, world.acks).listen("127.0.0.1", 10912)


def test_what_is_stored_goes_to_every_slave_at_the_end_of_the_turn(world: World) -> None:
    slaves = [world.connect(500, 40000), world.connect(500, 40001)]
    world.grow(550)
    world.master.pump()
    world.grow(600)
    world.master.pump()
    assert [slave.value() for slave in slaves] == [b"", b""]
    world.reactor.advance(0)
    for slave in slaves:
        assert transfers(slave.value()) == [(500, pattern(600)[500:])]


def test_the_message_of_one_who_sends_one_at_a_time_goes_at_once(world: World) -> None:
    slave = world.connect(500)
    told: list[PutStatus] = []
    for end in (510, 520, 530):
        world.grow(end)
        assert world.acks.wait(end, told.append) is None
        world.master.pump()
        world.reactor.advance(0)
        slave.connection.dataReceived(encode_report(end))
    slave.clear()
    world.grow(540)
    world.acks.stored()
    assert transfers(slave.value()) == [(530, pattern(540)[530:])]
    assert world.acks.wait(540, told.append) is None
    # Nothing is left for the end of the turn.
    due = len(world.reactor.getDelayedCalls())
    world.master.pump()
    assert len(world.reactor.getDelayedCalls()) == due
    slave.connection.dataReceived(encode_report(540))
    assert told == [PutStatus.PUT_OK] * 4


def test_what_nobody_tells_of_goes_soon(world: World) -> None:
    slave = world.connect(500)
    world.grow(600)
    world.reactor.advance(PUMP_SECONDS)
    assert transfers(slave.value()) == [(500, pattern(600)[500:])]


def test_without_slaves_nothing_is_to_do(world: World) -> None:
    slave = world.connect(500)
    slave.lose()
    world.reactor.advance(0.5)
    before = world.reactor.getDelayedCalls()
    world.master.pump()
    assert world.reactor.getDelayedCalls() == before
    assert len(before) == 1


def test_slaves_that_have_reported_are_told_of(world: World) -> None:
    world.connect()
    world.connect(500, 40001)
    world.connect(200, 40002)
    assert world.master.slaves() == [
        SlaveState("10.0.0.1:40001", 500, 500, 0, True, 0),
        SlaveState("10.0.0.1:40002", 200, 500, 0, True, None),
    ]


def test_speed_lag_and_whether_a_slave_is_in_sync(world: World) -> None:
    world.settings.store.ha_max_gap_not_in_sync = 100
    slave = world.connect(500)
    world.reactor.advance(0)
    world.reactor.advance(1.0)
    world.grow(599)
    world.reactor.advance(0.25)
    assert world.master.slaves() == [SlaveState("10.0.0.1:40000", 500, 599, 0, True, 250)]
    world.grow(600)
    world.reactor.advance(0.75)
    assert world.master.slaves() == [SlaveState("10.0.0.1:40000", 500, 600, 99, False, 1000)]
    slave.connection.dataReceived(encode_report(600))
    assert world.master.slaves() == [SlaveState("10.0.0.1:40000", 600, 600, 99, True, 0)]


def test_acknowledgements_reach_who_waits(world: World) -> None:
    slave = world.connect(500)
    world.grow(600)
    answers: list[PutStatus] = []
    assert world.acks.wait(600, answers.append) is None
    world.master.pump()
    world.reactor.advance(0)
    slave.connection.dataReceived(encode_report(599))
    assert answers == []
    slave.connection.dataReceived(encode_report(600))
    assert answers == [PutStatus.PUT_OK]


def test_stopping_brings_slaves_the_last_messages_and_answers_who_waits(world: World) -> None:
    slave = world.connect(500)
    slave.loseConnection = lambda: None
    world.grow(600)
    world.master.pump()
    answers: list[PutStatus] = []
    assert world.acks.wait(600, answers.append) is None
    done: list[Any] = []
    world.master.stop().addCallback(done.append)
    assert transfers(slave.value()) == [(500, pattern(600)[500:])]
    assert (done, answers) == ([], [])
    del slave.loseConnection
    slave.loseConnection()
    assert (done, answers) == ([None], [PutStatus.FLUSH_SLAVE_TIMEOUT])
    assert not world.reactor.getDelayedCalls()


def test_stopping_does_not_wait_long_for_a_slave_that_reads_nothing(world: World) -> None:
    slave = world.connect(500)
    slave.loseConnection = lambda: None
    done: list[Any] = []
    world.master.stop().addCallback(done.append)
    world.reactor.advance(0.9)
    assert done == []
    del slave.loseConnection
    world.reactor.advance(0.1)
    assert slave.aborting
    assert done == [None]
    assert not world.reactor.getDelayedCalls()


def test_stopping_what_never_listened_is_done_at_once() -> None:
    reactor = MemoryReactorClock()
    acks = AckTable(reactor, lambda: 2, lambda: 3.0)
    done: list[Any] = []
    HaMaster(reactor, BytesLog(), BrokerSettings(), acks).stop().addCallback(done.append)
    assert done == [None]


def test_too_many_slaves_are_refused_until_one_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmq.server.ha.master.MOST_SLAVES", 2)
    first = world.connect(500, 40000)
    world.connect(500, 40001)
    factory = world.reactor.tcpServers[0][1]
    assert factory.buildProtocol(None) is None
    first.connection.connectionLost(Failure(ConnectionDone()))
    assert factory.buildProtocol(None) is not None
