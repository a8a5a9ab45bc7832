"""Which bits of a message's bit map stand for a consumer group.

A broker of Apache's may note, while it stores a message, which SQL92 filters the message passes. The note is a Bloom
filter; each pair of group and topic has its bits in it. This broker makes no such notes, but keeps the bits with the
filters in `consumerFilter.json`, because Apache's broker passes the whole file over when they are missing.

Source: BloomFilter, BloomFilterData; Guava's murmur3_128.
"""

from __future__ import annotations

import math

_MASK = (1 << 64) - 1
_FIRST, _SECOND = 0x87C37B91114253D5, 0x4CF5AD432745937F


def bloom_shape(error_rate: int, expected: int) -> tuple[int, int]:
    """How many bits each pair has, and how many the map.

    Args:
        error_rate: how often a message may seem to pass that does not, in percent.
        expected: how many pairs are expected.
    """
    rate = error_rate / 100
    each = math.ceil(math.log(rate) / math.log(0.5))
    bits = math.ceil(expected * (math.log(1 / rate) / math.log(2)) * (math.log(math.e) / math.log(2)))
    return each, 8 * math.ceil(bits / 8)


def bit_positions(text: str, each: int, bits: int) -> list[int]:
    """The `each` bits, out of `bits`, that a text stands for."""
    found = murmur3_64(text.encode())
    low, high = found & 0xFFFFFFFF, found >> 32
    positions = []
    for number in range(1, each + 1):
        combined = (low + number * high) & 0xFFFFFFFF
        positions.append((combined ^ 0xFFFFFFFF if combined >> 31 else combined) % bits)
    return positions


def murmur3_64(data: bytes) -> int:
    """The first half of the x64 variant of MurmurHash3 with 128 bits, seed 0."""
    one = two = 0
    whole = len(data) & ~15
    for at in range(0, whole, 16):
        one ^= _mix_first(int.from_bytes(data[at : at + 8], "little"))
        one = ((_rotated(one, 27) + two) * 5 + 0x52DCE729) & _MASK
        two ^= _mix_second(int.from_bytes(data[at + 8 : at + 16], "little"))
        two = ((_rotated(two, 31) + one) * 5 + 0x38495AB5) & _MASK
    two ^= _mix_second(int.from_bytes(data[whole + 8 :], "little"))
    one ^= _mix_first(int.from_bytes(data[whole : whole + 8], "little"))
    one ^= len(data)
    two ^= len(data)
    one = (one + two) & _MASK
    two = (two + one) & _MASK
    return (_final(one) + _final(two)) & _MASK


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def _mix_first(value: int) -> int:
    return _rotated(value * _FIRST & _MASK, 31) * _SECOND & _MASK


def _mix_second(value: int) -> int:
    return _rotated(value * _SECOND & _MASK, 33) * _FIRST & _MASK


def _final(value: int) -> int:
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & _MASK
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ value >> 33
