"""What is said about dead letters that are to be sent again."""

from rmq.tui.service.changes.change import Risk
from rmq.tui.service.changes.dead_letters import ResendDead
from rmq.tui.service.model import LetterPlace

PLACES = (LetterPlace("broker-a", 0, 7), LetterPlace("broker-b", 1, 1200))


def test_what_it_is_called() -> None:
    assert ResendDead("billing", PLACES[:1]).title == "re-send 1 dead letter of billing to where it came from at 10/s"
    assert (
        ResendDead("billing", PLACES, 0.5, "%RETRY%billing").title
        == "re-send 2 dead letters of billing to %RETRY%billing at 0.5/s"
    )


def test_what_it_is() -> None:
    change = ResendDead("billing", PLACES)
    assert (change.target, change.command, change.risk, change.can_stop) == ("billing", (), Risk.MEDIUM, True)
    assert [str(place) for place in PLACES] == ["broker-a/0@7", "broker-b/1@1200"]
