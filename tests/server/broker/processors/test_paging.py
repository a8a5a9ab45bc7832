"""Pages of large tables."""

import pytest

from rmq.server.broker.processors.paging import LARGEST_PAGE, page_of
from rmq.wire.bodies.version import DataVersion
from rmq.wire.errors import InvalidFieldError

NAMES = [f"{number:05}" for number in range(LARGEST_PAGE + 500)]
VERSION = DataVersion(0, 3, 7)
SAME = '{"counter":3,"stateVersion":0,"timestamp":7}'


@pytest.mark.parametrize(
    ("known", "start", "most", "page"),
    [
        (None, None, None, NAMES),
        ("", 0, 10, NAMES[:10]),
        ("", 50, 10, NAMES[:10]),
        (" ", 50, 10, NAMES[:10]),
        (None, 50, 10, NAMES[:10]),
        (SAME, 50, 10, NAMES[50:60]),
        ('{"counter":2,"stateVersion":0,"timestamp":7}', 50, 10, NAMES[:10]),
        (SAME, LARGEST_PAGE, 5000, NAMES[LARGEST_PAGE:]),
        (SAME, 0, 5000, NAMES[:LARGEST_PAGE]),
        (SAME, 10, None, NAMES[10 : 10 + LARGEST_PAGE]),
        (SAME, None, 3, NAMES[:3]),
        (SAME, 99999, 3, []),
        (SAME, -5, 3, NAMES[:3]),
        (SAME, 0, -3, []),
    ],
)
def test_pages(known: str | None, start: int | None, most: int | None, page: list[str]) -> None:
    assert page_of(NAMES, VERSION, known, start, most) == page


def test_a_version_that_is_none() -> None:
    with pytest.raises(InvalidFieldError):
        page_of(NAMES, VERSION, "{", 0, 1)
