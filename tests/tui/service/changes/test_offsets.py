"""Where a group may be told to go on."""

from datetime import UTC

import pytest

from rmq.tui.service.changes.change import Risk
from rmq.tui.service.changes.offsets import EXAMPLES, Kind, ResetOffsets, Target, TargetError, target_of

NOW = 1_795_269_720_000
"""2026-11-21 14:02:00 UTC."""


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("earliest", Target(Kind.EARLIEST, 0, "the oldest message")),
        (" latest ", Target(Kind.LATEST, 0, "the end")),
        ("now", Target(Kind.LATEST, 0, "the end")),
        ("-30m", Target(Kind.TIME, NOW - 1_800_000, "2026-11-21 13:32:00")),
        ("2026-10-01 12:00", Target(Kind.TIME, 1_790_856_000_000, "2026-10-01 12:00:00")),
        ("@1200", Target(Kind.OFFSET, 1200, "offset 1,200")),
        ("+1500", Target(Kind.BY, 1500, "1,500 messages forward")),
        ("-100", Target(Kind.BY, -100, "100 messages back")),
    ],
)
def test_targets(text: str, target: Target) -> None:
    assert target_of(text, NOW, UTC) == target


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", EXAMPLES),
        ("soon", f"soon is no target; known are {EXAMPLES}"),
        ("@-1", f"@-1 is no target; known are {EXAMPLES}"),
        ("15:00", "that time is yet to come; latest goes to the end"),
    ],
)
def test_what_is_no_target(text: str, why: str) -> None:
    with pytest.raises(TargetError) as caught:
        target_of(text, NOW, UTC)
    assert str(caught.value) == why


def test_what_a_reset_says_of_itself() -> None:
    when = target_of("-30m", NOW, UTC)
    change = ResetOffsets(("billing",), "Orders", when)
    assert (change.title, change.target) == ("reset offset billing/Orders -> 2026-11-21 13:32:00", "billing")
    assert change.risk is Risk.HIGH
    assert change.command == ("resetOffsetByTime", "-g", "billing", "-t", "Orders", "-s", "1795267920000")
    assert ResetOffsets(("billing",), "Orders", target_of("latest", NOW, UTC)).command[-2:] == ("-s", "-1")
    assert ResetOffsets(("billing",), "Orders", target_of("earliest", NOW, UTC)).command[-2:] == ("-s", "0")

    one = ResetOffsets(("billing",), "Orders", target_of("@5", NOW, UTC), ("broker-a", 3))
    assert one.title == "reset offset billing/Orders broker-a/3 -> offset 5"
    many = ResetOffsets(("a", "b", "c"), "", target_of("+5", NOW, UTC))
    assert (many.title, many.target) == ("reset offset 3 groups -> 5 messages forward", "3 groups")
    assert one.command == many.command == ()
