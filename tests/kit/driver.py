"""A process that runs an official client on command, and the messages that pass through it.

The programs under tests/interop (Java, Go, Node) speak one line protocol: commands in, answers and received messages
out, each a JSON line. Every exact value (bodies, tags, keys, properties) comes from here, none is in the programs.
"""

import base64
import itertools
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

from tests.kit.toolchains import Program

FIRST = "CONSUME_FROM_FIRST_OFFSET"


class CommandFailedError(Exception):
    """The client program answered with an error; the text is the client's own, and so are those of its causes."""

    @classmethod
    def of(cls, line: dict[str, Any]) -> Self:
        """From an answer; only Java's program tells causes, which say more than the client's "failed"."""
        failed = cls(line["error"])
        if causes := line.get("causes"):
            failed.__cause__ = cls("; ".join(causes))
        return failed


@dataclass(frozen=True)
class Outgoing:
    """A message to send."""

    body: bytes
    tags: str | None = None
    keys: str | None = None
    properties: dict[str, str] = field(default_factory=dict)

    def as_command(self) -> dict[str, Any]:
        item: dict[str, Any] = {"body": base64.b64encode(self.body).decode(), "properties": self.properties}
        if self.tags is not None:
            item["tags"] = self.tags
        if self.keys is not None:
            item["keys"] = self.keys
        return item


@dataclass(frozen=True)
class Sent:
    """What the client reported of one send (of one batch: the parts joined by commas)."""

    status: str
    msg_id: str | None
    offset_msg_id: str | None
    broker_name: str
    queue_id: int
    queue_offset: int


@dataclass(frozen=True)
class Received:
    """A message as the client handed it to its listener, and when in the order of all that this client received."""

    client: str
    topic: str
    queue_id: int
    queue_offset: int
    msg_id: str
    offset_msg_id: str
    body: bytes
    tags: str | None
    keys: str | None
    properties: dict[str, str]
    reconsume_times: int
    sys_flag: int
    store_timestamp: int
    at: int = 0
    """Milliseconds since the epoch when the client was handed it, from clients that tell."""

    @classmethod
    def of(cls, line: dict[str, Any]) -> "Received":
        return cls(
            line.get("name", ""),
            line["topic"],
            line["queueId"],
            line["queueOffset"],
            line["msgId"],
            line["offsetMsgId"],
            base64.b64decode(line["body"]),
            line.get("tags"),
            line.get("keys"),
            line["properties"] or {},
            line["reconsumeTimes"],
            line["sysFlag"],
            line["storeTimestamp"],
            line.get("at", 0),
        )


class Driver:
    """One process of a client program; its named clients are independent of each other."""

    def __init__(self, program: Program, namesrv_addr: str, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        words = list(program.command)
        if words[0] == "java":
            words[1:1] = [f"-Duser.home={home}", f"-Drocketmq.client.localOffsetStoreDir={home / 'offsets'}"]
        self._stderr = (home / "stderr").open("ab")
        self._process = subprocess.Popen(
            [*words, namesrv_addr],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=home,
            env=_environment(home),
        )
        self._ids = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._received: dict[str, list[Received]] = {}
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            if not raw.startswith(b"{"):
                continue  # some clients print on standard output themselves
            line = orjson.loads(raw)
            if "event" in line:
                message = Received.of(line)
                with self._news:
                    self._received.setdefault(message.client, []).append(message)
                    self._news.notify_all()
            elif "error" in line:
                self._waiting.pop(line["id"]).set_exception(CommandFailedError.of(line))
            else:
                self._waiting.pop(line["id"]).set_result(line["ok"])
        for future in self._waiting.values():
            future.set_exception(CommandFailedError("the client program ended"))

    def begin(self, do: str, **members: Any) -> Future[Any]:
        """Give a command without waiting for its answer."""
        number = next(self._ids)
        future: Future[Any] = Future()
        self._waiting[number] = future
        assert self._process.stdin is not None
        with self._news:
            self._process.stdin.write(json.dumps({"id": number, "do": do, **members}).encode() + b"\n")
            self._process.stdin.flush()
        return future

    def call(self, do: str, *, timeout: float = 60.0, **members: Any) -> Any:
        """Give a command and return its answer."""
        return self.begin(do, **members).result(timeout)

    def retire(self, name: str) -> None:
        """Tell a client to shut down cleanly, without waiting until it has (Java's takes up to three seconds)."""
        self.begin("stop", name=name)

    def begin_send(
        self, name: str, topic: str, messages: Sequence[Outgoing], mode: str = "sync", **members: Any
    ) -> Future[Any]:
        """Start sending from the named producer."""
        members.setdefault("threads", 4)
        items = [message.as_command() for message in messages]
        return self.begin("send", name=name, topic=topic, mode=mode, messages=items, **members)

    def send(
        self, name: str, topic: str, messages: Sequence[Outgoing], mode: str = "sync", **members: Any
    ) -> list[Sent]:
        """Send, and the report of each send in the order of the messages."""
        return [Sent(*facts) for facts in self.begin_send(name, topic, messages, mode, **members).result(90)]

    def push(
        self,
        name: str,
        group: str,
        topic: str,
        *,
        expression: str = "*",
        model: str = "CLUSTERING",
        origin: str = FIRST,
    ) -> str:
        """Start a push consumer; its clientId ("" where the client does not tell)."""
        answer = self.call(
            "push", name=name, group=group, topic=topic, expression=expression, model=model, **{"from": origin}
        )
        return str(answer["clientId"])

    def queues(self, name: str) -> list[int]:
        """The queues of its topic that a push consumer holds now, sorted."""
        return sorted(queue_id for _, queue_id in self.call("ask", name=name, what="queues"))

    def received(self, name: str) -> list[Received]:
        """All that the named consumer was handed so far."""
        with self._news:
            return list(self._received.get(name, ()))

    def wait_received(self, name: str, count: int, *, timeout: float = 60.0) -> list[Received]:
        """All it was handed, when that is at least so many."""
        wait_until(
            lambda: len(self.received(name)) >= count,
            timeout=timeout,
            what=lambda: f"{name} received {len(self.received(name))} of {count}",
        )
        return self.received(name)

    def kill(self) -> None:
        """SIGKILL: every client in it vanishes without a word."""
        self._process.kill()
        self._process.wait()
        self._stderr.close()


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(home)}


def wait_until(condition: Callable[[], bool], *, timeout: float, what: Callable[[], str]) -> None:
    """Until the condition holds; when it does not in time, an error that says how things stand."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what()}")
        time.sleep(0.02)
