"""Frames that no client sends, connections that no client holds, and a well-behaved client beside them."""

import contextlib
import itertools
import json
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rmq.wire.command import Command, encode
from rmq.wire.connection import CommandStream
from rmq.wire.errors import FrameError

SENTINEL = 106
NASTY_TEXTS = (
    "", "0", "-1", "1", "true", "x", "99999999999999999999", "1e3", "0x10", "NaN", " 1 ", "9" * 5000, "../x",
    "a" * 300, "a\x00b", "a\nb", "%RETRY%", "%RETRY%x", "%DLQ%../..", "\u4e2d\U0001f600", "a" * 30000,
)  # fmt: skip
NASTY_VALUES: tuple[Any, ...] = (*NASTY_TEXTS, None, 7, -7, 2**70, 1.5, True, [], {}, [1, [2]], {"a": {"b": "c"}})
NAMES = (
    "topic", "b", "c", "defaultTopic", "consumerGroup", "producerGroup", "a", "group", "queueId", "e", "queueOffset",
    "maxMsgNums", "sysFlag", "f", "commitOffset", "suspendTimeoutMillis", "subscription", "subVersion", "brokerName",
    "brokerAddr", "clusterName", "haServerAddr", "brokerId", "compressed", "bodyCrc32", "namespace",
    "key", "value", "cluster", "offset",
    "timestamp", "clientID", "i", "j", "m", "g", "h", "d", "unknown",
)  # fmt: skip
NAMESRV_CODES = (
    100, 101, 102, 103, 104, 105, 106, 205, 206, 216, 217, 219, 224, 304, 311, 318, 319, 322, 327, 901, 904, 34, 4711,
)  # fmt: skip
BROKER_CODES = (
    10, 310, 320, 11, 361, 12, 14, 15, 17, 21, 26, 28, 29, 30, 31, 32, 33, 34, 35, 36, 38, 41, 42, 46, 200, 201, 202,
    203, 204, 207, 208, 215, 300,
    303, 305, 307, 309, 315, 351, 352, 4711, -5, 2**31 - 1,
)  # fmt: skip


def frame(header: bytes, body: bytes = b"", *, kind: int = 0) -> bytes:
    """A frame around any header bytes."""
    return struct.pack(">II", 4 + len(header) + len(body), kind << 24 | len(header)) + header + body


def json_frame(fields: dict[str, Any], body: bytes = b"") -> bytes:
    """A frame with a JSON header of any members."""
    return frame(json.dumps(fields).encode("utf-8", "surrogatepass"), body)


