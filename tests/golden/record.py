"""Records what Apache's mqadmin prints: `python -m tests.golden.record` writes tests/golden/mqadmin.json.

A fresh name server and broker of Apache's are started; the commands run in one JVM, those that the parser refuses in a
JVM each, because the parser ends it.
"""

import json
import shlex
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.golden.scenario import PARSER_LINES, STEPS, first_message_id, normalised, refusal_of, synopsis_of
from tests.golden.stage import Stage
from tests.kit.apache import ApacheCluster, MqAdmin, mqadmin

RECORDING = Path(__file__).with_name("mqadmin.json")
_SETTLING = 2.0
"""Seconds after which asynchronous state has arrived."""


def record() -> dict[str, Any]:
    """Plays everything against Apache's servers."""
    home = Path(tempfile.mkdtemp(prefix="rmq-golden-"))
    cluster = ApacheCluster(home, extra={"enablePropertyFilter": "true"})
    try:
        return {
            "steps": _steps(cluster, home),
            "parser": [_parsed(line, cluster.namesrv_addr) for line in PARSER_LINES],
        }
    finally:
        cluster.kill()


def _steps(cluster: ApacheCluster, home: Path) -> list[dict[str, Any]]:
    known = {"broker": cluster.broker_addr, "namesrv": cluster.namesrv_addr}
    stage, admin = Stage(cluster.broker_addr), MqAdmin(cluster.namesrv_addr, home)
    recorded = []
    try:
        for step in STEPS:
            if step.staged:
                stage.do(step.line)
                continue
            if step.eventually:
                time.sleep(_SETTLING)
            words = step.words(known)
            printed = mqadmin(*words, namesrv_addr=cluster.namesrv_addr) if step.alone else admin.run(*words)
            print(step.line, file=sys.stderr)
            found = first_message_id(printed.out)
            if step.label and found:
                known[f"msgid:{step.label}"] = found
            if not step.differs:
                out = normalised(step, printed.out, known).splitlines(keepends=True)
                recorded.append({"line": step.line, "out": out})
    finally:
        admin.close()
        stage.close()
    return recorded


def _parsed(line: str, namesrv: str) -> dict[str, Any]:
    printed = mqadmin(*shlex.split(line), namesrv_addr=namesrv)
    print(line, file=sys.stderr)
    return {"line": line, "synopsis": synopsis_of(printed.out), "err": refusal_of(printed.err)}


if __name__ == "__main__":
    RECORDING.write_text(json.dumps(record(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
