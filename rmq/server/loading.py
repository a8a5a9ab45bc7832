"""Imports what a server consists of, nearly all of the time that its start takes, without what it does not need.

Nothing becomes garbage meanwhile, so it is not looked for; nor is it later among what was imported. And Twisted comes
without TLS, which these servers do not speak: it would take a fifth of the time, and is optional to Twisted.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Final

_TLS: Final = "OpenSSL"


def load(*modules: str) -> None:
    """Imports these modules, and what a server's reactor needs."""
    with _nothing_collected(), _hidden(_TLS):
        for module in modules:
            import_module(module)
        # Not every system has epoll.
        with suppress(ImportError):
            import_module("rmq.remoting.epoll")


@contextmanager
def _nothing_collected() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Makes it look as if a module was not installed, unless it was imported before."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
