"""kill -9 under load, over and over: what was acknowledged is there, once, at its place, and nothing else is."""

import os
import random
import re
from pathlib import Path

import pytest

from tests.kit.load import Channel, Ledger, Sender, stored
from tests.kit.server import RmqServer

TOPIC = "CrashTopic"
QUEUES = 4
ROUNDS = int(os.environ.get("RMQ_CRASH_ROUNDS", "20"))
SETTINGS = {"mapedFileSizeCommitLog": str(4 * 1024 * 1024)}


def check(server: RmqServer, ledger: Ledger) -> None:
    """The broker's content against the ledger."""
    channel = Channel(server.broker_addr)
    seen: set[bytes] = set()
    places: dict[tuple[int, int], bytes] = {}
    for queue_id in range(QUEUES):
        for expected, message in enumerate(stored(channel, TOPIC, queue_id)):
            assert message.queue_offset == expected, f"queue {queue_id} jumps to {message.queue_offset} at {expected}"
            assert message.body_is_sound
            assert message.body in ledger.sent, f"invented: {message.body[:60]!r}"
            assert message.body not in seen, f"stored twice: {message.body[:60]!r}"
            seen.add(message.body)
            places[queue_id, expected] = message.body
    channel.close()
    lost = {place: body for place, body in ledger.acknowledged.items() if places.get(place) != body}
    assert not lost, f"{len(lost)} acknowledged messages are not at their place, such as {next(iter(lost.items()))}"


def sending(server: RmqServer, ledger: Ledger, label: str = "") -> list[Sender]:
    """Two who send, and have been acknowledged."""
    senders = [Sender(server.broker_addr, TOPIC, f"{label}{name}", QUEUES, ledger) for name in "ab"]
    for sender in senders:
        sender.start()
    for sender in senders:
        assert sender.first_acknowledgement.wait(20)
    return senders


def load_and_kill(server: RmqServer, ledger: Ledger, label: str, seconds: random.Random) -> None:
    """Two senders; the kill comes some time after both got an acknowledgement."""
    senders = sending(server, ledger, label)
    # Not a wait for something to happen: the moment of the kill is the random input of this test.
    senders[0].join(seconds.uniform(0.02, 0.4))
    server.kill()
    for sender in senders:
        sender.join(20)
        assert not sender.is_alive()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("flush", ["ASYNC_FLUSH", "SYNC_FLUSH"])
def test_kill_under_load(tmp_path: Path, flush: str) -> None:
    server = RmqServer(tmp_path, extra={**SETTINGS, "flushDiskType": flush})
    ledger, moments = Ledger(), random.Random(flush)
    try:
        for number in range(ROUNDS):
            load_and_kill(server, ledger, f"r{number}", moments)
            server.restart()
            if number % 5 == 4:
                check(server, ledger)
        check(server, ledger)
        assert len(ledger.acknowledged) > ROUNDS * 10
        assert ledger.refused == 0
    finally:
        server.kill()


def log_files(server: RmqServer) -> list[Path]:
    """The commit log's files, oldest first."""
    return sorted((server.store_dir / "commitlog").iterdir())


@pytest.mark.parametrize("damage", ["garbage", "cut"])
def test_torn_tail(tmp_path: Path, damage: str) -> None:
    """After a power cut the log's end may hold anything; what was written before the damage is served."""
    server = RmqServer(tmp_path, extra=SETTINGS)
    ledger = Ledger()
    try:
        load_and_kill(server, ledger, "t", random.Random(1))
        content = log_files(server)[-1].read_bytes()
        end = len(content.rstrip(b"\0"))
        keep = max(0, end - 3000)
        torn = random.Random(2).randbytes(end + 2000 - keep) if damage == "garbage" else bytes(end - keep)
        log_files(server)[-1].write_bytes(content[:keep] + torn + content[keep + len(torn) :])
        server.restart()
        channel = Channel(server.broker_addr)
        held = {
            (queue_id, message.queue_offset): message.body
            for queue_id in range(QUEUES)
            for message in stored(channel, TOPIC, queue_id)
        }
        assert set(held.values()) <= ledger.sent
        survivors = {place: body for place, body in ledger.acknowledged.items() if place in held}
        assert survivors == {place: held[place] for place in survivors}
        # At most what the damaged last kilobytes can have held is gone.
        assert len(ledger.acknowledged) - len(survivors) <= 60
        reply = channel.ask(310, {**SEND, "b": TOPIC}, b"after")
        assert (reply.code, reply.ext["queueOffset"]) == (0, str(1 + max(o for q, o in held if q == 0)))
        channel.close()
    finally:
        server.kill()


SEND = {
    "a": "p", "c": "TBW102", "d": "4", "e": "0", "f": "0", "g": "1700000000000", "h": "0", "i": "", "m": "false",
}  # fmt: skip


def test_clean_stop_needs_no_scan(tmp_path: Path) -> None:
    server = RmqServer(tmp_path, extra=SETTINGS)
    ledger = Ledger()
    try:
        senders = sending(server, ledger)
        for sender in senders:
            sender.stop()
            sender.join(20)
        server.stop()
        assert not (server.store_dir / "abort").exists()
        server.restart()
        log = (tmp_path / "logs" / "rocketmqlogs" / "broker.log").read_text()
        assert "scanned 0 bytes" in log.splitlines()[-1] or "scanned 0 bytes" in log
        check(server, ledger)
    finally:
        server.kill()


def test_a_start_after_a_kill_reads_what_came_after_the_last_note(tmp_path: Path) -> None:
    server = RmqServer(tmp_path, extra=SETTINGS)
    ledger = Ledger()
    try:
        senders = sending(server, ledger)
        # Two notes, and no round yet.
        senders[0].join(2.5)
        server.kill()
        for sender in senders:
            sender.join(20)
        server.restart()
        log = (tmp_path / "logs" / "rocketmqlogs" / "broker.log").read_text()
        scanned = int(re.findall(r"scanned (\d+) bytes", log)[-1])
        end = len(log_files(server)[-1].read_bytes().rstrip(b"\0")) + (len(log_files(server)) - 1) * 4 * 1024 * 1024
        assert scanned < 0.8 * end
        check(server, ledger)
    finally:
        server.kill()
