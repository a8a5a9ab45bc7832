"""The whole configuration of one server: its sections, and the keys that are only accepted."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from rmq.settings.broker import BrokerConfig
from rmq.settings.environment import home_path
from rmq.settings.ignored import ignored_options
from rmq.settings.namesrv import NamesrvConfig
from rmq.settings.option import Option, Value, options_of
from rmq.settings.remoting import ClientConfig, ServerConfig
from rmq.settings.store import BrokerRole, StoreConfig


@dataclass(slots=True, eq=False)
class Settings:
    """What servers have in common; use `BrokerSettings` or `NamesrvSettings`.

    Attributes:
        file: where an update at run time writes the configuration.
        accepted: values of the keys that are accepted and have no effect.
        unknown: keys that nothing knows, as they were written; kept so that a rewrite loses nothing.
        pending: values that were set at run time and wait for a restart.
        revision: number of updates since the start.
    """

    SECTIONS: ClassVar[Mapping[str, type]] = MappingProxyType({})
    UNLISTED: ClassVar[frozenset[str]] = frozenset()
    """Sections whose keys are accepted but not listed (Apache registers only some with its Configuration)."""

    file: str = ""
    accepted: dict[str, Value] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    pending: dict[str, Value] = field(default_factory=dict)
    revision: int = 0

    def __post_init__(self) -> None:
        for _, option in catalogue(type(self)).values():
            if option.ignored:
                self.accepted.setdefault(option.key, option.default_value())

    def options(self) -> Iterator[tuple[str, Option]]:
        """Every key once, with the name of its section, in the order of declaration."""
        seen = set()
        for section, option in catalogue(type(self)).values():
            if option.key not in seen:
                seen.add(option.key)
                yield section, option

    def value(self, key: str) -> Value:
        """The value in effect.

        Raises:
            KeyError: the key is unknown.
        """
        section, option = catalogue(type(self))[key]
        return self.accepted[option.key] if option.ignored else getattr(getattr(self, section), option.name)

    def set(self, key: str, value: Value) -> None:
        """Put a value into effect.

        Raises:
            KeyError: the key is unknown.
        """
        section, option = catalogue(type(self))[key]
        if option.ignored:
            self.accepted[option.key] = value
        else:
            setattr(getattr(self, section), option.name, value)


def _broker_file() -> str:
    # BrokerPathConfigHelper's place for a broker that was started without -c.
    return home_path("store", "config", "broker.properties")()


@dataclass(slots=True, eq=False)
class BrokerSettings(Settings):
    """The configuration of a broker."""

    SECTIONS: ClassVar[Mapping[str, type]] = MappingProxyType(
        {"broker": BrokerConfig, "server": ServerConfig, "client": ClientConfig, "store": StoreConfig}
    )

    file: str = field(default_factory=_broker_file)
    broker: BrokerConfig = field(default_factory=BrokerConfig)
    server: ServerConfig = field(default_factory=ServerConfig)
    client: ClientConfig = field(default_factory=ClientConfig)
    store: StoreConfig = field(default_factory=StoreConfig)

    def settle(self, local_address: str) -> None:
        """Fill in what follows from other keys and from the machine (BrokerStartup.buildBrokerController)."""
        if self.store.broker_role is not BrokerRole.SLAVE:
            self.broker.broker_id = 0
        self.broker.broker_ip1 = self.broker.broker_ip1 or local_address
        self.broker.broker_ip2 = self.broker.broker_ip2 or local_address
        if self.store.ha_listen_port == 0 and self.server.listen_port != 0:
            self.store.ha_listen_port = self.server.listen_port + 1


def _namesrv_server() -> ServerConfig:
    return ServerConfig(listen_port=9876)


@dataclass(slots=True, eq=False)
class NamesrvSettings(Settings):
    """The configuration of a name server."""

    SECTIONS: ClassVar[Mapping[str, type]] = MappingProxyType(
        {"namesrv": NamesrvConfig, "server": ServerConfig, "client": ClientConfig}
    )
    UNLISTED: ClassVar[frozenset[str]] = frozenset({"client"})

    namesrv: NamesrvConfig = field(default_factory=NamesrvConfig)
    server: ServerConfig = field(default_factory=_namesrv_server)
    client: ClientConfig = field(default_factory=ClientConfig)

    def settle(self) -> None:
        """The file that updates rewrite is the one given with -c, else configStorePath."""
        if self.file:
            self.namesrv.config_store_path = self.file
        self.file = self.namesrv.config_store_path


_catalogues: dict[type, Mapping[str, tuple[str, Option]]] = {}


def catalogue(kind: type[Settings]) -> Mapping[str, tuple[str, Option]]:
    """Every spelling of every key of a server -> (section, option); made once.

    Raises:
        TypeError: two declarations share a spelling.
    """
    if kind not in _catalogues:
        _catalogues[kind] = _catalogue(kind)
    return _catalogues[kind]


def _catalogue(kind: type[Settings]) -> Mapping[str, tuple[str, Option]]:
    found: dict[str, tuple[str, Option]] = {}
    for section, declared in kind.SECTIONS.items():
        for option in (*options_of(declared), *ignored_options(section)):
            for spelling in (option.key, *option.aliases):
                if spelling in found:
                    raise TypeError(f"{spelling} is declared twice")
                found[spelling] = (section, option)
    return found


def nearest_key(kind: type[Settings], key: str) -> str | None:
    """The known key that looks most like an unknown one, if any does."""
    spellings: dict[str, Any] = {spelling.lower(): option for spelling, (_, option) in catalogue(kind).items()}
    close = difflib.get_close_matches(key.lower(), spellings, n=1, cutoff=0.75)
    return str(spellings[close[0]].key) if close else None
