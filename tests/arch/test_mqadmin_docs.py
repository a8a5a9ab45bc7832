"""docs/mqadmin.md is what the declarations say."""

from pathlib import Path

from rmq.admin.document import render

MANUAL = Path(__file__).parents[2] / "docs" / "mqadmin.md"


def test_manual_is_up_to_date() -> None:
    assert MANUAL.read_text(encoding="utf-8") == render(), "run: python -m rmq.admin.document"
