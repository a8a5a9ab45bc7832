"""The key-value configuration and the name server's own settings.

Source: DefaultRequestProcessor of the name server.
"""

from __future__ import annotations

from twisted.logger import Logger

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.files import SmallFiles
from rmq.server.namesrv.kv import KvConfig
from rmq.server.reconfigure import reconfigure
from rmq.settings.dump import body as settings_text
from rmq.settings.model import NamesrvSettings
from rmq.wire.bodies.broker import KVTable
from rmq.wire.errors import QueryNotFoundError
from rmq.wire.requests.kv import DeleteKVConfig, GetKVConfig, GetKVConfigReply, GetKVListByNamespace, PutKVConfig
from rmq.wire.requests.namesrv import GetNamesrvConfig, UpdateNamesrvConfig

log = Logger()


class ConfigProcessor:
    """Values that tools set and read."""

    def __init__(self, kv: KvConfig, settings: NamesrvSettings, files: SmallFiles) -> None:
        self._kv = kv
        self._settings = settings
        self._files = files

    @handles(PutKVConfig)
    def put(self, header: PutKVConfig, call: Call) -> None:
        """Sets a value."""
        self._kv.put(header.namespace, header.key, header.value)
        log.info(
            "{peer} set {namespace!r:.80} {key!r:.80}",
            peer=call.connection.address, namespace=header.namespace, key=header.key,
        )  # fmt: skip

    @handles(GetKVConfig)
    def get(self, header: GetKVConfig, _: Call) -> GetKVConfigReply:
        """A value."""
        value = self._kv.get(header.namespace, header.key)
        if value is None:
            raise QueryNotFoundError(f"No config item, Namespace: {header.namespace} Key: {header.key}")
        return GetKVConfigReply(value)

    @handles(DeleteKVConfig)
    def delete(self, header: DeleteKVConfig, call: Call) -> None:
        """Removes a value."""
        self._kv.delete(header.namespace, header.key)
        log.info(
            "{peer} deleted {namespace!r:.80} {key!r:.80}",
            peer=call.connection.address, namespace=header.namespace, key=header.key,
        )  # fmt: skip

    @handles(GetKVListByNamespace)
    def namespace(self, header: GetKVListByNamespace, _: Call) -> KVTable:
        """All values of a namespace."""
        table = self._kv.table(header.namespace)
        if table is None:
            raise QueryNotFoundError(f"No config item, Namespace: {header.namespace}")
        return KVTable(table)

    @handles(UpdateNamesrvConfig)
    def update(self, _: UpdateNamesrvConfig, call: Call) -> None:
        """Changes settings and writes them to their file."""
        reconfigure(self._settings, call.body.decode("utf-8", "replace"), call.connection.address, self._files)

    @handles(GetNamesrvConfig)
    def settings(self, _: GetNamesrvConfig, __: Call) -> Reply:
        """The settings as properties text."""
        return Reply(body=settings_text(self._settings))
