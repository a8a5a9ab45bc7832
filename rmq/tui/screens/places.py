"""Where a change may be made, as choices of a form."""

from __future__ import annotations

from rmq.tui.service.changes.places import Place
from rmq.tui.state.session import Session


def place_choices(session: Session) -> list[tuple[str, str]]:
    """Texts and codes of all clusters and masters that are known; never empty."""
    cluster = session.cluster.value
    brokers = () if cluster is None else cluster.brokers
    names = () if cluster is None else cluster.names
    clusters = [(f"cluster {name}, all masters", Place(cluster=name).code) for name in names]
    masters = [(f"{one.name} {one.address}", Place(broker=one.address).code) for one in brokers if not one.broker_id]
    return [*clusters, *masters] or [("no broker is known", Place().code)]
