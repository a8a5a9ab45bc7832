"""Decoders: what `auto` takes, what each shows, what is cut, and what a broken one does."""

import base64
import gzip
import json
import zlib
from decimal import Decimal
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from rmq.tui.decoders import Decoded, DecoderError, UndecodableError
from rmq.tui.decoders.forms import JSON_MOST
from rmq.tui.decoders.packed import UNPACKED_MOST
from rmq.tui.decoders.registry import GROUP, Decoders, installed


class OrderDecoder:
    """A decoder as somebody else would write it."""

    def matches(self, body: bytes) -> bool:
        return body.startswith(b"\x01ORD")

    def decode(self, body: bytes, limit: int) -> Decoded:
        if not self.matches(body):
            raise UndecodableError("no order")
        return Decoded(f"order {body[4]}\x1b[2J", shown=5, of=len(body), steps=("order",))


class Failing(OrderDecoder):
    def matches(self, body: bytes) -> bool:
        return body.startswith(b"fail")

    def decode(self, body: bytes, limit: int) -> Decoded:
        raise KeyError("nothing there")


class Suspicious(OrderDecoder):
    def matches(self, body: bytes) -> bool:
        raise RuntimeError("not today")


class Endless(OrderDecoder):
    def decode(self, body: bytes, limit: int) -> Decoded:
        return Decoded("x" * 9 * limit, shown=len(body), of=len(body))


class Odd:
    def decode(self, body: bytes, limit: int) -> str:
        return "text"


class Matryoshka:
    def matches(self, body: bytes) -> bool:
        return body.startswith(b"M")

    def decode(self, body: bytes, limit: int) -> Decoded:
        return Decoded(unpacked=body, shown=len(body), of=len(body), steps=("M",))


def plugin(name: str, value: str = "") -> EntryPoint:
    return EntryPoint(name, value or f"{__name__}:{name}", GROUP)


def decoders(monkeypatch: pytest.MonkeyPatch, *classes: Any) -> Decoders:
    by_name = {cls.__name__: cls for cls in classes}
    plain = EntryPoint.load
    monkeypatch.setattr(EntryPoint, "load", lambda point: by_name.get(point.name) or plain(point))
    return Decoders([*installed(), *(plugin(name) for name in by_name)])


@pytest.fixture
def own() -> Decoders:
    return Decoders(point for point in installed() if point.value.startswith("rmq."))


def test_names_and_their_order(monkeypatch: pytest.MonkeyPatch, own: Decoders) -> None:
    assert own.names == ("auto", "json", "gzip", "text", "hex", "base64")
    assert (own.after("auto"), own.after("base64")) == ("json", "auto")
    assert decoders(monkeypatch, OrderDecoder).names[-1] == "OrderDecoder"


@pytest.mark.parametrize(
    ("body", "steps"),
    [
        (b'{"a": 1}', ("JSON",)),
        (b"\n [1]", ("JSON",)),
        (b"17", ("text",)),
        ("grüße €".encode(), ("text",)),
        (b"", ("text",)),
        (b"\xff\xfe\x00", ("hex",)),
        (b"a\x1b[2J", ("hex",)),
        (gzip.compress(b'{"a": 1}', mtime=0), ("gzip", "JSON")),
        (zlib.compress(b"plain"), ("zlib", "text")),
        (gzip.compress(gzip.compress(b"\x00", mtime=0), mtime=0), ("gzip", "gzip", "hex")),
        (b"\x1f\x8bno gzip", ("hex",)),
        (b"x" * 70_000 + "€".encode(), ("text",)),
    ],
)
def test_auto(own: Decoders, body: bytes, steps: tuple[str, ...]) -> None:
    assert own.decode("auto", body).steps == steps


def test_json_is_as_it_was_written(own: Decoders) -> None:
    body = b'{"a": [1.10, 1e400, 12345678901234567890, true, null], "\xc3\xa4": "x"}'
    decoded = own.decode("json", body)
    assert decoded.tree == {
        "a": [Decimal("1.10"), Decimal("1e400"), 12345678901234567890, True, None],
        "ä": "x",
    }
    assert (decoded.is_tree, decoded.is_cut, decoded.of) == (True, False, len(body))


def test_json_that_is_none(own: Decoders) -> None:
    decoded = own.decode("auto", b'{"a": ')
    assert (decoded.steps, decoded.text) == (("text",), '{"a": ')
    assert decoded.remark == "it is no JSON: Expecting value: line 1 column 7 (char 6)"
    for body, why in (
        (b"[" * 100_000, "nested too deep"),
        (b"\xff", "it is no JSON"),
        (b"1" * 5000, "it is no JSON"),
        (b" " * (JSON_MOST + 1), "are more than"),
    ):
        with pytest.raises(UndecodableError, match=why):
            own.decode("json", body)


