"""Files that commands read on the machine they run on."""

from __future__ import annotations

from typing import Any

from rmq.admin.errors import CommandLineError


def read_object(path: str) -> dict[str, Any]:
    """The JSON object in a file, as fastjson writes it.

    Raises:
        CommandLineError: there is no such file, it cannot be read, or it holds something else.
    """
    content = _read_json(path)
    if not isinstance(content, dict):
        raise CommandLineError(f"{path} holds no JSON object")
    return content


def read_array(path: str) -> list[Any]:
    """The JSON array in a file; see `read_object`."""
    content = _read_json(path)
    if not isinstance(content, list):
        raise CommandLineError(f"{path} holds no JSON array")
    return content


def _read_json(path: str) -> Any:
    from rmq.wire import fastjson

    try:
        with open(path, "rb") as file:
            return fastjson.loads(file.read())
    except OSError as error:
        raise CommandLineError(f"{path} cannot be read: {error.strerror}") from None
    except fastjson.JSONError as error:
        raise CommandLineError(f"{path} holds no JSON: {error}") from None
