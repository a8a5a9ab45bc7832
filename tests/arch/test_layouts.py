"""The generated formats of the hot codecs are those of the declarations."""

from pathlib import Path

from rmq.wire import layouts
from rmq.wire.derive import render


def test_layouts_are_not_stale() -> None:
    assert Path(layouts.__file__).read_text(encoding="utf-8") == render(), "run: python -m rmq.wire.derive"
