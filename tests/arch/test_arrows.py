"""Imports point downwards: which part may know which, and who may touch sockets, clocks and the global reactor."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "rmq").rglob("*.py"))
}

BASE = {"rmq.wire", "rmq.settings"}
NETWORK = BASE | {"rmq.remoting"}
CLIENT = NETWORK | {"rmq.client"}
STORE = NETWORK | {"rmq.server.files", "rmq.server.store"}
DELIVERY = STORE | {"rmq.server.delivery", "rmq.server.filter", "rmq.server.ha", "rmq.server.acl"}
SETTINGS = {"rmq.server.files", "rmq.server.reconfigure"}

ALLOWED: dict[str, set[str]] = {
    "rmq.wire": set(),
    "rmq.settings": set(),
    "rmq.remoting": BASE,
    "rmq.client": NETWORK,
    "rmq.admin": CLIENT,
    "rmq.tui": CLIENT,
    "rmq.tui.service.live.mqadmin": CLIENT | {"rmq.admin", "rmq.tui.service.model"},
    "rmq.tui.demo": CLIENT | {"rmq.testing"},
    "rmq.quickstart": CLIENT,
    "rmq.server.files": set(),
    "rmq.server.reconfigure": NETWORK | {"rmq.server.files"},
    "rmq.server.store": NETWORK | {"rmq.server.files"},
    "rmq.server.delivery": STORE,
    "rmq.server.filter": {"rmq.wire"},
    "rmq.server.ha": STORE,
    "rmq.server.acl": STORE,
    "rmq.server.broker": DELIVERY | SETTINGS,
    "rmq.server.namesrv": NETWORK | SETTINGS,
    "rmq.server": NETWORK | {"rmq.server"},
    "rmq.testing": CLIENT | {"rmq.server"},
    "rmq.cli": CLIENT | {"rmq.admin", "rmq.quickstart", "rmq.server", "rmq.tui", "rmq.testing"},
    "rmq.__main__": {"rmq.cli"},
    "rmq": set(),
}
"""What each part may import besides itself; a module belongs to the longest part that its name begins with."""

GENERATORS = {"rmq.wire.derive", "rmq.wire.document", "rmq.settings.document"}
"""Modules that a developer runs to write a file of the source tree."""

OUTSIDE_WORLD = {
    "asyncio",
    "multiprocessing",
    "random",
    "secrets",
    "select",
    "selectors",
    "signal",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "twisted",
}
CLOSED_TO = {
    "rmq.wire": OUTSIDE_WORLD | {"os", "pathlib", "io", "tempfile", "shutil"},
    "rmq.settings": OUTSIDE_WORLD | {"construct"},
    "rmq.server.filter": OUTSIDE_WORLD | {"os", "pathlib", "io", "tempfile", "shutil"},
}
"""What must not be imported by parts that only turn bytes and text into values."""

OWN_ADDRESS = {"rmq.client.identity", "rmq.server.launch"}
"""Modules that ask the system for the name or address of this machine, and talk to nobody."""

CONNECTING = {
    "connectSSL",
    "connectTCP",
    "connectUNIX",
    "create_connection",
    "create_server",
    "getaddrinfo",
    "listenSSL",
    "listenTCP",
    "listenUNIX",
    "open_connection",
    "start_server",
}

REACTOR_USERS = {"rmq.server.runner"}
"""Modules that run the process's reactor and hand it to the rest."""


def imported(source: str, module: str = "") -> Iterator[str]:
    """Every module or name that a source imports, anywhere in it, by its dotted name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise AssertionError(f"{module} imports relatively in line {node.lineno}")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, part: str) -> bool:
    """Whether a dotted name is the part or lies in it."""
    return name == part or name.startswith(part + ".")


def part_of(name: str) -> str:
    """The part that a module of rmq belongs to."""
    return max((part for part in ALLOWED if within(name, part)), key=len)


@cache
def imports_of(module: str) -> tuple[str, ...]:
    """What a module of rmq imports."""
    return tuple(imported(MODULES[module].read_text(encoding="utf-8"), module))


def wrong_arrows(module: str, names: Iterable[str]) -> list[str]:
    """Imports of rmq's own modules that do not point downwards."""
    part = part_of(module)
    allowed = ALLOWED[part] | {part}
    if part == "rmq":
        allowed = set()
    own = [name for name in names if within(name, "rmq") and name not in ("rmq", "rmq.__version__")]
    return [name for name in own if not any(within(name, other) for other in allowed)]


