"""From a copy of a half message to its newest one."""

import pytest

from rmq.server.broker.transaction import copies as copies_module
from rmq.server.broker.transaction.copies import Copies


def test_steps_are_followed_to_the_newest() -> None:
    copies = Copies()
    copies.note(0, 1, 5)
    copies.note(0, 5, 9)
    copies.note(1, 9, 20)
    assert [copies.newest(0, offset) for offset in (0, 1, 5, 9)] == [0, 9, 9, 9]
    assert copies.newest(1, 9) == 20


def test_only_the_newest_steps_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies_module, "MOST_COPIES", 2)
    copies = Copies()
    for offset in (1, 2, 3):
        copies.note(0, offset, offset + 10)
    assert [copies.newest(0, offset) for offset in (1, 2, 3)] == [1, 12, 13]


def test_steps_that_lead_back_are_not_followed() -> None:
    """Queue offsets only grow, unless a queue began anew."""
    copies = Copies()
    copies.note(0, 5, 9)
    copies.note(0, 9, 5)
    assert copies.newest(0, 5) == 9
