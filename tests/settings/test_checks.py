"""Texts with a form of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rmq.settings.checks import (
    address_list,
    credentials,
    delay_levels,
    entity_name,
    first_user,
    hours_of_day,
    inner_credentials,
    one_address,
    one_directory,
)
from rmq.settings.option import BadValueError

_FIRST_USER = 'an object such as {"username":"admin","password":"..."}, of 255 and 1024 characters at most'


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (hours_of_day, "04"),
        (hours_of_day, "0;23"),
        (delay_levels, "1s 5m 2h 3d"),
        (address_list, ""),
        (address_list, "a:1;b:2"),
        (one_address, ""),
        (one_address, "master:10912"),
        (entity_name, "broker-a"),
        (one_directory, "/data/commit log"),
        (first_user, '{"username":"a b","password":"x","userType":"Super"}'),
        (inner_credentials, '{"accessKey":"a","secretKey":"x"}'),
    ],
)
def test_accepted(check: Callable[[str], None], text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    ("check", "text", "allowed"),
    [
        (hours_of_day, "24", "hours of the day from 00 to 23 joined by ';', such as 04 or 02;14"),
        (hours_of_day, "4;", "hours of the day from 00 to 23 joined by ';', such as 04 or 02;14"),
        (delay_levels, "1s  5s", "numbers with s, m, h or d separated by one blank, such as 1s 5s 10s 1m 2h"),
        (delay_levels, "0s", "numbers with s, m, h or d separated by one blank, such as 1s 5s 10s 1m 2h"),
        (address_list, "a", "host:port entries joined by ';', such as 127.0.0.1:9876;192.168.0.1:9876"),
        (one_address, "a", "one address, host:port, such as 192.168.0.1:10912"),
        (one_address, "a:1;b:2", "one address, host:port, such as 192.168.0.1:10912"),
        (entity_name, "../x", "a name of 1 to 255 characters without blanks, slashes and control characters"),
        (entity_name, "", "a name of 1 to 255 characters without blanks, slashes and control characters"),
        (one_directory, "/a,/b", "one directory: a commit log that is spread over several is not supported"),
        *((first_user, text, _FIRST_USER) for text in (
            "geheim", "[]", '{"username":"a"}', '{"username":" ","password":"x"}', '{"username":"a","password":1}',
            '{"username":"%s","password":"x"}' % ("n" * 256), '{"username":"a","password":"%s"}' % ("p" * 1025),
            "[" * 100_000,
        )),
        (inner_credentials, '{"username":"a","password":"x"}', _FIRST_USER.replace("username", "accessKey")
         .replace("password", "secretKey")),
    ],
)
def test_refused(check: Callable[[str], None], text: str, allowed: str) -> None:
    with pytest.raises(BadValueError) as caught:
        check(text)
    assert str(caught.value) == allowed


def test_credentials_are_read() -> None:
    assert credentials('{"accessKey":"a","secretKey":" x"}', "accessKey", "secretKey") == ("a", " x")
