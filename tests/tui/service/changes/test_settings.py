"""What is known of a setting before it is changed."""

import pytest

from rmq.tui.service.changes.settings import about, is_secret, nearest, refused, shown, when


@pytest.mark.parametrize(
    ("key", "effect"),
    [
        ("fileReservedTime", "at once"),
        ("listenPort", "after a restart"),
        ("noSuchKey", "unknown"),
    ],
)
def test_when_a_change_is_in_effect(key: str, effect: str) -> None:
    assert when(key) == effect


def test_a_value_that_brokers_of_ours_refuse() -> None:
    assert refused("listenPort", "80") == ""
    assert refused("listenPort", "x").startswith("brokers of ours refuse it: it must be a whole number from ")
    assert refused("noSuchKey", "x") == ""


def test_what_an_unknown_key_is_like() -> None:
    assert nearest("fileReservedTim", ()) == "fileReservedTime"
    assert nearest("somethingOfApaches", ("somethingOfApache",)) == "somethingOfApache"
    assert nearest("zzz", ()) == ""


def test_secrets_and_meanings() -> None:
    assert is_secret("initAuthenticationUser")
    assert [shown(key, "v") for key in ("initAuthenticationUser", "fileReservedTime")] == ["******", "v"]
    assert shown("initAuthenticationUser", "") == ""
    assert is_secret("tls.server.keyPassword")
    assert not is_secret("fileReservedTime")
    assert about("fileReservedTime")
    assert about("noSuchKey") == ""
