"""JSON as a tree that folds. Branches are filled when they are opened, so that a large document costs what is seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar, Final

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from rmq.tui.decoders.shown import harmless
from rmq.tui.formats import count, cut, plural

_CHILDREN: Final = 1000
"""Children of one branch that are shown."""
_OPENED: Final = 200
"""Nodes that are open at first, about."""
_LONGEST: Final = 2000
"""Characters of one value that are shown."""


class JsonTree(Tree[Any]):
    """Shows dicts, lists and what is in them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "cursor_up", "up", id="tree.up", show=False),
        Binding("j", "cursor_down", "down", id="tree.down", show=False),
        Binding("g", "scroll_home", "first", id="tree.first", show=False),
        Binding("G", "scroll_end", "last", id="tree.last", show=False),
        Binding("enter,space", "toggle_node", "fold", id="tree.fold"),
    ]
    HELP: ClassVar[str] = (
        "A body as JSON. `enter` folds and unfolds, `j` and `k` go from value to value, `d` takes the next decoder."
    )

    def __init__(self, *, identity: str | None = None) -> None:
        super().__init__("", id=identity)
        self.guide_depth = 2
        self.auto_expand = False

    def show_value(self, value: Any) -> None:
        """Shows a value, the first levels open."""
        self.reset(_label("", value), value)
        left = _OPENED
        level = [self.root]
        while level:
            left -= sum(_size(node.data) for node in level)
            if left < 0 and level != [self.root]:
                break
            for node in level:
                self._fill(node)
                node.expand()
            level = [child for node in level for child in node.children if child.allow_expand]

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Any]) -> None:
        """A branch that is opened for the first time gets its children."""
        event.stop()
        self._fill(event.node)

    def _fill(self, node: TreeNode[Any]) -> None:
        if node.children or not _size(node.data):
            return
        for name, value in islice(_entries(node.data), _CHILDREN):
            node.add(_label(name, value), value, allow_expand=_size(value) > 0)
        more = _size(node.data) - _CHILDREN
        if more > 0:
            node.add_leaf(Text(f"… {count(more)} more are not shown", "dim"))


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        return ((str(name), each) for name, each in value.items())
    return ((str(at), each) for at, each in enumerate(value))


def _size(value: Any) -> int:
    return len(value) if isinstance(value, dict | list | tuple) else 0


def _label(name: str, value: Any) -> Text:
    text = Text(no_wrap=True)
    if name:
        text.append(_shown(name), "bold").append(": ")
    if isinstance(value, dict):
        return text.append(f"{{{plural(len(value), 'key')}}}" if value else "{}", "dim")
    if isinstance(value, list | tuple):
        return text.append(f"[{plural(len(value), 'item')}]" if value else "[]", "dim")
    if isinstance(value, str):
        return text.append(f'"{_shown(value)}"', "green")
    if value is None or isinstance(value, bool):
        return text.append({None: "null", True: "true", False: "false"}[value], "magenta")
    return text.append(_shown(str(value)), "cyan")


def _shown(text: str) -> str:
    return cut(harmless(text[: _LONGEST + 1]).replace("\n", "␊"), _LONGEST)
