"""How old data is read: limits that operators set for groups, and reading the log ahead.

The limits are kept and shown as Apache's broker does while its coldDataFlowControlEnable is off, its default: they
limit nothing, and a restart forgets them.

Source: AdminBrokerProcessor, ColdDataCgCtrService.
"""

from __future__ import annotations

from typing import Final

from twisted.logger import Logger

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.store.store import MessageStore
from rmq.settings.errors import SettingError
from rmq.settings.load import parse_properties
from rmq.settings.model import BrokerSettings
from rmq.wire import fastjson
from rmq.wire.declare import parse_int
from rmq.wire.errors import InvalidParameterError
from rmq.wire.names import MAX_GROUP
from rmq.wire.requests.broker import (
    GetColdDataFlowCtrInfo,
    RemoveColdDataFlowCtrConfig,
    SetCommitLogReadMode,
    UpdateColdDataFlowCtrConfig,
)

MOST_LIMITS: Final = 4096
"""Most groups for which a limit is kept; Apache has no bound."""
LONGEST_TEXT: Final = 64 * 1024
"""Most bytes of one request for limits."""

_NORMAL: Final = 0
_RANDOM: Final = 1

log = Logger()


class ColdDataProcessor:
    """Handles what operators say about reading old data.

    Attributes:
        limits: bytes by group.
    """

    def __init__(self, settings: BrokerSettings, store: MessageStore) -> None:
        self._settings = settings
        self._store = store
        self.limits: dict[str, int] = {}

    @handles(UpdateColdDataFlowCtrConfig)
    def limit(self, header: UpdateColdDataFlowCtrConfig, call: Call) -> None:
        """Keeps limits. As at Apache's, what is no number is passed over with a line in the log."""
        if len(call.body) > LONGEST_TEXT:
            raise InvalidParameterError(f"{len(call.body)} bytes of limits are more than {LONGEST_TEXT}")
        try:
            entries = list(parse_properties(call.body.decode("utf-8", "replace"), "limits"))
        except SettingError as error:
            raise InvalidParameterError(str(error)) from None
        wanted, wrong = dict[str, int](), list[str]()
        for entry in entries:
            if len(entry.key) > MAX_GROUP:
                raise InvalidParameterError(f"a group of {len(entry.key)} characters is longer than {MAX_GROUP}")
            try:
                wanted[entry.key] = parse_int(entry.text.strip())
            except ValueError as error:
                wrong.append(f"{entry.key}: {error}")
        if wrong:
            log.warn(
                "{peer}: {count} limits passed over, the first of {wrong}",
                peer=call.connection.address, count=len(wrong), wrong=wrong[0],
            )  # fmt: skip
        if len(self.limits.keys() | wanted.keys()) > MOST_LIMITS:
            raise InvalidParameterError(f"limits of {MOST_LIMITS} groups are kept, no more")
        self.limits.update(wanted)

    @handles(RemoveColdDataFlowCtrConfig)
    def unlimit(self, header: RemoveColdDataFlowCtrConfig, call: Call) -> None:
        """Forgets a group's limit; one that has none is no error."""
        self.limits.pop(call.body.decode("utf-8", "replace"), None)

    @handles(GetColdDataFlowCtrInfo)
    def info(self, header: GetColdDataFlowCtrInfo, call: Call) -> Reply:
        """The limits; nothing is counted, so that the other tables are empty."""
        info = {
            "runtimeTable": {},
            "configTable": dict(sorted(self.limits.items())),
            "cgColdReadThreshold": self._settings.value("cgColdReadThreshold"),
            "globalColdReadThreshold": self._settings.value("globalColdReadThreshold"),
            "globalAcc": 0,
        }
        return Reply(body=fastjson.dumps(info).encode())

    @handles(SetCommitLogReadMode)
    def read_mode(self, header: SetCommitLogReadMode, call: Call) -> Reply:
        """Lets the system read the log ahead, or not."""
        if header.mode not in (_NORMAL, _RANDOM):
            raise InvalidParameterError("set commitlog readahead mode param value error")
        self._store.read_log_ahead(header.mode == _NORMAL)
        self._settings.set("dataReadAheadEnable", header.mode == _NORMAL)
        return Reply(remark=f"set commitlog readahead mode success, mode: {header.mode}")
