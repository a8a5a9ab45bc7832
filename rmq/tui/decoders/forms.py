"""Texts, JSON, hexadecimal and base64."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Final

from rmq.tui.decoders.decoded import Decoded, UndecodableError

JSON_MOST: Final = 2 << 20
"""Bytes of a body that are taken for JSON at most."""
_WIDTH: Final = 8
"""Bytes of a line of hexadecimal: 41 characters, which a pane has room for where 16 bytes would wrap."""
_HEX_ROOM: Final = 4
"""Characters that show a byte in hexadecimal, about."""
_BASE64_LINE: Final = 57
"""Bytes that make a line of 76 characters."""


class JsonDecoder:
    """JSON, as a tree."""

    def matches(self, body: bytes) -> bool:
        """What begins as an object or array does; a number alone is better shown as the text it is."""
        return body.lstrip()[:1] in {b"{", b"["}

    def decode(self, body: bytes, limit: int) -> Decoded:
        """The whole body or nothing: half of a document is none."""
        if len(body) > JSON_MOST:
            raise UndecodableError(f"{len(body):,} bytes are more than the {JSON_MOST:,} that are read as JSON")
        try:
            # As they are written: 1.10 stays 1.10, and 1e400 does not become infinite.
            tree = json.loads(body.decode("utf-8"), parse_float=Decimal)
        except RecursionError:
            raise UndecodableError("it is nested too deep to be read") from None
        except ValueError as error:
            raise UndecodableError(f"it is no JSON: {error}") from None
        return Decoded(tree=tree, is_tree=True, shown=len(body), of=len(body), steps=("JSON",))


class TextDecoder:
    """UTF-8 text; what is not UTF-8 is shown as `�`."""

    def matches(self, body: bytes) -> bool:
        """UTF-8 whose characters can be shown."""
        try:
            text = body[: 1 << 16].decode("utf-8")
        except UnicodeDecodeError as error:
            if len(body) <= 1 << 16 or error.start < (1 << 16) - 3:
                return False
            text = body[: error.start].decode("utf-8")
        return all(letter.isprintable() or letter in "\r\n\t" for letter in text)

    def decode(self, body: bytes, limit: int) -> Decoded:
        """As many whole characters as the limit allows."""
        cut = body[:limit]
        if len(body) > limit:
            # A character of several bytes that the limit splits is left out.
            while cut and body[len(cut)] & 0xC0 == 0x80 and limit - len(cut) < 3:
                cut = cut[:-1]
        text = cut.decode("utf-8", "replace")
        wrong = text.count("�") - cut.count("�".encode())
        remark = f"{wrong:,} places are no UTF-8" if wrong else ""
        return Decoded(text, shown=len(cut), of=len(body), steps=("text",), remark=remark)


class HexDecoder:
    """Offset, bytes, and what of them is ASCII."""

    def decode(self, body: bytes, limit: int) -> Decoded:
        """A quarter of the limit's bytes, since each takes four characters."""
        cut = body[: max(limit // _HEX_ROOM, _WIDTH)]
        lines = [_hex_line(at, cut[at : at + _WIDTH]) for at in range(0, len(cut), _WIDTH)]
        return Decoded("\n".join(lines), shown=len(cut), of=len(body), steps=("hex",))


def _hex_line(at: int, part: bytes) -> str:
    letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
    return f"{at:06x}  {part.hex(' '):<23}  {letters}"


class Base64Decoder:
    """The body in base64, as it may be pasted elsewhere."""

    def decode(self, body: bytes, limit: int) -> Decoded:
        """Lines of 76 characters."""
        cut = body[: limit * 3 // 4]
        lines = [
            base64.b64encode(cut[at : at + _BASE64_LINE]).decode("ascii") for at in range(0, len(cut), _BASE64_LINE)
        ]
        return Decoded("\n".join(lines), shown=len(cut), of=len(body), steps=("base64",))
