"""The decoders that are installed, and `auto`, which chooses one of them by looking at the body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from rmq.tui.decoders.decoded import Decoded, Decoder, DecoderError, UndecodableError
from rmq.tui.decoders.shown import harmless

GROUP: Final = "rmq.body_decoders"
AUTO: Final = "auto"
LIMIT: Final = 64 << 10
"""Bytes of a body that are shown as a text."""
_DEEPEST: Final = 3
"""Packings within packings that are undone."""
_OWN: Final = ("json", "gzip", "text", "hex", "base64")
"""Names of this package's decoders in the order in which `d` goes through them."""
_LONGEST: Final = 300


def installed() -> tuple[EntryPoint, ...]:
    """What is announced as a decoder by any package that is installed."""
    return tuple(entry_points(group=GROUP))


class Decoders:
    """All decoders by name, made when they are wanted first.

    Args:
        announced: the entry points.

    Attributes:
        names: `auto`, this package's, then others by name.
    """

    def __init__(self, announced: Iterable[EntryPoint]) -> None:
        found = {point.name: point for point in announced if point.name != AUTO}
        others = sorted(name for name in found if name not in _OWN)
        self.names = (AUTO, *(name for name in _OWN if name in found), *others)
        self._order = (*others, *(name for name in _OWN if name in found))
        self._announced = found
        self._made: dict[str, Decoder | str] = {}

    def after(self, name: str) -> str:
        """The name that follows a name; the first behind the last."""
        return self.names[(self.names.index(name) + 1) % len(self.names)]

    def decode(self, name: str, body: bytes, limit: int = LIMIT) -> Decoded:
        """A body for the screen, harmless to the terminal.

        Raises:
            UndecodableError: the body has another form.
            DecoderError: the decoder cannot be loaded, or has failed.
        """
        decoded = self._auto(body, limit) if name == AUTO else self._unpacked(self._decode(name, body, limit), limit)
        text, most = decoded.text, 8 * limit
        if len(text) > most:
            remark = _joined(decoded.remark, f"{name} gave {len(text):,} letters, of which {most:,} are shown")
            decoded = replace(decoded, remark=remark)
        return replace(decoded, text=harmless(text[:most]))

    def _auto(self, body: bytes, limit: int, depth: int = 0) -> Decoded:
        remarks: list[str] = []
        for name in self._order:
            try:
                if self._matches(name, body):
                    decoded = self._unpacked(self._decode(name, body, limit), limit, depth)
                    return replace(decoded, remark=_joined(decoded.remark, *remarks))
            except UndecodableError as error:
                remarks.append(str(error))
        return replace(self._decode("hex", body, limit), remark=_joined(*remarks))

    def _unpacked(self, decoded: Decoded, limit: int, depth: int = 0) -> Decoded:
        """What a decoder has unpacked takes its place."""
        if decoded.unpacked is None:
            return decoded
        if depth < _DEEPEST:
            inner = self._auto(decoded.unpacked, limit, depth + 1)
        else:
            inner = self._decode("hex", decoded.unpacked, limit)
        of = inner.of if decoded.of is not None else None
        return replace(inner, of=of, steps=(*decoded.steps, *inner.steps), remark=_joined(inner.remark, decoded.remark))

    def _matches(self, name: str, body: bytes) -> bool:
        matches = getattr(self._decoder(name), "matches", None)
        try:
            return matches is not None and bool(matches(body))
        except Exception as error:
            raise DecoderError(f"the decoder {name} has failed: {_told(error)}") from error

    def _decode(self, name: str, body: bytes, limit: int) -> Decoded:
        decoder = self._decoder(name)
        try:
            decoded = decoder.decode(body, limit)
        except UndecodableError:
            raise
        # Whatever a decoder of somebody else does wrong, it must not end the interface.
        except Exception as error:
            raise DecoderError(f"the decoder {name} has failed: {_told(error)}") from error
        if not isinstance(decoded, Decoded):
            raise DecoderError(f"the decoder {name} gave {type(decoded).__name__} where Decoded is expected")
        return decoded

    def _decoder(self, name: str) -> Decoder:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        if isinstance(made, str):
            raise DecoderError(made)
        return made

    def _make(self, name: str) -> Decoder | str:
        try:
            decoder: Any = self._announced[name].load()()
        except Exception as error:
            return f"the decoder {name} cannot be loaded: {_told(error)}"
        if not callable(getattr(decoder, "decode", None)):
            return f"the decoder {name} has no method decode"
        made: Decoder = decoder
        return made


def _joined(*remarks: str) -> str:
    return "; ".join(remark for remark in remarks if remark)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_LONGEST]
