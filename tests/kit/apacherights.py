"""Apache's own decisions about access, asked from Python."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.kit.toolchains import apache_class_path, java


class ApacheRights:
    """A JVM with Apache's broker in it.

    Args:
        home: where it may write its logs.
    """

    def __init__(self, home: Path) -> None:
        words = java(apache_class_path(), "interop.RightsCases", "-XX:TieredStopAtLevel=1", f"-Duser.home={home}")
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=home)

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """`{"allowed": bool, "why": text}` for a question as RightsCases.java takes it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        while line := self._process.stdout.readline():
            # Before the first answer, what logs says how it is set up.
            if line.startswith(b"{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError(f"the broker's decisions ended at {question!r}")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
