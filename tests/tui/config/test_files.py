"""Files of the user's own."""

import stat
from pathlib import Path

import pytest

from rmq.tui.config.files import append_line, audit_path, config_path, save


def test_where_they_are() -> None:
    home = {"HOME": "/home/me"}
    assert config_path(home) == Path("/home/me/.config/rmq/tui.toml")
    assert audit_path(home) == Path("/home/me/.local/state/rmq/ops.jsonl")
    elsewhere = {**home, "XDG_CONFIG_HOME": "/etc/xdg", "XDG_STATE_HOME": "/var/state"}
    assert config_path(elsewhere) == Path("/etc/xdg/rmq/tui.toml")
    assert audit_path(elsewhere) == Path("/var/state/rmq/ops.jsonl")
    assert config_path({**home, "XDG_CONFIG_HOME": "relative"}) == Path("/home/me/.config/rmq/tui.toml")


def test_a_line_more(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "ops.jsonl"
    append_line(path, "first")
    append_line(path, "zwei — ü")
    assert path.read_text(encoding="utf-8") == "first\nzwei — ü\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(OSError):
        append_line(tmp_path, "a directory")


def test_saving(tmp_path: Path) -> None:
    save(tmp_path / "x", "ü")
    assert (tmp_path / "x").read_bytes() == "ü".encode()
