"""Reactors of one's own."""

import os
import signal
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from rmq.client.loop import run
from rmq.client.waiting import sleep


def test_gives_what_the_program_returns() -> None:
    async def main(reactor: Any) -> float:
        begun: float = reactor.seconds()
        await sleep(reactor, 0.01)
        return reactor.seconds() - begun

    assert 0.009 < run(main) < 5


def test_raises_what_the_program_raises() -> None:
    async def main(reactor: Any) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run(main)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_program_clean_up(number: int) -> None:
    steps: list[str] = []

    async def main(reactor: Any) -> str:
        reactor.callLater(0, os.kill, os.getpid(), number)
        try:
            await Deferred()
        except CancelledError:
            steps.append("cancelled")
        await sleep(reactor, 0.01)
        steps.append("cleaned up")
        return "ended"

    before = signal.getsignal(number)
    assert run(main) == "ended"
    assert steps == ["cancelled", "cleaned up"]
    assert signal.getsignal(number) == before
