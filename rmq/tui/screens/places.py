"""Where a change may be made, as a field of a form."""

from __future__ import annotations

from collections.abc import Sequence

from rmq.tui.screens.forms import Field
from rmq.tui.service.changes.places import Place
from rmq.tui.state.session import Session


def place_field(
    session: Session,
    place: Place | None = None,
    label: str = "On",
    hint: str = "Every master of a cluster, or one broker.",
) -> Field:
    """The field `place`, whose values are codes of places.

    Args:
        session: knows the clusters and brokers.
        place: what is chosen at first; None for the first cluster.
        label: what stands before it.
        hint: what it is for.
    """
    choices = _choices(session)
    return Field("place", label, choices[0][1] if place is None else place.code, choices, hint=hint)


def _choices(session: Session) -> list[tuple[str, str]]:
    """Texts and codes of all clusters and masters that are known; never empty."""
    cluster = session.cluster.value
    brokers = () if cluster is None else cluster.brokers
    names = () if cluster is None else cluster.names
    clusters = [(f"cluster {name}, all masters", Place(cluster=name).code) for name in names]
    masters = [(f"{one.name} {one.address}", Place(broker=one.address).code) for one in brokers if not one.broker_id]
    return [*clusters, *masters] or [("no broker is known", Place().code)]


def place_of(session: Session, having: Sequence[str]) -> Place | None:
    """Where something is that brokers of these names have: a cluster when all its masters have it, else the first
    broker; None when that is not known."""
    known = session.cluster.value
    if not having or known is None:
        return None
    masters = [broker for broker in known.brokers if not broker.broker_id]
    first = next((broker for broker in masters if broker.name == having[0]), None)
    if first is None:
        return None
    everyone = {broker.name for broker in masters if broker.cluster == first.cluster}
    return Place(cluster=first.cluster) if everyone <= set(having) else Place(broker=first.address)
