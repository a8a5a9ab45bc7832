"""The broker's configuration, figures and clean-up."""

import json

from rmq.wire.requests.broker import (
    CleanExpiredConsumeQueue,
    DeleteExpiredCommitLog,
    GetBrokerConfig,
    GetBrokerRuntimeInfo,
    UpdateBrokerConfig,
    ViewBrokerStatsData,
)
from tests.kit.broker import EPOCH, Bench, send_header


def test_configuration_is_told_with_its_version(bench: Bench) -> None:
    answer = bench.peer().ask(GetBrokerConfig())
    lines = answer.body.decode().splitlines()
    assert {"brokerName=broker-a", "autoCreateTopicEnable=true", "brokerIP1=127.0.0.1"} <= set(lines)
    assert json.loads(answer.ext["version"]) == {"counter": 0, "stateVersion": 0, "timestamp": EPOCH * 1000}


def test_configuration_is_changed_kept_and_registered(bench: Bench) -> None:
    peer = bench.peer()
    assert peer.ask(UpdateBrokerConfig(), b"autoCreateTopicEnable=false\nbrokerPermission=4\n").code == 0
    assert bench.settings.broker.auto_create_topic_enable is False
    assert bench.settings.broker.broker_permission == 4
    assert b"autoCreateTopicEnable=false" in bench.files.files["broker.conf"]
    assert bench.registrations == 1
    assert json.loads(peer.ask(GetBrokerConfig()).ext["version"])["counter"] == 1


def test_bad_values_and_forbidden_keys_change_nothing(bench: Bench) -> None:
    peer = bench.peer()
    assert peer.ask(UpdateBrokerConfig(), b"brokerPermission=99").code == 29
    assert peer.ask(UpdateBrokerConfig(), b"brokerConfigPath=/etc/passwd").code == 16
    assert bench.settings.broker.broker_permission == 6
    assert "broker.conf" not in bench.files.files
    assert bench.registrations == 0


def test_a_file_that_cannot_be_written(bench: Bench) -> None:
    bench.files.refuse = OSError(13, "Permission denied")
    answer = bench.peer().ask(UpdateBrokerConfig(), b"brokerPermission=4")
    assert answer.code == 1
    assert (answer.remark or "").startswith("in effect, but broker.conf cannot be written: ")
    assert bench.settings.broker.broker_permission == 4
    assert bench.registrations == 1, "name servers are told what is in effect"
    bench.files.refuse = None
    bench.peer().ask(UpdateBrokerConfig(), b"brokerPermission=4")
    assert "broker.conf" in bench.files.private


def test_figures(bench: Bench) -> None:
    bench.topic("T")
    bench.stats.start()
    peer = bench.peer()
    peer.ask(send_header("T"), b"x")
    bench.clock.advance(10)
    assert json.loads(peer.ask(GetBrokerRuntimeInfo()).body)["table"] == bench.runtime.table()
    body = json.loads(peer.ask(ViewBrokerStatsData("TOPIC_PUT_NUMS", "T")).body)
    assert body["statsMinute"] == {"avgpt": 0.0, "sum": 1, "tps": 0.1}
    answer = peer.ask(ViewBrokerStatsData("TOPIC_PUT_NUMS", "U"))
    assert (answer.code, answer.remark) == (1, "The stats <TOPIC_PUT_NUMS> <U> not exist")


def test_cleaning_up_leaves_what_is_needed(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    peer.ask(send_header("T"), b"x")
    assert peer.ask(CleanExpiredConsumeQueue()).code == 0
    assert peer.ask(DeleteExpiredCommitLog()).code == 0
    assert bench.store.queues() == [("T", 0)]
