"""Coroutines that start at once, events, shared and repeated calls."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from rmq.client.waiting import Periodic, Shared, Waiters, deferred, sleep


def failure_of(result: Deferred[object]) -> Exception:
    failures: list[Exception] = []
    result.addErrback(lambda failure: failures.append(failure.value))
    return failures[0]


def test_deferred_starts_at_once() -> None:
    """The work begins with the call, not with the first await."""
    begun: list[int] = []

    @deferred
    async def work(value: int) -> int:
        begun.append(value)
        return value + 1

    results: list[int] = []
    work(1).addCallback(results.append)
    assert (begun, results) == ([1], [2])


def test_sleep_ends_in_time_and_can_be_given_up() -> None:
    clock = Clock()
    done: list[object] = []
    sleep(clock, 2).addCallback(done.append)
    given_up = sleep(clock, 3)
    clock.advance(1.9)
    assert done == []
    clock.advance(0.2)
    assert done == [None]
    given_up.cancel()
    assert isinstance(failure_of(given_up), CancelledError)
    assert clock.getDelayedCalls() == []


def test_waiters_are_woken_in_order() -> None:
    waiters: Waiters[str] = Waiters()
    told: list[tuple[int, str]] = []
    waiting = [waiters.wait() for _ in range(4)]
    for number, result in enumerate(waiting):
        result.addCallbacks(lambda value, n=number: told.append((n, value)), lambda _: None)
    waiters.wake_one("first")
    waiting[2].cancel()
    assert len(waiters) == 2
    waiters.wake("rest")
    waiters.wake("nobody")
    assert told == [(0, "first"), (1, "rest"), (3, "rest")]


def test_waiter_cancelled_by_one_that_is_woken_before() -> None:
    """Waking one may cancel the next; that one must not stop the others."""
    waiters: Waiters[None] = Waiters()
    first, second, third = waiters.wait(), waiters.wait(), waiters.wait()
    told: list[int] = []
    first.addCallback(lambda _: second.cancel())
    second.addErrback(lambda _: None)
    third.addCallback(lambda _: told.append(3))
    waiters.wake(None)
    assert told == [3]


def test_shared_call_runs_once_for_all_who_ask() -> None:
    shared: Shared[str, int] = Shared()
    started: list[str] = []
    ends: list[Deferred[int]] = []

    async def work(name: str) -> int:
        started.append(name)
        ends.append(Deferred())
        return await ends[-1]

    results: list[int] = []
    asked = [shared.run(key, lambda key=key: work(key)) for key in ("a", "a", "b")]
    for result in asked:
        result.addCallbacks(results.append, lambda _: results.append(-1))
    asked[0].cancel()
    assert started == ["a", "b"]
    ends[0].callback(1)
    ends[1].errback(ValueError("no"))
    assert results == [-1, 1, -1]
    shared.run("a", lambda: work("a again"))
    assert started == ["a", "b", "a again"]


def test_periodic_waits_for_the_end_of_each_call() -> None:
    clock = Clock()
    begun: list[float] = []
    ends: list[Deferred[None]] = []

    async def work() -> None:
        begun.append(clock.seconds())
        ends.append(Deferred())
        await ends[-1]

    periodic = Periodic(clock, 10, work, "work")
    periodic.start(1)
    clock.advance(1)
    clock.advance(50)
    assert begun == [1]
    ends[0].callback(None)
    clock.advance(10)
    assert begun == [1, 61]
    periodic.soon()
    assert begun == [1, 61]
    ends[1].callback(None)
    clock.advance(0)
    assert begun == [1, 61, 61]
    ends[2].callback(None)
    periodic.soon(2)
    clock.advance(2)
    assert begun[-1] == 63
    periodic.stop()
    periodic.soon()
    clock.advance(100)
    assert len(begun) == 4
    assert clock.getDelayedCalls() == []


def test_periodic_goes_on_after_a_failure() -> None:
    clock = Clock()
    calls: list[int] = []

    async def work() -> None:
        calls.append(1)
        raise ValueError("no")

    periodic = Periodic(clock, 5, work, "work")
    periodic.start()
    clock.pump([5, 5])
    assert len(calls) == 2
