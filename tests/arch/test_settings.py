"""A declared setting has an effect: something reads it. One that nothing reads stands in `rmq/settings/ignored.py`."""

import ast
from collections.abc import Iterator
from pathlib import Path

from rmq.settings.model import BrokerSettings, NamesrvSettings
from rmq.settings.option import options_of

ROOT = Path(__file__).parents[2]
SECTIONS = {**BrokerSettings.SECTIONS, **NamesrvSettings.SECTIONS}

SETTINGS = ROOT / "rmq" / "settings"
READERS = [*sorted((ROOT / "rmq" / "server").rglob("*.py")), SETTINGS / "model.py", SETTINGS / "update.py"]
"""The servers, and what settings do to themselves: fill in each other, and guard their updates."""

RECEIVERS = {name: {name, "config"} if name == "namesrv" else {name} for name in SECTIONS}
"""What a section is called where it is read, leading underscores taken off."""

TAKEN_AT_START = [ROOT / "rmq" / "server" / "broker" / "options.py"]
"""Readers that run once, before the store is opened."""


def reads(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(what it is read from, attribute), and ("", key) of what is asked for by its key."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield ast.unparse(node.value).rpartition(".")[2].lstrip("_"), node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "value":
            yield from (("", key.value) for key in node.args if isinstance(key, ast.Constant))


def derived(section: type) -> dict[str, set[str]]:
    """The properties of a section, each with the options that it is made of."""
    file = ROOT / Path(*section.__module__.split(".")).with_suffix(".py")
    (body,) = (
        node.body
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == section.__name__
    )
    return {
        function.name: {name for source, name in reads(function) if source == "self"}
        for function in body
        if isinstance(function, ast.FunctionDef)
    }


def read_by(files: list[Path]) -> dict[str, set[str]]:
    """Section -> options and properties of it that these files read, and the options behind those properties."""
    found = {read for file in files for read in reads(ast.parse(file.read_text(encoding="utf-8")))}
    result = {}
    for section, declared in SECTIONS.items():
        names = {name for source, name in found if source in RECEIVERS[section]}
        names |= {option.name for option in options_of(declared) if ("", option.key) in found}
        for name, behind in derived(declared).items():
            names |= behind if name in names else set()
        result[section] = names
    return result


def test_every_declared_setting_is_read() -> None:
    read = read_by(READERS)
    unread = [
        f"{section}: {option.key}"
        for section, declared in SECTIONS.items()
        for option in options_of(declared)
        # A refused value acts by itself: it stops the start.
        if option.name not in read[section] and option.refused is None
    ]
    assert unread == [], "give each an effect, or a place in rmq/settings/ignored.py with the reason why it has none"


def test_every_derived_value_is_read() -> None:
    read = read_by(READERS)
    unread = [f"{section}: {name}" for section, declared in SECTIONS.items() for name in derived(declared)
              if name not in read[section]]  # fmt: skip
    assert unread == []


def test_what_is_taken_at_start_does_not_promise_to_change_at_once() -> None:
    later = read_by([file for file in READERS if file not in TAKEN_AT_START])
    once = read_by(TAKEN_AT_START)
    promised = [
        f"{section}: {option.key}"
        for section, declared in SECTIONS.items()
        for option in options_of(declared)
        if option.dynamic and option.name in once[section] - later[section]
    ]
    assert promised == [], "these are not dynamic: an update at run time reaches nobody"
