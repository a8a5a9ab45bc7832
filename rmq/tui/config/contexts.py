"""Clusters that the user has named, and what may be done in them: `~/.config/rmq/tui.toml`.

    context = "local"              the one that is taken when none is asked for
    theme = "textual-dark"
    [contexts.prod]                one table a cluster
    namesrv = "10.0.0.1:9876"
    mode = "protected"
    [contexts.prod.address_map]    advertised address = the one it can be reached at
    [keymap]                       id of a binding = its keys

Everything unknown is an error that names the file, the key and what to do, so that no word is passed over in silence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from rmq.settings.environment import NamesrvAddressError, split_addresses, split_host_port
from rmq.tui.times import span_millis
from rmq.wire.signing import Credentials

DEFAULT_THEME: Final = "textual-dark"


class Mode(StrEnum):
    """What may be done in a context."""

    READ_ONLY = "read-only"
    """Nothing that changes the cluster."""
    CONFIRM = "confirm"
    """A change is done after it was confirmed; one of high risk, after its target's name was typed."""
    PROTECTED = "protected"
    """A change is done after the context's name was typed."""


@dataclass(frozen=True, slots=True)
class Context:
    """A cluster that has a name.

    Attributes:
        name: what it is called here.
        namesrv: `host:port` of each name server.
        mode: what may be done.
        colour: of its name, as Rich names colours; empty for none.
        production: whether all its screens stand in a red frame.
        refresh: seconds between refreshes; None for the usual.
        theme: name of the colours; empty for the usual.
        address_map: where servers can be reached, by the address that they advertise.
        credentials: with what requests are signed; None for those that mqadmin takes, if there are any.
    """

    name: str = "local"
    namesrv: tuple[str, ...] = ()
    mode: Mode = Mode.CONFIRM
    colour: str = ""
    production: bool = False
    refresh: float | None = None
    theme: str = ""
    address_map: Mapping[str, str] = field(default_factory=dict)
    credentials: Credentials | None = None

    @property
    def style(self) -> str:
        """How its name is written, as Rich names styles."""
        return f"bold {self.colour}".strip()


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says.

    Attributes:
        path: where it is, or would be.
        contexts: by name, in the file's order.
        context: name of the one to begin with; empty when the file does not say.
        theme: name of the colours; empty when the file does not say.
        refresh: seconds between refreshes; None when the file does not say.
        keymap: keys by the id of their binding.
    """

    path: Path
    contexts: Mapping[str, Context] = field(default_factory=dict)
    context: str = ""
    theme: str = ""
    refresh: float | None = None
    keymap: Mapping[str, str] = field(default_factory=dict)


class ConfigError(ValueError):
    """The file cannot be understood.

    Attributes:
        path: the file.
        key: what is wrong, as `contexts.prod.mode`; empty when it is the file.
    """

    def __init__(self, path: Path, key: str, what: str) -> None:
        self.path = path
        self.key = key
        super().__init__(f"{path}: {key}: {what}" if key else f"{path}: {what}")


SHORTEST, LONGEST = 0.2, 3600.0
"""Seconds between refreshes that are allowed."""
_TOP: Final = ("context", "theme", "refresh", "contexts", "keymap")
_KEYS: Final = (
    "namesrv",
    "mode",
    "colour",
    "production",
    "refresh",
    "theme",
    "address_map",
    "access_key",
    "secret_key",
)


def seconds(text: str) -> float:
    """A time between refreshes, such as `500ms`, `2s`, `1m` or `2` (seconds).

    Raises:
        ValueError: it is none, or too short or long; the text says so.
    """
    millis = span_millis(text if text[-1:].isalpha() else f"{text}s")
    if millis is None:
        raise ValueError("a span such as 500ms, 2s or 1m is expected")
    if not SHORTEST <= millis / 1000 <= LONGEST:
        raise ValueError("200ms to 60m are allowed")
    return millis / 1000


def read_config(path: Path) -> Config:
    """What the file says; nothing when there is none.

    Raises:
        ConfigError: it cannot be read or understood.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config(path)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(path, "", f"cannot be read: {why}") from None
    return parsed(text, path)


