"""docs/tui.md says what is true: its examples are understood, its files are taken, and its keys are there."""

import re
import tomllib
from datetime import UTC
from pathlib import Path
from types import ModuleType

import pytest

from rmq.tui.app import SCREENS
from rmq.tui.application import bindings
from rmq.tui.config import contexts
from rmq.tui.decoders import Decoded
from rmq.tui.decoders.registry import GROUP
from rmq.tui.launch import opened
from rmq.tui.service.changes.offsets import target_of
from rmq.tui.service.query import EXAMPLES, parse_query
from rmq.tui.table.filters import parse_filter
from tests.kit.tui_service import NOW

ROOT = Path(__file__).parents[2]
LATER = NOW + 3_600_000
PAGE = (ROOT / "docs" / "tui.md").read_text(encoding="utf-8")


def blocks(language: str, under: str) -> list[str]:
    """The blocks of a language behind a text."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE[PAGE.index(under) :], re.DOTALL)


def examples(under: str, apart: str = r" {3,}") -> list[str]:
    """The first column of the block of text behind a text."""
    return [re.split(apart, line)[0].rstrip() for line in blocks("text", under)[0].splitlines()]


def test_every_question_is_understood_and_every_word_has_one() -> None:
    lines = examples("## Asking for messages", " +# ")
    for line in lines:
        assert parse_query(line, NOW, UTC) is not None
    assert all(any(f"{word}:" in line or f"{word}~" in line for line in lines) for word in EXAMPLES if word != "topic")


def test_every_target_of_a_reset_is_understood() -> None:
    assert len({target_of(line, LATER, UTC).number for line in examples("**Moving offsets.**")[2:]}) == 4
    assert [target_of(line, LATER, UTC).kind for line in examples("**Moving offsets.**")[:2]] == ["earliest", "latest"]


def test_every_filter_is_understood() -> None:
    cells = {"name": ("OrdersTx", "OrdersTx"), "type": ("FIFO", "FIFO"), "lag": ("1,204", 1204)}
    for line in examples("**Filter.**"):
        assert parse_filter(line, list(cells))(cells), line


def _known(text: str) -> set[str]:
    """What the complaint about an unknown key says is known."""
    with pytest.raises(contexts.ConfigError) as complaint:
        contexts.parsed(text, Path("tui.toml"))
    return set(str(complaint.value).partition("known are ")[2].split(", "))


def test_the_sample_file_is_taken_and_every_key_is_explained() -> None:
    (text,) = (block for block in blocks("toml", "## The file") if "[contexts.prod]" in block)
    config = contexts.parsed(text, Path("tui.toml"))
    assert list(config.contexts) == ["local", "prod"]
    assert set(config.keymap) <= {bound.name for bound in bindings.every()}
    known = {f"contexts.NAME.{key}" for key in _known("[contexts.a]\nqqq = 1")} | _known("qqq = 1") - {"contexts"}
    table = PAGE[PAGE.index("| key | meaning |") : PAGE.index("**Unreachable")]
    explained = re.findall(r"`([\w.]+)`", "\n".join(row.split(" | ")[0] for row in table.splitlines()))
    assert set(explained) == known


def test_the_decoder_is_one() -> None:
    (source,) = blocks("python", "## Bodies")
    (project,) = (tomllib.loads(block) for block in blocks("toml", "## Bodies") if "[project]" in block)
    assert project["project"]["entry-points"][GROUP] == {"order": "shop_tui:OrderDecoder"}
    module = ModuleType("shop_tui")
    exec(source, module.__dict__)
    decoder, body = module.OrderDecoder(), b"ORD\0\0\1\2paper"
    assert decoder.matches(body)
    tree = {"number": 258, "name": "paper"}
    assert decoder.decode(body, 100) == Decoded(tree=tree, is_tree=True, shown=12, of=12, steps=("order",))
    with pytest.raises(ValueError, match="7 bytes"):
        decoder.decode(b"ORD", 100)


def test_keys_and_screens_are_there() -> None:
    for screen in SCREENS:
        assert f"**{screen.NUMBER} {screen.TITLE}.**" in PAGE
        assert f"`:{screen.WHAT}" in PAGE or screen.MODE == "ops"
    for what in re.findall(r"`--open '?([^`']+)'?`", PAGE):
        assert opened(what) is not None
    pressed = {key for bound in bindings.every() for key in bound.shown}
    table = PAGE[PAGE.index("| key | does |") : PAGE.index("[tui-keys.md]")]
    told = {key.lower() for row in table.splitlines() for key in re.findall(r"`([^`]+)`", row.split(" | ")[0])}
    assert told - {key.lower() for key in pressed} == {"ctrl+p"}
