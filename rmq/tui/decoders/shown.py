"""What a terminal may be given: nothing that moves its cursor or changes its state."""

from __future__ import annotations

import re
from typing import Final

TAB: Final = "    "
_PICTURES: Final = 0x2400
"""Where Unicode has pictures of the control characters."""
_UNSEEN: Final = re.compile(r"[^\x20-\x7e\n]")


def harmless(text: str) -> str:
    """The text with control characters as pictures such as `␛`, and others that cannot be seen as `\\u202e`."""
    return _UNSEEN.sub(lambda found: _seen(found[0]), text.replace("\r\n", "\n"))


def _seen(letter: str) -> str:
    if letter.isprintable():
        return letter
    code = ord(letter)
    if letter == "\t":
        return TAB
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == 0x7F:
        return "␡"
    # Blanks of other widths are as harmless as the usual one.
    if letter.isspace() and code > 0xA0 and letter not in "\u2028\u2029":
        return letter
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
