"""The properties of sent messages, read by what repeats in them.

A message's unique id is new each time; tags, keys, and whether the client waits for the disk are mostly those of the
message before. So the id is cut out of the text, and what the rest means is remembered by its bytes. The order of
properties is that of a Java map: the id may stand anywhere, and an id that is not alone counts last, as ever.

Source: MessageDecoder, MessageConst.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from rmq.wire.message import PROPERTY_TAGS, PROPERTY_UNIQ_KEY, parse_properties, tags_code

_UNIQUE: Final = f"{PROPERTY_UNIQ_KEY}\x01".encode()
_UNIQUE_SIZE: Final = len(_UNIQUE)
_MOST_KNOWN: Final = 4096
_LONGEST_KNOWN: Final = 512


class PropertyFacts(NamedTuple):
    """What properties say, apart from a first unique id.

    Attributes:
        tags_code: what the consume queue keeps of the tags, 0 for none.
        waits: whether the client waits until the message is as durable as the broker can make it.
        special: whether a name is among those that were asked for.
        unique_id: the unique id when it could not be cut out, or a second one.
    """

    tags_code: int
    waits: bool
    special: bool
    unique_id: bytes | None


class SendProperties:
    """Reads properties of sent messages.

    Args:
        special: names that the caller wants to know of.
    """

    def __init__(self, special: frozenset[str]) -> None:
        self._special = special
        self._known: dict[bytes, PropertyFacts] = {}

    def read(self, text: bytes) -> tuple[bytes | None, PropertyFacts]:
        """The unique id of the message, None where the client gave none, and the rest.

        Args:
            text: properties in UTF-8.
        """
        at = text.find(_UNIQUE)
        if at < 0 or (at and text[at - 1] != 2):
            unique_id, rest = None, text
        else:
            start = at + _UNIQUE_SIZE
            end = text.find(b"\x02", start)
            if end < 0:
                end = len(text)
            unique_id, rest = text[start:end] or None, text[:at] + text[end:]
        facts = self._known.get(rest) or self._learn(rest)
        return facts.unique_id or unique_id, facts

    def _learn(self, rest: bytes) -> PropertyFacts:
        properties = parse_properties(rest.decode())
        unique_id = properties.get(PROPERTY_UNIQ_KEY)
        facts = PropertyFacts(
            tags_code(properties.get(PROPERTY_TAGS)),
            properties.get("WAIT") != "false",
            not self._special.isdisjoint(properties),
            unique_id.encode() if unique_id else None,
        )
        if len(rest) <= _LONGEST_KNOWN:
            # Tags and keys are the peers' choice, so a bound keeps this small.
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[rest] = facts
        return facts