def forbidden(module: str, names: Iterable[str]) -> list[str]:
    """Imports of the outside world by a part that is closed to it."""
    closed = CLOSED_TO.get(part_of(module), set()) if module not in GENERATORS else OUTSIDE_WORLD
    return [name for name in names if name.partition(".")[0] in closed]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downwards(module: str) -> None:
    assert wrong_arrows(module, imports_of(module)) == []


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) in CLOSED_TO])
def test_codecs_settings_and_filters_know_no_outside_world(module: str) -> None:
    assert forbidden(module, imports_of(module)) == []


def test_only_remoting_has_sockets() -> None:
    users = {module for module in MODULES for name in imports_of(module) if within(name, "socket")}
    assert {module for module in users if not within(module, "rmq.remoting")} <= OWN_ADDRESS


def test_only_remoting_connects_and_listens() -> None:
    calls = {
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in CONNECTING
    }
    assert calls
    assert [module for module in sorted(calls) if not within(module, "rmq.remoting")] == []


def test_only_the_runner_knows_the_global_reactor() -> None:
    users = {module for module in MODULES if "twisted.internet.reactor" in imports_of(module)}
    assert users == REACTOR_USERS


def test_the_server_never_imports_the_client() -> None:
    offenders = [
        module
        for module in MODULES
        if within(module, "rmq.server") and any(within(name, "rmq.client") for name in imports_of(module))
    ]
    assert offenders == []


TUI_PAINTING = ("app", "application", "screens", "widgets")
TUI_HELPERS = ("config", "decoders", "expressions", "formats", "times")
TUI_BEGINNINGS = ("rmq.tui.demo", "rmq.tui.launch")
TUI_WITHOUT_SOCKETS = ("rmq.client.message", "rmq.client.admin.rights", "rmq.remoting.errors")
"""Parts of the client and of remoting that are values and rules, and ask nobody."""
TUI_COLOURS = {("rmq.tui.config.contexts", f"rich.color.{name}") for name in ("Color", "ColorParseError")}
"""Rich knows which words name a colour."""


def test_what_the_terminal_interface_asks_knows_no_terminal() -> None:
    parts = [f"rmq.tui.{part}" for part in ("service", "state", "table", *TUI_HELPERS)]
    below = {name for name in MODULES if any(within(name, part) for part in parts)}
    assert {"rmq.tui.service.model", "rmq.tui.service.live.service", "rmq.tui.table.filters"} <= below
    painting = {"textual", "rich", "rmq.tui.messages", *(f"rmq.tui.{part}" for part in TUI_PAINTING)}
    assert [
        (module, name)
        for module in sorted(below)
        for name in imports_of(module)
        if any(within(name, part) for part in painting) and (module, name) not in TUI_COLOURS
    ] == []


@pytest.mark.parametrize(
    ("part", "layers"),
    [("service", ("state", "table")), *((part, ("service", "state", "table")) for part in TUI_HELPERS)],
)
def test_the_service_knows_no_state_and_helpers_know_no_layer(part: str, layers: tuple[str, ...]) -> None:
    wrong = [
        (module, name)
        for module in MODULES
        if within(module, f"rmq.tui.{part}")
        for name in imports_of(module)
        if any(within(name, f"rmq.tui.{layer}") for layer in layers)
    ]
    assert wrong == []


