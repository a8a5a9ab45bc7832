import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.wire import javahash
from rmq.wire.javahash import IndexKeyHash, hash_order, java_hash

# What Java prints for these.
JAVA = {
    "": 0,
    "a": 97,
    "TagA": 2598919,
    "hello world": 1794106052,
    "polygenelubricants": -2147483648,
    "TopicTest#7F000001A8B24E25154F3C7D91B20042": 1246105126,
    "键": 38190,
    "\U0001f600": 1772899,
}


RECORDED = json.loads((Path(__file__).parents[1] / "golden" / "hashes.json").read_text(encoding="utf-8"))


def slow(text: str) -> int:
    """The definition, one code unit after the other."""
    raw = text.encode("utf-16-be", "surrogatepass")
    value = 0
    for at in range(0, len(raw), 2):
        value = (31 * value + int.from_bytes(raw[at : at + 2], "big")) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


@pytest.mark.parametrize(("text", "value"), JAVA.items())
def test_java_says_so(text: str, value: int) -> None:
    assert java_hash(text) == value


def test_apaches_broker_says_so() -> None:
    """The recorded codes of tags, and hashes of keys; twice, because much of the first time is remembered."""
    hashes = IndexKeyHash(RECORDED["topic"])
    for text, (code, key) in [*RECORDED["hashes"].items()] * 2:
        assert (text, java_hash(text), hashes.hash_of(text)) == (text, code, key)
    assert len(RECORDED["hashes"]) > 450


@given(st.one_of(st.text(max_size=600), st.text("0123456789ABCDEF", max_size=60)))
def test_hash_is_the_definition(text: str) -> None:
    assert java_hash(text) == slow(text)


@given(
    st.text(min_size=1, max_size=130),
    st.one_of(
        st.text(max_size=70),
        st.text(min_size=32, max_size=32),
        st.text(min_size=56, max_size=56),
        st.text("0123456789ABCDEF", min_size=32, max_size=32),
        st.text("0123456789ABCDEF", min_size=56, max_size=56),
    ),
)
def test_index_hash_is_the_absolute_hash_of_topic_and_key(topic: str, key: str) -> None:
    hashes = IndexKeyHash(topic)
    expected = abs(slow(f"{topic}#{key}"))
    expected = 0 if expected == 1 << 31 else expected
    assert hashes.hash_of(key) == expected
    assert hashes.hash_of(key) == expected, "the second time the first part is remembered"


def test_the_one_hash_without_an_absolute_value_is_zero() -> None:
    left = ((1 << 31) - (slow("T#") & 0xFFFFFFFF) * 31**5) & 0xFFFFFFFF
    key = ""
    for power in (31**4, 31**3, 31**2, 31, 1):
        unit = min(left // power, 0xD000)
        left -= unit * power
        key += chr(unit)
    assert slow(f"T#{key}") == -(1 << 31)
    assert IndexKeyHash("T").hash_of(key) == 0


def test_tables_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(javahash, "_PREFIX_LIMIT", 8)
    monkeypatch.setattr(javahash, "_PIECE_LIMIT", 8)
    javahash._pieces.clear()
    hashes = IndexKeyHash("T")
    for number in range(100):
        key = f"{number:020d}{number:012d}"
        assert hashes.hash_of(key) == abs(slow(f"T#{key}"))
        assert len(hashes._prefixes) <= 8
    assert len(javahash._pieces) <= 8


def test_order_of_a_hash_set() -> None:
    assert hash_order(["b", "a", "Q", "c"], java_hash) == ["a", "Q", "b", "c"], "in a bucket the order is that of puts"
    assert hash_order([64, 16, 1, 32], int) == [64, 16, 32, 1]
    assert hash_order([0x10003, 1], int) == [1, 0x10003], "the upper half counts too"
    assert hash_order([-1, 0], int) == [-1, 0]
    assert hash_order([*range(16, 28)], int) == [*range(16, 28)], "twelve are in 16 buckets"
    assert hash_order([*range(16, 28), 3], int) == [3, *range(16, 28)], "thirteen in 32"
    assert hash_order([], int) == []
