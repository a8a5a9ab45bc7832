"""Sends read in one pass mean what the plain way says, whatever bytes they hold."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.wire import sendcommand
from rmq.wire.codes import SERIALIZE_BINARY, SERIALIZE_JSON
from rmq.wire.command import Command, decode, encode
from rmq.wire.declare import decode_header
from rmq.wire.errors import HeaderError, InvalidFieldError, MissingFieldError, RemotingError
from rmq.wire.requests.send import SendMessageV2
from rmq.wire.sendcommand import SendCommand, SendFields, decode_frame, read_send

USUAL = {
    "a": "PG", "b": "T", "c": "TBW102", "d": "4", "e": "3", "f": "1", "g": "1795258800000", "h": "7",
    "i": "UNIQ_KEY\x01AB\x02WAIT\x01true\x02", "j": "2", "k": "false", "m": "false", "n": "broker-a",
}  # fmt: skip
FIELDS = SendFields("T", False, 3, 7, 1, 2, False, False)

# Values that look like the entries between which a header is cut.
BORN_ENTRY = "\0\1g\0\0\0\x0d1795258800000"
PROPERTIES_ENTRY = "\0\1i\0\0\0\3abc"
VALUE = st.sampled_from(
    ["0", "1", "-1", "x", "4711", str(1 << 31), "1795258800000", "17952588000００", "true", "T", "é", "SELF_TEST_TOPIC",
     BORN_ENTRY, PROPERTIES_ENTRY, BORN_ENTRY + PROPERTIES_ENTRY, "TAGS\x01a\x02", "中\x01b"]
)  # fmt: skip
CHANGES = st.dictionaries(st.sampled_from("abcdefghijklmnz"), VALUE | st.none(), max_size=4)


def frame_of(ext: dict[str, str], code: int = 310, **fields: Any) -> bytes:
    return encode(Command(code, ext, b"body", opaque=5, **{"serialize_type": SERIALIZE_BINARY, **fields}))


def outcome(reader: Any, *args: Any) -> Any:
    try:
        return reader(*args)
    except (HeaderError, RemotingError) as error:
        return type(error), str(error)


def check(frame: bytes) -> Command | None:
    """Reads both ways and holds them equal."""
    quick, plain = outcome(decode_frame, frame, 4, len(frame)), outcome(decode, frame, 4, len(frame))
    assert quick == plain
    if isinstance(quick, SendCommand):
        assert (quick.fields, quick.born_timestamp, quick.properties) == read_send(plain.ext)
    return quick if isinstance(quick, Command) else None


@pytest.mark.parametrize("code", [310, 320])
def test_the_usual_header_takes_the_quick_way(code: int) -> None:
    for number in range(3):
        ext = {**USUAL, "g": f"179525880000{number}", "i": f"TAGS\x01{number}\x02"}
        command = check(frame_of(ext, code))
        assert isinstance(command, SendCommand)
        assert (command.fields, command.born_timestamp) == (FIELDS, 1795258800000 + number)
        assert command.properties == b"TAGS\x01%d\x02" % number
        assert (command.code, command.opaque, command.body, command.ext) == (code, 5, b"body", ext)


@pytest.mark.parametrize(
    ("ext", "fields"),
    [
        ({"m": "TRUE"}, FIELDS._replace(batch=True)),
        ({"j": ""}, FIELDS._replace(reconsume_times=0)),
        ({"b": "SELF_TEST_TOPIC"}, FIELDS._replace(topic="SELF_TEST_TOPIC", closed=True)),
        ({"b": "%RETRY%G"}, FIELDS._replace(topic="%RETRY%G", retry=True)),
        ({"l": "16"}, FIELDS),
        ({"i": "name\x01é\x02"}, FIELDS),
        ({"i": ""}, FIELDS),
        ({"e": "-1", "f": "99999999999"}, FIELDS._replace(queue_id=-1, sys_flag=99999999999)),
    ],
)
def test_what_else_the_quick_way_reads(ext: dict[str, str], fields: SendFields) -> None:
    command = check(frame_of({**USUAL, **ext}))
    assert isinstance(command, SendCommand)
    assert command.fields == fields


@pytest.mark.parametrize(
    "ext",
    [
        {"a": BORN_ENTRY + PROPERTIES_ENTRY},
        {"h": PROPERTIES_ENTRY},
        {"n": "x", "e": "none"},
        {"g": "17952588000000"},
        {"g": "1795258800x00"},
        {"h": str(1 << 31)},
        {"n": "x" * 2000},
    ],
)
def test_what_goes_the_plain_way(ext: dict[str, str]) -> None:
    for _ in range(2):
        command = check(frame_of({**USUAL, **ext}))
        assert type(command) is Command


def test_a_second_time_of_birth_or_text_goes_the_plain_way() -> None:
    for more in ({"z": "1", "G": "2"}, {"i": "twice"}, {"g": "1"}):
        frame = frame_of(USUAL)
        addition = frame_of(more)[29:-4]
        size = int.from_bytes(frame[25:29], "big") + len(addition)
        whole = frame[:25] + size.to_bytes(4, "big") + frame[29:-4] + addition + frame[-4:]
        whole = (len(whole) - 4).to_bytes(4, "big") + b"\1" + (21 + size).to_bytes(3, "big") + whole[8:]
        assert (type(check(whole)) is Command) is ("z" not in more)


@given(CHANGES, st.sampled_from([310, 320, 311]), st.permutations(list(USUAL)), st.booleans())
def test_any_header_means_the_same_both_ways(
    changes: dict[str, str | None], code: int, order: list[str], in_order: bool
) -> None:
    changed = {**USUAL, **changes}
    names = sorted(changed) if in_order else [*order, *changed.keys() - USUAL.keys()]
    check(frame_of({name: value for name in names if (value := changed[name]) is not None}, code))


@given(st.data())
def test_any_damage_is_found_both_ways(data: st.DataObject) -> None:
    frame = bytearray(frame_of(USUAL))
    for _ in range(data.draw(st.integers(1, 3))):
        frame[data.draw(st.integers(4, len(frame) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(frame))


def test_every_cut_is_found_both_ways() -> None:
    frame = frame_of(USUAL)
    for end in range(4, len(frame)):
        assert outcome(decode_frame, frame, 4, end) == outcome(decode, frame, 4, end)
        assert outcome(decode_frame, frame[:end], 4, end) == outcome(decode, frame, 4, end)


def test_remarks_and_json_headers_go_the_plain_way() -> None:
    assert type(check(frame_of(USUAL, remark="é"))) is Command
    assert type(check(frame_of(USUAL, serialize_type=SERIALIZE_JSON))) is Command


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sendcommand, "_MOST_KNOWN", 5)
    monkeypatch.setattr(sendcommand, "_known", {})
    monkeypatch.setattr(sendcommand, "_known_texts", {})
    for number in range(23):
        ext = {**USUAL, "e": str(number)}
        assert isinstance(check(frame_of(ext)), SendCommand)
        assert read_send(ext)[0].queue_id == number
        assert len(sendcommand._known) <= 5
        assert len(sendcommand._known_texts) <= 5
    long = {**USUAL, "b": "x" * 2000}
    assert read_send(long)[0].topic == long["b"]
    assert all(texts[1] != long["b"] for texts in sendcommand._known_texts)


@given(CHANGES)
def test_fields_are_those_that_are_declared(changes: dict[str, str | None]) -> None:
    ext = {name: value for name, value in {**USUAL, **changes}.items() if value is not None}
    try:
        declared = decode_header(SendMessageV2, ext)
        fields, born, properties = read_send(ext)
    except RemotingError:
        return
    assert (fields.topic, fields.queue_id, fields.flag, fields.sys_flag, fields.reconsume_times, fields.batch) == (
        declared.topic, declared.queue_id, declared.flag, declared.sys_flag, declared.reconsume_times or 0,
        bool(declared.batch),
    )  # fmt: skip
    assert (born, properties.decode()) == (declared.born_timestamp, declared.properties or "")


@pytest.mark.parametrize("name", "abefgh")
def test_a_missing_field_is_named(name: str) -> None:
    with pytest.raises(MissingFieldError, match=f"the custom field <{name}> is null"):
        read_send({key: value for key, value in USUAL.items() if key != name})


@pytest.mark.parametrize(("name", "value"), [("e", "x"), ("h", str(1 << 31)), ("g", str(1 << 63)), ("j", "1.5")])
def test_a_wrong_number_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidFieldError):
        read_send({**USUAL, name: value})
