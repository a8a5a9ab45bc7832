"""Every key of the interface, found by looking at the classes that bind them.

An id of a binding is what a user's keymap names it by; it is said once.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final, NamedTuple

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import key_to_character

_PARTS: Final = ("rmq.tui.screens", "rmq.tui.widgets")


class Bound(NamedTuple):
    """What a class binds to keys.

    Attributes:
        owner: the class.
        name: the binding's id; empty when it has none.
        keys: as Textual names them.
        shown: as one presses them.
        does: in a word or two.
        action: what is called.
        changes: whether it changes the cluster.
    """

    owner: type[DOMNode]
    name: str
    keys: frozenset[str]
    shown: tuple[str, ...]
    does: str
    action: str
    changes: bool

    @property
    def same(self) -> tuple[object, ...]:
        """What two bindings of one id have in common."""
        return self.keys, self.action, self.changes


def every() -> list[Bound]:
    """All bindings of our own, by the name of the class; without those that a class has from another."""
    return [
        bound
        for owner in sorted(set(_classes()), key=lambda one: one.__name__)
        for bound in _of(owner)
        if not any(bound.same == other.same for base in owner.__mro__[1:] for other in _of(base))
    ]


def _classes() -> Iterator[type[DOMNode]]:
    from rmq.tui.app import RmqApp

    yield RmqApp
    for part in _PARTS:
        for module in pkgutil.walk_packages(import_module(part).__path__, f"{part}."):
            for _, found in inspect.getmembers(import_module(module.name), inspect.isclass):
                if issubclass(found, DOMNode) and found.__module__ == module.name:
                    yield found


def _of(owner: type[Any]) -> list[Bound]:
    if not owner.__module__.startswith("rmq."):
        return []
    changing = {binding.id for binding in Binding.make_bindings(owner.__dict__.get("CHANGES", []))}
    together: dict[tuple[str, str], list[Binding]] = {}
    for binding in Binding.make_bindings(owner.__dict__.get("BINDINGS", [])):
        together.setdefault((binding.id or "", binding.action), []).append(binding)
    return [
        Bound(
            owner,
            name,
            frozenset(binding.key for binding in bindings),
            tuple(shown_key(binding) for binding in bindings),
            bindings[0].description,
            action,
            bool(name) and name in changing,
        )
        for (name, action), bindings in together.items()
    ]


def shown_key(binding: Binding) -> str:
    """Its key as one presses it, such as `:` or `k`."""
    return binding.key_display or _shown(binding.key.strip())


def _shown(key: str) -> str:
    character = key_to_character(key)
    return character if character is not None and character.isprintable() and character != " " else key
