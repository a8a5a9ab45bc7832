"""The manual of the configuration is what the declarations say."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmq.settings.document import main, render

MANUAL = Path(__file__).parents[2] / "docs" / "config.md"


def test_the_manual_is_not_stale() -> None:
    assert MANUAL.read_text(encoding="utf-8") == render(), "run: python -m rmq.settings.document"


def test_the_manual_is_the_same_on_every_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("HOME", "NAMESRV_ADDR", "ROCKETMQ_HOME"):
        monkeypatch.setenv(variable, "elsewhere:1")
    assert main([str(tmp_path / "config.md")]) == 0
    written = (tmp_path / "config.md").read_text(encoding="utf-8")
    assert written == MANUAL.read_text(encoding="utf-8")
    assert "elsewhere" not in written
