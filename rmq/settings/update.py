"""Changing settings of a running server (UPDATE_BROKER_CONFIG, UPDATE_NAMESRV_CONFIG).

Everything is checked before anything changes. Apache takes over every key and leaves it to luck whether that has
an effect; here a key that can change does so at once, any other is kept in the file and waits for a restart.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from rmq.settings.broker import BrokerConfig
from rmq.settings.dump import body
from rmq.settings.errors import ForbiddenKeyError, LongTextError, Place, UnknownKeyError
from rmq.settings.load import Entry, parse_properties, parse_value
from rmq.settings.model import Settings, catalogue, nearest_key
from rmq.settings.option import Option, Value, text_of

ALWAYS_FORBIDDEN = {
    "broker": ("brokerConfigPath", "rocketmqHome", "configBlackList"),
    "namesrv": ("configBlackList", "configStorePath", "kvConfigPath", "rocketmqHome"),
}
"""AdminBrokerProcessor.initConfigBlackList and its twin of the name server; `configBlackList` adds to them."""


LONGEST_TEXT = 256 * 1024
"""Most characters of one request, several times those of all keys: each line of it may be one in the log."""
_REQUEST = "update request"


class Effect(enum.Enum):
    """When a change takes effect."""

    NOW = "now"
    RESTART = "after a restart"
    NONE = "never, the key is accepted and ignored"


@dataclass(frozen=True, slots=True)
class Change:
    """One key that was set; `str()` is the sentence for the log.

    Attributes:
        key: the key's name.
        old: its value before.
        new: its value from now on, or after a restart.
        effect: which of the two.
        secret: the values do not belong into the log.
    """

    key: str
    old: Value
    new: Value
    effect: Effect
    secret: bool = False

    def __str__(self) -> str:
        values = "******" if self.secret else f"{text_of(self.old)} -> {text_of(self.new)}"
        return f"{self.key}: {values}, in effect {self.effect.value}."


def update(settings: Settings, text: str) -> tuple[Change, ...]:
    """Apply a `.properties` text.

    Raises:
        ForbiddenKeyError: a key is on the black list.
        LongTextError: it is too long.
        UnknownKeyError: nothing knows a key.
        SettingError: a value is not allowed.
    """
    if len(text) > LONGEST_TEXT:
        raise LongTextError(Place(_REQUEST), len(text), LONGEST_TEXT)
    forbidden = black_list(settings)
    plan: list[tuple[Option, Value]] = []
    for entry in parse_properties(text, _REQUEST):
        if entry.key in forbidden:
            raise ForbiddenKeyError(entry.place, entry.key)
        plan.append(_checked(settings, entry))
    settings.revision += 1
    return tuple(_apply(settings, option, value) for option, value in plan)


def persist(settings: Settings, write: Callable[[str, bytes], None]) -> None:
    """Hand the whole configuration to `write(path, content)`, which replaces the file as one step.

    As with Apache, the file then holds every key, sorted, and no comments (Configuration.persist).
    """
    write(settings.file, body(settings))


def black_list(settings: Settings) -> frozenset[str]:
    """Keys that cannot be updated."""
    section = "broker" if BrokerConfig in settings.SECTIONS.values() else "namesrv"
    named = str(settings.value("configBlackList")).split(";")
    return frozenset((*ALWAYS_FORBIDDEN[section], *(key.strip() for key in named)))


def _checked(settings: Settings, entry: Entry) -> tuple[Option, Value]:
    found = catalogue(type(settings)).get(entry.key)
    if found is None:
        raise UnknownKeyError(entry.place, entry.key, entry.text, nearest_key(type(settings), entry.key))
    return found[1], parse_value(found[1], entry)


def _apply(settings: Settings, option: Option, value: Value) -> Change:
    current = settings.value(option.key)
    effect = Effect.NOW
    if option.ignored or option.dynamic:
        settings.set(option.key, value)
        effect = Effect.NONE if option.ignored else Effect.NOW
    elif value == current:
        settings.pending.pop(option.key, None)
    else:
        settings.pending[option.key] = value
        effect = Effect.RESTART
    return Change(option.key, current, value, effect, option.secret)
