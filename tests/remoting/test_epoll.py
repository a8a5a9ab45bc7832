"""The servers' reactor: what fails, fails alone; time, threads and patience are kept."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.protocol import ClientFactory, Factory, Protocol
from twisted.python import log

from rmq.remoting.epoll import PATIENCE, Events, PatientPoll, ServerReactor

Log = list[dict[str, Any]]


class Peer(Protocol):
    """Answers with what it got, and fails when it is asked to, once or again when its connection ends."""

    def __init__(self, said: list[object]) -> None:
        self._said = said
        self._clumsy = False

    def dataReceived(self, data: bytes) -> None:
        self._clumsy = data == b"fail twice"
        if data.startswith(b"fail"):
            raise ValueError("as asked")
        self.transport.write(data)  # type: ignore[union-attr]

    def connectionLost(self, reason: Any) -> None:
        self._said.append(reason.type.__name__)
        if self._clumsy:
            raise KeyError("while tidying up")


class World:
    """A reactor in this thread, a listening port, and clients in another thread."""

    def __init__(self, patience: float) -> None:
        self.reactor: Any = ServerReactor(patience)
        self.said: list[object] = []
        factory: Any = Factory.forProtocol(lambda: Peer(self.said))  # type: ignore[arg-type]
        factory.noisy = False
        self.port = self.reactor.listenTCP(0, factory, interface="127.0.0.1")

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port.getHost().port), timeout=5)

    def run(self, clients: Callable[[], None]) -> None:
        """Runs the reactor until the clients are through; raises what they raised."""
        errors: list[BaseException] = []

        def work() -> None:
            try:
                clients()
            except BaseException as error:
                errors.append(error)
            self.reactor.callFromThread(self.reactor.stop)

        thread = threading.Thread(target=work)
        self.reactor.callWhenRunning(thread.start)
        self.reactor.run(installSignalHandlers=False)
        thread.join()
        if errors:
            raise errors[0]


@pytest.fixture(params=[0.0, PATIENCE], ids=["asleep", "patient"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


@pytest.fixture
def failures() -> Iterator[Log]:
    events: Log = []

    def observe(event: dict[str, Any]) -> None:
        if event.get("isError"):
            events.append(event)

    log.addObserver(observe)
    yield events
    log.removeObserver(observe)


def ask(peer: socket.socket, word: bytes) -> bytes:
    peer.sendall(word)
    return peer.recv(100)


def test_a_peer_that_makes_its_reader_fail_goes_alone(world: World, failures: Log) -> None:
    def clients() -> None:
        with world.connect() as good, world.connect() as bad:
            assert ask(good, b"one") == b"one"
            assert ask(bad, b"fail") == b""
            assert ask(good, b"two") == b"two"
            assert world.said == ["ValueError"]

    world.run(clients)
    assert [str(event["failure"].value) for event in failures] == ["as asked"]
    assert failures[0]["system"].startswith("Peer,1,127.0.0.1")


def test_a_peer_that_goes_is_noticed(world: World, failures: Log) -> None:
    def clients() -> None:
        with world.connect() as stays:
            with world.connect() as leaves:
                assert ask(leaves, b"one") == b"one"
            while world.said != ["ConnectionDone"]:
                assert ask(stays, b"still there") == b"still there"

    world.run(clients)
    assert failures == []


def test_a_failure_while_a_connection_ends_is_logged_too(world: World, failures: Log) -> None:
    def clients() -> None:
        with world.connect() as good, world.connect() as bad:
            bad.sendall(b"fail twice")
            while world.said != ["ValueError"]:
                assert ask(good, b"still there") == b"still there"

    world.run(clients)
    assert [type(event["failure"].value) for event in failures] == [ValueError, KeyError]


def test_more_than_a_socket_takes_is_written_when_it_can(world: World) -> None:
    def clients() -> None:
        with world.connect() as peer:
            sent, got = 0, 0
            for _ in range(64):
                peer.sendall(b"x" * 65536)
                sent += 65536
            while got < sent:
                got += len(peer.recv(1 << 20))

    world.run(clients)


def test_what_is_urgent_goes_before_what_came_with_it(world: World) -> None:
    came: list[bytes] = []

    class Noting(Protocol):
        urgent = False

        def dataReceived(self, data: bytes) -> None:
            # The first word says which one this is.
            if data == b"urgent":
                self.urgent = True
            elif data != b"patient":
                came.append(data)
                return
            self.transport.write(data)  # type: ignore[union-attr]

    factory: Any = Factory.forProtocol(Noting)  # type: ignore[arg-type]
    port = world.reactor.listenTCP(0, factory, interface="127.0.0.1")
    peers = [socket.create_connection(("127.0.0.1", port.getHost().port), timeout=5) for _ in range(5)]
    words = [b"patient", b"urgent", b"patient", b"patient", b"urgent"]
    sent = threading.Event()

    def send_to_all() -> None:
        for number, peer in enumerate(peers):
            peer.sendall(b"%d" % number)
        world.reactor.callLater(0, lambda: world.reactor.callLater(0, sent.set))

    def clients() -> None:
        for peer, word in zip(peers, words, strict=True):
            assert ask(peer, word) == word
        world.reactor.callFromThread(send_to_all)
        assert sent.wait(5)
        for peer in peers:
            peer.close()

    world.run(clients)
    assert (sorted(came[:2]), sorted(came[2:])) == ([b"1", b"4"], [b"0", b"2", b"3"])


def test_timed_calls_come_in_order_and_in_time(world: World) -> None:
    came: list[str] = []
    over = threading.Event()
    reactor = world.reactor
    begun = reactor.seconds()
    reactor.callLater(0.02, lambda: (came.append("last"), over.set()))
    reactor.callLater(0.01, came.append, "second")
    reactor.callLater(0, came.append, "first")
    reactor.callLater(0.005, came.append, "never").cancel()

    def clients() -> None:
        with world.connect() as peer:
            while not over.is_set():
                assert ask(peer, b"busy") == b"busy"

    world.run(clients)
    assert came == ["first", "second", "last"]
    assert reactor.seconds() - begun >= 0.02


def test_a_call_from_a_thread_wakes_a_reactor_that_has_nothing_to_do(world: World) -> None:
    threads: list[int] = []

    def clients() -> None:
        done = threading.Event()
        world.reactor.callFromThread(lambda: (threads.append(threading.get_ident()), done.set()))
        assert done.wait(5)

    world.run(clients)
    assert threads == [threading.get_ident()]


def test_who_connects_sends_at_once_too(world: World) -> None:
    """Before the reactor comes round to it, what was written is at the peer."""
    found: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)

        class Greeter(Protocol):
            def connectionMade(self) -> None:
                accepted, _ = listening.accept()
                with accepted:
                    accepted.settimeout(5)
                    assert self.transport is not None
                    self.transport.write(b"hello")
                    found.append(accepted.recv(5))

        factory: Any = ClientFactory()
        factory.noisy = False
        factory.buildProtocol = lambda address: Greeter()
        factory.clientConnectionLost = lambda *_: world.reactor.stop()
        world.reactor.connectTCP("127.0.0.1", listening.getsockname()[1], factory, timeout=5)
        world.reactor.run(installSignalHandlers=False)
    assert found == [b"hello"]


class Looks:
    """A poll with events that come at given times. A look takes one unit of time, a sleep ends with the next event."""

    def __init__(self, *events: tuple[float, Events]) -> None:
        self.time = 0.0
        self.events = list(events)
        self.said: list[object] = []
        self.wait = PatientPoll(self.poll, 5, lambda: self.time, lambda: self.said.append("pause"))

    def poll(self, timeout: float, limit: int) -> Events:
        assert limit == 7
        self.said.append(timeout)
        if timeout == 0:
            self.time += 1
            if not self.events or self.events[0][0] > self.time:
                return []
        time, events = self.events.pop(0)
        self.time = max(time, self.time)
        return events


EVENT = [(4, 1)]


def quick(looks: Looks, number: int) -> None:
    """Lets so many events come quickly, and forgets what was said."""
    looks.events = [(looks.time + 2 + at, EVENT) for at in range(number)]
    for _ in range(number):
        assert looks.wait(-1, 7) == EVENT
    assert looks.events == []
    looks.said.clear()


def late(looks: Looks, number: int = 1) -> list[object]:
    """What was done for events that come after a long while."""
    for _ in range(number):
        looks.events = [(looks.time + 50, EVENT)]
        assert looks.wait(90, 7) == EVENT
    said, looks.said = looks.said, []
    return said


WATCHED = [*[0, "pause"] * 5, 85]
"""A wait that was watched in vain, and slept on."""


def test_it_watches_after_eight_quick_events() -> None:
    looks = Looks(*((2 * number, EVENT) for number in range(1, 10)))
    assert [looks.wait(-1, 7) for _ in range(9)] == [EVENT] * 9
    assert looks.said == [*[-1] * 8, 0, "pause", 0]


def test_it_watches_no_more_when_that_is_often_in_vain() -> None:
    looks = Looks()
    quick(looks, 8)
    assert late(looks, 2) == [*WATCHED, 90]
    quick(looks, 100)
    assert late(looks, 6) == [*WATCHED * 5, 90], "trust does not grow for ever"
    quick(looks, 7)
    assert late(looks) == [90], "nor is it ever less than none"


def test_a_late_one_among_many_does_no_harm() -> None:
    looks = Looks()
    quick(looks, 24)
    for _ in range(50):
        assert late(looks) == WATCHED
        quick(looks, 4)


@pytest.mark.parametrize("together", [1, 2, 3, 4])
def test_a_few_quick_ones_between_slow_ones_are_slept_for(together: int) -> None:
    looks = Looks()
    for _ in range(50):
        looks.events = [(looks.time + 50, EVENT), *((looks.time + 51 + at, EVENT) for at in range(together))]
        for _ in range(1 + together):
            looks.wait(-1, 7)
    assert set(looks.said) == {-1}


def test_a_time_that_is_over_is_no_event() -> None:
    looks = Looks(*((2 * number, []) for number in range(1, 10)), (20, EVENT))
    for _ in range(10):
        looks.wait(20, 7)
    assert looks.said == [20] * 10


def test_a_timed_call_within_the_patience_is_slept_for() -> None:
    looks = Looks()
    quick(looks, 24)
    looks.events = [(looks.time + 1, EVENT)]
    looks.wait(5, 7)
    assert looks.said == [5]


def test_who_has_no_time_gets_one_look() -> None:
    looks = Looks()
    assert looks.wait(0, 7) == []
    assert looks.said == [0]
