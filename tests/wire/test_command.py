"""The fast codec: Apache's own frames in both directions, every cut of them, the declaration as twin, and garbage."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmq.wire.codes import LANGUAGES, MAX_HEADER, SERIALIZE_BINARY, SERIALIZE_JSON, VERSION
from rmq.wire.command import Command, decode, encode
from rmq.wire.errors import FrameError, HeaderError
from rmq.wire.frame import BinaryHeader, Frame
from tests.kit.golden_frames import GOLDEN

INT32 = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
LETTER_OR_NAME = st.one_of(st.sampled_from("abcdefghijklmn"), NAME)

BINARY_COMMANDS = st.builds(
    Command,
    st.integers(-(2**15), 2**15 - 1),
    st.dictionaries(LETTER_OR_NAME, NAME, max_size=20),
    st.binary(max_size=200),
    opaque=INT32,
    flag=INT32,
    remark=st.none() | NAME,
    language=st.sampled_from(LANGUAGES),
    version=st.integers(-(2**15), 2**15 - 1),
    serialize_type=st.just(SERIALIZE_BINARY),
)
JSON_COMMANDS = st.builds(
    Command,
    INT32,
    st.dictionaries(TEXT, TEXT, max_size=20),
    st.binary(max_size=200),
    opaque=INT32,
    flag=INT32,
    remark=st.none() | TEXT,
    language=st.sampled_from(LANGUAGES),
    version=INT32,
    serialize_type=st.just(SERIALIZE_JSON),
)


def read(frame: bytes) -> Command:
    return decode(frame, 4, len(frame))


def json_frame(header: bytes | dict[str, Any], body: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return Frame.build({"serialize_type": 0, "header": raw, "body": body})


@pytest.mark.parametrize("name", GOLDEN)
def test_apaches_frames_mean_what_they_mean(name: str) -> None:
    frame, command = GOLDEN[name]
    assert read(frame) == command


@pytest.mark.parametrize("name", ["binary-send", "binary-oneway", "binary-pull"])
def test_the_binary_header_is_apaches_byte_by_byte(name: str) -> None:
    frame, command = GOLDEN[name]
    assert encode(command) == frame


@pytest.mark.parametrize("name", ["json-send", "json-reply", "json-oneway", "json-pull"])
def test_the_json_header_has_apaches_members(name: str) -> None:
    frame, command = GOLDEN[name]
    ours, apaches = Frame.parse(encode(command)), Frame.parse(frame)
    assert json.loads(ours.header) == json.loads(apaches.header)
    assert (ours.serialize_type, ours.body) == (apaches.serialize_type, apaches.body)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_frame_is_found_anywhere_in_its_buffer(name: str) -> None:
    frame, command = GOLDEN[name]
    assert decode(b"before" + frame + b"after", 10, 6 + len(frame)) == command


@pytest.mark.parametrize("name", GOLDEN)
def test_a_cut_header_is_refused_and_a_cut_body_is_a_shorter_body(name: str) -> None:
    frame, command = GOLDEN[name]
    header_end = len(frame) - len(command.body)
    for end in range(4, header_end):
        with pytest.raises(HeaderError):
            decode(frame, 4, end)
    for end in range(header_end, len(frame)):
        assert decode(frame, 4, end).body == frame[header_end:end]


@given(BINARY_COMMANDS | JSON_COMMANDS)
def test_what_is_encoded_is_decoded(command: Command) -> None:
    frame = encode(command)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert read(frame) == command


@given(BINARY_COMMANDS)
def test_the_declaration_reads_what_the_fast_codec_writes(command: Command) -> None:
    frame = Frame.parse(encode(command))
    header = BinaryHeader.parse(frame.header)
    assert frame.serialize_type == SERIALIZE_BINARY
    assert frame.body == command.body
    assert (header.code, header.version, header.opaque, header.flag) == (
        command.code,
        command.version,
        command.opaque,
        command.flag,
    )
    assert LANGUAGES[header.language] == command.language
    assert header.remark.decode() == (command.remark or "")
    assert {entry.key.decode(): entry.value.decode() for entry in header.ext_fields} == command.ext


@given(BINARY_COMMANDS)
def test_the_fast_codec_reads_what_the_declaration_writes(command: Command) -> None:
    header = BinaryHeader.build(
        {
            "code": command.code,
            "language": LANGUAGES.index(command.language),
            "version": command.version,
            "opaque": command.opaque,
            "flag": command.flag,
            "remark": (command.remark or "").encode(),
            "ext_fields": [{"key": k.encode(), "value": v.encode()} for k, v in command.ext.items()],
        }
    )
    frame = Frame.build({"serialize_type": SERIALIZE_BINARY, "header": header, "body": command.body})
    assert frame == encode(command)
    assert read(frame) == command


@given(st.binary(max_size=300))
def test_garbage_is_a_frame_error_or_a_command(data: bytes) -> None:
    for start in (b"", b"\0\0\0", b"\1\0\0"):
        try:
            command = decode(start + data, 0, len(start + data))
        except FrameError:
            continue
        assert all(type(name) is type(value) is str for name, value in command.ext.items())


@settings(max_examples=200)
@given(st.sampled_from(sorted(GOLDEN)), st.data())
def test_a_damaged_frame_is_a_frame_error_or_a_command(name: str, data: st.DataObject) -> None:
    frame = bytearray(GOLDEN[name][0])
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(4, len(frame) - 1))
        frame[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        command = decode(bytes(frame), 4, len(frame))
    except FrameError:
        return
    assert all(type(name) is type(value) is str for name, value in command.ext.items())


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
HEADER_MEMBERS = ["code", "language", "version", "opaque", "flag", "remark", "extFields"]


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(HEADER_MEMBERS), JSON_VALUES | st.dictionaries(TEXT, JSON_VALUES)))
def test_wrong_types_in_a_json_header_are_a_frame_error_or_a_command(header: dict[str, Any]) -> None:
    try:
        command = read(json_frame(header))
    except FrameError:
        return
    assert type(command.code) is type(command.opaque) is type(command.flag) is type(command.version) is int
    assert command.language in LANGUAGES
    assert command.remark is None or type(command.remark) is str
    assert all(type(name) is type(value) is str for name, value in command.ext.items())


DEEP = 900
"""Deeper than Python's stack of two frames a level, and no deeper than the strict JSON reader goes."""


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"1",
        b'"text"',
        b"{",
        b'{"code":1e3}',
        b'{"code":null}',
        b'{"code":"310"}',
        b'{"code":true}',
        b'{"code":2147483648}',
        b'{"opaque":-2147483649}',
        b'{"flag":1' + b"0" * 500 + b"}",
        b'{"extFields":[]}',
        b'{"extFields":"a"}',
        b'{"extFields":{"a":[1]}}',
        b'{"extFields":{"a":{"b":1}}}',
        b'{"extFields":{{"a":1}:"b"}}',
        b'{"remark":{}}',
        b'{"code":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"remark":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"extFields":{"a":' + b"[" * DEEP + b"]" * DEEP + b"}}",
        b'{"x":' + b"[" * DEEP + b'{"$ref":"$"}' + b"]" * DEEP + b",}",
        b"[" * 100_000,
        b'{"a":' * 10_000,
        b"{x:1," + b"y:2," * 20_000 + b"}",
    ],
    ids=lambda header: header[:30].decode("latin-1"),
)
def test_a_header_that_is_no_header_is_refused(header: bytes) -> None:
    with pytest.raises(HeaderError):
        read(json_frame(header))


