"""Declared headers and bodies: both directions, wrong values, wrong declarations."""

from dataclasses import field
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.wire import declare
from rmq.wire.bodies.group import GroupForbidden
from rmq.wire.bodies.topic import TopicList
from rmq.wire.declare import (
    REQUESTS,
    HeaderField,
    Int32,
    Int64,
    body,
    camel_case,
    decode_body,
    decode_header,
    encode_body,
    encode_header,
    from_plain,
    header,
    header_fields,
    is_header,
    key_body,
    parse_int,
    request,
    spec_of,
    to_plain,
    wire,
)
from rmq.wire.errors import InvalidFieldError, MissingFieldError
from rmq.wire.requests.kv import PutKVConfig
from rmq.wire.requests.route import GetRouteInfoByTopic
from rmq.wire.requests.send import SendMessageReply


@header
class Sample:
    name: str
    small: Int32
    large: Int64
    odd_name: str = wire("x", default="y")
    flag: bool = False
    share: float | None = None
    maybe: Int32 | None = None


FULL = Sample("n", -5, 2**62, "z", True, 1.5, 7)
FULL_EXT = {
    "name": "n",
    "small": "-5",
    "large": str(2**62),
    "x": "z",
    "flag": "true",
    "share": "1.5",
    "maybe": "7",
}
LEAST_EXT = {"name": "n", "small": "1", "large": "2"}


def test_a_header_in_both_directions() -> None:
    assert encode_header(FULL) == FULL_EXT
    assert decode_header(Sample, FULL_EXT) == FULL


def test_absent_fields_take_their_defaults_and_none_is_left_out() -> None:
    assert decode_header(Sample, LEAST_EXT) == Sample("n", 1, 2)
    assert encode_header(Sample("n", 1, 2)) == {**LEAST_EXT, "x": "y", "flag": "false"}


def test_unknown_fields_are_ignored() -> None:
    assert decode_header(Sample, {**LEAST_EXT, "ns": "i", "Name": "other"}) == Sample("n", 1, 2)


@pytest.mark.parametrize("name", ["name", "small", "large"])
def test_a_missing_field_is_named(name: str) -> None:
    ext = {key: value for key, value in LEAST_EXT.items() if key != name}
    with pytest.raises(MissingFieldError, match=f"^CODE: 1  DESC: the custom field <{name}> is null$"):
        decode_header(Sample, ext)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("small", ""),
        ("small", "a"),
        ("small", "1.0"),
        ("small", "0x1"),
        ("small", "1_0"),
        ("small", "٣"),
        ("small", "+-1"),
        ("small", " 1"),
        ("small", "2147483648"),
        ("small", "-2147483649"),
        ("large", "9223372036854775808"),
        ("large", "-9223372036854775809"),
        ("large", "1" * 10_000),
        ("maybe", "x"),
        ("share", "x"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidFieldError, match=f"header field {name}: ") as caught:
        decode_header(Sample, {**LEAST_EXT, name: text})
    assert len(caught.value.remark) < 120


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("TRUE", True), ("false", False), ("1", False), ("", False), ("yes", False)]
)
def test_booleans_as_java_parses_them(text: str, value: bool) -> None:
    assert decode_header(Sample, {**LEAST_EXT, "flag": text}).flag is value


@pytest.mark.parametrize("text", ["2147483647", "-2147483648", "+5", "007"])
def test_integers_as_java_parses_them(text: str) -> None:
    assert decode_header(Sample, {**LEAST_EXT, "small": text}).small == int(text)


@given(st.text(max_size=25))
def test_an_integer_is_parsed_or_refused(text: str) -> None:
    try:
        value = parse_int(text, 32)
    except ValueError:
        return
    assert value == int(text)
    assert -(2**31) <= value < 2**31


def test_what_is_known_of_a_header() -> None:
    assert is_header(FULL)
    assert not is_header("text")
    assert header_fields(Sample)[:4] == [
        HeaderField("name", str, True, None),
        HeaderField("small", Int32, True, None),
        HeaderField("large", Int64, True, None),
        HeaderField("x", str, False, "y"),
    ]


