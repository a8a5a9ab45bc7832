"""Java's `String.hashCode`, fast enough to be taken for every message.

The hash is `sum(c[i] * 31**(n-1-i))` over UTF-16 code units, wrapped to a signed int32. Tags become their hash in the
consume queue; the index files every message under the hash of `topic#key`. A hash of a joined string follows from the
hashes of its parts, `h(a + b) = h(a) * 31**len(b) + h(b)`, and the key of most messages is an id of 32 or 56 hex
digits: all but the last 12 name the client and seldom change, eight more are a time, the last four a counter. So the
index hash remembers the first part per topic, and the last id up to its counter, and takes the rest from a table of
short pieces. All tables are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import mul
from typing import Final, TypeVar

T = TypeVar("T")

_WRAP: Final = 0xFFFFFFFF
_POWERS: Final = tuple(pow(31, exponent, 1 << 32) for exponent in range(255, -1, -1))
_POWERS_BY_LENGTH: Final = tuple(_POWERS[256 - length :] for length in range(257))

_ID_LENGTHS: Final = frozenset((32, 56))
_PIECE_LIMIT: Final = 1 << 15
_PREFIX_LIMIT: Final = 1024
_SQUARE: Final = 31**2
_CUBE: Final = 31**3
_FOURTH: Final = 31**4
_EIGHTH: Final = 31**8


def _power(exponent: int) -> int:
    power: int = pow(31, exponent, 1 << 32)
    return power


def _unsigned_hash(text: str) -> int:
    if text.isascii():
        units: Sequence[int] = text.encode()
    else:
        raw = text.encode("utf-16-be", "surrogatepass")
        units = tuple(int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2))
    value = 0
    if len(units) <= 256:
        value = sum(map(mul, units, _POWERS_BY_LENGTH[len(units)]))
        return value & _WRAP
    for start in range(0, len(units), 256):
        part = units[start : start + 256]
        value = value * _power(len(part)) + sum(map(mul, part, _POWERS_BY_LENGTH[len(part)]))
    return value & _WRAP


def java_hash(text: str) -> int:
    """`text.hashCode()` as Java computes it: a signed 32-bit number."""
    value = _unsigned_hash(text)
    return value - (1 << 32) if value >> 31 else value


def hash_order(items: Iterable[T], code: Callable[[T], int], buckets: int = 16) -> list[T]:
    """The items, all different, in the order in which Java's HashMap or HashSet gives them.

    Args:
        items: in the order in which they were put in.
        code: an item's `hashCode()`, or any number that is the same modulo 2**32.
        buckets: how many there are at first; they double when three quarters of them could be full.
    """
    kept = list(items)
    while len(kept) > buckets * 3 // 4:
        buckets *= 2

    def bucket(item: T) -> int:
        value = code(item) & _WRAP
        return (value ^ value >> 16) & buckets - 1

    return sorted(kept, key=bucket)


class _Pieces(dict[str, int]):
    """Hashes of short pieces of ids, filled on demand."""

    def __missing__(self, piece: str) -> int:
        if len(self) >= _PIECE_LIMIT:
            self.clear()
        value = self[piece] = _unsigned_hash(piece)
        return value


_pieces = _Pieces()


class IndexKeyHash:
    """Hashes `topic#key` the way index files do: the absolute value of the Java hash, 0 for the one without."""

    __slots__ = ("_prefixes", "_stem", "_stem_value", "_topic")

    def __init__(self, topic: str) -> None:
        self._topic = _unsigned_hash(topic + "#")
        self._prefixes: dict[str, int] = {}
        self._stem: str | None = None
        self._stem_value = 0

    def hash_of(self, key: str) -> int:
        """The index hash of `key` under this topic (IndexFile.indexKeyHashMethod)."""
        if key[:-4] == self._stem and key.isascii():
            # The next id of the same client and millisecond: only its counter differs.
            value = (self._stem_value + _pieces[key[-4:-2]] * _SQUARE + _pieces[key[-2:]]) & _WRAP
        elif len(key) in _ID_LENGTHS and key.isascii():
            prefix = self._prefixes.get(key[:-12])
            if prefix is None:
                prefix = self._remember(key[:-12])
            self._stem = key[:-4]
            time = (_pieces[key[-12:-9]] * _CUBE + _pieces[key[-9:-6]]) * _SQUARE + _pieces[key[-6:-4]]
            self._stem_value = (prefix + time) * _FOURTH & _WRAP
            value = (self._stem_value + _pieces[key[-4:-2]] * _SQUARE + _pieces[key[-2:]]) & _WRAP
        else:
            value = (self._topic * _power(_utf16_length(key)) + _unsigned_hash(key)) & _WRAP
        if value < 0x80000000:
            return value
        return (1 << 32) - value if value != 0x80000000 else 0

    def _remember(self, stable: str) -> int:
        if len(self._prefixes) >= _PREFIX_LIMIT:
            self._prefixes.clear()
        topic = self._topic * _power(len(stable)) + _unsigned_hash(stable)
        value = self._prefixes[stable] = topic * _EIGHTH & _WRAP
        return value


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-be", "surrogatepass")) // 2
