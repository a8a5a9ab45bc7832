"""The lines around the screens."""

from datetime import UTC
from pathlib import Path

from rmq.tui.config.contexts import Context, Mode
from rmq.tui.screens.header import crumbs, header
from rmq.tui.service.model import Broker, Cluster, Problem
from rmq.tui.state.session import Session
from tests.kit.tui_service import NOW, FakeService


def forbidden(path: Path, text: str) -> None:
    raise OSError


def session() -> Session:
    made = Session(FakeService(), lambda: NOW, UTC, forbidden, 2.0, Context("prod", mode=Mode.PROTECTED))
    brokers = (Broker("C1", "a", 0, "h:1"), Broker("C1", "b", 0, "h:2", problem=Problem("gone")))
    made.cluster.take(made.cluster.begin(), Cluster(brokers, ()), NOW)
    for second, total in enumerate((0, 12_400)):
        made.history.count(("broker", "h:1", "in"), NOW + second * 1000, total)
        made.history.count(("broker", "h:1", "out"), NOW + second * 1000, total // 2)
    return made


def test_a_wide_header_tells_everything() -> None:
    made = session()
    assert header(made, 120).plain == (
        " rmq  ● prod  10.0.0.9:9876 +1  C1  brokers 1/2  in 12.4k/s out 6.2k/s"
        + " " * 24
        + "mode:protected  2s  14:02 "
    )
    made.lags.told("billing", 3201, NOW)
    assert "out 6.2k/s  lag ≥ 3,201  " in header(made, 140).plain
    made.lags.groups_are(("billing",))
    assert "out 6.2k/s  lag 3,201  " in header(made, 140).plain
    made.lags.told("billing", 12_345_678, NOW)
    assert "lag 12.3M  " in header(made, 140).plain
    made.paused = True
    assert header(made, 140).plain.endswith("paused  mode:protected  2s  14:02 ")


def test_an_old_lag_tells_its_age() -> None:
    made = session()
    made.lags.told("billing", 3201, NOW - 10_000)
    assert "lag ≥ 3,201  " in header(made, 140).plain
    made.lags.told("billing", 3201, NOW - 75_000)
    assert "lag ≥ 3,201 1m 15s ago  " in header(made, 140).plain
    made.refresh = 30.0
    assert "lag ≥ 3,201  " in header(made, 140).plain


def test_it_always_fills_its_line_and_no_more() -> None:
    made = session()
    made.lags.told("billing", 3201, NOW)
    for width in range(30, 160):
        line = header(made, width)
        assert (line.cell_len, line.plain[-10:]) == (width, "2s  14:02 ")


def test_what_matters_least_goes_first() -> None:
    made = session()
    made.lags.told("billing", 3201, NOW)
    words = ("prod", "brokers", "lag", "in 12", "rmq", "10.0.0.9", "C1")
    shown = [
        [word for word in words if word in header(made, width).plain]
        for width in (115, 110, 90, 80, 50)
    ]
    assert shown == [
        ["prod", "brokers", "lag", "in 12", "rmq", "10.0.0.9", "C1"],
        ["prod", "brokers", "lag", "in 12", "rmq", "10.0.0.9"],
        ["prod", "brokers", "lag", "in 12", "rmq"],
        ["prod", "brokers", "lag"],
        ["prod", "brokers"],
    ]


def test_without_an_answer_it_says_so() -> None:
    made = Session(FakeService(), lambda: NOW, UTC, forbidden)
    assert "connecting…" in header(made, 80).plain
    made.cluster.take(made.cluster.begin(), Problem("gone"), NOW)
    assert "no answer" in header(made, 80).plain


def test_the_way_is_cut_at_its_beginning() -> None:
    steps = [("Topics", "Orders"), ("Groups", "billing"), ("Queues", "broker-a/0")]
    assert crumbs(steps, 80).plain == " Topics Orders › Groups billing › Queues broker-a/0"
    assert crumbs(steps, 40).plain == " … › Groups billing › Queues broker-a/0"
    assert crumbs(steps, 25).plain == " … › Queues broker-a/0"
    assert crumbs([("Topics", None)], 5).plain == " Topics"
    assert crumbs([("Topics", "a\nb")], 80).plain == " Topics a b"
