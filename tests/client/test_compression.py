"""Compressed bodies."""

import zlib

import pytest

from rmq.client.compression import Compression, compress, decompress
from rmq.client.errors import IllegalMessageError


@pytest.mark.parametrize("kind", list(Compression))
def test_round_trip(kind: Compression) -> None:
    body = b"RocketMQ " * 1000
    packed = compress(body, kind, 5)
    assert len(packed) < 300
    assert decompress(packed, kind) == body


def test_no_bits_mean_zlib() -> None:
    assert decompress(zlib.compress(b"old client"), 0) == b"old client"


@pytest.mark.parametrize("kind", list(Compression))
def test_garbage_is_refused(kind: Compression) -> None:
    with pytest.raises(IllegalMessageError, match="cannot be read"):
        decompress(b"no such stream", kind)


@pytest.mark.parametrize("kind", list(Compression))
def test_a_body_that_would_fill_the_memory_is_refused(kind: Compression) -> None:
    packed = compress(bytes(100_000), kind, 5)
    with pytest.raises(IllegalMessageError, match="more than 99999 bytes"):
        decompress(packed, kind, 99_999)
    assert len(decompress(packed, kind, 100_000)) == 100_000
