"""When a master counts as away, and who is told."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from rmq.remoting.calls import Answer
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError
from rmq.server.broker.slave.watch import MasterWatch
from rmq.wire.command import Command
from rmq.wire.errors import RemotingError
from rmq.wire.requests.replication import GetTimerCheckPoint, GetTimerMetrics

A, B = "10.0.0.1:10911", "10.0.0.2:10911"


class Line:
    """A connection."""

    def __init__(self) -> None:
        self.callbacks: list[Any] = []

    def on_close(self, callback: Any) -> None:
        self.callbacks.append(callback)

    def close(self) -> None:
        for callback in self.callbacks:
            callback(self)


class Client:
    """Connections, and calls that wait until the test answers them."""

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {A: Line(), B: Line()}
        self.calls: list[tuple[str, Any, Deferred[Any]]] = []

    def connection(self, address: str) -> Any:
        if address not in self.lines:
            return Deferred.fromCoroutine(self._fail(address))
        return succeed(self.lines[address])

    async def _fail(self, address: str) -> None:
        raise ConnectFailedError(address, "Connection refused")

    def call(self, address: str, header: Any, *, timeout: float = 3.0) -> Any:
        result: Deferred[Any] = Deferred()
        self.calls.append((address, header, result))
        return result

    def answer(self, index: int = 0) -> None:
        address, header, result = self.calls.pop(index)
        result.callback(Answer(type(header), Command(0, body=b"x"), address))

    def fail(self, error: Exception, index: int = 0) -> None:
        self.calls.pop(index)[2].errback(Failure(error))


class Scene:
    def __init__(self) -> None:
        self.client = Client()
        self.watch = MasterWatch(self.client)
        self.told: list[str] = []
        self.watch.on_away.append(lambda: self.told.append("away"))
        self.watch.on_return.append(lambda: self.told.append("back"))
        self.results: list[Any] = []

    def ask(self, kind: Any = GetTimerCheckPoint, timeout: float = 3.0) -> None:
        Deferred.fromCoroutine(self.watch.ask(kind(), timeout=timeout)).addBoth(self.results.append)

    def present(self) -> None:
        self.watch.master_is(A)
        self.ask()
        self.client.answer()
        assert self.told == ["back"]
        self.told.clear()

    def reason(self) -> Any:
        result = self.results.pop()
        assert isinstance(result, Failure)
        return result.value


def test_it_is_away_until_it_answers() -> None:
    scene = Scene()
    assert scene.watch.away
    scene.ask()
    assert isinstance(scene.reason(), ConnectFailedError)
    scene.watch.master_is(A)
    assert scene.watch.away
    scene.ask()
    assert scene.told == []
    scene.client.answer()
    assert scene.results[0].body == b"x"
    assert (scene.told, scene.watch.away, scene.watch.reachable) == (["back"], False, True)


def test_a_refusal_is_an_answer() -> None:
    scene = Scene()
    scene.watch.master_is(A)
    scene.ask()
    scene.client.fail(RemotingError("no"))
    assert str(scene.reason()) == "CODE: 1  DESC: no"
    assert scene.told == ["back"]


def test_a_connection_that_breaks_tells_at_once() -> None:
    scene = Scene()
    scene.present()
    scene.client.lines[A].close()
    assert (scene.told, scene.watch.away) == (["away"], True)
    del scene.client.lines[A]
    scene.ask()
    assert isinstance(scene.reason(), ConnectFailedError)
    scene.client.lines[A] = Line()
    scene.ask()
    scene.client.answer()
    assert scene.told == ["away", "back"]


@pytest.mark.parametrize("error", [CallTimeoutError(A, 3), ConnectFailedError(A)])
def test_no_answer_tells_too(error: Exception) -> None:
    scene = Scene()
    scene.present()
    scene.ask()
    scene.client.fail(error)
    assert scene.told == ["away"]
    scene.ask()
    scene.client.answer()
    assert scene.told == ["away", "back"]


def test_a_large_answer_may_be_late_while_small_ones_come() -> None:
    scene = Scene()
    scene.present()
    scene.ask(GetTimerMetrics, timeout=30)
    scene.ask()
    scene.client.answer(1)
    scene.client.fail(CallTimeoutError(A, 30))
    assert (scene.told, scene.watch.away) == ([], False)


def test_one_that_no_name_server_knows_is_away_but_is_asked() -> None:
    scene = Scene()
    scene.present()
    scene.watch.master_is(None)
    assert (scene.told, scene.watch.away, scene.watch.reachable) == (["away"], True, True)
    scene.ask()
    scene.client.answer()
    assert scene.watch.away
    scene.watch.master_is(A)
    assert scene.told == ["away", "back"]


def test_another_master() -> None:
    scene = Scene()
    scene.present()
    scene.ask()
    scene.watch.master_is(B)
    assert scene.told == ["away"]
    # What the former one says, or that its connection breaks, means nothing any more.
    scene.client.answer()
    scene.client.lines[A].close()
    assert (scene.told, scene.watch.away) == (["away"], True)
    scene.ask()
    assert scene.client.calls[0][0] == B
    scene.client.answer()
    assert scene.told == ["away", "back"]
    scene.client.lines[A].close()
    assert scene.told == ["away", "back"]
