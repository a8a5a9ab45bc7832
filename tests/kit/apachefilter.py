"""Apache's own SQL92 filter, asked from Python."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.kit.toolchains import apache_class_path, java

Message = dict[str, str]


class ApacheFilter:
    """A JVM with rocketmq-filter in it."""

    def __init__(self) -> None:
        words = java(apache_class_path(), "interop.FilterCases", "-XX:TieredStopAtLevel=1")
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, expression: str, messages: Sequence[Message]) -> dict[str, Any]:
        """`{"refused": text}`, or `{"answers": [...]}` with True, False, None or "error" for each message."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = json.dumps({"expression": expression, "messages": list(messages)})
        self._process.stdin.write(question.encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the filter ended at {expression!r}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
