"""What a producer and a consumer (the Java program `Replicas`) say they saw while members of a cluster came and went.

No message is sent twice, so each is stored once at most, and the place at which it was acknowledged is its place for
ever, on the master and on its slaves. A consumer may get it more than once.
"""

import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit import toolchains
from tests.kit.driver import wait_until
from tests.kit.replicas import Place

SAFE = "SEND_OK"
"""The status of a message that is where its master's role promises it to be."""
QUICK = 1_000
"""Milliseconds between two looks at the routes; a client's own default is 30 seconds."""


@dataclass(frozen=True)
class Answer:
    """What became of one send; the time is in milliseconds since the epoch."""

    broker: str
    place: Place
    status: str
    at: int


@dataclass
class Evidence:
    """The program's lines, sorted; messages are named by their ids."""

    sent: set[str] = field(default_factory=set)
    answers: dict[str, Answer] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    consumed: dict[str, list[tuple[str, Place, int]]] = field(default_factory=lambda: defaultdict(list))

    def read(self, lines: Iterable[str]) -> None:
        """Takes in further lines."""
        for line in lines:
            letter, *fields = line.split("\t")
            getattr(self, f"_read_{letter}")(*fields)

    def _read_S(self, name: str, at: str) -> None:
        self.sent.add(name)

    def _read_A(self, name: str, broker: str, queue_id: str, offset: str, status: str, at: str) -> None:
        self.answers[name] = Answer(broker, (int(queue_id), int(offset)), status, int(at))

    def _read_X(self, name: str, at: str, reason: str) -> None:
        self.failures[reason.partition(":")[0].rpartition(".")[2]] += 1

    def _read_C(self, name: str, broker: str, queue_id: str, offset: str, at: str) -> None:
        self.consumed[name].append((broker, (int(queue_id), int(offset)), int(at)))

    def with_status(self, broker: str, *statuses: str) -> dict[Place, str]:
        """The message at each place of a broker name that got one of these answers; SEND_OK if none is said."""
        wanted = statuses or (SAFE,)
        return {a.place: name for name, a in self.answers.items() if a.broker == broker and a.status in wanted}

    def unconsumed(self, names: Iterable[str]) -> set[str]:
        return set(names) - self.consumed.keys()

    def misled(self) -> list[str]:
        """What the consumer should not have been handed."""
        found = []
        for name, times in self.consumed.items():
            if name not in self.sent:
                found.append(f"{name} was consumed and never sent")
            if len({(broker, place) for broker, place, _ in times}) > 1:
                found.append(f"{name} was consumed at several places: {times}")
            answer = self.answers.get(name)
            if answer is not None and times[0][:2] != (answer.broker, answer.place):
                found.append(f"{name} was consumed at {times[0]} and acknowledged at {answer}")
        return found


def name_of(body: bytes) -> str:
    return body.partition(b" ")[0].decode()


def lost(acknowledged: Mapping[Place, str], found: Mapping[Place, bytes], sent: Container[str]) -> dict[Place, str]:
    """Acknowledged messages that are not at their places.

    Args:
        found: the bodies that are at the places of that broker name.
        sent: what was sent until they were read.

    Raises:
        AssertionError: what is there was never sent, or is there twice.
    """
    names = {place: name_of(body) for place, body in found.items()}
    doubled = [name for name, count in Counter(names.values()).items() if count > 1]
    assert not doubled, f"stored twice: {doubled[:5]}"
    invented = [name for name in names.values() if name not in sent]
    assert not invented, f"invented: {invented[:5]}"
    return {place: name for place, name in acknowledged.items() if names.get(place) != name}


class ReplicasProgram:
    """The Java program, and what it has written so far."""

    def __init__(self, namesrv_addr: str, home: Path, topic: str, *, threads: int = 4, pause: int = 10) -> None:
        class_path = toolchains.java_client("5.4.0").class_path
        self._file = home / "replicas.tsv"
        words = toolchains.java(
            class_path, "interop.Replicas", "-Xms64m", "-Xmx256m", "-XX:TieredStopAtLevel=1", f"-Duser.home={home}"
        )
        self._stderr = (home / "replicas.stderr").open("wb")
        self._process = subprocess.Popen(
            [*words, namesrv_addr, str(self._file), topic, str(threads), str(pause), str(QUICK)],
            cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr,
        )  # fmt: skip
        self._position = 0
        self._evidence = Evidence()

    def read(self) -> Evidence:
        """With everything up to now."""
        assert self._process.poll() is None, "the client program ended"
        if self._file.exists():
            with self._file.open("rb") as file:
                file.seek(self._position)
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._position += len(whole) + 1
                self._evidence.read(whole.decode().split("\n"))
        return self._evidence

    def wait_answers(self, broker: str, count: int, *statuses: str, timeout: float = 60.0) -> float:
        """Until so many more sends to a broker name were answered like that; the seconds it took."""
        before = len(self.read().with_status(broker, *statuses))
        began = time.monotonic()
        wait_until(
            lambda: len(self.read().with_status(broker, *statuses)) >= before + count,
            timeout=timeout,
            what=lambda: (
                f"{len(self.read().with_status(broker, *statuses)) - before} of {count} {statuses or SAFE} "
                f"answers from {broker}; failures {dict(self.read().failures)}"
            ),
        )
        return time.monotonic() - began

    def wait_consumed(self, names: Iterable[str], *, timeout: float) -> float:
        """Until all these messages were consumed; the seconds it took."""
        wanted = set(names)
        began = time.monotonic()
        wait_until(
            lambda: not self.read().unconsumed(wanted),
            timeout=timeout,
            what=lambda: (
                f"{len(self.read().unconsumed(wanted))} of {len(wanted)} messages are not consumed, "
                f"such as {sorted(self.read().unconsumed(wanted))[:5]}"
            ),
        )
        return time.monotonic() - began

    def _tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        self._process.stdin.flush()

    def suspend(self) -> None:
        """The consumer asks for no more messages; what is on its way still comes."""
        self._tell("suspend")

    def resume(self) -> None:
        self._tell("resume")

    def stop_sending(self) -> Evidence:
        """Until nothing is under way any more."""
        self._tell("stop")
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"sent\n"
        return self.read()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._stderr.close()
