"""When enough slaves have a message, and when nobody waits for that any longer."""

from twisted.internet.task import Clock

from rmq.server.ha.acks import AckTable
from rmq.server.store.api import PutStatus

OK, TIMEOUT = PutStatus.PUT_OK, PutStatus.FLUSH_SLAVE_TIMEOUT


class World:
    def __init__(self, needed: int = 2) -> None:
        self.clock = Clock()
        self.needed = needed
        self.timeout = 3.0
        self.acks = AckTable(self.clock, lambda: self.needed, lambda: self.timeout)
        self.answers: list[tuple[int, PutStatus]] = []
        self.ends: list[int] = []
        self.singles: list[int] = []
        self.acks.on_single = lambda: self.singles.append(self.ends[-1])

    def never(self, status: PutStatus) -> None:
        raise AssertionError(f"told {status}, though the answer was there at once")

    def put(self, *ends: int) -> None:
        for end in ends:
            self.ends.append(end)
            self.acks.stored()
            status = self.acks.wait(end, lambda status, end=end: self.answers.append((end, status)))
            if status is not None:
                self.answers.append((end, status))


def test_an_acknowledgement_serves_what_ends_before_it() -> None:
    world = World()
    world.put(100, 200, 300)
    world.acks.acked("slave", 99)
    assert world.answers == []
    world.acks.acked("slave", 200)
    assert world.answers == [(100, OK), (200, OK)]
    assert world.acks.safe_end == 200
    assert world.acks.wait(200, world.never) is OK
    world.acks.acked("slave", 300)
    assert world.answers[2:] == [(300, OK)]


def test_nobody_waits_when_the_master_is_enough() -> None:
    for needed in (0, 1):
        world = World(needed)
        assert world.acks.safe_end is None
        assert world.acks.wait(100, world.never) is OK
    assert not world.clock.getDelayedCalls()


def test_the_slowest_of_the_needed_slaves_counts() -> None:
    world = World(needed=3)
    world.put(100)
    world.acks.acked("a", 500)
    assert (world.acks.safe_end, world.answers) == (0, [])
    world.acks.acked("b", 50)
    assert (world.acks.safe_end, world.answers) == (50, [])
    world.acks.acked("c", 120)
    assert (world.acks.safe_end, world.answers) == (120, [(100, OK)])


def test_a_slave_that_is_gone_does_not_count() -> None:
    world = World()
    world.acks.acked("slave", 500)
    world.acks.gone("slave")
    assert world.acks.safe_end == 0
    world.put(100)
    assert world.answers == []
    world.acks.gone("slave")


def test_too_few_slaves_are_a_timeout_for_each_at_its_own_time() -> None:
    world = World()
    world.put(100)
    world.clock.advance(1.0)
    world.put(200)
    world.clock.advance(1.9)
    assert world.answers == []
    world.clock.advance(0.1)
    assert world.answers == [(100, TIMEOUT)]
    world.clock.advance(0.9)
    assert world.answers == [(100, TIMEOUT)]
    world.clock.advance(0.1)
    assert world.answers[1:] == [(200, TIMEOUT)]
    assert not world.clock.getDelayedCalls()


def test_one_timer_for_all_outlives_those_who_were_served() -> None:
    world = World()
    world.put(100)
    world.clock.advance(1.0)
    world.put(200)
    assert len(world.clock.getDelayedCalls()) == 1
    world.acks.acked("slave", 100)
    world.clock.advance(2.5)
    assert world.answers == [(100, OK)]
    world.clock.advance(0.5)
    assert world.answers == [(100, OK), (200, TIMEOUT)]


def test_how_many_are_needed_is_asked_each_time() -> None:
    world = World(needed=3)
    world.acks.acked("slave", 100)
    world.put(100, 200)
    world.needed = 2
    world.acks.acked("slave", 101)
    assert world.answers == [(100, OK)]
    world.needed = 1
    world.acks.acked("slave", 102)
    assert world.answers == [(100, OK), (200, OK)]


def test_how_long_to_wait_is_asked_for_each() -> None:
    world = World()
    world.timeout = 0.5
    world.put(100)
    world.timeout = 1.5
    world.put(200)
    world.clock.advance(0.5)
    assert world.answers == [(100, TIMEOUT)]
    world.clock.advance(1.0)
    assert world.answers == [(100, TIMEOUT), (200, TIMEOUT)]


def test_who_is_answered_may_put_the_next() -> None:
    world = World()
    assert world.acks.wait(100, lambda _: world.put(200)) is None
    world.acks.acked("slave", 150)
    world.acks.acked("slave", 200)
    assert world.answers == [(200, OK)]


def test_who_times_out_may_put_the_next() -> None:
    world = World()
    assert world.acks.wait(100, lambda _: world.put(200)) is None
    world.clock.advance(3.0)
    world.clock.advance(3.0)
    assert world.answers == [(200, TIMEOUT)]


def test_stopping_answers_all_and_whoever_comes_later() -> None:
    world = World()
    world.put(100, 200)
    world.acks.stop()
    assert world.answers == [(100, TIMEOUT), (200, TIMEOUT)]
    assert world.acks.wait(300, world.never) is TIMEOUT
    assert not world.clock.getDelayedCalls()
    world.acks.stop()


def test_who_sends_one_at_a_time_is_known_after_three() -> None:
    world = World()
    for end in (10, 20, 30, 40, 50):
        world.put(end)
        world.acks.acked("slave", end)
    assert world.singles == [40, 50]
    # A second one who waits is not alone, and whoever comes after both is not either.
    world.put(60, 70)
    world.acks.acked("slave", 70)
    for end in (80, 90, 100, 110):
        world.put(end)
        world.acks.acked("slave", end)
    assert world.singles == [40, 50, 60, 110]
    assert [status for _, status in world.answers] == [OK] * 11


def test_a_report_that_serves_nobody_says_nothing_of_who_sends() -> None:
    world = World()
    for end in (10, 20, 30, 40):
        world.put(end)
        world.acks.acked("slave", end - 1)
        world.acks.acked("slave", end)
        world.acks.acked("slave", end)
    assert world.singles == [40]
