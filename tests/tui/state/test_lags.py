"""The lag of all groups together."""

from rmq.tui.state.lags import Lags


def test_the_sum_is_that_of_all_only_when_all_are_known() -> None:
    lags = Lags()
    assert lags.total() is None
    lags.told("a", 10, 7)
    assert lags.total() == (10, False)
    lags.groups_are(("a", "b"))
    assert lags.total() == (10, False)
    lags.told("b", 5, 7)
    assert lags.total() == (15, True)
    lags.told("a", 4, 7)
    assert lags.total() == (9, True)
    lags.groups_are(("b",))
    assert lags.total() == (5, True)
    lags.groups_are(())
    assert lags.total() is None
