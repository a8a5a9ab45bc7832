"""Bit positions, as a broker of Apache's 5.4.0 wrote them."""

import pytest

from rmq.server.broker.bloom import bit_positions, bloom_shape, murmur3_64


@pytest.mark.parametrize(
    ("rate", "expected", "shape"),
    [(20, 32, (3, 112)), (10, 128, (4, 616)), (1, 1, (7, 16)), (50, 8, (1, 16)), (99, 1, (1, 8))],
)
def test_shape(rate: int, expected: int, shape: tuple[int, int]) -> None:
    assert bloom_shape(rate, expected) == shape


def test_positions() -> None:
    assert bit_positions("G1#T", 3, 112) == [48, 65, 29]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", 0),
        (b"hello", 0xCBD8A7B341BD9B02),
        (b"The quick brown fox jumps over the lazy dog", 0xE34BBC7BBC071B6C),
    ],
)
def test_hash(data: bytes, found: int) -> None:
    """Against the published values of MurmurHash3_x64_128."""
    assert murmur3_64(data) == found
