"""How a configuration key is declared, and how a value of it is read and written.

One line of a section class is the only place where a key exists:

    flush_disk_type: FlushDiskType = option(FlushDiskType.ASYNC_FLUSH, "When an append is acknowledged.")

The name in files and on the wire follows by rule (`flush_disk_type` -> `flushDiskType`); the few keys of Apache that
break the rule say so with `key=`. From the line come: reading and checking a file, the listings of the effective
configuration, updates at run time, and the manual.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Callable
from typing import Any, TypeVar, get_args, get_type_hints

T = TypeVar("T")

Value = Any
"""A typed value: `str`, `int`, `float`, `bool`, an enum member, or None for "not set"."""

_METADATA = "option"


class BadValueError(ValueError):
    """A value is not what its key allows; the text is the end of a sentence: `must be ...`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """A declared key.

    Attributes:
        name: attribute of the section class; empty for a key that is accepted and ignored.
        key: name in files and on the wire.
        kind: `str`, `int`, `float`, `bool` or an enum class.
        bits: width in Java of an integer: 32 (int) or 64 (long).
        default: value when nothing is set, or a function of no argument that finds it out.
        shown: how documents show a default that depends on the machine.
        help: one or two sentences; for an ignored key the reason why it has no effect.
        unit: unit of a number.
        dynamic: an update at run time takes effect at once.
        important: part of the short listing of `mqbroker -m`.
        minimum: smallest number allowed.
        maximum: largest number allowed.
        choices: the only values allowed.
        check: a further test; raises BadValueError.
        aliases: other spellings that are accepted.
        quiet: left out of listings while it has its default, because Apache has no such key or does not list it.
        optional: may be "not set": an empty text means None.
        refused: why no value but the default is taken, for keys that must not be passed over in silence.
        secret: the value does not belong into logs and messages.
    """

    name: str
    key: str
    kind: type
    default: Value | Callable[[], Value]
    help: str
    bits: int = 32
    shown: str | None = None
    unit: str | None = None
    dynamic: bool = False
    important: bool = False
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[Value, ...] = ()
    check: Callable[[Value], None] | None = None
    aliases: tuple[str, ...] = ()
    quiet: bool = False
    optional: bool = False
    refused: str | None = None
    secret: bool = False

    @property
    def ignored(self) -> bool:
        """Whether the key is only accepted."""
        return not self.name

    def default_value(self) -> Value:
        """The default on this machine."""
        return self.default() if callable(self.default) else self.default

    def allowed(self) -> str:
        """What a value may be, in words that follow `must be`."""
        if self.choices:
            words = [text_of(choice) for choice in self.choices]
            return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
        if issubclass(self.kind, enum.Enum):
            words = [member.name for member in self.kind]
            return ", ".join(words[:-1]) + " or " + words[-1]
        if self.kind is bool:
            return "true or false"
        if self.kind is int:
            low, high = self._range()
            return f"a whole number from {low} to {high}"
        if self.kind is float:
            return "a number"
        return "text"

    def _range(self) -> tuple[int, int]:
        widest = 1 << (self.bits - 1)
        low = -widest if self.minimum is None else self.minimum
        high = widest - 1 if self.maximum is None else self.maximum
        return low, high

    def parse(self, text: str) -> Value:
        """The typed value that a text from a file, a request or a command line means.

        Raises:
            BadValueError: the text is not an allowed value; the message reads on from `must be`.
        """
        text = text.strip()
        if self.optional and not text:
            return None
        value = self._convert(text)
        if self.choices and value not in self.choices:
            raise BadValueError(self.allowed())
        if self.refused is not None and value != self.default_value():
            raise BadValueError(f"{text_of(self.default_value())}, because {self.refused}")
        if self.check is not None:
            self.check(value)
        return value

    def _convert(self, text: str) -> Value:
        try:
            if self.kind is bool:
                return {"true": True, "false": False}[text.lower()]
            if self.kind is int:
                number = _whole_number(text)
                low, high = self._range()
                if not low <= number <= high:
                    raise BadValueError(self.allowed())
                return number
            if self.kind is float:
                return float(text)
            if issubclass(self.kind, enum.Enum):
                return self.kind[text]
        except (KeyError, ValueError):
            raise BadValueError(self.allowed()) from None
        return text


def _whole_number(text: str) -> int:
    # int() also takes "1_000" and digits of other scripts; Java's parseInt does not take the former.
    if "_" in text:
        raise ValueError(text)
    return int(text)


def text_of(value: Value) -> str:
    """A value as Java's `toString` writes it; None becomes the empty string."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, enum.Enum):
        return value.name
    return str(value)


def option(
    default: T,
    help: str,
    *,
    key: str | None = None,
    shown: str | None = None,
    unit: str | None = None,
    bits: int = 32,
    dynamic: bool = False,
    important: bool = False,
    minimum: int | None = None,
    maximum: int | None = None,
    choices: tuple[Value, ...] = (),
    check: Callable[[Value], None] | None = None,
    aliases: tuple[str, ...] = (),
    quiet: bool = False,
    refused: str | None = None,
    secret: bool = False,
) -> T:
    """Declare a key with a constant default; the arguments are the attributes of `Option`."""
    declared = {
        "key": key, "default": default, "help": help, "shown": shown, "unit": unit, "bits": bits,
        "dynamic": dynamic, "important": important, "minimum": minimum, "maximum": maximum, "choices": choices,
        "check": check, "aliases": aliases, "quiet": quiet, "refused": refused, "secret": secret,
    }  # fmt: skip
    # The declared type is that of the value, so that mypy checks the default and the attribute alike.
    field: T = dataclasses.field(default=default, metadata={_METADATA: declared})
    return field


def computed(find: Callable[[], T], shown: str, help: str, **rest: Any) -> T:
    """Declare a key whose default depends on the machine; `shown` is what the manual says instead."""
    declared = {"key": None, "default": find, "shown": shown, "help": help, **rest}
    field: T = dataclasses.field(default_factory=find, metadata={_METADATA: declared})
    return field


def camel_case(name: str) -> str:
    """`flush_disk_type` -> `flushDiskType`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@functools.cache
def options_of(section: type) -> tuple[Option, ...]:
    """The keys of a section class, in the order of declaration."""
    hints = get_type_hints(section)
    found = []
    for field in dataclasses.fields(section):
        declared = field.metadata.get(_METADATA)
        if declared is None:
            raise TypeError(f"{section.__name__}.{field.name} is not declared with option() or computed()")
        hint = hints[field.name]
        values = {**declared, "key": declared["key"] or camel_case(field.name)}
        optional = type(None) in get_args(hint)
        found.append(Option(name=field.name, kind=_kind(hint), optional=optional, **values))
    return tuple(found)


def _kind(hint: Any) -> type:
    # An optional text: `str | None`.
    for part in get_args(hint) or (hint,):
        if isinstance(part, type) and part is not type(None):
            return part
    raise TypeError(f"no option can hold {hint!r}")
