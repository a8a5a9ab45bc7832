"""The name server's key-value configuration.

Source: PutKVConfigRequestHeader, GetKVConfigRequestHeader, DeleteKVConfigRequestHeader,
GetKVListByNamespaceRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.broker import KVTable
from rmq.wire.declare import header, request


@request(100, "PUT_KV_CONFIG", changes=True)
class PutKVConfig:
    """Sets a value."""

    namespace: str
    key: str
    value: str


@header
class GetKVConfigReply:
    """The value."""

    value: str | None = None


@request(101, "GET_KV_CONFIG", reply=GetKVConfigReply)
class GetKVConfig:
    """Asks for a value."""

    namespace: str
    key: str


@request(102, "DELETE_KV_CONFIG", changes=True)
class DeleteKVConfig:
    """Removes a value."""

    namespace: str
    key: str


@request(219, "GET_KVLIST_BY_NAMESPACE", reply_body=KVTable)
class GetKVListByNamespace:
    """Asks for all values of a namespace."""

    namespace: str
