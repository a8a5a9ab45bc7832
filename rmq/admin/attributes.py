"""Changes of attributes on a command line: `+key=value,+key2=value2,-key3`.

Source: AttributeParser.
"""

from __future__ import annotations

from rmq.admin.errors import CommandLineError


def parse_attributes(text: str) -> dict[str, str]:
    """The changes by signed key; the value of a removal is empty.

    Raises:
        CommandLineError: a sign is missing, or a key comes twice.
    """
    changes: dict[str, str] = {}
    for change in text.split(",") if text else ():
        key, equals, value = change.partition("=")
        if equals and not key.startswith("+"):
            raise CommandLineError(f"add/alter attribute format is wrong: {key}: +key=value is expected")
        if not equals and not key.startswith("-"):
            raise CommandLineError(f"delete attribute format is wrong: {key}: -key is expected")
        if key in changes:
            raise CommandLineError(f"key duplication: {key}")
        changes[key] = value
    return changes