def test_text_is_cut_between_characters(own: Decoders) -> None:
    body = "aé€😀".encode()
    shown = [(own.decode("text", body, limit).text, own.decode("text", body, limit).shown) for limit in range(1, 11)]
    assert shown == [
        ("a", 1),
        ("a", 1),
        ("aé", 3),
        ("aé", 3),
        ("aé", 3),
        ("aé€", 6),
        ("aé€", 6),
        ("aé€", 6),
        ("aé€", 6),
        ("aé€😀", 10),
    ]
    assert (own.decode("text", body, 5).is_cut, own.decode("text", body, 10).is_cut) == (True, False)


def test_text_that_is_not_utf_8_says_so(own: Decoders) -> None:
    decoded = own.decode("text", b"a\xff\xfeb")
    assert (decoded.text, decoded.remark) == ("a��b", "2 places are no UTF-8")
    assert own.decode("text", "�".encode()).remark == ""


def test_nothing_moves_the_cursor(own: Decoders) -> None:
    body = "a\x00\x07\x1b[31m\r\nb\tc\rd\x7f\x9b2J\u202eevil\u2028 \u200b".encode()
    assert own.decode("text", body).text == ("a␀␇␛[31m\nb    c␍d␡\\x9b2J\\u202eevil\\u2028 \\u200b")


def test_hex(own: Decoders) -> None:
    decoded = own.decode("hex", b"RocketMQ\x00\xff0123456789", 80)
    assert decoded.text.splitlines() == [
        "000000  52 6f 63 6b 65 74 4d 51  RocketMQ",
        "000008  00 ff 30 31 32 33 34 35  ..012345",
        "000010  36 37 38 39              6789",
    ]
    assert (own.decode("hex", b"x" * 100, 80).shown, own.decode("hex", b"x" * 100, 80).of) == (20, 100)


def test_base64(own: Decoders) -> None:
    body = bytes(range(256))
    decoded = own.decode("base64", body)
    assert base64.b64decode(decoded.text) == body
    assert {len(line) for line in decoded.text.splitlines()[:-1]} == {76}
    assert own.decode("base64", body, 100).shown == 75


def test_unpacking_is_bounded(own: Decoders) -> None:
    bomb = gzip.compress(b"\x00" * (UNPACKED_MOST * 8))
    decoded = own.decode("auto", bomb)
    assert decoded.steps == ("gzip", "hex")
    assert (decoded.of, decoded.is_cut) == (None, True)
    assert decoded.remark == f"unpacking stopped at {UNPACKED_MOST:,} bytes"
    exact = own.decode("gzip", gzip.compress(b"a" * UNPACKED_MOST))
    assert (exact.of, exact.remark) == (UNPACKED_MOST, "")


def test_packed_bodies_that_are_damaged(own: Decoders) -> None:
    whole = gzip.compress(bytes(range(256)) * 40, mtime=0)
    assert own.decode("gzip", whole[:-12]).remark == "the gzip data end too early"
    assert own.decode("gzip", whole + b"tail").remark == "4 bytes behind the gzip data are not shown"
    with pytest.raises(UndecodableError, match="neither gzip nor zlib"):
        own.decode("gzip", b"plain")


def test_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    found = decoders(monkeypatch, OrderDecoder)
    decoded = found.decode("auto", b"\x01ORD\x07rest")
    assert (decoded.steps, decoded.text, decoded.shown, decoded.of) == (("order",), "order 7␛[2J", 5, 9)
    with pytest.raises(UndecodableError, match="no order"):
        found.decode("OrderDecoder", b"other")


def test_what_others_do_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = decoders(monkeypatch, Failing, Suspicious, Endless, Odd)
    with pytest.raises(DecoderError, match="the decoder Failing has failed: KeyError: 'nothing there'"):
        found.decode("Failing", b"fail")
    with pytest.raises(DecoderError, match="the decoder Odd gave str where Decoded is expected"):
        found.decode("Odd", b"")
    decoded = found.decode("auto", b"fail")
    assert decoded.text == "fail"
    assert "the decoder Failing has failed: KeyError" in decoded.remark
    assert "the decoder Suspicious has failed: RuntimeError: not today" in decoded.remark
    assert "Endless gave 90 letters, of which 80 are shown" in found.decode("Endless", b"", 10).remark


def test_a_decoder_that_cannot_be_loaded() -> None:
    found = Decoders([*installed(), plugin("gone", "no.such.module:Thing"), plugin("none", "json:JSONDecodeError")])
    with pytest.raises(DecoderError, match="the decoder gone cannot be loaded: ModuleNotFoundError"):
        found.decode("gone", b"")
    with pytest.raises(DecoderError, match="the decoder none cannot be loaded"):
        found.decode("none", b"")
    assert found.decode("auto", json.dumps([1]).encode()).tree == [1]


def test_packings_within_packings_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decoders(monkeypatch, Matryoshka).decode("auto", b"M").steps == ("M", "M", "M", "M", "hex")
