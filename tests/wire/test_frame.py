"""The readable declaration, against Apache's frames."""

import pytest

from rmq.wire.frame import BinaryHeader, BinaryHeaderHead, Frame, FrameHead, derived
from tests.kit.golden_frames import GOLDEN


@pytest.mark.parametrize("name", GOLDEN)
def test_apaches_frames_are_parsed_and_built_again(name: str) -> None:
    frame, command = GOLDEN[name]
    parsed = Frame.parse(frame)
    assert (parsed.length, parsed.serialize_type, parsed.body) == (len(frame) - 4, command.serialize_type, command.body)
    assert Frame.build({"serialize_type": parsed.serialize_type, "header": parsed.header, "body": parsed.body}) == frame


@pytest.mark.parametrize("name", [name for name in GOLDEN if name.startswith("binary")])
def test_apaches_binary_headers_are_parsed_and_built_again(name: str) -> None:
    frame, command = GOLDEN[name]
    raw = Frame.parse(frame).header
    header = BinaryHeader.parse(raw)
    assert (header.code, header.opaque, header.flag, header.version) == (
        command.code,
        command.opaque,
        command.flag,
        command.version,
    )
    assert BinaryHeader.build(header) == raw


def test_the_heads_are_the_run_of_fixed_fields() -> None:
    frame = GOLDEN["binary-send"][0]
    head = FrameHead.parse(frame)
    assert (head.length, head.type_and_header_length >> 24) == (len(frame) - 4, 1)
    assert BinaryHeaderHead.parse(frame[8:]).code == 310


def test_the_formats_of_the_fast_codec() -> None:
    assert derived() == {
        "FRAME_HEAD": ">lL",
        "BINARY_HEADER_HEAD": ">hBhlll",
        "BINARY_FRAME_HEAD": ">lLhBhlll",
        "BINARY_PLAIN_HEAD": ">lLhBhllll",
        "LETTER_ENTRY_HEAD": ">hBL",
    }
