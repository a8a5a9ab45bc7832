"""What concerns brokers under a controller or with other engines. A broker without them answers as Apache's does.

Source: AdminBrokerProcessor.
"""

from __future__ import annotations

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.files import SmallFiles
from rmq.server.reconfigure import reconfigure
from rmq.settings.model import BrokerSettings
from rmq.wire.errors import InvalidParameterError, RemotingError
from rmq.wire.requests.broker import SwitchTimerEngine
from rmq.wire.requests.controller import GetBrokerEpochCache


class RolesProcessor:
    """Handles requests for replicas of a controller, and for engines."""

    def __init__(self, settings: BrokerSettings, files: SmallFiles) -> None:
        self._settings = settings
        self._files = files

    @handles(GetBrokerEpochCache)
    def epochs(self, header: GetBrokerEpochCache, call: Call) -> None:
        """There are none without a controller."""
        raise RemotingError("this request only for controllerMode ")

    @handles(SwitchTimerEngine)
    def switch_timer(self, header: SwitchTimerEngine, call: Call) -> Reply:
        """Lets the timer's files take messages again if timerStopEnqueue held them off; there is no RocksDB."""
        if not self._settings.store.timer_wheel_enable:
            raise InvalidParameterError("broker timerWheelEnable is false")
        if header.engine_type == "R":
            raise InvalidParameterError("timerUseRocksDB must be true when the broker starts; this one has no RocksDB")
        if header.engine_type != "F":
            raise InvalidParameterError("param error")
        if self._settings.store.timer_stop_enqueue:
            reconfigure(self._settings, "timerStopEnqueue=false", call.connection.address, self._files)
        return Reply(remark="switch timer engine success")
