"""What is known of a broker's settings beforehand: which are like an unknown one, and when a change is in effect.

What this project declares of a key (`rmq.settings`) holds for its own brokers; which server a broker is cannot be told
from outside. Apache's broker holds the same values in memory, but reads many of them only at its start.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final

from rmq.settings.model import BrokerSettings, catalogue
from rmq.settings.option import BadValueError, Option
from rmq.tui.service.command_line import MASK

EVERYWHERE: Final = frozenset(
    {
        "autoCreateSubscriptionGroup",
        "autoCreateTopicEnable",
        "brokerPermission",
        "fileReservedTime",
        "slaveReadEnable",
        "traceOn",
    }
)
"""Settings that every broker, Apache's and this project's, obeys from the next request on."""

_SECRET: Final = re.compile("password|secret|credential|initAuthenticationUser", re.IGNORECASE)
_SIMILAR: Final = 0.7


def _option(key: str) -> Option | None:
    found = catalogue(BrokerSettings).get(key)
    return found[1] if found is not None else None


def when(key: str) -> str:
    """When a change of a setting is in effect, as a cell of a table says it."""
    option = _option(key)
    if key in EVERYWHERE:
        return "at once"
    if option is None:
        return "unknown"
    if option.ignored:
        return "Apache: may need a restart; ours: never"
    return "at once; Apache may need a restart" if option.dynamic else "after a restart"


def about(key: str) -> str:
    """What a setting is for, where this project knows it; may be empty."""
    option = _option(key)
    return option.help if option is not None else ""


def refused(key: str, value: str) -> str:
    """Why a broker of ours would refuse a value; empty when it would not, or does not know the key."""
    option = _option(key)
    if option is None:
        return ""
    try:
        option.parse(value)
    except BadValueError as error:
        return f"brokers of ours refuse it: it must be {error}"
    return ""


def nearest(key: str, listed: Iterable[str]) -> str:
    """The setting that looks most like an unknown one; may be empty."""
    names = {name.lower(): name for name in (*listed, *catalogue(BrokerSettings))}
    close = difflib.get_close_matches(key.lower(), names, n=1, cutoff=_SIMILAR)
    return names[close[0]] if close else ""


def is_secret(key: str) -> bool:
    """Whether a setting's value does not belong on a screen."""
    option = _option(key)
    return bool(_SECRET.search(key)) or (option is not None and option.secret)


def shown(key: str, value: str) -> str:
    """A setting's value as it may be seen."""
    return MASK if value and is_secret(key) else value
