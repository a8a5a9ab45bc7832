"""Cost of the hot paths inside the broker, without a network: microseconds a message.

    python bench/hotpath.py [--profile send|batch|pull]

A connection on an in-memory transport is fed what the official benchmark client sends: reads of many small frames with
the binary header. Figures are medians of several rounds.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.testing import StringTransport

from rmq.remoting.protocol import Connection
from rmq.server.broker.build import Broker
from rmq.settings.load import load_broker
from rmq.wire.codes import SERIALIZE_BINARY
from rmq.wire.command import Command, encode
from rmq.wire.message import BatchMessage, UniqueIds, encode_batch

READ = 50
"""Frames in one read."""
BODY = b"x" * 128
ROUNDS = 7


class Transport(StringTransport):
    """Swallows what is written."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing to set."""

    def write(self, data: bytes) -> None:
        """Nothing to keep."""


def send_frames(count: int, serialize_type: int) -> bytes:
    """Sends of one message each, as the official producer makes them."""
    ids = UniqueIds(b"\x7f\x00\x00\x01", 4711, 42)
    frames = []
    for number in range(count):
        ext = {
            "a": "benchmark_producer",
            "b": "BenchmarkTest",
            "c": "TBW102",
            "d": "4",
            "e": str(number % 8),
            "f": "0",
            "g": "1795258800000",
            "h": "0",
            "i": f"UNIQ_KEY\x01{ids.next(1795258800000)}\x02WAIT\x01false\x02",
            "j": "0",
            "k": "false",
            "m": "false",
            "n": "broker-a",
        }
        frames.append(encode(Command(310, ext, BODY, opaque=number, serialize_type=serialize_type)))
    return b"".join(frames)


def batch_frame(size: int) -> bytes:
    """One batch of so many messages."""
    ids = UniqueIds(b"\x7f\x00\x00\x01", 4711, 42)
    messages = [
        BatchMessage(0, BODY, f"UNIQ_KEY\x01{ids.next(1795258800000)}\x02WAIT\x01true".encode()) for _ in range(size)
    ]
    ext = {
        "a": "benchmark_producer", "b": "BenchmarkTest", "c": "TBW102", "d": "4", "e": "0", "f": "0",
        "g": "1795258800000", "h": "0", "i": "WAIT\x01true\x02", "j": "0", "k": "false", "m": "true", "n": "broker-a",
    }  # fmt: skip
    return encode(Command(320, ext, encode_batch(messages), opaque=1, serialize_type=SERIALIZE_BINARY))


def pull_frame(offset: int) -> bytes:
    """A pull of 32 messages."""
    ext = {
        "consumerGroup": "benchmark_consumer", "topic": "BenchmarkTest", "queueId": "0", "queueOffset": str(offset),
        "maxMsgNums": "32", "sysFlag": "6", "commitOffset": "0", "suspendTimeoutMillis": "15000",
        "subscription": "*", "subVersion": "0", "expressionType": "TAG",
    }  # fmt: skip
    return encode(Command(11, ext, opaque=1, serialize_type=SERIALIZE_BINARY))


def measure(feed: Callable[[bytes], None], read: bytes, messages: int, repeat: int) -> float:
    """Median microseconds a message."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(repeat):
            feed(read)
        rounds.append((time.process_time() - started) / (repeat * messages) * 1e6)
    return statistics.median(rounds)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=("send", "batch", "pull"))
    wanted = parser.parse_args().profile
    with tempfile.TemporaryDirectory() as directory:
        overrides: dict[str, Any] = {
            "listenPort": 0, "bindAddress": "127.0.0.1", "brokerIP1": "127.0.0.1", "storePathRootDir": directory,
            "brokerName": "broker-a",
        }  # fmt: skip
        reactor = EPollReactor()
        broker = Broker(reactor, load_broker("", file=f"{directory}/broker.conf", overrides=overrides).settings)
        broker.start()
        connection: Connection = broker._server._factory.buildProtocol(None)  # type: ignore[union-attr]
        connection.makeConnection(Transport())
        cases: dict[str, tuple[bytes, int, int]] = {
            "send": (send_frames(READ, SERIALIZE_BINARY), READ, 400),
            "send (JSON header)": (send_frames(READ, 0), READ, 400),
            "batch": (batch_frame(32), 32, 400),
            "pull": (pull_frame(100), 32, 2000),
        }

        def feed(read: bytes) -> None:
            connection.dataReceived(read)
            # What a slow pass left for its next turn.
            reactor.runUntilCurrent()

        for name, (read, messages, repeat) in cases.items():
            if wanted is None:
                print(f"{name:20} {measure(feed, read, messages, repeat):6.2f} us a message")
            elif name == wanted:
                profile(lambda read=read, repeat=repeat: [feed(read) for _ in range(repeat)])
        broker._store.close()  # type: ignore[union-attr]
        broker._threads.stop()


def profile(work: Callable[[], object]) -> None:
    """Prints where the time goes."""
    profiler = cProfile.Profile()
    profiler.runcall(work)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(22)


if __name__ == "__main__":
    main()
