"""How Java prints a value object: `Name [a=1, b=true]` or `Name{a=1, b=null}`, members by their wire names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import Any

from rmq.wire.declare import wire_name


def printed(value: Any, opening: str, closing: str) -> str:
    """A declared value as its Java class prints itself, members in the order of declaration.

    Args:
        value: an instance of a declared body.
        opening: what stands between the class name and the first member, such as ` [` or `{`.
        closing: what ends it.
    """
    members = ", ".join(
        f"{wire_name(field)}={java_text(getattr(value, field.name))}" for field in dataclasses.fields(value)
    )
    return f"{type(value).__name__}{opening}{members}{closing}"


def java_text(value: Any) -> str:
    """A value as Java's string concatenation shows it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{java_text(key)}={java_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ", ".join(map(java_text, value)) + "]"
    return str(value)
