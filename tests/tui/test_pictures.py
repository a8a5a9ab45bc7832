"""The pictures in docs/ show the interface as it is."""

import re
from pathlib import Path

import pytest

from tests.kit.tui.pictures import FOLDER, LARGEST, PICTURES, path_of, picture

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_up_to_date(name: str) -> None:
    drawn = picture(name)
    assert len(drawn.encode()) < LARGEST
    # Not compared by `assert ==`: a difference of files as long as these takes minutes to be told.
    same = path_of(name).read_text(encoding="utf-8") == drawn
    assert same, f"make it anew: python -m tests.kit.tui.pictures {name}"


def test_every_picture_is_shown_and_every_one_that_is_shown_is_made() -> None:
    page = (ROOT / "docs" / "tui.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^]]+\]\(images/([^)]+)\)", page)
    assert sorted(shown) == sorted(path_of(name).name for name in PICTURES)
    assert {path.name for path in FOLDER.glob("tui-*.svg")} == set(shown)


def test_a_picture_asks_nobody_for_anything() -> None:
    assert not re.search(r"url\((?!#)|href=\"(?!#)|src=", path_of("topics").read_text(encoding="utf-8"))