def test_members_that_are_absent_take_javas_defaults() -> None:
    command = read(json_frame(b"{}"))
    assert command == Command(0, language="OTHER", version=0)


@pytest.mark.parametrize("language", ['"ZIG"', "null", "7", "[]", "{}"])
def test_an_unknown_language_does_not_break_decoding(language: str) -> None:
    assert read(json_frame(f'{{"language":{language}}}'.encode())).language == "OTHER"
    assert decode(GOLDEN["binary-oneway"][0].replace(b"\0\x22\0", b"\0\x22\x63", 1), 4, 29).language == "OTHER"


def test_numbers_and_booleans_in_extension_fields_become_text() -> None:
    command = read(json_frame(b'{"extFields":{"e":3,"m":false,"k":true,"x":1.5,"n":null,"s":"t"}}'))
    assert command.ext == {"e": "3", "m": "false", "k": "true", "x": "1.5", "s": "t"}


def test_fastjsons_habits_in_a_header_are_accepted() -> None:
    command = read(json_frame(b"{'code':310,extFields:{'b':'t',1:2,},\"remark\":'x',}"))
    assert command == Command(310, {"b": "t", "1": "2"}, remark="x", language="OTHER", version=0)


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert read(json_frame(rb'{"remark":"a\ud800b\ud83d\ude00"}')).remark == "a?b\U0001f600"