@pytest.mark.parametrize(
    ("name", "wire_form"), [("topic", "topic"), ("max_msg_nums", "maxMsgNums"), ("body_crc32", "bodyCrc32")]
)
def test_names_on_the_wire(name: str, wire_form: str) -> None:
    assert camel_case(name) == wire_form


# --- wrong declarations -------------------------------------------------------------------------------------------


def test_a_code_cannot_be_taken_twice() -> None:
    @request(-77, "FIRST", reply=Sample)
    class First:
        topic: str

    try:
        assert spec_of(First) is REQUESTS[-77]
        assert (REQUESTS[-77].name, REQUESTS[-77].header, REQUESTS[-77].reply) == ("FIRST", First, Sample)
        with pytest.raises(TypeError, match="code -77 is declared twice: FIRST and SECOND"):

            @request(-77, "SECOND")
            class Second:
                pass
    finally:
        del REQUESTS[-77]


def test_a_field_that_may_be_none_needs_a_default() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.topic may be None and so needs the default None"):

        @header
        class Wrong:
            topic: str | None


@pytest.mark.parametrize("kind", [int, bytes, list[str], dict[str, str], str | int])
def test_a_header_field_needs_a_form(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"Wrong\.field: no header form"):
        header(type("Wrong", (), {"__annotations__": {"field": kind}}))


def test_a_required_field_cannot_follow_an_optional_one() -> None:
    with pytest.raises(TypeError, match="non-default argument"):
        header(type("Wrong", (), {"__annotations__": {"a": str, "b": str}, "a": "x"}))


@pytest.mark.parametrize("kind", [int, bytes, object, tuple[str, ...]])
def test_a_member_needs_a_form(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"Wrong\.member: no JSON form"):
        body(type("Wrong", (), {"__annotations__": {"member": kind}}))


# --- bodies -------------------------------------------------------------------------------------------------------


class Mode(StrEnum):
    FIRST = "FIRST"
    SECOND = "SECOND"


@key_body
class Spot:
    topic: str
    queue_id: Int32


@body
class Part:
    count: Int64 = 0


@body
class Whole:
    name: str
    part: Part = field(default_factory=Part)
    parts: list[Part] = field(default_factory=list)
    spots: dict[Spot, Part] = field(default_factory=dict)
    by_id: dict[Int32, str] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    mode: Mode = Mode.FIRST
    rate: float = 0.0
    on: bool = True
    note: str | None = None


WHOLE = Whole(
    "n", Part(1), [Part(2), Part(3)], {Spot("t", 0): Part(4)}, {5: "five"}, {"b", "a"}, Mode.SECOND, 1.5, False, "x"
)
WHOLE_JSON = (
    '{"byId":{5:"five"},"mode":"SECOND","name":"n","note":"x","on":false,"part":{"count":1},'
    '"parts":[{"count":2},{"count":3}],"rate":1.5,"spots":{{"queueId":0,"topic":"t"}:{"count":4}},"tags":["a","b"]}'
)


def test_a_body_in_both_directions() -> None:
    assert encode_body(WHOLE).decode() == WHOLE_JSON
    assert decode_body(Whole, WHOLE_JSON.encode()) == WHOLE


def test_integer_keys_are_quoted_on_demand() -> None:
    assert b'"byId":{"5":"five"}' in encode_body(WHOLE, strict=True)
    assert decode_body(Whole, b'{"name":"n","byId":{"5":"five"}}').by_id == {5: "five"}


def test_absent_null_and_unknown_members() -> None:
    assert decode_body(Whole, b'{"name":"n"}') == Whole("n")
    assert decode_body(Whole, b'{"name":"n","part":null,"mode":null,"on":null,"more":{"a":[1]}}') == Whole("n")
    assert "note" not in to_plain(Whole("n"))


@pytest.mark.parametrize(("text", "mode"), [('"SECOND"', Mode.SECOND), ("1", Mode.SECOND), ('"THIRD"', Mode.FIRST)])
def test_enums_as_fastjson_reads_them(text: str, mode: Mode) -> None:
    assert decode_body(Whole, f'{{"name":"n","mode":{text}}}'.encode()).mode is mode


