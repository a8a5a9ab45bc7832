"""Ordered pops: blocked queues, counts, and the file."""

import pytest
from twisted.internet.task import Clock

from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.pop.orders import ILLEGAL, NOTHING_TO_COMMIT, OrderTable
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles

QUEUE = ("T", "G", 3)


class Table:
    """A table with a clock that stands at 100 s."""

    def __init__(self, files: MemoryFiles | None = None) -> None:
        self.clock = Clock()
        self.clock.advance(100)
        self.files = files or MemoryFiles()
        self.free: list[tuple[str, str, int]] = []
        self.queues = 4
        self.settings = settings_of()
        self.orders = OrderTable(
            self.settings, ConfigFile("orders.json", self.files), self.queues_of, self.clock, self.now
        )
        self.orders.on_free = lambda *queue: self.free.append(queue)
        self.orders.load()

    def queues_of(self, topic: str, group: str) -> int:
        return self.queues if topic == "T" else 0

    def now(self) -> int:
        return int(self.clock.seconds() * 1000)

    def pop(self, *offsets: int, attempt: str | None = None, invisible: int = 10_000) -> list[str]:
        return self.orders.popped(*QUEUE, attempt, self.now(), invisible, offsets)

    def blocked(self, attempt: str | None = None) -> bool:
        return self.orders.is_blocked(attempt, *QUEUE, 10_000)


@pytest.fixture
def table() -> Table:
    return Table()


def test_a_queue_is_blocked_until_its_messages_are_done(table: Table) -> None:
    assert not table.blocked()
    assert table.pop(10, 11, 15) == ["0 3 0"]
    assert table.blocked()
    assert table.orders.acknowledge(*QUEUE, 11, 100_000) == 10
    assert table.orders.acknowledge(*QUEUE, 10, 100_000) == 15
    assert table.blocked()
    assert table.orders.acknowledge(*QUEUE, 15, 100_000) == 16
    assert not table.blocked()


def test_or_until_they_are_visible_again(table: Table) -> None:
    table.pop(10, 11)
    table.clock.advance(9.9)
    assert table.blocked()
    table.clock.advance(0.1)
    assert not table.blocked()
    assert table.free == [QUEUE]
    assert table.pop(10, 11, 12) == ["0 qo3%10 1", "0 qo3%11 1", "0 3 0"]
    table.clock.advance(10)
    assert table.pop(10, 11) == ["0 qo3%10 2", "0 qo3%11 2", "0 3 2"]


def test_the_same_attempt_gets_the_same_again(table: Table) -> None:
    table.pop(10, attempt="one")
    assert not table.blocked("one")
    assert table.blocked("two")
    assert table.blocked()
    assert table.pop(10, attempt="one") == ["0 3 0"]


def test_other_times_for_single_messages(table: Table) -> None:
    table.pop(10, 11)
    table.orders.hide_until(*QUEUE, 11, 100_000, 130_000)
    table.orders.hide_until(*QUEUE, 10, 99_000, 190_000)
    table.clock.advance(10)
    assert (table.blocked(), table.free) == (True, [])
    table.clock.advance(20)
    assert (table.blocked(), table.free) == (False, [QUEUE])


def test_acknowledgements_that_fit_nothing(table: Table) -> None:
    assert table.orders.acknowledge(*QUEUE, 7, 1) == 8
    table.pop(10)
    assert table.orders.acknowledge(*QUEUE, 10, 1) == NOTHING_TO_COMMIT
    assert table.orders.acknowledge(*QUEUE, 12, 100_000) == ILLEGAL


def test_a_reset_unblocks(table: Table) -> None:
    table.pop(10)
    table.orders.forget(*QUEUE)
    assert not table.blocked()


def test_the_file(table: Table) -> None:
    table.pop(10, 12, attempt="one")
    table.orders.acknowledge(*QUEUE, 12, 100_000)
    table.orders.hide_until(*QUEUE, 10, 100_000, 150_000)
    table.orders.save()
    text = (
        '{"orderedConsumptionLevel":"QUEUE","table":{"T@G":{3:{"a":"one","cm":2,"i":10000,"l":100000,"o":[10,2],'
        '"ot":{10:150000},"popTime":100000}}}}'
    )
    assert table.files.files["orders.json"].decode().replace("\n", "").replace("\t", "") == text
    again = Table(table.files)
    assert again.blocked()
    assert again.orders.acknowledge(*QUEUE, 10, 100_000) == 13
    table.files.files.clear()
    table.orders.save()
    assert table.files.files == {}


def test_what_nobody_needs_is_not_kept(table: Table) -> None:
    table.pop(10)
    table.clock.advance(24 * 3600 + 1)
    table.orders.popped("T", "H", 0, None, table.now(), 10_000, [5])
    table.orders.popped("U", "G", 0, None, table.now(), 10_000, [5])
    table.orders.save()
    again = Table(table.files)
    assert sorted(again.orders._table) == ["T@H"]


def test_nobody_is_woken_where_that_is_off_or_over(table: Table) -> None:
    table.pop(10)
    table.orders.stop()
    table.settings.broker.enable_notify_after_pop_order_lock_release = False
    table.pop(10)
    table.clock.advance(20)
    assert table.free == []


def test_what_was_deleted_blocks_nothing(table: Table) -> None:
    table.pop(10)
    table.orders.forget_all(lambda topic, group: group == "H")
    assert table.blocked()
    table.orders.forget_all(lambda topic, group: topic == "T")
    assert not table.blocked()
    table.orders.save()
    assert Table(table.files).orders._table == {}


def test_the_same_acknowledgement_again_costs_nothing(table: Table) -> None:
    table.pop(10, 12)
    table.orders.acknowledge(*QUEUE, 12, 100_000)
    (timer,) = table.clock.getDelayedCalls()
    assert table.orders.acknowledge(*QUEUE, 12, 100_000) == 10
    assert table.clock.getDelayedCalls() == [timer]
