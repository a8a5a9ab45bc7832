"""Writes `docs/codes.md` from the registry: `python -m rmq.wire.document`. A test fails when the file is stale."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rmq.wire.declare import RequestSpec, header_fields
from rmq.wire.requests import load_all

_INTRODUCTION = """\
# Request codes

Every request that rmq can read and write, made from the declarations in `rmq/wire/requests` by
`python -m rmq.wire.document`. Fields marked `!` are required; the name in front of the type is the one on the wire.
Bodies are classes of `rmq/wire/bodies`, in JSON; where none is named the body is empty or not JSON.
"""


def render() -> str:
    """The text of the document."""
    domains: dict[str, list[RequestSpec]] = {}
    for spec in sorted(load_all().values(), key=lambda spec: spec.code):
        domains.setdefault(spec.header.__module__, []).append(spec)
    return _INTRODUCTION + "".join(part for name in sorted(domains) for part in _domain(name, domains[name]))


def _domain(module: str, specs: list[RequestSpec]) -> Iterator[str]:
    yield f"\n## {module.rpartition('.')[2]}\n\n{_first_paragraph(sys.modules[module].__doc__)}\n"
    for spec in specs:
        yield f"\n### {spec.code} {spec.name}\n\n{_first_paragraph(spec.header.__doc__)}\n\n"
        yield f"- class: `{spec.header.__name__}`\n"
        rows = (
            ("header", _fields(spec.header)),
            ("body", _name(spec.body)),
            ("reply header", _fields(spec.reply) if spec.reply else ""),
            ("reply body", _name(spec.reply_body)),
        )
        yield from (f"- {label}: {text}\n" for label, text in rows if text)


def _first_paragraph(text: str | None) -> str:
    paragraph = (text or "").split("\n\n", 1)[0]
    return " ".join(paragraph.split())


def _fields(header: type[Any]) -> str:
    return ", ".join(
        f"`{field.name}:{_type_name(field.type)}{'!' if field.required else _default(field.default)}`"
        for field in header_fields(header)
    )


def _default(value: Any) -> str:
    if value is None:
        return ""
    return f"={str(value).lower()}" if isinstance(value, bool) else f"={value}"


def _type_name(hint: Any) -> str:
    metadata = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    return f"int{metadata[0]}" if metadata else str(hint.__name__)


def _name(kind: type[Any] | None) -> str:
    return f"`{kind.__name__}`" if kind is not None and dataclasses.is_dataclass(kind) else ""


if __name__ == "__main__":
    target = Path(__file__).parents[2] / "docs" / "codes.md"
    target.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{target}\n")
