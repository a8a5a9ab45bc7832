"""Sessions: name servers in turn, jobs side by side, under both drivers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rmq.client.admin import aio, tx
from rmq.client.admin.session import SIDE_BY_SIDE, Admin
from rmq.remoting.errors import ConnectFailedError
from rmq.wire.bodies.topic import TopicList
from rmq.wire.errors import RemotingError, SystemBusyError
from rmq.wire.requests.namesrv import GetAllTopicListFromNameserver
from tests.kit.adminfake import FakeServers


async def no_sleep(seconds: float) -> None:
    raise AssertionError("nothing sleeps here")


def session(servers: FakeServers, together: Any = aio.together, nameservers: tuple[str, ...] = ("n:1", "n:2")) -> Admin:
    return Admin(servers, nameservers, together=together, now=lambda: 0, sleep=no_sleep, choose=lambda count: 0)


def ask(admin: Admin) -> list[str]:
    async def run() -> list[str]:
        return (await admin.ask(GetAllTopicListFromNameserver())).json(TopicList).topic_list

    return asyncio.run(run())


def test_the_next_name_server_is_asked_and_remembered() -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: TopicList(["T"])})
    servers.down = {"n:1"}
    admin = session(servers)
    assert ask(admin) == ["T"]
    assert ask(admin) == ["T"]
    assert [address for address, _, _ in servers.calls] == ["n:1", "n:2", "n:2"]


def test_a_refusal_is_an_answer() -> None:
    servers = FakeServers({GetAllTopicListFromNameserver: SystemBusyError("busy")})
    with pytest.raises(SystemBusyError):
        ask(session(servers))
    assert len(servers.calls) == 1


def test_no_name_server_left() -> None:
    servers = FakeServers()
    servers.down = {"n:1", "n:2"}
    with pytest.raises(ConnectFailedError, match="n:2"):
        ask(session(servers))


class Gate:
    """Jobs that wait until all that may run are running; counts them."""

    def __init__(self, make: Callable[[], Any], finish: Callable[[Any], None]) -> None:
        self._make, self._finish = make, finish
        self._waiting: list[Any] = []
        self.most = 0

    async def job(self, item: int) -> int:
        waiter = self._make()
        self._waiting.append(waiter)
        self.most = max(self.most, len(self._waiting))
        if len(self._waiting) == SIDE_BY_SIDE or item >= 64:
            waiting, self._waiting = self._waiting, []
            for other in waiting:
                self._finish(other)
        await waiter
        return item * 2


def under_asyncio(operation: Callable[[Any, Callable[[], Any], Callable[[Any], None]], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        loop = asyncio.get_running_loop()
        return await operation(aio.together, loop.create_future, lambda future: future.set_result(None))

    return asyncio.run(run())


def under_twisted(operation: Callable[[Any, Callable[[], Any], Callable[[Any], None]], Any]) -> Any:
    outcome: list[Any] = []
    made = Deferred.fromCoroutine(operation(tx.together, Deferred, lambda waiter: waiter.callback(None)))
    made.addBoth(outcome.append)
    if hasattr(outcome[0], "raiseException"):
        outcome[0].raiseException()
    return outcome[0]


@pytest.fixture(params=[under_asyncio, under_twisted])
def driver(request: pytest.FixtureRequest) -> Any:
    """Runs an operation on one of the two."""
    return request.param


def test_jobs_run_side_by_side_but_not_all_at_once(driver: Any) -> None:
    gates = []

    async def operation(together: Any, make: Any, finish: Any) -> list[int]:
        gates.append(Gate(make, finish))
        return await session(FakeServers(), together).each(range(70), gates[0].job)

    assert driver(operation) == [number * 2 for number in range(70)]
    assert gates[0].most == SIDE_BY_SIDE


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_jobs(driver: Any, count: int) -> None:
    async def operation(together: Any, make: Any, finish: Any) -> list[int]:
        async def job(item: int) -> int:
            return item + 1

        return await session(FakeServers(), together).each(range(count), job)

    assert driver(operation) == [1, 2][:count]


def test_the_first_failure_ends_the_others(driver: Any) -> None:
    ended: list[str] = []

    async def operation(together: Any, make: Any, finish: Any) -> None:
        async def job(item: int) -> None:
            if item == 2:
                raise SystemBusyError("busy")
            try:
                await make()
            finally:
                ended.append("cancelled")

        await session(FakeServers(), together).each(range(3), job)

    with pytest.raises(SystemBusyError, match="busy"):
        driver(operation)
    assert ended == ["cancelled", "cancelled"]


def test_failures_as_results(driver: Any) -> None:
    async def operation(together: Any, make: Any, finish: Any) -> list[int | RemotingError]:
        async def job(item: int) -> int:
            if item == 1:
                raise SystemBusyError("busy")
            return item

        return await session(FakeServers(), together).attempt_each(range(3), job)

    first, second, third = driver(operation)
    assert (first, third) == (0, 2)
    assert isinstance(second, SystemBusyError)


@pytest.mark.parametrize(("given", "wanted", "used"), [(None, None, 5.0), (None, 15.0, 15.0), (2.0, 15.0, 2.0)])
def test_a_given_timeout_is_never_exceeded(given: float | None, wanted: float | None, used: float) -> None:
    found = []

    class Watched(FakeServers):
        async def call(self, *args: Any, timeout: float = 3.0, **others: Any) -> Any:
            found.append(timeout)
            return await super().call(*args, timeout=timeout, **others)

    async def run() -> None:
        admin = Admin(
            Watched(), ("n:1",), together=aio.together, now=lambda: 0, sleep=no_sleep, choose=lambda n: 0, timeout=given
        )
        await admin.call("b:1", GetAllTopicListFromNameserver(), timeout=wanted)

    asyncio.run(run())
    assert found == [used]


def test_jobs_within_jobs_share_the_places() -> None:
    under_way, most = 0, 0

    async def run() -> list[int]:
        admin = session(FakeServers())

        async def inner(item: int) -> int:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            return item

        async def outer(item: int) -> int:
            return sum(await admin.each(range(20), inner))

        found = await admin.each(range(5), outer)
        assert admin._spare == SIDE_BY_SIDE - 1
        return found

    assert asyncio.run(run()) == [190] * 5
    assert most == SIDE_BY_SIDE


def test_places_come_back_after_a_failure(driver: Any) -> None:
    spare = []

    async def operation(together: Any, make: Any, finish: Any) -> None:
        admin = session(FakeServers(), together)

        async def job(item: int) -> None:
            raise SystemBusyError("busy")

        try:
            await admin.each(range(50), job)
        finally:
            spare.append(admin._spare)

    with pytest.raises(SystemBusyError):
        driver(operation)
    assert spare == [SIDE_BY_SIDE - 1]


def test_progress_of_the_outermost_jobs() -> None:
    told: list[tuple[int, int]] = []

    async def run() -> None:
        admin = Admin(
            FakeServers(),
            ("n:1",),
            together=aio.together,
            now=lambda: 0,
            sleep=no_sleep,
            choose=lambda count: 0,
            progress=lambda done, total: told.append((done, total)),
        )

        async def inner(item: int) -> int:
            return item

        async def outer(item: int) -> None:
            await admin.each(range(4), inner)

        await admin.each(range(3), outer)
        await admin.each(range(1), outer)

    asyncio.run(run())
    assert told == [(1, 3), (2, 3), (3, 3), (1, 1)]
