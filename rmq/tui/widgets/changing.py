"""Keys that change the cluster: there are none in a context that is read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.actions import parse
from textual.binding import Binding, BindingType
from textual.dom import DOMNode

if TYPE_CHECKING:
    from rmq.tui.app import RmqApp


class Changing(DOMNode):
    """A screen or widget with keys that change the cluster.

    They are declared in `CHANGES` instead of `BINDINGS`, and lead to actions of the same class. Where nothing may be
    changed, the actions are not available: footer and help do not show their keys, and pressing them does nothing.
    """

    CHANGES: ClassVar[list[BindingType]] = []
    _changing: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **options: Any) -> None:
        changes: list[BindingType] = cls.__dict__.get("CHANGES", [])
        if changes:
            cls.BINDINGS = [*cls.__dict__.get("BINDINGS", []), *changes]
            cls._changing = cls._changing | {_own_action(binding) for binding in Binding.make_bindings(changes)}
        super().__init_subclass__(**options)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action is available now; those of `CHANGES` are not in a context that is read-only."""
        if action in self._changing and cast("RmqApp", self.app).session.read_only:
            return False
        return super().check_action(action, parameters)


def _own_action(binding: Binding) -> str:
    namespace, name, _ = parse(binding.action)
    if namespace:
        raise ValueError(f"{binding.action}: the action must be the class's own, or it could not be withheld")
    return name
