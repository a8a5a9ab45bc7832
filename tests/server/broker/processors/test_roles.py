"""A broker without controller and RocksDB, asked about them."""

from pathlib import Path

from rmq.wire.requests.broker import CheckRocksdbCqWriteProgress, SwitchTimerEngine, UpdateBrokerConfig
from rmq.wire.requests.controller import GetBrokerEpochCache
from tests.kit.broker import Bench


def test_there_are_no_epochs(bench: Bench) -> None:
    answer = bench.peer().ask(GetBrokerEpochCache())
    assert (answer.code, answer.remark) == (1, "this request only for controllerMode ")


def test_there_are_no_queues_in_rocksdb(bench: Bench) -> None:
    answer = bench.peer().ask(CheckRocksdbCqWriteProgress("T"))
    assert (answer.code, answer.remark) == (3, " request type 354 not supported")


def test_the_timer_keeps_to_files(bench: Bench) -> None:
    peer = bench.peer()
    answer = peer.ask(SwitchTimerEngine("F"))
    assert (answer.code, answer.remark) == (0, "switch timer engine success")
    assert "broker.conf" not in bench.files.files
    assert peer.ask(SwitchTimerEngine("R")).code == 29
    assert peer.ask(SwitchTimerEngine("X")).code == 29


def test_choosing_files_lets_the_timer_take_messages_again(bench: Bench) -> None:
    peer = bench.peer()
    peer.ask(UpdateBrokerConfig(), b"timerStopEnqueue=true")
    assert peer.ask(SwitchTimerEngine("F")).code == 0
    assert bench.settings.store.timer_stop_enqueue is False
    assert b"timerStopEnqueue=false" in bench.files.files["broker.conf"]
    peer.ask(UpdateBrokerConfig(), b"timerStopEnqueue=true")
    bench.files.refuse = OSError(13, "Permission denied")
    answer = peer.ask(SwitchTimerEngine("F"))
    assert answer.code == 1
    assert (answer.remark or "").startswith("in effect, but broker.conf cannot be written: ")


def test_a_timer_that_is_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path, timerWheelEnable="false")
    try:
        answer = bench.peer().ask(SwitchTimerEngine("F"))
        assert (answer.code, answer.remark) == (29, "broker timerWheelEnable is false")
    finally:
        bench.close()
