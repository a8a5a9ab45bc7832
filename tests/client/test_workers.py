"""Workers: bounded, in order, ended in time; functions wherever they are to run."""

import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rmq.client.errors import NotRunningError
from rmq.client.loop import run
from rmq.client.workers import Workers


class Bench:
    """Work that is noted when it begins, and ends when it is told to."""

    def __init__(self, count: int) -> None:
        self.clock = Clock()
        self.workers = Workers(self.clock, count)
        self.begun: list[tuple[str, int]] = []
        self.ends: dict[str, Deferred[None]] = {}

    def work(self, name: str) -> Callable[[int], Coroutine[Any, Any, None]]:
        async def do(worker: int) -> None:
            self.begun.append((name, worker))
            self.ends[name] = Deferred()
            await self.ends[name]

        return do


def test_work_begins_in_order_and_never_from_within() -> None:
    bench = Bench(2)
    for name in "abc":
        bench.workers.submit(bench.work(name))
    assert (bench.begun, bench.workers.waiting) == ([], 3)
    bench.clock.advance(0)
    assert (bench.begun, bench.workers.active, bench.workers.waiting) == ([("a", 1), ("b", 2)], 2, 1)
    bench.ends["b"].callback(None)
    bench.clock.advance(0)
    assert bench.begun[2:] == [("c", 2)]


def test_work_for_later() -> None:
    bench = Bench(1)
    bench.workers.submit_later(5.0, bench.work("a"))
    bench.clock.advance(4.9)
    assert bench.begun == []
    bench.clock.advance(0.1)
    bench.clock.advance(0)
    assert bench.begun == [("a", 1)]


def test_stopping_waits_for_what_is_being_done_and_begins_nothing() -> None:
    bench = Bench(1)
    bench.workers.submit(bench.work("a"))
    bench.workers.submit(bench.work("b"))
    bench.workers.submit_later(1.0, bench.work("c"))
    bench.clock.advance(0)
    stopping = Deferred.fromCoroutine(bench.workers.stop(10.0))
    bench.workers.submit(bench.work("d"))
    bench.workers.submit_later(1.0, bench.work("e"))
    bench.clock.advance(5.0)
    assert not stopping.called
    bench.ends["a"].callback(None)
    assert stopping.called
    bench.clock.advance(0)
    assert (bench.begun, bench.clock.getDelayedCalls()) == ([("a", 1)], [])


def test_stopping_does_not_wait_for_ever() -> None:
    bench = Bench(1)
    bench.workers.submit(bench.work("a"))
    bench.clock.advance(0)
    stopping = Deferred.fromCoroutine(bench.workers.stop(10.0))
    bench.clock.advance(10.0)
    assert stopping.called


def test_failing_work_frees_its_worker() -> None:
    bench = Bench(1)

    async def fails(worker: int) -> None:
        raise ValueError("no")

    bench.workers.submit(fails)
    bench.workers.submit(bench.work("b"))
    bench.clock.advance(0)
    bench.clock.advance(0)
    assert bench.begun == [("b", 1)]


@pytest.mark.parametrize(("threads", "elsewhere"), [(0, False), (2, True)])
def test_where_functions_run(threads: int, elsewhere: bool) -> None:
    here = threading.current_thread().name

    async def main(reactor: Any) -> list[Any]:
        workers = Workers(reactor, 2, threads=threads, name="bench")
        workers.start()

        async def later() -> str:
            return threading.current_thread().name

        def fails() -> None:
            raise KeyError("no")

        try:
            found = [await workers.call(lambda: threading.current_thread().name), await workers.call(later)]
            with pytest.raises(KeyError):
                await workers.call(fails)
        finally:
            await workers.stop(5.0)
        with pytest.raises(NotRunningError):
            await workers.call(later)
        return found

    plain, coroutine = run(main)
    assert (plain != here, coroutine == here) == (elsewhere, True)
    assert not elsewhere or "bench" in plain


def test_threads_end_with_the_function_that_took_too_long() -> None:
    clock, go = Clock(), threading.Event()
    workers = Workers(clock, 1, threads=1, name="slow")
    workers.start()

    async def work(_: int) -> None:
        await workers.call(go.wait)

    workers.submit(work)
    clock.advance(0)
    stopping = Deferred.fromCoroutine(workers.stop(1.0))
    clock.advance(1)
    assert stopping.called
    (slow,) = [thread for thread in threading.enumerate() if thread.name.startswith("PoolThread-slow")]
    go.set()
    slow.join(5)
    assert not slow.is_alive()
