"""Request headers, one file per domain; importing this package fills the registry."""

from rmq.wire.requests import route, send

__all__ = ["route", "send"]
