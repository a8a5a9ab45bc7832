"""What changes something says so: requests at their declaration, commands at theirs. --dry-run depends on both.

Which command can send a changing request is read from the sources: from its function on, everything that is called by
name, in `rmq.admin` and `rmq.client`, down to the request classes.
"""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from rmq.admin.declare import Command, every
from rmq.wire.requests import load_all

REQUESTS = load_all()

# Verbs with which Apache's names of requests begin.
_CHANGING = (
    "ACK ADD ALTER BATCH CHANGE CLEAN CLONE CONSUME CONSUMER COPY CREATE DELETE ELECT END EXPORT INVOKE LOCK POP PUT"
    " RECALL REGISTER REMOVE RESET RESUME ROLLBACK SEND SET SWITCH UNLOCK UPDATE WIPE"
)
_ASKING = (
    "BROKER CHECK EXCHANGE GET HEART LIST LITE NOTIFICATION NOTIFY PEEK POLLING PULL PUSH QUERY SEARCH UNREGISTER VIEW"
)
CHANGING, ASKING = frozenset(_CHANGING.split()), frozenset(_ASKING.split())
# Those whose first word says nothing, or the wrong thing.
OTHERWISE = {
    "INVOKE_BROKER_TO_GET_CONSUMER_STATUS": False,
    "REGISTER_BROKER": False,  # brokers tell name servers where they are; no command does
}


@pytest.mark.parametrize("spec", REQUESTS.values(), ids=lambda spec: spec.name)
def test_a_request_says_whether_it_changes_something(spec: Any) -> None:
    verb = next(word for word in spec.name.split("_") if word not in {"AUTH", "CONTROLLER"})
    expected = OTHERWISE.get(spec.name, verb in CHANGING)
    assert spec.name in OTHERWISE or (verb in CHANGING) != (verb in ASKING), f"{verb}: does it change something?"
    assert spec.changes == expected


# --- who sends what --------------------------------------------------------------------------------------------------

Place = tuple[str, str]
_CHANGING_CLASSES = {(spec.header.__module__, spec.header.__name__) for spec in REQUESTS.values() if spec.changes}


class Source:
    """A module's definitions and imports."""

    def __init__(self, module: str) -> None:
        found = find_spec(module)
        assert found is not None
        assert found.origin is not None
        tree = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
        self.imports = imports_of(tree)
        self.defined: dict[str, ast.AST] = {}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.defined[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                self.defined.update({target.id: node for target in targets if isinstance(target, ast.Name)})


def imports_of(tree: ast.AST) -> dict[str, Place]:
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.update({alias.asname or alias.name: (node.module, alias.name) for alias in node.names})
    return found


@cache
def source(module: str) -> Source | None:
    """The module, or None when the name is a class's or a function's."""
    try:
        return Source(module) if find_spec(module) else None
    except ModuleNotFoundError:
        return None


def without_annotations(node: ast.AST) -> list[ast.AST]:
    """The node's parts that are executed when it is called."""
    parts: list[ast.AST] = []
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns", "decorator_list"}:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, ast.AST):
                    parts += [item, *without_annotations(item)]
    return parts


@cache
def changes_by(module: str, name: str) -> frozenset[str]:
    """Changing request classes, or `write_file`, that a function or class leads to."""
    found: set[str] = set()
    todo, seen = [(module, name)], set()
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        if place in _CHANGING_CLASSES:
            found.add(place[1])
        elif place[0].startswith(("rmq.admin", "rmq.client")):
            here = source(place[0])
            node = here.defined.get(place[1]) if here else None
            if here is None or node is None:
                continue
            local = imports_of(node)
            for part in without_annotations(node):
                if isinstance(part, ast.Attribute):
                    if part.attr == "write_file":
                        found.add(part.attr)
                    if isinstance(part.value, ast.Name) and (owner := {**here.imports, **local}.get(part.value.id)):
                        todo.append((".".join(owner), part.attr))
                elif isinstance(part, ast.Name):
                    target = local.get(part.id) or here.imports.get(part.id)
                    todo.append(target if target else (place[0], part.id))
    return frozenset(found)


def test_the_search_finds_what_is_several_calls_away() -> None:
    assert changes_by("rmq.admin.commands.topic", "delete_topic") == {"DeleteTopicInBroker", "DeleteTopicInNamesrv"}
    assert changes_by("rmq.admin.commands.message", "send_message") >= {"SendMessageV2"}
    assert changes_by("rmq.admin.commands.topic", "topic_list") == set()


@pytest.mark.parametrize("command", every(), ids=lambda command: command.name)
def test_a_command_says_whether_it_can_change_something(command: Command) -> None:
    function: Any = command.function
    sends = changes_by(function.__module__, function.__name__)
    assert command.changes == bool(sends), f"changes={bool(sends)} is to be declared: {sorted(sends)}"


def test_the_option_that_is_offered() -> None:
    for command in every():
        offered = {option.key for option in command.extras} & {"dry-run", "watch"}
        expected = {"dry-run"} if command.changes else {"watch"}
        assert offered == (set() if command.endless else expected)


def test_what_never_ends() -> None:
    assert [command.name for command in every() if command.endless] == ["startMonitoring"]
