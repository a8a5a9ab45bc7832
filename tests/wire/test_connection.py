"""Cutting a stream: every case whole, byte by byte, in any chunks, with more behind it, and never past its end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.wire.codes import MAX_FRAME
from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.errors import FrameError, FrameTooLargeError, HeaderError
from tests.kit.golden_frames import GOLDEN

FRAMES = {name: frame for name, (frame, _) in GOLDEN.items()}
COMMANDS = {name: command for name, (_, command) in GOLDEN.items()}
ALL = b"".join(FRAMES.values())


def drain(stream: CommandStream) -> list[Command]:
    return list(iter(stream.next_command, None))


@pytest.mark.parametrize("name", GOLDEN)
def test_whole(name: str) -> None:
    stream = CommandStream()
    stream.feed(FRAMES[name])
    assert drain(stream) == [COMMANDS[name]]
    assert (stream.buffered, stream.announced) == (0, 0)


@pytest.mark.parametrize("name", GOLDEN)
def test_byte_by_byte(name: str) -> None:
    stream = CommandStream()
    frame = FRAMES[name]
    for position in range(len(frame) - 1):
        stream.feed(frame[position : position + 1])
        assert stream.next_command() is None
        assert stream.buffered == position + 1
        assert stream.announced == (len(frame) if position >= 3 else 0)
    stream.feed(frame[-1:])
    assert drain(stream) == [COMMANDS[name]]


@pytest.mark.parametrize("name", GOLDEN)
def test_with_more_behind_it(name: str) -> None:
    stream = CommandStream()
    stream.feed(FRAMES[name] + b"\0\0")
    assert drain(stream) == [COMMANDS[name]]
    assert stream.buffered == 2


def test_several_at_once() -> None:
    stream = CommandStream()
    stream.feed(ALL)
    assert drain(stream) == list(COMMANDS.values())
    assert stream.buffered == 0


@given(st.lists(st.integers(0, len(ALL)), max_size=12), st.booleans())
def test_any_chunks(cuts: list[int], eager: bool) -> None:
    stream = CommandStream()
    bounds = [0, *sorted(cuts), len(ALL)]
    seen = []
    for start, end in pairwise(bounds):
        stream.feed(ALL[start:end])
        if eager:
            seen += drain(stream)
    seen += drain(stream)
    assert seen == list(COMMANDS.values())
    assert (stream.buffered, stream.announced) == (0, 0)


def test_nothing_is_decoded_before_it_is_asked_for() -> None:
    stream = CommandStream()
    stream.feed(FRAMES["binary-send"] + b"\0\0\0\4\7\0\0\0")
    assert stream.next_command() == COMMANDS["binary-send"]
    with pytest.raises(HeaderError):
        stream.next_command()


@pytest.mark.parametrize(
    ("start", "error"),
    [
        (b"\xff\xff\xff\xff", FrameError),
        (b"\0\0\0\0", FrameError),
        (b"\0\0\0\3", FrameError),
        (b"\x7f\xff\xff\xff", FrameTooLargeError),
        ((MAX_FRAME - 3).to_bytes(4, "big"), FrameTooLargeError),
        (b"GET ", FrameTooLargeError),
    ],
)
def test_an_impossible_length_is_refused_with_its_four_bytes(start: bytes, error: type[FrameError]) -> None:
    stream = CommandStream()
    stream.feed(start[:3])
    assert stream.next_command() is None
    stream.feed(start[3:])
    with pytest.raises(error):
        stream.next_command()


def test_the_largest_frame_is_announced() -> None:
    stream = CommandStream()
    stream.feed((MAX_FRAME - 4).to_bytes(4, "big"))
    assert stream.next_command() is None
    assert stream.announced == MAX_FRAME


def test_the_limit_can_be_set() -> None:
    frame = encode(Command(1, body=b"x" * 100))
    exact = CommandStream(max_frame=len(frame))
    exact.feed(frame)
    assert exact.next_command() is not None
    short = CommandStream(max_frame=len(frame) - 1)
    short.feed(frame[:4])
    with pytest.raises(FrameTooLargeError, match=f"{len(frame)} bytes is over the limit of {len(frame) - 1}"):
        short.next_command()


def test_a_large_body_in_many_chunks() -> None:
    body = bytes(range(256)) * 4096
    frame = encode(Command(310, {"a": "b"}, body))
    stream = CommandStream()
    for start in range(0, len(frame), 8191):
        assert stream.next_command() is None
        stream.feed(frame[start : start + 8191])
    command = stream.next_command()
    assert command is not None
    assert command.body == body
