"""Who a client is: its address, its id towards brokers, and the ids it gives its messages.

A client id is `ip@instance`. Each producer and consumer is an instance of its own, `pid#number`, unless it is told a
name; broadcasting consumers are all named `DEFAULT`, because the files of their offsets must be found again.

Source: ClientConfig.buildMQClientId, NetworkUtil.getLocalAddress, MessageClientIDSetter.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
import socket
import time
from functools import cache
from typing import Final

from rmq.wire.message import UniqueIds

DEFAULT_INSTANCE: Final = "DEFAULT"

_ELSEWHERE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_counter = itertools.count()


@cache
def local_address() -> str:
    """The address by which other machines know this one; loopback when it has no other."""
    for family, elsewhere in _ELSEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                # Connecting a datagram socket sends nothing; it only chooses the interface.
                probe.connect((elsewhere, 9))
                return str(probe.getsockname()[0]).partition("%")[0]
        except OSError:
            continue
    return "127.0.0.1"


def unique_instance_name() -> str:
    """An instance name that no other client has: process id, time and a number."""
    return f"{os.getpid()}#{time.monotonic_ns()}{next(_counter):03d}"


def client_id(address: str, instance_name: str) -> str:
    """The id of a client."""
    return f"{address}@{instance_name}"


def message_ids(address: str) -> UniqueIds:
    """Makes the ids of messages of one producer; different from those of every other in this process."""
    seed = int.from_bytes(os.urandom(4), "big")
    return UniqueIds(ipaddress.ip_address(address).packed, os.getpid(), seed)