@pytest.mark.parametrize(
    ("member", "text", "value"),
    [
        ("name", "5", "5"),
        ("name", "true", "true"),
        ("name", "1.5", "1.5"),
        ("on", '"true"', True),
        ("on", '"no"', False),
        ("on", "1", True),
        ("on", "0", False),
        ("rate", "2", 2.0),
        ("rate", '"2.5"', 2.5),
    ],
)
def test_scalars_are_converted_as_fastjson_does(member: str, text: str, value: object) -> None:
    assert getattr(decode_body(Whole, f'{{"name":"n","{member}":{text}}}'.encode()), member) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "Whole: name missing"),
        ("[]", "Whole: object expected, got list"),
        ("null", "Whole: object expected, got null"),
        ('{"name":[]}', "Whole.name: string expected, got list"),
        ('{"name":"n","part":[]}', "Whole.part: object expected, got list"),
        ('{"name":"n","part":{"count":"x"}}', "Whole.part.count: 'x' is no integer"),
        ('{"name":"n","part":{"count":1.5}}', "Whole.part.count: integer expected, got float"),
        ('{"name":"n","part":{"count":true}}', "Whole.part.count: integer expected, got bool"),
        ('{"name":"n","part":{"count":9223372036854775808}}', "Whole.part.count: "),
        ('{"name":"n","parts":{}}', "Whole.parts: array expected, got dict"),
        ('{"name":"n","parts":[{},{"count":"x"}]}', "Whole.parts[1].count: 'x' is no integer"),
        ('{"name":"n","spots":{"a":{}}}', "Whole.spots: keys must be objects"),
        ('{"name":"n","spots":{{"topic":"t"}:{}}}', "Whole.spots key: queueId missing"),
        ('{"name":"n","byId":{"a":"b"}}', "Whole.byId key: 'a' is no integer"),
        ('{"name":"n","byId":{2147483648:"b"}}', "Whole.byId key: 2147483648 does not fit into 32 bits"),
        ('{"name":"n","byId":[]}', "Whole.byId: object expected, got list"),
        ('{"name":"n","mode":{}}', "Whole.mode: one of FIRST, SECOND expected, got dict"),
        ('{"name":"n","mode":2}', "Whole.mode: one of FIRST, SECOND expected, got int"),
        ('{"name":"n","rate":"fast"}', "Whole.rate: "),
        ('{name:"n",rate:1' + "0" * 399 + "}", "Whole.rate: "),
        ('{"name":"n","mode":' + "[" * 900 + "]" * 900 + "}", "Whole.mode: one of FIRST, SECOND expected, got list"),
        ("{", "Whole: "),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(text: str, reason: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        decode_body(Whole, text.encode())
    assert caught.value.remark.startswith(reason)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([camel_case(name) for name in Whole.__dataclass_fields__]), JSON))
def test_any_json_is_read_or_refused(plain: dict[str, Any]) -> None:
    try:
        value = from_plain(Whole, plain)
    except InvalidFieldError:
        return
    encode_body(value)


def test_a_key_is_frozen_and_ordered() -> None:
    assert sorted([Spot("b", 0), Spot("a", 9), Spot("a", 1)]) == [Spot("a", 1), Spot("a", 9), Spot("b", 0)]
    with pytest.raises(AttributeError):
        Spot("a", 1).topic = "b"  # type: ignore[misc]


def test_the_fault_of_a_header_that_a_hot_path_could_not_read() -> None:
    good = {"topic": "T"}
    assert declare.header_fault(GetRouteInfoByTopic, {}).remark == "the custom field <topic> is null"
    assert declare.header_fault(GetRouteInfoByTopic, good).remark == "a number in the header is out of range"


def test_answers_that_say_nothing() -> None:
    assert declare.neutral_header(GetRouteInfoByTopic) == GetRouteInfoByTopic("")
    assert declare.neutral_header(SendMessageReply) == SendMessageReply("", 0, 0)
    assert declare.neutral_body(GroupForbidden) == b'{"topic":"","group":""}'
    assert declare.neutral_body(TopicList) == b"{}"


def test_a_request_says_whether_it_changes_something() -> None:
    assert spec_of(PutKVConfig).changes
    assert not spec_of(GetRouteInfoByTopic).changes
