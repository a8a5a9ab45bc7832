"""Where a form begins to change something, and where else it may."""

import pytest

from rmq.tui.screens.places import place_field, place_of
from rmq.tui.service.changes.places import Place
from rmq.tui.service.model import Broker, Cluster
from rmq.tui.state.session import Session
from tests.kit.tui_service import fake_app


def session_of(*masters: tuple[str, str]) -> Session:
    """Knows masters by cluster and name; each address ends with the place among them."""
    brokers = (Broker(cluster, name, 0, f"10.0.0.{at}:1") for at, (cluster, name) in enumerate(masters))
    session = fake_app().session
    session.cluster.take(session.cluster.begin(), Cluster(tuple(brokers), ()), 1)
    return session


@pytest.mark.parametrize(
    ("having", "place"),
    [
        (["a", "b"], Place(cluster="C1")),
        (["b"], Place(broker="10.0.0.1:1")),
        (["c"], Place(cluster="C2")),
        (["gone"], None),
        ([], None),
    ],
)
def test_it_begins_with_where_the_thing_is(having: list[str], place: Place | None) -> None:
    assert place_of(session_of(("C1", "a"), ("C1", "b"), ("C2", "c")), having) == place


def test_clusters_come_before_brokers() -> None:
    session = session_of(("C1", "a"), ("C2", "c"))
    field = place_field(session)
    assert (field.key, field.label, field.value) == ("place", "On", "c C1")
    assert list(field.choices) == [
        ("cluster C1, all masters", "c C1"),
        ("cluster C2, all masters", "c C2"),
        ("a 10.0.0.0:1", "b 10.0.0.0:1"),
        ("c 10.0.0.1:1", "b 10.0.0.1:1"),
    ]
    assert place_field(session, Place(broker="10.0.0.1:1"), "From").value == "b 10.0.0.1:1"


def test_nothing_is_known() -> None:
    session = fake_app().session
    assert place_of(session, ["a"]) is None
    assert list(place_field(session).choices) == [("no broker is known", "c ")]
