r"""fastjson's dialect: what it writes, what it reads, what it refuses. Golden texts come from fastjson2 2.0.43."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmq.wire import fastjson
from rmq.wire.fastjson import MAX_DEPTH, JSONError, ObjectKey, dumps, java_double, loads

QUEUE = ObjectKey.of({"brokerName": "b", "queueId": 0, "topic": "t"})

BOTH_WAYS: list[tuple[str, Any]] = [
    ("{}", {}),
    ("[]", []),
    ('{"a":"b"}', {"a": "b"}),
    ('{"a":1,"b":-2,"c":true,"d":false,"e":null}', {"a": 1, "b": -2, "c": True, "d": False, "e": None}),
    ('{"brokerAddrs":{0:"a:1",1:"b:2"}}', {"brokerAddrs": {0: "a:1", 1: "b:2"}}),
    (
        '{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"t"}:{"maxOffset":7}},"topicPutTps":1.5}',
        {"offsetTable": {QUEUE: {"maxOffset": 7}}, "topicPutTps": 1.5},
    ),
    (
        '{"consumerTable":{"c@1":{{"brokerName":"b","queueId":0,"topic":"t"}:5}}}',
        {"consumerTable": {"c@1": {QUEUE: 5}}},
    ),
    (r'["\u0000\u0001\b\t\n\u000b\f\r\u001f\"\\/<>&"]', ['\0\1\b\t\n\x0b\f\r\x1f"\\/<>&']),
    ('["é中😀\u2028"]', ["é中😀\u2028"]),
    ("[1.0,1.0E20,1.0E-7,1.23456789125E8,9223372036854775807]", [1.0, 1e20, 1e-7, 123456789.125, 2**63 - 1]),
]


@pytest.mark.parametrize(("text", "value"), BOTH_WAYS)
def test_written_as_apache_writes(text: str, value: Any) -> None:
    assert dumps(value) == text


@pytest.mark.parametrize(("text", "value"), BOTH_WAYS)
def test_read_again(text: str, value: Any) -> None:
    assert loads(text) == loads(text.encode()) == value


def test_integer_keys_are_quoted_for_strict_readers() -> None:
    assert dumps({"brokerAddrs": {0: "a:1", 1: "b:2"}}, strict=True) == '{"brokerAddrs":{"0":"a:1","1":"b:2"}}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"topicList": []}, '{\n\t"topicList":[\n\t\t\n\t]\n}'),
        ({"topicList": ["x"]}, '{\n\t"topicList":[\n\t\t"x"\n\t]\n}'),
        (
            {"brokerDatas": [], "filterServerTable": {"a": []}, "x": {}},
            '{\n\t"brokerDatas":[\n\t\t\n\t],\n\t"filterServerTable":{\n\t\t"a":[\n\t\t\t\n\t\t]\n\t},\n\t"x":{\n\t\t\n\t}\n}',
        ),
        (
            {"offsetTable": {QUEUE: {"minOffset": 0}}, "topicPutTps": 1.5},
            '{\n\t"offsetTable":{\n\t\t{\n\t\t\t"brokerName":"b",\n\t\t\t"queueId":0,\n\t\t\t"topic":"t"\n\t\t}:{\n'
            '\t\t\t"minOffset":0\n\t\t}\n\t},\n\t"topicPutTps":1.5\n}',
        ),
        ({"brokerAddrs": {0: "a:1"}}, '{\n\t"brokerAddrs":{\n\t\t0:"a:1"\n\t}\n}'),
    ],
)
def test_pretty_as_apache_prints(value: Any, text: str) -> None:
    assert dumps(value, pretty=True) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (1.0, "1.0"),
        (-1.5, "-1.5"),
        (100.0, "100.0"),
        (1234567.0, "1234567.0"),
        (12345678.0, "1.2345678E7"),
        (9999999.5, "9999999.5"),
        (1e7, "1.0E7"),
        (1e-3, "0.001"),
        (0.00099, "9.9E-4"),
        (1e21, "1.0E21"),
        (-123456789.125, "-1.23456789125E8"),
        (1 / 3, "0.3333333333333333"),
        (1e300, "1.0E300"),
        (math.nan, "null"),
        (math.inf, "null"),
    ],
)
def test_floats_as_java_prints_them(number: float, text: str) -> None:
    assert java_double(number) == dumps(number) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a':'b'}", {"a": "b"}),
        ("{a:1}", {"a": 1}),
        ("{a.b$_1:1}", {"a.b$_1": 1}),
        ('{"a":1,}', {"a": 1}),
        ("[1,]", [1]),
        ("{0:1,-1:2}", {0: 1, -1: 2}),
        ("{1:{2:{}}}", {1: {2: {}}}),
        ("{'a':1L,'b':2B,'c':3S,'d':1.5F,'e':2D}", {"a": 1, "b": 2, "c": 3, "d": 1.5, "e": 2.0}),
        ("{a:1e3,b:-2.5E-1}", {"a": 1000.0, "b": -0.25}),
        ("{a:true,b:false,c:null,d:NaN}", {"a": True, "b": False, "c": None, "d": None}),
        ("{true:1}", {"true": 1}),
        (r"{'a':'\x41\u0042\'\"\/\n\q'}", {"a": "AB'\"/\nq"}),
        (" \n{ a : [ 1 , 2 ] } \t", {"a": [1, 2]}),
        (
            "{{'queueId':0,'topic':'t','brokerName':'b',}:5,}",
            {ObjectKey.of({"queueId": 0, "topic": "t", "brokerName": "b"}): 5},
        ),
        (r"['\ud83d\ude00','a\ud800b']", ["😀", "a?b"]),
    ],
)
def test_habits_are_accepted(text: str, value: Any) -> None:
    assert loads(text) == loads(text.encode()) == value


def test_broken_utf8_is_replaced() -> None:
    assert loads(b'{"a":"\xff"}') == {"a": "\ufffd"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":{"x":1},"b":{"$ref":"$.a"}}', {"a": {"x": 1}, "b": {"x": 1}}),
        ('{"a":[{"x":1},{"$ref":"$.a[0]"}]}', {"a": [{"x": 1}, {"x": 1}]}),
        ('{"a":{"b":{"c":[7]}},"d":{"$ref":"$.a.b.c"}}', {"a": {"b": {"c": [7]}}, "d": [7]}),
        ('{"a":{"$ref":"$.nobody"},"b":{"$ref":"$.a[9]"}}', {"a": None, "b": None}),
        ('{"a":[1],"b":{"$ref":"$.a[%s]"}}' % ("9" * 5000), {"a": [1], "b": None}),
        ('{"a":{"$ref":"$"}}', {"a": {"a": {"$ref": "$"}}}),
        ('{"a":{"$ref":1},"b":{"$ref":"$.a","x":1}}', {"a": {"$ref": 1}, "b": {"$ref": "$.a", "x": 1}}),
        ('{0:{"x":1},"b":{"$ref":"$.c"}}', {0: {"x": 1}, "b": None}),
    ],
)
def test_references_are_resolved(text: str, value: Any) -> None:
    assert loads(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "}",
        "[",
        "{]",
        "[}",
        "{a}",
        "{a:}",
        "{a:1 b:2}",
        "[1 2]",
        "{:1}",
        "{,}",
        "[,]",
        "{'a:1}",
        '{"a:1}',
        "{a:word}",
        "{a:1}}",
        "{a:1} x",
        "{[1]:2}",
        "{{a:{}}:1}",
        "{{a:[]}:1}",
        "{a:01x}",
        "{a:--1}",
        "{a:1.}",
        "{a:@}",
        "{a:'\\",
        "\0",
    ],
)
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(JSONError):
        loads(text)
    with pytest.raises(JSONError):
        loads(text.encode())


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a:", "}"), ("{a:[", "]}")])
def test_nesting_is_bounded(opening: str, closing: str) -> None:
    levels = MAX_DEPTH // (opening.count("{") + opening.count("["))
    assert loads(opening * levels + "1" + closing * levels + " ") is not None
    with pytest.raises(JSONError, match="nesting"):
        loads("{x:" + opening * (levels + 1) + "1" + closing * (levels + 1) + "}")


@pytest.mark.parametrize("text", ["[" * 100_000, "{a:" * 100_000, "{" * 100_000])
def test_endless_nesting_is_refused(text: str) -> None:
    with pytest.raises(JSONError, match="nesting"):
        loads(text)


def test_deep_references_are_refused() -> None:
    text = "[" * 500 + '{"$ref":"$"}' + "]" * 500
    with pytest.raises(JSONError, match="nesting"):
        loads(text)


def test_references_that_stand_for_too_much_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastjson, "MAX_REFERRED", 8)
    four = '{"a":{"x":[1,2]},"b":[%s]}'
    shared = {"x": [1, 2]}
    assert loads(four % '{"$ref":"$.a"},{"$ref":"$.a"}') == {"a": shared, "b": [shared, shared]}
    with pytest.raises(JSONError, match=r"^references stand for more than 8 values$"):
        loads(four % '{"$ref":"$.a"},{"$ref":"$.a"},{"$ref":"$.nobody"}')


def test_long_numbers_are_refused() -> None:
    assert loads("{a:" + "1" * 400 + "}") == {"a": int("1" * 400)}
    with pytest.raises(JSONError, match="too long"):
        loads("{a:" + "1" * 401 + "}")


def test_the_place_of_an_error_is_said() -> None:
    with pytest.raises(JSONError, match=r"unknown word 'word' at character 7"):
        loads("{a:word,b:1}")


PIECES = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "'",
        '"',
        "\\",
        "a",
        "1",
        "-",
        ".",
        "e",
        "L",
        "true",
        "null",
        '"$ref"',
        '"$.a"',
        " ",
        "\0",
    ]
)


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=30))
def test_garbage_is_refused_or_read(text: str) -> None:
    for data in (text, text.encode("utf-8", "surrogatepass")):
        try:
            value = loads(data)
        except JSONError:
            continue
        dumps(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")).filter(lambda key: key != "$ref"), inner, max_size=4)
        | st.dictionaries(st.integers(-(2**63), 2**63 - 1), inner, max_size=4)
        | st.dictionaries(st.integers(0, 9).map(lambda number: ObjectKey.of({"queueId": number})), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(VALUES, st.booleans())
def test_what_is_written_is_read(value: Any, pretty: bool) -> None:
    assert loads(dumps(value, pretty=pretty)) == value


def test_lenient_reading_is_limited() -> None:
    assert loads(b"{0:1}", lenient_limit=5) == {0: 1}
    with pytest.raises(JSONError, match="6 bytes of text that is not strict JSON"):
        loads(b"{10:1}", lenient_limit=5)
    assert loads(b'{"a":1}', lenient_limit=5) == {"a": 1}


KEYED = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        '"',
        "\\",
        "a",
        "1",
        "-",
        '{"a":1}:',
        '{"a":"b,{1:"}:',
        "{1:",
        ",2:",
        '"\\u0000{}"',
        "'",
    ]
)


def in_quick_and_lenient_reading(text: str) -> list[Any]:
    """What a text is, read in both ways: single quotes are for the lenient reader alone."""
    found: list[Any] = []
    for whole, index in ((f"[0,{text}]", 1), (f"['0',{text}]", 1)):
        try:
            found.append(loads(whole)[index:])
        except JSONError:
            found.append("refused")
    return found


@settings(max_examples=500)
@given(st.lists(KEYED, max_size=12).map("".join))
def test_keys_mean_the_same_read_quickly(text: str) -> None:
    quick, lenient = in_quick_and_lenient_reading(text)
    assert quick == lenient


@given(VALUES)
def test_values_mean_the_same_read_quickly(value: Any) -> None:
    quick, lenient = in_quick_and_lenient_reading(dumps(value))
    assert quick == lenient == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            '{{"brokerName":"b","queueId":-1,"topic":"T"}:{0:1},{"a":null}:[{"b":true}]}',
            {
                ObjectKey.of({"brokerName": "b", "queueId": -1, "topic": "T"}): {0: 1},
                ObjectKey.of({"a": None}): [{"b": True}],
            },
        ),
        ('{0:"a,1:b","k":"{\\"a\\":1}:"}', {0: "a,1:b", "k": '{"a":1}:'}),
        ('{"\\u0001x":1,2:3}', {"\1x": 1, 2: 3}),
        ('{"\\u00015":1,2:3}', {"\1" + "5": 1, 2: 3}),
        ('{"\\u0000{}":1,2:3}', {"\0{}": 1, 2: 3}),
    ],
)
def test_keys_that_are_no_strings(text: str, value: Any) -> None:
    assert loads(text) == value
    assert loads(text.encode()) == value


def test_text_that_cannot_be_encoded() -> None:
    assert loads('{0:"\ud800"}') == {0: "\ud800"}
