"""From construct declarations to struct formats."""

import pytest
from construct import Bytes, Const, Int8ub, Int16sl, Int16ub, Int32sb, Int64sb, Prefixed, Rebuild, Struct, this

from rmq.wire.derive import struct_format

LAYOUT = Struct(
    "size" / Rebuild(Int32sb, 0),
    "magic" / Const(7, Int16ub),
    "host" / Bytes(8),
    "kind" / Int8ub,
    "offset" / Int64sb,
)


def test_a_whole_layout() -> None:
    assert struct_format(LAYOUT) == ">lH8sBq"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [("magic", None, ">H8sBq"), (None, "host", ">lH8s"), ("host", "kind", ">8sB"), ("kind", "kind", ">B")],
)
def test_a_run(first: str | None, last: str | None, expected: str) -> None:
    assert struct_format(LAYOUT, first, last) == expected


@pytest.mark.parametrize("names", [{"first": "nobody"}, {"last": "nobody"}])
def test_an_unknown_name_is_refused(names: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no field 'nobody'"):
        struct_format(LAYOUT, **names)


@pytest.mark.parametrize(
    ("layout", "reason"),
    [
        (Struct("a" / Int16sl), "'a' is not big-endian"),
        (Struct("a" / Int8ub, "b" / Bytes(this.a)), "'b' has no fixed size"),
        (Struct("b" / Prefixed(Int8ub, Int16ub)), "'b' has no fixed size"),
    ],
)
def test_what_has_no_format_is_refused(layout: Struct, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        struct_format(layout)
