"""What can be wrong with a configuration; the text is the sentence for the user."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key was set: a file and its line, or the command line (no file)."""

    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        if self.file is None:
            return "command line"
        return self.file if self.line is None else f"{self.file}, line {self.line}"


class SettingError(ValueError):
    """A configuration cannot be used.

    Attributes:
        place: where the key was set.
        key: the key, as it was written.
        text: its value, as it was written.
        allowed: what its value may be, in words that follow `must be`.
        exit_status: status with which a server that is starting ends (Apache's -1 is 255, -3 is 253).
    """

    exit_status = 255

    def __init__(self, place: Place, key: str, text: str, allowed: str) -> None:
        self.place = place
        self.key = key
        self.text = text
        self.allowed = allowed
        super().__init__(f"{place}: {key}={text} is not allowed; {key} must be {allowed}.")


class SyntaxSettingError(SettingError):
    """A line is not `key=value`."""

    def __init__(self, place: Place, line: str, problem: str) -> None:
        super().__init__(place, "", line, "key=value")
        self.args = (f"{place}: the line is not key=value{f' ({problem})' if problem else ''}: {line.strip()}",)


class UnknownKeyError(SettingError):
    """A key that nothing knows is to be set where a misspelling must not pass: by command."""

    def __init__(self, place: Place, key: str, text: str, nearest: str | None) -> None:
        super().__init__(place, key, text, "a known key")
        self.nearest = nearest
        self.args = (unknown_key(place, key, nearest),)


class SlaveIdError(SettingError):
    """Slave's brokerId must be > 0."""

    exit_status = 253

    def __init__(self, place: Place, broker_id: int) -> None:
        super().__init__(place, "brokerId", str(broker_id), "more than 0 for a slave")
        self.args = ("Slave's brokerId must be > 0",)


class NamesrvSettingError(SettingError):
    """The name-server address is illegal; the sentence is Apache's, after the place in a file."""

    exit_status = 253

    def __init__(self, place: Place, key: str, text: str, allowed: str, sentence: str) -> None:
        super().__init__(place, key, text, allowed)
        self.args = (sentence if place.file is None else f"{place}, {key}: {sentence}",)


class ForbiddenKeyError(SettingError):
    """Can not update config in black list."""

    def __init__(self, place: Place, key: str) -> None:
        super().__init__(place, key, "", "left alone")
        self.args = ("Can not update config in black list.",)


class LongTextError(SettingError):
    """A text with changes is longer than any that is meant."""

    def __init__(self, place: Place, size: int, most: int) -> None:
        super().__init__(place, "", "", "shorter")
        self.args = (f"{place}: {size} characters are more than {most}.",)


def unknown_key(place: Place, key: str, nearest: str | None) -> str:
    """The sentence about a key that nothing knows."""
    hint = f"; did you mean {nearest}?" if nearest else "."
    return f"{place}: {key} is unknown and has no effect{hint}"
