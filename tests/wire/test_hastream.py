"""The stream to slaves: both directions against their declarations, in any chunks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.wire.hastream import (
    MAX_TRANSFER,
    HaStreamError,
    ReportReader,
    TransferReader,
    encode_report,
    encode_transfer,
)
from rmq.wire.records import HaReport, HaTransferHead

OFFSET = st.integers(0, (1 << 63) - 1)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in pairwise(marks)]


def joined(pieces: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Pieces that follow each other put together; heartbeats stay apart."""
    runs: list[tuple[int, bytes]] = []
    for offset, data in pieces:
        if data and runs and runs[-1][1] and runs[-1][0] + len(runs[-1][1]) == offset:
            runs[-1] = (runs[-1][0], runs[-1][1] + data)
        else:
            runs.append((offset, data))
    return runs


def test_the_bytes_of_each_kind() -> None:
    assert encode_report(0x0102030405060708) == bytes.fromhex("0102030405060708")
    assert encode_transfer(0x0102030405060708, 0x0A0B) == bytes.fromhex("0102030405060708 00000a0b")
    assert MAX_TRANSFER == 4194292


@given(OFFSET, st.integers(0, MAX_TRANSFER))
def test_both_ways_agree_with_the_declarations(offset: int, size: int) -> None:
    assert HaReport.build({"max_offset": offset}) == encode_report(offset)
    assert HaTransferHead.build({"physical_offset": offset, "size": size}) == encode_transfer(offset, size)


@given(st.lists(OFFSET, min_size=1, max_size=8), st.lists(st.integers(0, 100), max_size=8))
def test_of_several_reports_the_last_whole_one_counts(offsets: list[int], places: list[int]) -> None:
    reader, came, last = ReportReader(), b"", None
    for chunk in cut(b"".join(map(encode_report, offsets)), places):
        before, came = len(came) // 8, came + chunk
        report = reader.feed(chunk)
        assert report == (offsets[len(came) // 8 - 1] if len(came) // 8 > before else None)
        last = report if report is not None else last
    assert last == offsets[-1]


@given(
    st.lists(st.tuples(st.integers(0, 1 << 40), st.binary(max_size=40)), min_size=1, max_size=6),
    st.lists(st.integers(0, 400), max_size=10),
)
def test_transfers_come_out_whole_however_they_are_cut(
    transfers: list[tuple[int, bytes]], places: list[int]
) -> None:
    stream = b"".join(encode_transfer(offset, len(body)) + body for offset, body in transfers)
    reader = TransferReader()
    pieces = [piece for chunk in cut(stream, places) for piece in reader.feed(chunk)]
    assert joined(pieces) == joined(transfers)


def test_a_body_is_handed_out_as_it_comes() -> None:
    reader = TransferReader()
    assert reader.feed(encode_transfer(1000, 6)) == []
    assert reader.feed(b"ab") == [(1000, b"ab")]
    assert reader.feed(b"cd") == [(1002, b"cd")]
    assert reader.feed(b"ef" + encode_transfer(1006, 0) + b"\0") == [(1004, b"ef"), (1006, b"")]


@pytest.mark.parametrize(("offset", "size"), [(7, -1), (7, 101), (-1, 10), (-1, 0)])
def test_what_cannot_be_a_transfer_ends_it(offset: int, size: int) -> None:
    head = HaTransferHead.build({"physical_offset": offset, "size": size})
    with pytest.raises(HaStreamError) as caught:
        TransferReader(100).feed(head)
    assert (caught.value.offset, caught.value.size) == (offset, size)
    assert str(caught.value) == f"a transfer of {size} bytes from offset {offset} cannot be"


def test_the_largest_transfer_is_taken() -> None:
    assert TransferReader(100).feed(encode_transfer(7, 100) + b"x" * 100) == [(7, b"x" * 100)]
