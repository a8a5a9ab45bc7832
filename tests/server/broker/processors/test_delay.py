"""The progress of deliveries, for slaves and tools."""

import json

from rmq.wire.layouts import TIMER_CHECKPOINT
from rmq.wire.requests.offset import GetAllDelayOffset
from rmq.wire.requests.replication import GetTimerCheckPoint, GetTimerMetrics
from tests.kit.broker import EPOCH, Bench, send_header, text_of


def test_progress(bench: Bench) -> None:
    bench.topic("T")
    peer = bench.peer()
    assert json.loads(peer.ask(GetTimerMetrics()).body)["timingCount"] == {}
    peer.ask(send_header("T", properties=text_of(DELAY="1")), b"x")
    peer.ask(send_header("T", properties=text_of(TIMER_DELAY_SEC="9")), b"x")
    bench.clock.pump([0.1] * 30)
    assert peer.ask(GetAllDelayOffset()).body == (
        b'{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":%d},"offsetTable":{1:1}}' % (EPOCH * 1000)
    )
    metrics = json.loads(peer.ask(GetTimerMetrics()).body)
    assert metrics["timingCount"]["T"]["count"] == 1
    assert len(peer.ask(GetTimerCheckPoint()).body) == TIMER_CHECKPOINT.size
