"""The file in which questions are kept."""

import stat
from pathlib import Path

import pytest

from rmq.tui.config.files import queries_path, replace
from rmq.tui.launch import kept_questions


def test_where_it_is(tmp_path: Path) -> None:
    assert queries_path({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "rmq" / "queries.json"
    assert queries_path({"HOME": "/home/me"}) == Path("/home/me/.local/state/rmq/queries.json")


def test_questions_come_back(tmp_path: Path) -> None:
    path = tmp_path / "rmq" / "queries.json"
    first = kept_questions(path)
    first.asked("Orders")
    first.save("mine", "Orders tag:A")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = kept_questions(path)
    assert (again.recent, again.saved) == (["Orders"], {"mine": "Orders tag:A"})
    path.write_bytes(b"\xff\xfe")
    assert kept_questions(path).recent == []


def test_what_cannot_be_written_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "queries.json"
    replace(path, "a")
    (tmp_path / "queries.json.new").mkdir()
    with pytest.raises(OSError, match=r"queries\.json\.new"):
        replace(path, "b")
    assert path.read_text() == "a"