def parsed(text: str, path: Path) -> Config:
    """What a text says that was read from the path.

    Raises:
        ConfigError: it cannot be understood.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, "", f"is not TOML: {error}") from None
    reader = _Reader(path)
    reader.known("", document, _TOP)
    tables = reader.table("contexts", document.get("contexts", {}))
    contexts = {name: _context(reader, name, value) for name, value in tables.items()}
    keymap = reader.texts("keymap", document.get("keymap", {}))
    first = reader.text("context", document.get("context", ""))
    if first and first not in contexts:
        raise ConfigError(path, "context", f"there is no [contexts.{first}]; there are: {_names(contexts)}")
    theme = reader.text("theme", document.get("theme", ""))
    return Config(path, contexts, first, theme, reader.span("refresh", document.get("refresh")), keymap)


def _context(reader: _Reader, name: str, value: object) -> Context:
    at = f"contexts.{name}"
    table = reader.table(at, value)
    reader.known(at, table, _KEYS)
    if "namesrv" not in table:
        raise ConfigError(reader.path, f"{at}.namesrv", 'is missing; for example: namesrv = "10.0.0.1:9876"')
    return Context(
        name,
        reader.addresses(f"{at}.namesrv", table["namesrv"]),
        reader.mode(f"{at}.mode", table.get("mode", Mode.CONFIRM.value)),
        reader.colour(f"{at}.colour", table.get("colour", "")),
        reader.flag(f"{at}.production", table.get("production", False)),
        reader.span(f"{at}.refresh", table.get("refresh")),
        reader.text(f"{at}.theme", table.get("theme", "")),
        reader.address_map(f"{at}.address_map", table.get("address_map", {})),
        reader.credentials(at, table),
    )


class _Reader:
    """Takes values of the kinds that are wanted, or says what is wrong with them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def known(self, at: str, table: Mapping[str, Any], names: tuple[str, ...]) -> None:
        for key in table:
            if key not in names:
                near = get_close_matches(key, names, n=1)
                meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
                raise ConfigError(self.path, f"{at}.{key}" if at else key, f"is unknown; {meant}")

    def table(self, at: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ConfigError(self.path, at, f"a table is expected: write it as [{at}]")
        return value

    def text(self, at: str, value: object) -> str:
        if not isinstance(value, str):
            raise ConfigError(self.path, at, f"a text in quotes is expected, not {value!r}")
        return value

    def texts(self, at: str, value: object) -> dict[str, str]:
        return {name: self.text(f"{at}.{name}", text) for name, text in self.table(at, value).items()}

    def credentials(self, at: str, table: Mapping[str, Any]) -> Credentials | None:
        access, secret = (self.text(f"{at}.{key}", table.get(key, "")) for key in ("access_key", "secret_key"))
        if bool(access) != bool(secret):
            missing = "secret_key" if access else "access_key"
            raise ConfigError(self.path, f"{at}.{missing}", "is missing: access_key and secret_key are needed together")
        return Credentials(access, secret) if access else None

    def flag(self, at: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise ConfigError(self.path, at, f"true or false is expected, not {value!r}")
        return value

    def span(self, at: str, value: object) -> float | None:
        if value is None:
            return None
        try:
            return seconds(str(value))
        except ValueError as error:
            raise ConfigError(self.path, at, f"{value!r}: {error}") from None

    def mode(self, at: str, value: object) -> Mode:
        try:
            return Mode(self.text(at, value))
        except ValueError:
            raise ConfigError(self.path, at, f"{value!r}: there are {', '.join(Mode)}") from None

    def colour(self, at: str, value: object) -> str:
        # The help of the command line, which needs no colours, shall not wait for Rich.
        from rich.color import Color, ColorParseError

        text = self.text(at, value)
        try:
            if text:
                Color.parse(text)
        except ColorParseError:
            raise ConfigError(self.path, at, f"{text!r} is no colour; use a name such as red, or #ff8800") from None
        return text

    def addresses(self, at: str, value: object) -> tuple[str, ...]:
        entries = value if isinstance(value, list) else [value]
        try:
            return split_addresses(";".join(self.text(at, entry) for entry in entries))
        except NamesrvAddressError:
            raise ConfigError(self.path, at, f"{value!r}: host:port is expected, several joined by ;") from None

    def address_map(self, at: str, value: object) -> dict[str, str]:
        pairs = self.texts(at, value)
        for advertised, reachable in pairs.items():
            for address in (advertised, reachable):
                try:
                    split_host_port(address)
                except ValueError:
                    what = f'{address!r} is not host:port; write "10.0.0.1:10911" = "127.0.0.1:10911"'
                    raise ConfigError(self.path, f'{at}."{advertised}"', what) from None
        return pairs


def _names(contexts: Mapping[str, Context]) -> str:
    return ", ".join(contexts) or "none"
