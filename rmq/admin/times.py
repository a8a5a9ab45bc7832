"""Times on a command line: milliseconds since the epoch, or local time as `2026-01-31#23:59:59:999`.

Source: UtilAll.parseDate, ConsumeMessageCommand.timestampFormat.
"""

from __future__ import annotations

import time

from rmq.admin.declare import integer
from rmq.admin.errors import CommandLineError


def parse_time(text: str) -> int:
    """Milliseconds since the epoch.

    Raises:
        CommandLineError: it is neither form.
    """
    if "#" not in text:
        return integer(text, bits=64)
    moment, _, rest = text.rpartition(":")
    try:
        local = time.strptime(moment, "%Y-%m-%d#%H:%M:%S")
        millis = int(rest)
    except ValueError:
        raise CommandLineError(f"time {text}: milliseconds or yyyy-MM-dd#HH:mm:ss:SSS is expected") from None
    return int(time.mktime(local)) * 1000 + millis
