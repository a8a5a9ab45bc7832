"""Records the options of Apache's mqadmin: `python -m tests.golden.record_options` writes tests/golden/options.json.

Every command is asked for its page, in one JVM. The file maps its name to its options, each as its short name, its long
one, whether it takes a value and whether it is required, and to the groups of options that exclude each other.
"""

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tests.kit.apache import MqAdmin

RECORDING = Path(__file__).with_name("options.json")
_OPTION = re.compile(r"^ (?:-(?P<short>[^,\s]+)(?P<both>,)?|  )? ?(?:--(?P<long>.+?))?(?P<value> <arg>)?(?: {3,}.*)?$")
_SYNOPSIS_ITEM = re.compile(r"\[[^]]*\]|--?\S+(?: <arg>)?(?: \| --?\S+(?: <arg>)?)*")


def record() -> dict[str, Any]:
    """Asks for every page."""
    home = Path(tempfile.mkdtemp(prefix="rmq-options-"))
    apache = MqAdmin("127.0.0.1:9", home)
    try:
        listed = apache.run_as_given([]).out.splitlines()
        names = [line.split()[0] for line in listed if line.startswith("   ")]
        return {name: options_of(apache.run_as_given(["help", name]).out) for name in sorted(names)}
    finally:
        apache.close()
        shutil.rmtree(home)


def options_of(page: str) -> dict[str, Any]:
    """What a page says of options."""
    lines = page.splitlines()
    first = next(number for number, line in enumerate(lines) if re.match(r" {1,4}-", line))
    required, groups = _synopsis(" ".join(line.strip() for line in lines[:first]))
    options = []
    for line in lines[first:]:
        found = _OPTION.match(line) if re.match(r" {1,4}-", line) else None
        if found is not None:
            short, long = found["short"] or "", found["long"] or ""
            name = f"-{short}" if short else f"--{long.rstrip()}"
            options.append([short, long, found["value"] is not None, name in required])
    return {"options": options, "groups": groups}


def _synopsis(text: str) -> tuple[set[str], list[dict[str, Any]]]:
    """Names of required options, and the groups."""
    required, groups = set(), []
    for item in _SYNOPSIS_ITEM.findall(text.split(maxsplit=3)[3]):
        names = [name.strip(" []").removesuffix(" <arg>") for name in item.split(" | ")]
        if len(names) > 1:
            groups.append({"options": [name.lstrip("-") for name in names], "required": not item.startswith("[")})
        elif not item.startswith("["):
            required.update(names)
    return required, groups


if __name__ == "__main__":
    rows = (f"{json.dumps(name)}: {json.dumps(found)}" for name, found in record().items())
    RECORDING.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
