"""The broker itself: its configuration, figures and clean-up.

Source: AdminBrokerProcessor.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.runtime import RuntimeInfo
from rmq.server.broker.stats import BrokerStats
from rmq.server.files import SmallFiles
from rmq.server.reconfigure import reconfigure
from rmq.server.store.store import MessageStore
from rmq.settings.dump import body
from rmq.settings.model import BrokerSettings
from rmq.wire import fastjson
from rmq.wire.bodies.broker import BrokerStatsData, KVTable
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import to_plain
from rmq.wire.errors import RemotingError
from rmq.wire.requests.broker import (
    CleanExpiredConsumeQueue,
    DeleteExpiredCommitLog,
    GetBrokerConfig,
    GetBrokerConfigReply,
    GetBrokerRuntimeInfo,
    UpdateBrokerConfig,
    ViewBrokerStatsData,
)

log = Logger()


class AdminProcessor:
    """Handles what operators ask of the broker itself.

    Args:
        on_settings: called after settings have changed.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        store: MessageStore,
        stats: BrokerStats,
        runtime: RuntimeInfo,
        files: SmallFiles,
        on_settings: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._store = store
        self._stats = stats
        self._runtime = runtime
        self._files = files
        self._on_settings = on_settings

    @handles(GetBrokerConfig)
    def config(self, header: GetBrokerConfig, call: Call) -> Reply:
        """The effective settings as properties text."""
        version = DataVersion(counter=self._settings.revision, timestamp=self._stats.boot_time)
        return Reply(GetBrokerConfigReply(version=fastjson.dumps(to_plain(version))), body(self._settings))

    @handles(UpdateBrokerConfig)
    def update_config(self, header: UpdateBrokerConfig, call: Call) -> None:
        """Changes settings, at once where they can change, and keeps them in the configuration file."""
        text = call.body.decode("utf-8", "replace")
        reconfigure(self._settings, text, call.connection.address, self._files, self._on_settings)

    @handles(GetBrokerRuntimeInfo)
    def runtime_info(self, header: GetBrokerRuntimeInfo, call: Call) -> KVTable:
        """Current figures."""
        return KVTable(table=self._runtime.table())

    @handles(ViewBrokerStatsData)
    def stats(self, header: ViewBrokerStatsData, call: Call) -> BrokerStatsData:
        """Figures of one counter over minute, hour and day."""
        found = self._stats.view(header.stats_name, header.stats_key)
        if found is None:
            raise RemotingError(f"The stats <{header.stats_name}> <{header.stats_key}> not exist")
        return found

    @handles(CleanExpiredConsumeQueue)
    def clean_queues(self, header: CleanExpiredConsumeQueue, call: Call) -> None:
        """Drops queue files that point only at messages which are gone."""
        self._store.clean_expired_consume_queues()

    @handles(DeleteExpiredCommitLog)
    def delete_expired(self, header: DeleteExpiredCommitLog, call: Call) -> None:
        """Deletes log files whose time is over, without waiting for the hour that is set for it."""
        self._store.delete_expired()
