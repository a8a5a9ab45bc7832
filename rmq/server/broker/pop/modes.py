"""Whether a group pulls or pops a topic, as operators set it.

Source: MessageRequestModeManager.
"""

from __future__ import annotations

from typing import Final

from rmq.server.broker.meta.config_file import ConfigFile
from rmq.settings.model import BrokerSettings
from rmq.wire import fastjson
from rmq.wire.bodies.assignment import MessageRequestMode, MessageRequestModeBody, MessageRequestModes
from rmq.wire.declare import decode_body, to_plain
from rmq.wire.errors import SystemBusyError
from rmq.wire.names import RETRY_PREFIX

MOST_MODES: Final = 65536
"""Most pairs of topic and group whose mode is kept."""


class ModeTable:
    """The modes of all groups.

    Args:
        settings: what holds where nothing was set.
        file: `config/messageRequestMode.json`.
    """

    def __init__(self, settings: BrokerSettings, file: ConfigFile) -> None:
        self._broker = settings.broker
        self._file = file
        self._modes = MessageRequestModes()

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        self._modes = self._file.load(lambda content: decode_body(MessageRequestModes, content)) or self._modes

    def put(self, topic: str, group: str, mode: MessageRequestModeBody) -> None:
        """Sets a group's mode and writes the file.

        Raises:
            SystemBusyError: there are too many.
            OSError: the disk refuses; the mode holds until the next start.
        """
        modes = self._modes.message_request_mode_map
        if group not in modes.get(topic, {}) and sum(map(len, modes.values())) >= MOST_MODES:
            raise SystemBusyError(f"this broker keeps the modes of {MOST_MODES} pairs of topic and group and no more")
        modes.setdefault(topic, {})[group] = mode
        self._save()

    def assign(self, modes: MessageRequestModes) -> None:
        """Takes another broker's modes, all of them and no others.

        Raises:
            OSError: the disk refuses; what was there before stays.
        """
        if modes != self._modes:
            former, self._modes = self._modes, modes
            try:
                self._save()
            except OSError:
                self._modes = former
                raise

    def _save(self) -> None:
        self._file.save(fastjson.dumps(to_plain(self._modes), pretty=True))

    def of(self, topic: str, group: str) -> MessageRequestModeBody:
        """A group's mode: as it was set, or the default; retry topics are always pulled."""
        known = self._modes.message_request_mode_map.get(topic, {}).get(group)
        if known is not None:
            return known
        mode = MessageRequestMode(self._broker.default_message_request_mode)
        if topic.startswith(RETRY_PREFIX):
            mode = MessageRequestMode.PULL
        share = self._broker.default_pop_share_queue_num if mode is MessageRequestMode.POP else 0
        return MessageRequestModeBody(topic, group, mode, share)

    def all(self) -> MessageRequestModes:
        """All that were set."""
        return self._modes