def deep(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


def well_framed(source: random.Random, codes: tuple[int, ...], opaque: int) -> bytes:
    """A request that can be read and means nothing good."""
    while True:
        made = _request(source, codes, opaque)
        if not _ends_connection(made):
            return made


def _request(source: random.Random, codes: tuple[int, ...], opaque: int) -> bytes:
    ext = {name: source.choice(NASTY_VALUES) for name in source.sample(NAMES, source.randrange(len(NAMES) // 2))}
    body = source.choice((
        b"", source.randbytes(source.randrange(200)), b"{", b"[]", b"null", deep(40).encode(),
        b"\xff\xfe{}", b'{"clientID":7}',
        json.dumps({name: source.choice(NASTY_VALUES) for name in source.sample(NAMES, 5)}).encode(),
    ))  # fmt: skip
    code = source.choice(codes)
    if source.random() < 0.3 and -(2**15) <= code < 2**15:
        texts = {name: str(value) for name, value in ext.items() if value is not None}
        return encode(Command(code, texts, body, opaque=opaque, serialize_type=1))
    flag = 2 if source.random() < 0.05 else 0
    return json_frame(
        {"code": code, "opaque": opaque, "flag": flag, "version": source.choice((0, 36, 317, 493)), "extFields": ext},
        body,
    )


def broken(source: random.Random, codes: tuple[int, ...]) -> bytes:
    """Bytes after which no connection can go on: random, mutated, truncated, too large, badly announced."""
    while True:
        made = bytearray(_request(source, codes, 1))
        form = source.randrange(8)
        if form == 0:
            made = bytearray(source.randbytes(source.randrange(8, 300)))
        elif form == 1:
            for _ in range(source.randrange(1, 8)):
                made[source.randrange(4, len(made))] = source.randrange(256)
        elif form == 2:
            made[:4] = struct.pack(">i", source.choice((-1, -(2**31), 0, 3, 2**31 - 1, 16 * 2**20 + 1)))
        elif form == 3:
            made[5:8] = (0xFFFFFF).to_bytes(3, "big")
        elif form == 4:
            made[4] = source.randrange(2, 256)
        elif form == 5:
            made = bytearray(frame(b'{"code":' + deep(source.choice((70, 1000, 20000))).encode() + b"}"))
        elif form == 6:
            made = bytearray(frame(b'{"code":1,"remark":"\xff\xfe\x80"', b""))
        else:
            fields = {
                name: source.choice(([], {}, "x", 2**40, None, 1.5)) for name in ("code", "opaque", "flag", "version")
            }
            made = bytearray(json_frame({**fields, "extFields": source.choice(([], 7, "x", True))}))
        if _ends_connection(bytes(made)):
            return bytes(made)


def _ends_connection(data: bytes) -> bool:
    stream = CommandStream()
    stream.feed(data)
    try:
        while stream.next_command() is not None:
            pass
    except FrameError:
        return True
    return False


class Line:
    """One connection that pipelines whatever it is given and reads answers until the one to its own last request."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self._place = host, int(port)
        self._sock: socket.socket | None = None
        self._opaque = itertools.count(2**30)
        self._expected = 0
        self.answered = 0

    def send(self, frames: Iterable[bytes], last: bytes = b"") -> None:
        """Frames, then a request whose answer tells that all were handled, then a last frame."""
        if self._sock is None:
            self._sock = socket.create_connection(self._place, timeout=30)
            self._stream = CommandStream()
        self._expected = next(self._opaque)
        sentinel = json_frame({"code": SENTINEL, "opaque": self._expected})
        with contextlib.suppress(OSError):
            self._sock.sendall(b"".join(frames) + sentinel + last)

    def read(self, *, until_closed: bool = False) -> None:
        """Answers up to the expected one, or to the end of the connection, which may swallow the last ones.

        Raises:
            TimeoutError: the server does not answer.
            ConnectionError: it hung up before.
        """
        seen = False
        while True:
            try:
                data = self._sock.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if not data:
                self.close()
                if not seen and not until_closed:
                    raise ConnectionError("the server hung up before it answered")
                return
            self._stream.feed(data)
            while (command := self._stream.next_command()) is not None:
                self.answered += 1
                seen = seen or command.opaque == self._expected
            if seen and not until_closed:
                return

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None


def flood(
    address: str,
    soft: Iterator[bytes],
    hard: Iterator[bytes],
    *,
    lines: int,
    batches: int,
    batch: int,
    hard_batches: int,
) -> int:
    """Sends batches over many connections, the first ones ended by a frame that breaks them; counts frames."""
    pool = [Line(address) for _ in range(lines)]
    sent = 0
    for number in range(batches):
        busy = []
        for line in pool:
            breaks = number < hard_batches
            line.send(itertools.islice(soft, batch), next(hard) if breaks else b"")
            sent += batch + breaks
            busy.append((line, breaks))
        for line, breaks in busy:
            line.read(until_closed=breaks)
    for line in pool:
        line.close()
    return sent


class Neighbour:
    """A well-behaved client: asks again and again and notes how long each answer took."""

    def __init__(self, address: str, request: bytes) -> None:
        host, port = address.rsplit(":", 1)
        self._place = host, int(port)
        self._request = request
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.times: list[float] = []
        self.codes: set[int] = set()
        self.error: Exception | None = None

    def _run(self) -> None:
        try:
            with socket.create_connection(self._place, timeout=10) as sock:
                while not self._end.wait(0.02):
                    begun = time.monotonic()
                    sock.sendall(self._request)
                    stream = CommandStream()
                    while (command := stream.next_command()) is None:
                        data = sock.recv(1 << 16)
                        if not data:
                            raise ConnectionError("hung up")
                        stream.feed(data)
                    self.codes.add(command.code)
                    self.times.append(time.monotonic() - begun)
        except Exception as error:
            self.error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(15)


class Memory:
    """Anonymous memory of a process, in bytes, watched in the background."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.first = self.now()
        self.peak = self.first

    def now(self) -> int:
        return int(re.search(r"RssAnon:\s+(\d+) kB", self._status.read_text())[1]) * 1024

    def _run(self) -> None:
        with contextlib.suppress(OSError, TypeError):
            while not self._end.wait(0.05):
                self.peak = max(self.peak, self.now())

    @property
    def growth(self) -> int:
        return max(self.peak, self.now()) - self.first

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(5)
