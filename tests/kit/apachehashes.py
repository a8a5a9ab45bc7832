"""Numbers that Apache's broker knows tags and keys by, asked from Python."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.kit.toolchains import apache_class_path, java


class ApacheHashes:
    """A JVM with Apache's broker in it."""

    def __init__(self) -> None:
        words = java(apache_class_path(), "interop.HashCases", "-XX:TieredStopAtLevel=1")
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, topic: str, texts: Sequence[str]) -> dict[str, list[Any]]:
        """For each text its code as a tag ("tags"), its hash as a key of the topic ("keys"), and what it subscribes to
        as an expression ("subscriptions"): its tags and their codes, or None where it is refused."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"topic": topic, "texts": list(texts)}).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the broker's hashes ended at {texts!r}")
        answer: dict[str, list[Any]] = json.loads(line)
        return answer

    def close(self) -> None:
        """At the end of its input it removes its file and ends."""
        self._process.communicate()