def test_only_one_module_of_the_terminal_interface_knows_mqadmin() -> None:
    users = {
        module
        for module in MODULES
        if within(module, "rmq.tui") and any(within(name, "rmq.admin") for name in imports_of(module))
    }
    assert users == {"rmq.tui.service.live.mqadmin"}


def test_only_the_demonstration_knows_servers() -> None:
    users = {
        module
        for module in MODULES
        if within(module, "rmq.tui")
        and any(within(name, part) for name in imports_of(module) for part in ("rmq.testing", "rmq.server"))
    }
    assert users == {"rmq.tui.demo"}


def test_only_the_launcher_knows_the_demonstration() -> None:
    users = {module for module in MODULES if any(within(name, "rmq.tui.demo") for name in imports_of(module))}
    assert users == {"rmq.tui.launch", "rmq.tui.serve"}


def test_nothing_above_the_service_knows_a_network() -> None:
    network = ("rmq.client", "rmq.remoting", "rmq.tui.service.live")
    wrong = [
        (module, name)
        for module in MODULES
        if within(module, "rmq.tui") and not any(within(module, part) for part in (*TUI_BEGINNINGS, network[-1]))
        for name in imports_of(module)
        if any(within(name, part) for part in network) and not any(within(name, part) for part in TUI_WITHOUT_SOCKETS)
    ]
    assert wrong == []


def test_only_declarations_import_construct() -> None:
    users = {module for module in MODULES if any(within(name, "construct") for name in imports_of(module))}
    assert users <= {"rmq.wire.frame", "rmq.wire.records", "rmq.wire.hastream", "rmq.wire.derive"}


# --- the rules themselves -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import rmq.client.push", ["rmq.client.push"]),
        ("from rmq import client", ["rmq.client"]),
        ("def f():\n    from rmq.server.store import api", ["rmq.server.store.api"]),
        ("import os, time as t", ["os", "time"]),
        ("from twisted.internet import reactor", ["twisted.internet.reactor"]),
        ("x = 'import socket'", []),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, names: list[str]) -> None:
    assert list(imported(source)) == names


def test_a_relative_import_is_refused() -> None:
    with pytest.raises(AssertionError, match="relatively"):
        list(imported("from . import codes"))


@pytest.mark.parametrize(
    ("module", "name", "wrong"),
    [
        ("rmq.server.broker.build", "rmq.client.push.PushConsumer", True),
        ("rmq.server.store.commitlog", "rmq.server.broker.stats", True),
        ("rmq.server.store.commitlog", "rmq.server.files.write", False),
        ("rmq.server.runner", "rmq.server.broker.build", False),
        ("rmq.server.runner", "rmq.client", True),
        ("rmq.remoting.client", "rmq.client", True),
        ("rmq.remoting.client", "rmq.wire.codes.VERSION", False),
        ("rmq.wire.codes", "rmq.settings.broker", True),
        ("rmq.settings.load", "rmq.wire.codes", True),
        ("rmq.client.push", "rmq.server.store.api", True),
        ("rmq.admin.cli", "rmq.client.admin", False),
        ("rmq.admin.cli", "rmq.tui", True),
        ("rmq.wire.codes", "rmq.wirework", True),
        ("rmq.wire.codes", "orjson", False),
    ],
)
def test_wrong_arrows_are_seen(module: str, name: str, wrong: bool) -> None:
    assert wrong_arrows(module, [name]) == ([name] if wrong else [])


@pytest.mark.parametrize(
    ("module", "name", "wrong"),
    [
        ("rmq.wire.message", "time.time", True),
        ("rmq.wire.message", "twisted.internet.defer", True),
        ("rmq.wire.message", "os", True),
        ("rmq.wire.derive", "pathlib.Path", False),
        ("rmq.wire.derive", "socket", True),
        ("rmq.settings.load", "pathlib.Path", False),
        ("rmq.settings.load", "twisted", True),
        ("rmq.remoting.client", "socket", False),
    ],
)
def test_the_outside_world_is_seen(module: str, name: str, wrong: bool) -> None:
    assert forbidden(module, [name]) == ([name] if wrong else [])
