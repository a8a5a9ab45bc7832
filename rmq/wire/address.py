"""Addresses as RocketMQ writes them: `host:port`, IPv6 hosts in brackets, lists joined by `;`."""

from __future__ import annotations


def split_address(address: str) -> tuple[str, int]:
    """Host and port of an address.

    Raises:
        ValueError: it is not `host:port` with a port from 1 to 65535.
    """
    host, colon, port = address.strip().rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"address {address!r:.80} is not of the form host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def join_address(host: str, port: int) -> str:
    """`host:port`, the host in brackets when it is an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
