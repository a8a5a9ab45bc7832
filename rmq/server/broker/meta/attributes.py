"""Attributes of topics and groups, which are changed one by one: `+key=value` sets one, `-key` takes one away.

Source: AttributeParser, AttributeUtil.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rmq.wire.errors import InvalidParameterError

MOST_CHARACTERS: Final = 4096
"""Longest attributes of one topic or group, names and values together."""


def parse_changes(text: str) -> dict[str, str]:
    """The changes in `+key=value,-key`, as a map from the signed name to the value.

    Raises:
        InvalidParameterError: a part is neither form.
    """
    changes = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = part.partition("=")
        if bool(equals) is name.startswith("-"):
            raise _malformed(part)
        changes[name] = value
    return changes


def altered(known: Mapping[str, str], changes: Mapping[str, str], *, new: bool) -> dict[str, str]:
    """Attributes after some changes.

    Args:
        known: attributes so far.
        changes: signed names and values, as requests carry them.
        new: the topic or group is being made, so that nothing can be taken away.

    Raises:
        InvalidParameterError: a change has no sign, or the result is longer than allowed.
    """
    attributes = dict(known)
    for signed, value in changes.items():
        name = signed[1:]
        if signed.startswith("+") and name:
            attributes[name] = value
        elif signed.startswith("-") and name and not new:
            attributes.pop(name, None)
        else:
            raise _malformed(signed)
    size = sum(len(name) + len(value) for name, value in attributes.items())
    if size > MOST_CHARACTERS:
        raise InvalidParameterError(f"attributes of {size} characters are longer than {MOST_CHARACTERS}")
    return attributes


def _malformed(part: str) -> InvalidParameterError:
    return InvalidParameterError(f"attribute {part!r:.80} is neither +key=value nor -key of something that exists")
