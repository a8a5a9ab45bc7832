"""What a slave refuses, and what it makes of pulls while its master is there and while it is away.

What Apache's slave answers was recorded from it; where this one differs, the test says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rmq.remoting.dispatch import Dispatcher
from rmq.server.broker.mapping.forward import Forwarder
from rmq.server.broker.processors.pull import PullProcessor
from rmq.server.broker.processors.slave import REJECTED, SlaveReads, SlaveRefusals
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.command import Command
from rmq.wire.declare import encode_header
from rmq.wire.requests.message import ResumeCheckHalfMessage
from rmq.wire.requests.send import RecallMessage
from rmq.wire.requests.transaction import EndTransaction
from tests.kit.broker import Bench, messages, pull_header, send_header, settings_of, text_of
from tests.kit.cluster import MemoryCluster
from tests.kit.peer import MemoryPeer

WAIT = 4 | 2


# --- refusals -------------------------------------------------------------------------------------------------------


def refusing(**settings: Any) -> MemoryPeer:
    return MemoryPeer(Dispatcher([SlaveRefusals(settings_of(**settings))]))


@pytest.mark.parametrize("code", [10, 310, 320, 36])
def test_nothing_is_sent_to_a_slave_whatever_the_request_says(code: int) -> None:
    peer = refusing()
    peer.send(Command(code, {}, opaque=1))
    (answer,) = peer.answers()
    assert (answer.code, answer.remark, answer.ext) == (2, REJECTED, {})


@pytest.mark.parametrize("code", [200050, 200051, 200052, 200053, 200054, 200055, 200151])
def test_nothing_is_popped_from_a_slave(code: int) -> None:
    """Apache's slave lets clients pop; check points and acknowledgements are lost."""
    peer = refusing()
    peer.send(Command(code, {}, opaque=1))
    (answer,) = peer.answers()
    assert (answer.code, answer.remark) == (2, "messages are not popped from a slave")


@pytest.mark.parametrize("outcome", [8, 12, 0])
def test_no_transaction_ends_on_a_slave(outcome: int) -> None:
    answer = refusing().ask(EndTransaction("PG", 0, 0, outcome, "U"))
    assert (answer.code, answer.remark, answer.ext) == (11, None, {})


def test_no_half_message_is_taken_up_again_on_a_slave() -> None:
    answer = refusing().ask(ResumeCheckHalfMessage("7F0000010000000000000000000000000"))
    assert (answer.code, answer.remark) == (1, "Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed.")


def test_nothing_is_recalled_on_a_slave() -> None:
    answer = refusing(recallMessageEnable="true").ask(RecallMessage("T", "x"))
    assert (answer.code, answer.remark) == (11, "recall failed, broker service not available")
    assert answer.ext == {"MSG_REGION": "DefaultRegion"}
    answer = refusing().ask(RecallMessage("T", "x"))
    assert (answer.code, answer.remark) == (16, "recall failed, operation is forbidden")


# --- reads ----------------------------------------------------------------------------------------------------------


@dataclass
class Presence:
    """Whether the master is away."""

    away: bool = False


class Slave:
    """A slave with five messages in queue 0 of topic T, and none in queue 1."""

    def __init__(self, path: Path) -> None:
        self.watch = Presence()
        bench = self.bench = Bench(path)
        bench.topic("T")
        self.fill(5)
        self.broker = bench.settings.broker
        self.broker.broker_id = 3
        self.broker.slave_read_enable = True
        pulls = PullProcessor(
            bench.settings, bench.topics, bench.groups, bench.consumers, bench.filters, bench.offsets, bench.store,
            bench.stats, bench.hold, bench.clock.seconds, bench.mappings, Forwarder(MemoryCluster(0), list),
            SlaveReads(bench.settings, self.watch),
        )  # fmt: skip
        self._dispatcher = Dispatcher([pulls])

    def fill(self, count: int) -> None:
        """What comes from the master."""
        for number in range(count):
            assert self.bench.peer().ask(send_header("T", properties=text_of(TAGS="a")), b"%d" % number).code == 0

    def peer(self) -> MemoryPeer:
        return MemoryPeer(self._dispatcher, self.bench.clock, after_read=self.bench.hold.wake)

    def pull(self, offset: int, **fields: Any) -> Command:
        return self.peer().ask(pull_header("T", offset, **fields))

    def waiting(self, offset: int, **fields: Any) -> MemoryPeer:
        """Who pulls and may wait."""
        peer = self.peer()
        header = pull_header("T", offset, **{"sys_flag": WAIT, **fields})
        peer.send(Command(11, encode_header(header), opaque=1))
        return peer


def told(answer: Command) -> tuple[int, str | None, int, str]:
    ext = answer.ext
    return answer.code, answer.remark, int(ext["nextBeginOffset"]), ext["suggestWhichBrokerId"]


@pytest.fixture
def slave(tmp_path: Path) -> Iterator[Slave]:
    made = Slave(tmp_path)
    yield made
    made.bench.close()


