from hypothesis import given
from hypothesis import strategies as st

from rmq.server.store.checkpoint import Checkpoint, Extension, decode_checkpoint
from rmq.wire import layouts, records

INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


def test_formats_have_the_sizes_of_the_files() -> None:
    assert layouts.RECORD_HEAD.size + 1 + 2 == 91
    assert layouts.RECORD_HEAD_BORN6.size == layouts.RECORD_HEAD_STORE6.size == layouts.RECORD_HEAD.size + 12
    assert layouts.RECORD_HEAD_BOTH6.size == layouts.RECORD_HEAD.size + 24
    assert layouts.CONSUME_QUEUE_UNIT.size == layouts.INDEX_ENTRY.size == 20
    assert layouts.INDEX_HEADER.size == 40
    assert layouts.BLANK_RECORD.size == 8
    assert records.CheckpointPage.sizeof() == 4096


def test_every_derived_format_is_the_generated_one() -> None:
    for name, text in records.derived().items():
        assert getattr(layouts, name).format == text


@given(INT64, INT32, INT64)
def test_queue_unit_both_ways(physical: int, size: int, tags: int) -> None:
    packed = layouts.CONSUME_QUEUE_UNIT.pack(physical, size, tags)
    fields = {"physical_offset": physical, "size": size, "tags_code": tags}
    assert records.ConsumeQueueUnit.build(fields) == packed
    parsed = records.ConsumeQueueUnit.parse(packed)
    assert {name: parsed[name] for name in fields} == fields


@given(INT32, INT64, INT32, INT32)
def test_index_entry_both_ways(key_hash: int, physical: int, seconds: int, previous: int) -> None:
    packed = layouts.INDEX_ENTRY.pack(key_hash, physical, seconds, previous)
    fields = {
        "key_hash": key_hash,
        "physical_offset": physical,
        "time_diff": seconds,
        "previous_entry": previous,
    }
    assert records.IndexEntry.build(fields) == packed
    parsed = records.IndexEntry.parse(packed)
    assert {name: parsed[name] for name in fields} == fields


@given(st.tuples(INT64, INT64, INT64, INT64, INT32, INT32))
def test_index_header_both_ways(values: tuple[int, ...]) -> None:
    names = [con.name for con in records.IndexHeader.subcons]
    packed = layouts.INDEX_HEADER.pack(*values)
    assert records.IndexHeader.build(dict(zip(names, values, strict=True))) == packed
    parsed = records.IndexHeader.parse(packed)
    assert tuple(parsed[name] for name in names) == values


def test_blank_record() -> None:
    assert layouts.BLANK_RECORD.pack(100, 0xCBD43194) == records.BlankRecord.build({"total_size": 100})


@given(
    st.tuples(*[st.integers(0, (1 << 62))] * 5),
    st.one_of(
        st.none(),
        st.builds(Extension, INT64, st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 64) - 1), INT64),
    ),
)
def test_checkpoint_page_both_ways(numbers: tuple[int, ...], extension: Extension | None) -> None:
    checkpoint = Checkpoint(*numbers, extension)  # type: ignore[arg-type]
    page = checkpoint.encode()
    assert decode_checkpoint(page) == checkpoint
    declared = records.CheckpointPage.parse(page)
    names = [con.name for con in records.CheckpointHead.subcons]
    assert tuple(declared.head[name] for name in names) == numbers
    if extension is not None:
        own = declared.extension
        assert (own.safe_offset, own.queue_digest, own.index_digest, own.index_behind) == (
            extension.safe_offset,
            extension.queue_digest,
            extension.index_digest,
            extension.index_behind,
        )
        assert own.head_copy == page[:40]
        assert records.CheckpointPage.build(declared) == page
