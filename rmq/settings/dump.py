"""Settings -> the texts that show them: `-p`, `-m`, getBrokerConfig, getNamesrvConfig, a rewritten file."""

from __future__ import annotations

from collections.abc import Iterator

from rmq.settings.model import Settings
from rmq.settings.option import Option, Value, text_of


def listing(settings: Settings) -> dict[str, str]:
    """Key -> text of everything that Apache lists, sorted by key (Configuration.getAllConfigsFormatString).

    Keys that are not set, and quiet ones that keep their default, are left out. A value that waits for a
    restart is shown, as Apache does.
    """
    shown = dict(settings.unknown)
    for section, option in settings.options():
        value = _shown_value(settings, option)
        default = option.default_value()
        usual = value == default
        if value is None or (usual and (option.quiet or section in settings.UNLISTED)):
            continue
        shown[option.key] = text_of(value)
    return dict(sorted(shown.items()))


def body(settings: Settings) -> bytes:
    """The listing as a `.properties` text: reply body and content of a rewritten file."""
    lines = (f"{key}={_escape(text)}\n" for key, text in listing(settings).items())
    return "".join(lines).encode("ascii")


def lines(settings: Settings, *, important: bool = False) -> Iterator[str]:
    """`name=value` lines of `-p`, or of `-m` (MixAll.printObjectProperties); "not set" is empty."""
    for _, option in settings.options():
        if option.important or not important:
            yield f"{option.key}={text_of(_shown_value(settings, option))}"


def _shown_value(settings: Settings, option: Option) -> Value:
    return settings.pending.get(option.key, settings.value(option.key))


def _escape(text: str) -> str:
    # Java reads backslashes as escapes and a file as Latin-1, so only such texts need anything.
    return "".join(_ESCAPES.get(char) or (char if char.isascii() else _unicode_escape(char)) for char in text)


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}


def _unicode_escape(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
