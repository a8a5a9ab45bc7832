"""Extension fields of the binary header: cases in both directions, cut at every byte, and what is absent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.wire.errors import HeaderError
from rmq.wire.extfields import decode_ext, encode_ext


def entry(key: bytes, value: bytes) -> bytes:
    return len(key).to_bytes(2, "big") + key + len(value).to_bytes(4, "big") + value


CASES: dict[str, tuple[bytes, dict[str, str]]] = {
    "none": (b"", {}),
    "a letter": (b"\0\1a\0\0\0\1x", {"a": "x"}),
    "a name": (b"\0\5msgId\0\0\0\2AB", {"msgId": "AB"}),
    "both": (entry(b"queueId", b"3") + entry(b"i", b"TAGS\x01A\x02"), {"queueId": "3", "i": "TAGS\x01A\x02"}),
    "beyond ASCII": (entry("é".encode(), "中😀".encode()) + entry(b"b", b"x"), {"é": "中😀", "b": "x"}),
    "127 characters": (entry(b"i", b"v" * 127), {"i": "v" * 127}),
    "128 characters": (entry(b"i", b"v" * 128) + entry(b"j", b"0"), {"i": "v" * 128, "j": "0"}),
    "70000 characters": (entry(b"i", b"v" * 70000), {"i": "v" * 70000}),
    "a long name": (entry(b"n" * 300, b"v"), {"n" * 300: "v"}),
    "as many lengths as are remembered": (
        entry(b"i", b"v" * 1023) + entry(b"j", b"w" * 1024),
        {
            "i": "v" * 1023,
            "j": "w" * 1024,
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_entries_are_read(name: str) -> None:
    data, ext = CASES[name]
    assert decode_ext(data) == ext
    assert list(decode_ext(data)) == list(ext)


@pytest.mark.parametrize("name", CASES)
def test_entries_are_written(name: str) -> None:
    data, ext = CASES[name]
    assert encode_ext(ext) == data


@pytest.mark.parametrize("name", ["a letter", "a name", "both", "beyond ASCII", "128 characters"])
def test_cut_entries_are_refused(name: str) -> None:
    data, ext = CASES[name]
    sizes = [len(encode_ext(dict(list(ext.items())[:count]))) for count in range(len(ext))]
    for end in range(len(data)):
        if end in sizes:
            assert decode_ext(data[:end]) == dict(list(ext.items())[: sizes.index(end)])
        else:
            with pytest.raises(HeaderError):
                decode_ext(data[:end])


@pytest.mark.parametrize(
    "data",
    [
        b"\0\1a\0\0\0\0" + entry(b"b", b"x"),
        entry(b"b", b"x") + b"\0\1a\0\0\0\0",
        b"\0\0\0\0\0\0" + entry(b"b", b"x"),
        entry(b"b", b"x") + b"\0\0\0\0\0\0",
        b"\0\0\0\0\0\1v" + entry(b"b", b"x"),
        b"\0\4name\0\0\0\0" + entry(b"b", b"x"),
    ],
)
def test_empty_keys_and_values_are_absent(data: bytes) -> None:
    assert decode_ext(data) == {"b": "x"}


def test_of_a_repeated_key_the_last_counts() -> None:
    assert decode_ext(entry(b"a", b"1") + entry(b"b", b"2") + entry(b"a", b"3")) == {"a": "3", "b": "2"}


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xffa\0\0\0\1x",
        b"\x80\0" + b"k" * 0x8000 + b"\0\0\0\1x",
        b"\0\1a\xff\xff\xff\xff",
        b"\0\2aa\xff\xff\xff\xff",
        b"\0\1a\0\0\0\2x",
        b"\0\x01",
        b"\0",
    ],
)
def test_lengths_that_lie_are_refused(data: bytes) -> None:
    with pytest.raises(HeaderError):
        decode_ext(data)


@given(st.binary(max_size=60))
def test_garbage_is_refused_or_read(data: bytes) -> None:
    try:
        ext = decode_ext(data)
    except HeaderError:
        return
    assert all(ext)
    assert all(ext.values())


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"), min_size=1)
    )
)
def test_what_is_written_is_read(ext: dict[str, str]) -> None:
    assert decode_ext(encode_ext(ext)) == ext


@pytest.mark.parametrize("ext", [{"a": "\ud800"}, {"\ud800": "a"}, {"k" * 0x8000: "v"}])
def test_what_has_no_form_is_not_written(ext: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        encode_ext(ext)
