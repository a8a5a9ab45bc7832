"""Tests of texts that have a form of their own."""

from __future__ import annotations

import json
import re

from rmq.settings.environment import NamesrvAddressError, split_addresses
from rmq.settings.option import BadValueError

_DELAY = re.compile(r"[1-9][0-9]*[smhd]", re.ASCII)
_NAME = re.compile(r"[^\s/\\\x00-\x1f]{1,255}")

MAX_USERNAME = 255
"""Longest name of a user, in characters."""
MAX_PASSWORD = 1024
"""Longest password, in characters."""


def hours_of_day(text: str) -> None:
    """Accept `04` or `02;14`.

    Raises:
        BadValueError: an entry is no hour.
    """
    for hour in text.split(";"):
        if not (hour.isascii() and hour.isdigit() and int(hour) < 24):
            raise BadValueError("hours of the day from 00 to 23 joined by ';', such as 04 or 02;14")


def delay_levels(text: str) -> None:
    """Accept `1s 5s 10s`.

    Raises:
        BadValueError: an entry is no delay.
    """
    entries = text.split(" ")
    if not all(_DELAY.fullmatch(entry) for entry in entries):
        raise BadValueError("numbers with s, m, h or d separated by one blank, such as 1s 5s 10s 1m 2h")


def address_list(text: str) -> None:
    """Accept `host:port;host:port`, or nothing.

    Raises:
        BadValueError: an entry is no address.
    """
    try:
        if text:
            split_addresses(text)
    except NamesrvAddressError as bad:
        raise BadValueError("host:port entries joined by ';', such as 127.0.0.1:9876;192.168.0.1:9876") from bad


def one_address(text: str) -> None:
    """Accept `host:port`, or nothing.

    Raises:
        BadValueError: it is no address, or several.
    """
    try:
        if text and len(split_addresses(text)) != 1:
            raise BadValueError("one address, host:port, such as 192.168.0.1:10912")
    except NamesrvAddressError as bad:
        raise BadValueError("one address, host:port, such as 192.168.0.1:10912") from bad


def entity_name(text: str) -> None:
    """Accept a name of a broker or cluster.

    Raises:
        BadValueError: it is empty, too long, or holds blanks, slashes or control characters.
    """
    if not _NAME.fullmatch(text):
        raise BadValueError("a name of 1 to 255 characters without blanks, slashes and control characters")


def one_directory(text: str) -> None:
    """Accept a directory, but not a list of them (Apache spreads a commit log over `a,b,c`).

    Raises:
        BadValueError: there is a comma.
    """
    if "," in text:
        raise BadValueError("one directory: a commit log that is spread over several is not supported")


def credentials(text: str, name_key: str, secret_key: str) -> tuple[str, str]:
    """Name and secret of a JSON object such as `{"username":"admin","password":"..."}`.

    Raises:
        BadValueError: it is no such object.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    members = found if isinstance(found, dict) else {}
    name, secret = _text(members.get(name_key), MAX_USERNAME), _text(members.get(secret_key), MAX_PASSWORD)
    if not name or not secret:
        raise BadValueError(
            f'an object such as {{"{name_key}":"admin","{secret_key}":"..."}}, of {MAX_USERNAME} and {MAX_PASSWORD} '
            "characters at most"
        )
    return name, secret


def _text(value: object, longest: int) -> str:
    """The value if it is a text that is neither blank nor too long, else nothing."""
    return value if isinstance(value, str) and value.strip() and len(value) <= longest else ""


def first_user(text: str) -> None:
    """Accept a name and a password.

    Raises:
        BadValueError: it is something else.
    """
    credentials(text, "username", "password")


def inner_credentials(text: str) -> None:
    """Accept an access key and a secret key.

    Raises:
        BadValueError: it is something else.
    """
    credentials(text, "accessKey", "secretKey")
