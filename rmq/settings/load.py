"""Configuration text -> typed settings.

A bad value, a line that is not `key=value` and a key that must not be ignored stop the start with a sentence. A
key that nothing knows only warns: an old or foreign file must load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from rmq.settings.environment import NamesrvAddressError
from rmq.settings.errors import (
    NamesrvSettingError,
    Place,
    SettingError,
    SlaveIdError,
    SyntaxSettingError,
    unknown_key,
)
from rmq.settings.model import BrokerSettings, NamesrvSettings, Settings, catalogue, nearest_key
from rmq.settings.option import BadValueError, Option, Value, text_of
from rmq.settings.store import BrokerRole

S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key=value` of a text and the line where it starts."""

    key: str
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """The result of loading.

    Attributes:
        settings: the typed settings.
        warnings: sentences about keys that are unknown or set twice.
        notes: sentences about keys that are set to something that has no effect.
    """

    settings: S
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def load_broker(
    text: str = "",
    *,
    file: str | None = None,
    overrides: Mapping[str, Value] | None = None,
    local_address: str = "127.0.0.1",
) -> Loaded[BrokerSettings]:
    """A broker's settings.

    Args:
        text: a `.properties` text.
        file: where it came from, for messages and for rewriting.
        overrides: key -> value (text or typed) from the command line; they win.
        local_address: what brokerIP1 and brokerIP2 are unless they are set.

    Raises:
        SettingError: the configuration cannot be used.
    """
    settings = BrokerSettings(file=file) if file else BrokerSettings()
    reader = _Reader(settings, text, file, overrides)
    if settings.store.broker_role is BrokerRole.SLAVE and settings.broker.broker_id <= 0:
        raise SlaveIdError(reader.places.get("brokerId", Place(file)), settings.broker.broker_id)
    settings.settle(local_address)
    return Loaded(settings, tuple(reader.warnings), tuple(reader.notes))


def load_namesrv(
    text: str = "", *, file: str | None = None, overrides: Mapping[str, Value] | None = None
) -> Loaded[NamesrvSettings]:
    """A name server's settings; the arguments are those of `load_broker`.

    Raises:
        SettingError: the configuration cannot be used.
    """
    settings = NamesrvSettings(file=file or "")
    reader = _Reader(settings, text, file, overrides)
    settings.settle()
    return Loaded(settings, tuple(reader.warnings), tuple(reader.notes))


def read_text(file: str) -> str:
    """The text of a configuration file: UTF-8, else Latin-1, which is what Java takes it for.

    Raises:
        OSError: it cannot be read.
    """
    content = Path(file).read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


class _Reader:
    """Reads entries into settings and collects what is to be said about them."""

    def __init__(
        self, settings: Settings, text: str, file: str | None, overrides: Mapping[str, Value] | None
    ) -> None:
        self.settings = settings
        self.places: dict[str, Place] = {}
        self.warnings: list[str] = []
        self.notes: list[str] = []
        for entry in parse_properties(text, file):
            self._take(entry)
        for key, value in (overrides or {}).items():
            self.places.pop(key, None)
            self._take(Entry(key, text_of(value), Place()))

    def _take(self, entry: Entry) -> None:
        found = catalogue(type(self.settings)).get(entry.key)
        if found is None:
            self.settings.unknown[entry.key] = entry.text
            nearest = nearest_key(type(self.settings), entry.key)
            self.warnings.append(unknown_key(entry.place, entry.key, nearest))
            return
        _, option = found
        earlier = self.places.get(option.key)
        if earlier is not None:
            self.warnings.append(f"{entry.place}: {entry.key} is set again, after {earlier}; the last one counts.")
        self.places[option.key] = entry.place
        value = parse_value(option, entry)
        self.settings.set(option.key, value)
        if option.ignored and value != option.default_value():
            self.notes.append(f"{entry.place}: {entry.key} is accepted and has no effect: {option.help}")


def parse_value(option: Option, entry: Entry) -> Value:
    """The typed value of an entry.

    Raises:
        SettingError: it is not allowed.
    """
    try:
        return option.parse(entry.text)
    except BadValueError as bad:
        allowed = str(bad)
        if isinstance(bad.__cause__, NamesrvAddressError):
            raise NamesrvSettingError(entry.place, entry.key, entry.text, allowed, str(bad.__cause__)) from None
        raise SettingError(entry.place, entry.key, "******" if option.secret else entry.text, allowed) from None


def parse_properties(text: str, file: str | None = None) -> Iterator[Entry]:
    """The entries of a `.properties` text, in order, with the lines where they start.

    Raises:
        SyntaxSettingError: a line is not `key=value`.
    """
    # Imported late: the command-line tools need this package, but seldom a file.
    from jproperties import ParseError, Properties

    for number, logical_line in _logical_lines(text):
        place = Place(file, number)
        properties = Properties()
        try:
            properties.load(logical_line)
        except ParseError as bad:
            raise SyntaxSettingError(place, logical_line, bad.message) from None
        for key in properties:
            yield Entry(key, properties[key].data, place)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number, line) of lines that hold an entry, each with the lines that continue it."""
    first, parts = 0, list[str]()
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        bare = line.lstrip(" \t\f")
        if not parts:
            if not bare or bare[0] in "#!":
                continue
            first = number
        parts.append(line)
        backslashes = len(line) - len(line.rstrip("\\"))
        if backslashes % 2 == 0:
            yield first, "\n".join(parts)
            parts = []
    if parts:
        yield first, "\n".join(parts)
