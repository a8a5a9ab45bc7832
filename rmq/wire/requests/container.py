"""A container, which holds several brokers in one process.

Source: AddBrokerRequestHeader, RemoveBrokerRequestHeader.
"""

from __future__ import annotations

from rmq.wire.declare import Int64, request


@request(902, "ADD_BROKER", changes=True)
class AddBroker:
    """Starts a broker; the path of its configuration file is one of the container's machine."""

    config_path: str | None = None


@request(903, "REMOVE_BROKER", changes=True)
class RemoveBroker:
    """Stops a broker."""

    broker_name: str
    broker_cluster_name: str
    broker_id: Int64
