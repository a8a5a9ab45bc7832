"""Turns construct declarations into `struct` formats, ahead of time.

Construct parses a 20-byte unit in microseconds, `struct` in a tenth of one, and importing construct costs a
short-lived command a third of its life. So the declarations stay the only place where a layout is written
down, and `python -m rmq.wire.derive` writes what the hot paths need of them into `rmq/wire/layouts.py`. A test
fails when that file is stale; property tests hold both codecs equal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ALIGN = ">"


def struct_format(layout: Any, first: str | None = None, last: str | None = None) -> str:
    """The `struct` format of a run of fixed-size fields in a construct Struct.

    Args:
        layout: a `construct.Struct` of big-endian integer fields (`Int32sb` ...) and fixed `Bytes(n)`.
        first: name of the first field of the run; the layout's first field by default.
        last: name of the last field of the run; the layout's last field by default.

    Raises:
        ValueError: a field of the run has no fixed size or is not big-endian, or a name is unknown.
    """
    names = [con.name for con in layout.subcons]
    for name in (first, last):
        if name is not None and name not in names:
            raise ValueError(f"no field {name!r} in {names}")
    start = names.index(first) if first else 0
    stop = names.index(last) + 1 if last else len(names)
    return _ALIGN + "".join(_field_format(con) for con in layout.subcons[start:stop])


def _field_format(field: Any) -> str:
    from construct import Const, Rebuild, Renamed

    con = field
    while isinstance(con, Const | Rebuild | Renamed):
        con = con.subcon
    fmt = getattr(con, "fmtstr", None)
    if isinstance(fmt, str):
        if len(fmt) != 2 or fmt[0] != _ALIGN:
            raise ValueError(f"field {field.name!r} is not big-endian: {fmt!r}")
        return fmt[1]
    length = getattr(con, "length", None)
    if isinstance(length, int):
        return f"{length}s"
    raise ValueError(f"field {field.name!r} has no fixed size")


def _generated() -> Iterator[str]:
    # The declarations import construct, so they are loaded only when the file is made.
    from rmq.wire import frame, records

    yield '"""Formats of the hot codecs. Made by `python -m rmq.wire.derive` from the construct declarations."""\n'
    yield "\nfrom struct import Struct\n\n"
    for module in (frame, records):
        for name, fmt in module.derived().items():
            yield f'{name} = Struct("{fmt}")\n'


def render() -> str:
    """The text of `rmq/wire/layouts.py`."""
    return "".join(_generated())


if __name__ == "__main__":
    target = Path(__file__).with_name("layouts.py")
    target.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{target}\n")
