"""What the process's environment says: name-server addresses, home directory, host name.

Kept free of other imports of this package, because every command-line tool needs it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

DEFAULT_NAMESRV_ADDR = "127.0.0.1:9876"
"""Where a tool looks for a name server when nothing is said."""

NAMESRV_ADDR_ENV = "NAMESRV_ADDR"
ROCKETMQ_HOME_ENV = "ROCKETMQ_HOME"


class NamesrvAddressError(ValueError):
    """The Name Server Address is illegal, please set it as follows, "127.0.0.1:9876;192.168.0.1:9876"."""

    def __init__(self, addresses: str) -> None:
        self.addresses = addresses
        super().__init__(
            f"The Name Server Address[{addresses}] illegal, please set it as follows, "
            '"127.0.0.1:9876;192.168.0.1:9876"'
        )


def namesrv_addresses(
    given: str | None = None, environ: Mapping[str, str] | None = None, default: str | None = DEFAULT_NAMESRV_ADDR
) -> tuple[str, ...]:
    """The name servers to use: what was given, else `NAMESRV_ADDR`, else the default.

    Args:
        given: what `-n` or a configuration file says, if anything.
        environ: the environment; that of the process when None.
        default: address list to fall back to; None means that there may be none (an empty result).

    Raises:
        NamesrvAddressError: an entry is not `host:port`.
    """
    variables = os.environ if environ is None else environ
    text = given or variables.get(NAMESRV_ADDR_ENV) or default
    return split_addresses(text) if text else ()


def split_addresses(text: str) -> tuple[str, ...]:
    """`host:port` entries joined by `;`, blanks around and empty entries dropped.

    Raises:
        NamesrvAddressError: an entry is not `host:port`, or there is none.
    """
    entries = tuple(entry.strip() for entry in text.split(";") if entry.strip())
    for entry in entries:
        try:
            split_host_port(entry)
        except ValueError:
            raise NamesrvAddressError(text) from None
    if not entries:
        raise NamesrvAddressError(text)
    return entries


def split_host_port(address: str) -> tuple[str, int]:
    """`host:port` as a pair; brackets of an IPv6 host are taken off.

    Raises:
        ValueError: there is no host, or no port from 1 to 65535.
    """
    host, colon, port_text = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    digits = port_text.isascii() and port_text.isdigit()
    if not colon or not bare or any(c.isspace() for c in bare) or not digits or not 0 < int(port_text) < 65536:
        raise ValueError(f"{address!r} is not host:port")
    return bare, int(port_text)


def home_path(*parts: str) -> Callable[[], str]:
    """A function that joins the parts to the user's home directory."""
    return lambda: os.path.join(os.path.expanduser("~"), *parts)


def rocketmq_home() -> str | None:
    """`ROCKETMQ_HOME`, if set."""
    return os.environ.get(ROCKETMQ_HOME_ENV)


def namesrv_addr_variable() -> str | None:
    """`NAMESRV_ADDR`, if set."""
    return os.environ.get(NAMESRV_ADDR_ENV)


def host_name() -> str:
    """The machine's name; `DEFAULT_BROKER` when it has none (BrokerIdentity)."""
    return os.uname().nodename or "DEFAULT_BROKER"
