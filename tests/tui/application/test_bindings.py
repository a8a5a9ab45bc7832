"""Every key has an id, every id one meaning, and the list of keys is up to date."""

import re
from pathlib import Path

from rmq.tui import document
from rmq.tui.application import bindings
from rmq.tui.application.bindings import Bound
from rmq.tui.screens.frame import FrameScreen
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.pager import Pager

ROOT = Path(__file__).parents[3]


def by_id() -> dict[str, Bound]:
    return {bound.name: bound for bound in bindings.every()}


def test_every_binding_has_an_id_and_says_what_it_does() -> None:
    found = bindings.every()
    assert len(found) > 60
    assert {Grid, Pager, FrameScreen} <= {bound.owner for bound in found}
    odd = [bound for bound in found if not re.fullmatch(r"[a-z_]+\.[a-z_]+", bound.name)]
    assert [(bound.owner.__name__, bound.keys) for bound in odd] == []
    assert [bound.name for bound in found if not bound.does] == []


def test_an_id_has_one_meaning() -> None:
    meanings: dict[str, set[object]] = {}
    for bound in bindings.every():
        meanings.setdefault(bound.name, set()).add(bound.same)
    assert {name for name, found in meanings.items() if len(found) > 1} == set()


def test_one_binding_with_several_keys() -> None:
    up = by_id()["grid.up"]
    assert (up.owner, up.keys, up.shown, up.action, up.changes) == (Grid, {"up", "k"}, ("up", "k"), "move(-1)", False)
    assert by_id()["screen.help"].shown == ("?",)


def test_keys_that_change_the_cluster_are_marked() -> None:
    marked = {name for name, bound in by_id().items() if bound.changes}
    assert {"topics.new", "topics.delete", "groups.edit"} <= marked
    assert not marked & {"grid.sort", "screen.quit", "topics.internal"}


def test_the_list_of_keys_is_up_to_date() -> None:
    written = (ROOT / "docs" / "tui-keys.md").read_text(encoding="utf-8")
    assert written == document.render(), "write it anew: python -m rmq.tui.document docs/tui-keys.md"
    for name in by_id():
        assert f"`{name}`" in written
