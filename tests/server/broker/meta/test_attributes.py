"""Attributes: what `+key=value,-key` does."""

import pytest

from rmq.server.broker.meta.attributes import MOST_CHARACTERS, altered, parse_changes
from rmq.wire.errors import InvalidParameterError


def test_changes_are_set_and_taken_away() -> None:
    changes = parse_changes(" +a=1, -b ,+c=x=y,")
    assert changes == {"+a": "1", "-b": "", "+c": "x=y"}
    assert altered({"a": "0", "b": "2", "d": "3"}, changes, new=False) == {"a": "1", "c": "x=y", "d": "3"}


def test_nothing_to_change_keeps_what_is_there() -> None:
    assert altered({"a": "0"}, parse_changes(""), new=False) == {"a": "0"}


@pytest.mark.parametrize("text", ["+a", "-a=1", "a", "a,b"])
def test_a_part_of_neither_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"neither \+key=value nor -key"):
        parse_changes(text)


@pytest.mark.parametrize("changes", [{"a": "1"}, {"+": "1"}, {"-": ""}, {"": ""}])
def test_a_change_without_sign_or_name_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterError):
        altered({}, changes, new=False)


def test_nothing_can_be_taken_from_what_is_new() -> None:
    with pytest.raises(InvalidParameterError):
        altered({}, {"-a": ""}, new=True)


def test_the_size_is_bounded() -> None:
    assert altered({}, {"+a": "x" * (MOST_CHARACTERS - 1)}, new=True) == {"a": "x" * (MOST_CHARACTERS - 1)}
    with pytest.raises(InvalidParameterError, match="4097 characters"):
        altered({}, {"+a": "x" * MOST_CHARACTERS}, new=True)
