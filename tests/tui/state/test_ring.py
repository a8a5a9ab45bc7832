"""The newest messages, and how fast they come."""

from rmq.tui.service.model import StoredMessage
from rmq.tui.state.ring import KEPT, Ring
from tests.kit.tui.messages import stored


def some(first: int, last: int) -> list[StoredMessage]:
    return [stored(number) for number in range(first, last)]


def test_the_newest_are_kept() -> None:
    ring = Ring()
    ring.add(some(0, KEPT - 1), 3, 1000)
    ring.add(some(KEPT - 1, KEPT + 5), 0, 2000)
    assert (len(ring.messages), ring.came, ring.dropped, ring.gone) == (KEPT, KEPT + 5, 3, 5)
    assert next(iter(ring.messages.values())) == stored(5)
    ring.clear()
    assert (ring.messages, ring.came) == ({}, KEPT + 5)


def test_the_rate_is_that_of_the_last_seconds() -> None:
    ring = Ring()
    assert ring.rate() is None
    ring.add(some(0, 500), 0, 0)
    assert ring.rate() is None
    ring.add(some(0, 10), 10, 2000)
    assert ring.rate() == 10.0
    ring.add([], 0, 12_000)
    assert ring.rate() == 0.0
