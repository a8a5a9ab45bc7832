"""A network between master and slave that stalls, cuts and delays: no corruption, bounded memory, healed by itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit import toolchains
from tests.kit.frames import UPDATE_BROKER_CONFIG, ask
from tests.kit.load import Channel, Ledger, Sender
from tests.kit.members import Broker
from tests.kit.relay import Line
from tests.kit.replicas import Cluster, acknowledged_by_slaves, assert_same_log, held, log_end, wait_in_step
from tests.kit.server import chosen_kind

TOPIC, QUEUES = "Parted", 4
HEARTBEAT, HOUSEKEEPING = 1.0, 4.0
"""Seconds: shorter than usual, so that a stall that ends connections takes no minute."""
SETTINGS = {
    "haSendHeartbeatInterval": str(int(HEARTBEAT * 1000)),
    "haHousekeepingInterval": str(int(HOUSEKEEPING * 1000)),
}
PAYLOAD = 48 * 1024 * 1024
"""Bytes that the master takes while nothing reaches the slave: more than it may keep for it."""
MEMORY = 32 * 1024 * 1024
SLAVE_TIMEOUT = 3.0
FLUSH_SLAVE_TIMEOUT = 12


class Pair:
    """A master and its slave, whose replication goes over a line; all else goes straight."""

    def __init__(self, home: Path, mode: str) -> None:
        kind = chosen_kind()
        if kind == "apache":
            toolchains.require("java")
        self.cluster = Cluster(home, mode, {"broker-a": kind, "broker-a-s": kind}, namesrvs=[kind], extra=SETTINGS)
        self.master, self.slave = self.cluster.brokers["broker-a"], self.cluster.brokers["broker-a-s"]
        self.line = Line(self.master.ha_address)
        if kind == "rmq":
            self.slave.settings["haMasterAddress"] = self.line.address
        self.ledger = Ledger()

    def start(self) -> None:
        for member in (*self.cluster.namesrvs, self.master):
            member.start()
        self.cluster.wait_registered(self.master)
        if self.master.kind == "apache":
            self._advertise_line()
        self.slave.start()
        self.cluster.wait_registered(self.slave)
        self.cluster.create_topic(TOPIC, QUEUES)
        self.cluster.wait_topic(TOPIC)
        wait_in_step(self.master)
        assert self.line.opened > 0

    def _advertise_line(self) -> None:
        """Makes the master name the line's port.

        A slave of Apache's forgets its haMasterAddress: it is set before there is anybody who could use it. A port
        that changes while the master runs changes what it says of itself, not where it listens.
        """
        port = self.line.address.rsplit(":", 1)[1]
        header, _ = ask(
            self.master.address, UPDATE_BROKER_CONFIG, body=f"haListenPort={port}\nbrokerPermission=6\n".encode()
        )
        assert header["code"] == 0, header

    def end(self) -> None:
        self.cluster.kill()
        self.line.stop()

    @contextmanager
    def load(self, label: str, *, padding: int = 1000) -> Iterator[None]:
        """Two senders at the master."""
        senders = [
            Sender(self.master.address, TOPIC, f"{label}-{name}", QUEUES, self.ledger, padding=padding) for name in "ab"
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            assert sender.first_acknowledgement.wait(20)
        yield
        for sender in senders:
            sender.stop()
            sender.join(30)
            assert not sender.is_alive()

    def check(self) -> None:
        """Both logs are the same, and both hold what was acknowledged and nothing else."""
        assert assert_same_log(self.master, self.slave) == log_end(self.master)
        content = held(self.master, TOPIC, QUEUES)
        assert held(self.slave, TOPIC, QUEUES) == content
        assert set(content.values()) <= self.ledger.sent
        assert len(set(content.values())) == len(content)
        assert self.ledger.acknowledged.items() <= content.items()
        assert self.ledger.refused == 0


@pytest.fixture
def pair(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    made = Pair(tmp_path, getattr(request, "param", "2m-2s-async"))
    try:
        made.start()
        yield made
    finally:
        made.end()


def anonymous_memory(broker: Broker) -> int:
    """Bytes of a process's memory that are not of files."""
    lines = Path(f"/proc/{broker.child.pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


def wait_written(master: Broker, size: int) -> None:
    """Until so many more bytes are in the master's log."""
    end, deadline = log_end(master) + size, time.monotonic() + 90
    while log_end(master) < end:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.timeout(240)
def test_stall(pair: Pair) -> None:
    """Longer than the silence after which both sides give a connection up."""
    with pair.load("stalled", padding=8000):
        wait_in_step(pair.master)
        before = anonymous_memory(pair.master), anonymous_memory(pair.slave)
        opened = pair.line.opened
        pair.line.stall()
        deadline = time.monotonic() + HOUSEKEEPING * 2
        wait_written(pair.master, PAYLOAD)
        time.sleep(max(0.0, deadline - time.monotonic()))  # the length of the stall is an input of the test
        after = anonymous_memory(pair.master), anonymous_memory(pair.slave)
        assert log_end(pair.master) - max(acknowledged_by_slaves(pair.master), default=0) > PAYLOAD - MEMORY
    pair.line.heal()
    pair.check()
    assert pair.line.opened > opened
    grown = [(later - earlier) // 1024 for earlier, later in zip(before, after, strict=True)]
    print(f"grown by {grown} KiB while {PAYLOAD >> 20} MiB were kept back", flush=True)
    if pair.master.kind == "rmq":  # a JVM takes what its heap may have
        assert max(grown) * 1024 < MEMORY


@pytest.mark.timeout(240)
def test_cut_again_and_again(pair: Pair) -> None:
    with pair.load("cut"):
        opened = pair.line.opened
        end = time.monotonic() + 6
        while time.monotonic() < end:
            time.sleep(0.05)  # between two cuts: an input of the test
            pair.line.cut()
    pair.check()
    assert pair.line.opened > opened


@pytest.mark.timeout(240)
def test_delay(pair: Pair) -> None:
    """A slave far away is later, and not slower."""
    pair.line.delay(0.2)
    with pair.load("late"):
        for _ in range(3):
            wait_in_step(pair.master, timeout=10)
    wait_in_step(pair.master, timeout=20)
    pair.line.heal()
    pair.check()


def send(channel: Channel, ledger: Ledger, body: bytes) -> tuple[int, float]:
    """Code of the answer to a send, and the seconds it took."""
    ext = {
        "a": "p", "b": TOPIC, "c": "TBW102", "d": "4", "e": "0", "f": "0", "g": "1700000000000", "h": "0", "i": "",
        "m": "false",
    }  # fmt: skip
    ledger.sent.add(body)
    began = time.monotonic()
    reply = channel.ask(310, ext, body)
    ledger.acknowledged[int(reply.ext["queueId"]), int(reply.ext["queueOffset"])] = body
    return reply.code, time.monotonic() - began


@pytest.mark.timeout(240)
@pytest.mark.parametrize("pair", ["2m-2s-sync"], indirect=True)
def test_a_synchronous_send_waits_so_long_and_no_longer(pair: Pair) -> None:
    channel = Channel(pair.master.address)
    try:
        code, seconds = send(channel, pair.ledger, b"first")
        assert code == 0
        assert seconds < SLAVE_TIMEOUT
        pair.line.stall()
        code, seconds = send(channel, pair.ledger, b"second")
        assert code == FLUSH_SLAVE_TIMEOUT
        assert SLAVE_TIMEOUT - 0.1 < seconds < SLAVE_TIMEOUT + 1
        pair.line.heal()
        wait_in_step(pair.master)
        code, seconds = send(channel, pair.ledger, b"third")
        assert code == 0
        assert seconds < SLAVE_TIMEOUT
    finally:
        channel.close()
    pair.check()
