"""Cost of the hot paths inside the broker, without a network: microseconds a message.

    python bench/hotpath.py [--only send] [--profile]

A connection on an in-memory transport is fed what the official benchmark client sends: reads of many small frames with
the binary header; a slave's is fed what its master sends. Figures are medians of several rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import itertools
import pstats
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from struct import pack_into
from typing import Any, NamedTuple

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.testing import StringTransport

from rmq.remoting.protocol import Connection
from rmq.server.broker.build import Broker
from rmq.server.ha.receiver import MasterReceiver
from rmq.settings.load import load_broker
from rmq.wire.codes import SERIALIZE_BINARY
from rmq.wire.command import Command, encode
from rmq.wire.hastream import encode_report, encode_transfer
from rmq.wire.message import BatchMessage, UniqueIds, encode_batch

READ = 50
"""Frames in one read."""
BODY = b"x" * 128
QUEUES = 1024
"""Of the official benchmark's topic."""
ROUNDS = 7


class Transport(StringTransport):
    """Swallows what is written."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing to set."""

    def write(self, data: bytes) -> None:
        """Nothing to keep."""


def send_frames(count: int, serialize_type: int, *, wait: str = "false") -> bytes:
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
            "i": f"UNIQ_KEY\x01{ids.next(1795258800000)}\x02WAIT\x01{wait}\x02",
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


def measure(work: Callable[[], None], messages: int, repeat: int) -> float:
    """Median microseconds a message."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(repeat):
            work()
        rounds.append((time.process_time() - started) / (repeat * messages) * 1e6)
    return statistics.median(rounds)


class Case(NamedTuple):
    """One figure: work that handles so many messages, done so often in a round."""

    work: Callable[[], None]
    messages: int
    repeat: int


@contextlib.contextmanager
def running(**overrides: Any) -> Iterator[tuple[Any, Broker, Connection]]:
    """A broker, its reactor, which does not run, and a client's connection to it."""
    with tempfile.TemporaryDirectory() as directory:
        overrides |= {
            "listenPort": 0, "haListenPort": 0, "bindAddress": "127.0.0.1", "brokerIP1": "127.0.0.1",
            "storePathRootDir": directory, "brokerName": "broker-a",
        }  # fmt: skip
        reactor = EPollReactor()
        broker = Broker(reactor, load_broker("", file=f"{directory}/broker.conf", overrides=overrides).settings)
        broker.start()
        connection: Connection = broker._server._factory.buildProtocol(None)  # type: ignore[union-attr]
        connection.makeConnection(Transport())
        try:
            yield reactor, broker, connection
        finally:
            broker._store.close()  # type: ignore[union-attr]
            broker._threads.stop()


def clients_of(reactor: Any, connection: Connection) -> dict[str, Case]:
    """What clients of a broker without slaves cost."""

    def feeding(read: bytes) -> Callable[[], None]:
        def feed() -> None:
            connection.dataReceived(read)
            # What a slow pass left for its next turn.
            reactor.runUntilCurrent()

        return feed

    return {
        "send": Case(feeding(send_frames(READ, SERIALIZE_BINARY)), READ, 400),
        "send (JSON header)": Case(feeding(send_frames(READ, 0)), READ, 400),
        "batch": Case(feeding(batch_frame(32)), 32, 400),
        "pull": Case(feeding(pull_frame(100)), 32, 2000),
    }


def sends_with_slave(reactor: Any, broker: Broker, connection: Connection) -> dict[str, Case]:
    """What sends cost a master that waits for a slave, which confirms each pass at once."""
    assert broker._parts is not None
    store = broker._parts.store
    slave = broker._parts.ha_master._make_sender()
    assert slave is not None
    slave.makeConnection(Transport())
    slave.dataReceived(encode_report(0))

    def sending(read: bytes) -> Callable[[], None]:
        def send() -> None:
            connection.dataReceived(read)
            # Twice: the log goes to the slave, then what waited is answered.
            reactor.runUntilCurrent()
            slave.dataReceived(encode_report(store.log_max_offset))
            reactor.runUntilCurrent()

        return send

    return {
        "send, slave waited for": Case(sending(send_frames(READ, SERIALIZE_BINARY, wait="true")), READ, 400),
        "the same, one by one": Case(sending(send_frames(1, SERIALIZE_BINARY, wait="true")), 1, 4000),
    }


def sent_record(broker: Broker, connection: Connection) -> bytearray:
    """A record of the log, as such a send makes it."""
    assert broker._parts is not None
    store = broker._parts.store
    at = store.log_max_offset
    connection.dataReceived(send_frames(1, SERIALIZE_BINARY))
    return bytearray(store.transfer(at, store.log_max_offset - at))


def slave_of(reactor: Any, broker: Broker, record: bytearray) -> dict[str, Case]:
    """What a master's messages cost its slave, of a topic with many queues."""
    assert broker._parts is not None
    store = broker._parts.store
    stream = MasterReceiver(reactor, store.replica, broker._settings.store, broker._parts.hold.wake)
    stream.makeConnection(Transport())
    next_offsets = dict.fromkeys(range(QUEUES), 0)
    queues = itertools.cycle(range(QUEUES))

    def receiving(count: int) -> Callable[[], None]:
        def receive() -> None:
            at = store.replica.received
            parts = []
            for number in range(count):
                queue_id = next(queues)
                pack_into(">i", record, 12, queue_id)
                pack_into(">qq", record, 20, next_offsets[queue_id], at + number * len(record))
                next_offsets[queue_id] += 1
                parts.append(bytes(record))
            stream.dataReceived(encode_transfer(at, count * len(record)) + b"".join(parts))
            reactor.runUntilCurrent()

        return receive

    return {
        "slave, 300 at a time": Case(receiving(300), 300, 100),
        "slave, one by one": Case(receiving(1), 1, 4000),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="figures whose name begins so")
    parser.add_argument("--profile", action="store_true", help="where the time goes instead")
    options = parser.parse_args()

    def show(cases: dict[str, Case]) -> None:
        for name, case in cases.items():
            if not name.startswith(options.only):
                continue
            if options.profile:
                profile(lambda case=case: [case.work() for _ in range(case.repeat)])
            else:
                print(f"{name:24} {measure(*case):6.2f} us a message")

    with running() as (reactor, _, connection):
        show(clients_of(reactor, connection))
    with running(brokerRole="SYNC_MASTER", inSyncReplicas=2) as (reactor, broker, connection):
        show(sends_with_slave(reactor, broker, connection))
        record = sent_record(broker, connection)
    with running(brokerRole="SLAVE", brokerId=1) as (reactor, broker, _):
        show(slave_of(reactor, broker, record))


def profile(work: Callable[[], object]) -> None:
    """Prints where the time goes."""
    profiler = cProfile.Profile()
    profiler.runcall(work)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(22)


if __name__ == "__main__":
    main()