@pytest.mark.parametrize("code", [11, 361])
@pytest.mark.parametrize("away", [False, True])
def test_slaves_are_read_only_if_the_settings_say_so(slave: Slave, code: int, away: bool) -> None:
    slave.broker.slave_read_enable = False
    slave.watch.away = away
    peer = slave.peer()
    peer.send(Command(code, {}, opaque=1))
    (answer,) = peer.answers()
    assert (answer.code, answer.remark, answer.ext) == (2, REJECTED, {})


@pytest.mark.parametrize(
    ("offset", "queue_id", "code", "status"),
    [
        (5, 0, 19, "OFFSET_OVERFLOW_ONE"),
        (6, 0, 20, "OFFSET_OVERFLOW_BADLY"),
        (100, 0, 20, "OFFSET_OVERFLOW_BADLY"),
        (-1, 0, 20, "OFFSET_TOO_SMALL"),
        (0, 1, 19, "NO_MATCHED_LOGIC_QUEUE"),
        (5, 1, 20, "NO_MATCHED_LOGIC_QUEUE"),
    ],
)
def test_no_offset_is_corrected(slave: Slave, offset: int, queue_id: int, code: int, status: str) -> None:
    """With the master there, as Apache's slave answers; while it is away nobody is sent round in circles."""
    assert told(slave.pull(offset, queue_id=queue_id)) == (code, status, offset, "0")
    slave.watch.away = True
    assert told(slave.pull(offset, queue_id=queue_id)) == (19, status, offset, "3")


@pytest.mark.parametrize("away", [False, True])
def test_what_is_there_is_found(slave: Slave, away: bool) -> None:
    slave.watch.away = away
    answer = slave.pull(2)
    assert told(answer) == (0, None, 5, "3" if away else "0")
    assert [message.body for message in messages(answer)] == [b"2", b"3", b"4"]
    assert told(slave.pull(2, subscription="b")) == (20, "NO_MATCHED_MESSAGE", 5, "3" if away else "0")


def test_the_group_says_which_broker_is_next(slave: Slave, monkeypatch: pytest.MonkeyPatch) -> None:
    slave.bench.groups.put(SubscriptionGroupConfig("G", broker_id=7, which_broker_when_consume_slowly=8))
    assert told(slave.pull(0))[3] == "7"
    assert told(slave.pull(6)) == (20, "OFFSET_OVERFLOW_BADLY", 6, "7")
    found = slave.bench.store.get("T", 0, 0, 32)._replace(suggest_slave=True)
    monkeypatch.setattr(slave.bench.store, "get", lambda *args: found)
    assert told(slave.pull(0))[3] == "8"
    slave.watch.away = True
    assert told(slave.pull(0))[3] == "3"


def test_offsets_are_corrected_if_the_settings_say_so(slave: Slave) -> None:
    slave.bench.settings.store.offset_check_in_slave = True
    for slave.watch.away in (False, True):
        assert [told(slave.pull(offset))[:3] for offset in (-1, 5, 6, 100)] == [
            (21, "OFFSET_TOO_SMALL", 0),
            (19, "OFFSET_OVERFLOW_ONE", 5),
            (21, "OFFSET_OVERFLOW_BADLY", 5),
            (21, "OFFSET_OVERFLOW_BADLY", 5),
        ]
        assert told(slave.pull(5, queue_id=1))[:3] == (21, "NO_MATCHED_LOGIC_QUEUE", 0)


def test_at_the_end_pulls_wait_for_what_comes_from_the_master(slave: Slave) -> None:
    peer = slave.waiting(5)
    assert peer.answers() == []
    slave.fill(1)
    (answer,) = peer.answers()
    assert told(answer) == (0, None, 6, "0")


def test_with_the_master_there_nobody_waits_elsewhere(slave: Slave) -> None:
    (answer,) = slave.waiting(7).answers()
    assert told(answer) == (20, "OFFSET_OVERFLOW_BADLY", 7, "0")


@pytest.mark.parametrize("offset", [7, -1])
def test_without_the_master_pulls_wait_wherever_they_are(slave: Slave, offset: int) -> None:
    slave.watch.away = True
    peer = slave.waiting(offset)
    assert peer.answers() == []
    slave.bench.clock.pump([1] * 16)
    (answer,) = peer.answers()
    assert answer.code == 19
    assert told(answer)[2:] == (offset, "3")


def test_what_was_beyond_the_end_is_handed_out_when_it_is_there(slave: Slave) -> None:
    slave.watch.away = True
    peer = slave.waiting(7)
    slave.fill(2)
    assert peer.answers() == []
    slave.fill(1)
    (answer,) = peer.answers()
    assert told(answer) == (0, None, 8, "3")


def test_when_the_master_is_back_all_go_to_it(slave: Slave) -> None:
    slave.watch.away = True
    peers = [slave.waiting(offset) for offset in (5, 7)]
    slave.watch.away = False
    slave.bench.hold.release_all()
    answers = [answer for peer in peers for answer in peer.answers()]
    assert [told(answer) for answer in answers] == [
        (19, "OFFSET_OVERFLOW_ONE", 5, "0"),
        (20, "OFFSET_OVERFLOW_BADLY", 7, "0"),
    ]
