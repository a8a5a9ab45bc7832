"""How far two logs agree: what is asked for it, and that nothing is concluded from failures or from strangers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rmq.remoting.errors import CallTimeoutError, ConnectionClosedError, UnreadableAnswerError
from rmq.server.ha.common import (
    CommonPoint,
    MasterRecords,
    NothingInCommonError,
    NotOurMasterError,
    ReplicationError,
    find_common_point,
)
from rmq.settings.store import BrokerRole
from rmq.wire.errors import NoPermissionError, SystemBusyError
from tests.kit.masters import MASTER, StorePair, small_settings, wait
from tests.kit.stores import SmallStore

FILE = 64 * 1024


class Pair(StorePair):
    """Two stores, and the search for how far they agree."""

    def find(self) -> CommonPoint:
        return wait(find_common_point(MasterRecords(self.answers, MASTER), self.slave.store))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.close()


@pytest.mark.parametrize("ahead", [0, 1, 700])
def test_a_slave_that_is_behind_needs_one_record(pair: Pair, ahead: int) -> None:
    end = pair.both(50)
    pair.master.fill(ahead, first=50)
    newest = pair.slave.store.newest_record(0)
    assert pair.find() == CommonPoint(end)
    assert newest is not None
    assert pair.answers.asked == [newest[0]]


@pytest.mark.parametrize("common", [1, 40, 400, 1500])
@pytest.mark.parametrize(("here", "there"), [((1, 100), (0, 0)), ((700, 100), (3, 90)), ((5, 300), (900, 100))])
def test_what_the_slave_alone_has_begins_after_the_last_equal_record(
    pair: Pair, common: int, here: tuple[int, int], there: tuple[int, int]
) -> None:
    end = pair.both(common)
    pair.slave.fill(here[0], size=here[1], first=10_000)
    pair.master.fill(there[0], size=there[1], first=20_000)
    assert pair.find() == CommonPoint(end)
    assert len(pair.answers.asked) < 45
    assert pair.slave.store.log_max_offset > end


def test_the_same_sizes_with_other_content_are_not_equal(pair: Pair) -> None:
    end = pair.both(30)
    pair.slave.fill(20, first=1000)
    pair.master.fill(20, first=2000)
    assert pair.slave.store.log_max_offset == pair.master.store.log_max_offset
    assert pair.find() == CommonPoint(end)


def fill_file(store: SmallStore) -> None:
    """Stores a message that has no room in the first file."""
    store.store.append("T", 0, 7, 0, 0, bytes(8), 0, 0, b"long" * 1500, b"", 0)
    big = store.store.newest_record(0)
    assert big is not None
    assert big[0] == FILE


def filled(pair: Pair) -> int:
    """Lets the slave's log end with the first file's filler, as after a crash; where that begins."""
    end = pair.both(3, size=20_000)
    assert end < FILE
    fill_file(pair.slave)
    pair.slave.crash()
    with open(pair.slave.root / "commitlog" / f"{FILE:020}", "r+b") as file:
        file.write(bytes(8000))
    pair.slave.open()
    assert pair.slave.store.log_max_offset == FILE
    return end


def test_a_file_that_both_have_filled(pair: Pair) -> None:
    end = filled(pair)
    fill_file(pair.master)
    assert pair.find() == CommonPoint(FILE)
    pair.answers.lies[end] = b"\x00\x00\x10\x00" + bytes(4092)
    assert pair.find() == CommonPoint(FILE)


def test_a_master_that_used_what_is_filler_here(pair: Pair) -> None:
    end = filled(pair)
    pair.master.fill(1)
    fill_file(pair.master)
    assert pair.find() == CommonPoint(end)


def test_a_master_that_lost_the_filler_may_yet_use_its_room(pair: Pair) -> None:
    end = filled(pair)
    assert pair.find() == CommonPoint(end)


def test_an_empty_slave_begins_with_the_first_record(pair: Pair) -> None:
    assert pair.find() == CommonPoint(0)
    pair.answers.minimum = -1
    assert pair.find() == CommonPoint(0)
    pair.answers.minimum = None
    pair.master.fill(5)
    first = pair.master.store.message_at(0)
    assert first is not None
    assert pair.find() == CommonPoint(len(first), first_record=first)


def test_a_slave_without_anything_that_the_master_still_has_starts_over(pair: Pair) -> None:
    pair.answers.minimum = 3 * FILE
    assert pair.find() == CommonPoint(3 * FILE, start_over=True)
    pair.both(100)
    assert pair.find() == CommonPoint(3 * FILE, start_over=True)
    assert pair.answers.asked == []


def test_records_that_the_master_no_longer_has_prove_nothing(pair: Pair) -> None:
    """Equal up to the end, which the master must be asked about with records that it has."""
    end = pair.both(1000)
    pair.answers.minimum = FILE
    pair.slave.fill(1, first=5000)
    assert pair.find() == CommonPoint(end)
    assert min(pair.answers.asked) >= FILE


def test_without_a_common_record_nothing_is_decided(pair: Pair) -> None:
    pair.slave.fill(1000)
    with pytest.raises(NothingInCommonError) as nothing:
        pair.find()
    assert str(nothing.value) == (
        f"no message between 0 and {pair.slave.store.log_max_offset} of this slave's log is in the log of the master "
        f"{MASTER}. Nothing is removed. If the master's log is the right one, empty this slave's store directory"
    )


@pytest.mark.parametrize(
    "failure", [CallTimeoutError(MASTER, 3.0), ConnectionClosedError(MASTER), SystemBusyError("later")]
)
@pytest.mark.parametrize("at_request", [1, 2, 5])
def test_a_failure_is_no_answer(pair: Pair, failure: Exception, at_request: int) -> None:
    pair.both(200)
    pair.slave.fill(300, first=1000)

    def fail(_: int) -> None:
        if len(pair.answers.asked) == at_request:
            raise failure

    pair.answers.on_ask = fail
    with pytest.raises(type(failure)):
        pair.find()


def test_an_answer_beyond_all_frames_is_no_record(pair: Pair) -> None:
    end = pair.both(20)
    pair.slave.fill(1, first=100)
    pair.answers.lies[end] = UnreadableAnswerError(MASTER, "too large")
    assert pair.find() == CommonPoint(end)


@pytest.mark.parametrize("garbage", [b"", b"\x00\x00\x00\x05x", b"x" * 5000])
def test_bytes_that_are_no_record_are_none(pair: Pair, garbage: bytes) -> None:
    pair.both(20)
    newest = pair.slave.store.newest_record(0)
    assert newest is not None
    pair.answers.lies[newest[0]] = garbage
    assert pair.find() == CommonPoint(newest[0])


def test_files_that_go_while_the_master_is_asked_begin_the_search_again(pair: Pair) -> None:
    end = pair.both(1000)
    pair.slave.fill(1, first=5000)

    def expire(_: int) -> None:
        pair.answers.minimum = FILE
        pair.answers.on_ask = None

    pair.answers.on_ask = expire
    assert pair.find() == CommonPoint(end)
    assert pair.answers.asked.count(end) == 3


def test_an_answer_that_is_taken_back_begins_the_search_again(pair: Pair) -> None:
    end = pair.both(100)
    newest = pair.slave.store.newest_record(0)
    assert newest is not None
    pair.answers.lies[newest[0]] = b""

    def mend(offset: int) -> None:
        if pair.answers.asked.count(newest[0]) == 2:
            pair.answers.lies.clear()

    pair.answers.on_ask = mend
    assert pair.find() == CommonPoint(end)


def test_a_master_that_does_not_tell_where_its_log_begins(pair: Pair) -> None:
    pair.answers.minimum = "soon"
    with pytest.raises(ReplicationError, match="gives soon as commitLogMinOffset"):
        pair.find()


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("brokerName", "broker-b", "is called broker-b, not broker-a (brokerName)"),
        ("brokerClusterName", "Other", "is of cluster Other, not DefaultCluster (brokerClusterName)"),
        ("mappedFileSizeCommitLog", 1 << 30, "has log files of 1073741824, not 65536 (mappedFileSizeCommitLog)"),
    ],
)
def test_a_stranger_is_not_followed(pair: Pair, key: str, value: object, sentence: str) -> None:
    pair.answers.settings = small_settings(**{key: value})
    with pytest.raises(NotOurMasterError) as refused:
        wait(MasterRecords(pair.answers, MASTER).check_identity(small_settings()))
    assert str(refused.value) == f"the broker at {MASTER} {sentence}"


def test_a_slave_is_no_master(pair: Pair) -> None:
    pair.answers.settings = small_settings(brokerRole=BrokerRole.SLAVE, brokerId=1)
    with pytest.raises(NotOurMasterError, match="is a slave itself"):
        wait(MasterRecords(pair.answers, MASTER).check_identity(small_settings()))


def test_the_own_master_is_followed_whatever_its_name(pair: Pair) -> None:
    own = small_settings(brokerClusterName="Zürich\\1")
    pair.answers.settings = own
    wait(MasterRecords(pair.answers, MASTER).check_identity(own))


def test_a_master_that_refuses_to_tell_is_not_followed(pair: Pair) -> None:
    pair.answers.refuses = NoPermissionError("no")
    with pytest.raises(NoPermissionError):
        wait(MasterRecords(pair.answers, MASTER).check_identity(small_settings()))
