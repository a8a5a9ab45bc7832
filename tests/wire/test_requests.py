"""Every request, reply and body of the registry: there and back, and any garbage is refused as a remoting error."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmq.wire.codes import SERIALIZE_BINARY, SERIALIZE_JSON
from rmq.wire.command import Command, decode, encode
from rmq.wire.declare import (
    Int32,
    Int64,
    decode_body,
    decode_header,
    encode_body,
    encode_header,
    header_fields,
    wire_name,
)
from rmq.wire.errors import MissingFieldError, RemotingError
from rmq.wire.requests import load_all

REGISTRY = load_all()
HEADERS = sorted(
    {spec.header for spec in REGISTRY.values()} | {spec.reply for spec in REGISTRY.values() if spec.reply},
    key=lambda cls: cls.__name__,
)
BODIES = sorted(
    {kind for spec in REGISTRY.values() for kind in (spec.body, spec.reply_body) if kind},
    key=lambda cls: cls.__name__,
)
SAMPLES: dict[Any, str] = {str: "text", bool: "true", Int32: "-7", Int64: str(2**40)}


def sample(cls: type[Any], *, only_required: bool = False) -> dict[str, str]:
    return {f.name: SAMPLES[f.type] for f in header_fields(cls) if f.required or not only_required}


@pytest.mark.parametrize("cls", HEADERS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("serialize_type", [SERIALIZE_JSON, SERIALIZE_BINARY])
def test_a_whole_header_there_and_back(cls: type[Any], serialize_type: int) -> None:
    ext = sample(cls)
    header = decode_header(cls, ext)
    assert encode_header(header) == ext
    frame = encode(Command(1, ext, serialize_type=serialize_type))
    assert decode_header(cls, decode(frame, 4, len(frame)).ext) == header


@pytest.mark.parametrize("cls", HEADERS, ids=lambda cls: cls.__name__)
def test_the_required_fields_are_enough_and_each_is_needed(cls: type[Any]) -> None:
    ext = sample(cls, only_required=True)
    assert encode_header(decode_header(cls, ext)).items() >= ext.items()
    for name in ext:
        with pytest.raises(MissingFieldError, match=f"<{name}> is null"):
            decode_header(cls, {key: value for key, value in ext.items() if key != name})


@given(st.data())
def test_wrong_fields_are_refused(data: st.DataObject) -> None:
    cls = data.draw(st.sampled_from(HEADERS))
    ext = {f.name: data.draw(st.text(max_size=12)) for f in header_fields(cls)}
    try:
        header = decode_header(cls, ext)
    except RemotingError:
        return
    assert decode_header(cls, encode_header(header)) == header


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)


def members(cls: type[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects whose members have the right names and any value."""
    return st.dictionaries(st.sampled_from([wire_name(f) for f in dataclasses.fields(cls)]), VALUES)


@settings(max_examples=300)
@given(st.data())
def test_wrong_bodies_are_refused(data: st.DataObject) -> None:
    cls = data.draw(st.sampled_from(BODIES))
    plain = data.draw(members(cls) | VALUES)
    try:
        value = decode_body(cls, json.dumps(plain).encode())
    except RemotingError:
        return
    assert decode_body(cls, encode_body(value)) == value


@given(st.sampled_from(BODIES), st.binary(max_size=40))
def test_garbage_for_a_body_is_refused(cls: type[Any], data: bytes) -> None:
    try:
        decode_body(cls, data)
    except RemotingError:
        return
