r"""Settings as they travel: the text that java.util.Properties reads.

A line is `key=value`. A backslash begins an escape: `\t`, `\n`, `\f`, `\r`, `\uXXXX`; before any other character it
is dropped. Apache writes values as they are, so that one with a backslash does not come through; here they are escaped,
and characters beyond ASCII too, because Java takes the bytes for Latin-1.

Source: MixAll.string2Properties and properties2String.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_MEANT: Final = {"t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_WRITTEN: Final = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_ENDS_KEY: Final = frozenset(" =:#!")


def parse_properties(text: str) -> dict[str, str]:
    """The values by key, in the text's order; lines without `=` are passed over."""
    lines = text.replace("\r", "\n").split("\n")
    pairs = (line.partition("=") for line in lines if not line.startswith(("#", "!")))
    return {_read(key).strip(): _read(value.lstrip(" ")) for key, equals, value in pairs if equals}


def properties_text(values: Mapping[str, str]) -> bytes:
    """The text that gives these values to a server."""
    return "".join(f"{_key(key)}={_value(value)}\n" for key, value in values.items()).encode("ascii")


def _read(text: str) -> str:
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(_meant, text)
    # Two escapes that are a pair of surrogates are one character.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _meant(found: re.Match[str]) -> str:
    escaped = found[1]
    return chr(int(escaped[1:], 16)) if len(escaped) == 5 else _MEANT.get(escaped, escaped)


def _key(key: str) -> str:
    return "".join(f"\\{char}" if char in _ENDS_KEY else _written(char) for char in key)


def _value(value: str) -> str:
    text = "".join(map(_written, value))
    return f"\\{text}" if text.startswith(" ") else text


def _written(char: str) -> str:
    if char in _WRITTEN or char.isascii():
        return _WRITTEN.get(char, char)
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
