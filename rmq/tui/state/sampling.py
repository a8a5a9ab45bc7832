"""What the answers about a cluster become: rates in the history, and samples for the charts."""

from __future__ import annotations

from rmq.tui.service.model import Cluster
from rmq.tui.state.history import History
from rmq.tui.state.timeline import Key, Timelines

WHOLE: Key = ("cluster",)
"""The samples of the cluster as a whole: messages a second in and out."""


def broker_key(address: str) -> Key:
    """The samples of a broker."""
    return ("broker", address)


def sample_cluster(cluster: Cluster, now: int, history: History, timelines: Timelines) -> None:
    """Takes the totals of every broker that has told any."""
    total: list[float | None] = [None, None]
    for broker in cluster.brokers:
        if broker.problem is not None:
            continue
        rates: list[float | None] = []
        for index, (way, count) in enumerate((("in", broker.put_total), ("out", broker.get_total))):
            key = ("broker", broker.address, way)
            history.count(key, now, count)
            rate = history.last(key)
            rates.append(rate)
            if rate is not None:
                total[index] = (total[index] or 0.0) + rate
        if any(rate is not None for rate in rates):
            timelines.add(broker_key(broker.address), now, rates)
    if any(rate is not None for rate in total):
        timelines.add(WHOLE, now, total)