def test_broken_utf8_in_a_binary_header_is_replaced() -> None:
    header = BinaryHeader.build(
        {
            "code": 1,
            "language": 0,
            "version": 1,
            "opaque": 1,
            "flag": 0,
            "remark": b"\xff",
            "ext_fields": [{"key": b"a\xff", "value": b"\xc3"}, {"key": b"b", "value": b"\xc3\xa9"}],
        }
    )
    command = read(Frame.build({"serialize_type": 1, "header": header, "body": b""}))
    assert command.remark == "\ufffd"
    assert command.ext == {"a\ufffd": "\ufffd", "b": "\u00e9"}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", "no room for a header"),
        (b"\0\0\0", "no room for a header"),
        (b"\0\0\0\1", "longer than its frame"),
        (b"\0\xff\xff\xff", "longer than its frame"),
        (b"\2\0\0\0", "unknown header encoding 2"),
        (b"\1\0\0\0", "shorter than its fixed part"),
        (b"\1\0\0\x15" + b"\0" * 13 + b"\xff\xff\xff\xff" + b"\0" * 4, "remark of -1 bytes"),
        (b"\1\0\0\x15" + b"\0" * 13 + b"\0\0\0\1" + b"\0" * 4, "remark of 1 bytes"),
        (b"\1\0\0\x15" + b"\0" * 17 + b"\xff\xff\xff\xff", "does not match the header"),
        (b"\1\0\0\x15" + b"\0" * 17 + b"\0\0\0\1", "does not match the header"),
    ],
)
def test_the_reason_of_a_refusal_is_said(frame: bytes, reason: str) -> None:
    with pytest.raises(HeaderError, match=reason):
        decode(frame, 0, len(frame))


@pytest.mark.parametrize(
    "command",
    [
        Command(200050, serialize_type=SERIALIZE_BINARY),
        Command(1, opaque=2**31, serialize_type=SERIALIZE_BINARY),
        Command(1, {"a": "\ud800"}, serialize_type=SERIALIZE_BINARY),
        Command(1, {"a": "\ud800"}),
        Command(1, remark="\ud800"),
        Command(1, remark="\ud800", serialize_type=SERIALIZE_BINARY),
        Command(1, {"a": "x" * MAX_HEADER}),
        Command(1, {"a": "x" * MAX_HEADER}, serialize_type=SERIALIZE_BINARY),
        Command(1, {"x" * 0x8000: "a"}, serialize_type=SERIALIZE_BINARY),
    ],
    ids=range(9),
)
def test_what_does_not_fit_is_not_encoded(command: Command) -> None:
    with pytest.raises(ValueError):
        encode(command)


def test_flags() -> None:
    assert [(Command(1, flag=flag).is_response, Command(1, flag=flag).is_oneway) for flag in range(4)] == [
        (False, False),
        (True, False),
        (False, True),
        (True, True),
    ]


def test_a_new_command_is_ours() -> None:
    command = Command(34)
    assert (command.language, command.version, command.ext, command.body) == ("PYTHON", VERSION, {}, b"")
    assert repr(command) == "Command(code=34, opaque=0, flag=0, remark=None, ext={}, body=0 bytes)"
    assert command != 34
