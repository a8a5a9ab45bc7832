"""Request headers, one file per domain.

Importing a file enters its requests into the registry; a short-lived command imports only the domains it uses, because
each costs it some milliseconds. Who needs all of them calls `load_all`.
"""

from __future__ import annotations

import importlib
import pkgutil

from rmq.wire.declare import REQUESTS, RequestSpec


def load_all() -> dict[int, RequestSpec]:
    """Imports every domain and returns the whole registry by code."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return REQUESTS
