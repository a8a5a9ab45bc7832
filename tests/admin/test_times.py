"""Times on a command line."""


import pytest

from rmq.admin.errors import CommandLineError
from rmq.admin.times import parse_time


@pytest.mark.usefixtures("utc")
def test_both_forms() -> None:
    assert parse_time("1795253967572") == 1_795_253_967_572
    assert parse_time("2026-11-21#09:39:27:572") == 1_795_253_967_572


@pytest.mark.parametrize("text", ["soon", "2026-11-21#09:39:27", "2026-13-21#09:39:27:000", "2026-11-21#09:39:27:x"])
def test_neither_form(text: str) -> None:
    with pytest.raises(CommandLineError):
        parse_time(text)
