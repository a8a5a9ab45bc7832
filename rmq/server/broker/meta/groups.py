"""The broker's consumer groups and what they are allowed.

A group exists because an operator made it or because a consumer came while auto-creation is on.

Source: SubscriptionGroupManager.
"""

from __future__ import annotations

from collections.abc import Callable

from rmq.server.broker.meta.config_file import ConfigFile
from rmq.settings.model import BrokerSettings
from rmq.wire import fastjson
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupWrapper
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import decode_body, to_plain
from rmq.wire.names import BROADCAST_SYSTEM_GROUPS, PLAIN_SYSTEM_GROUPS, is_legal_group


class GroupTable:
    """All consumer groups of a broker.

    Args:
        settings: whether groups may create themselves.
        file: `config/subscriptionGroup.json`.
        now: milliseconds since the epoch.

    Attributes:
        configs: groups by name.
        version: raised with every change.
        forbidden: per group and topic, the bits of what is not allowed.
    """

    def __init__(self, settings: BrokerSettings, file: ConfigFile, now: Callable[[], int]) -> None:
        self._settings = settings
        self._file = file
        self._now = now
        self.configs: dict[str, SubscriptionGroupConfig] = {}
        self.forbidden: dict[str, dict[str, int]] = {}
        self.version = DataVersion(state_version=0, timestamp=now(), counter=0)
        for name in PLAIN_SYSTEM_GROUPS:
            self.configs[name] = SubscriptionGroupConfig(group_name=name)
        for name in BROADCAST_SYSTEM_GROUPS:
            self.configs[name] = SubscriptionGroupConfig(group_name=name, consume_broadcast_enable=True)

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(lambda content: decode_body(SubscriptionGroupWrapper, content))
        if stored is not None:
            self.configs.update(stored.subscription_group_table)
            self.forbidden = stored.forbidden_table
            self.version = stored.data_version or self.version

    def save(self) -> None:
        """Writes the file.

        Raises:
            OSError: the disk refuses.
        """
        self._file.save(fastjson.dumps(to_plain(self.wrapper()), pretty=True))

    def find(self, name: str) -> SubscriptionGroupConfig | None:
        """The group, made now if it may be; None when it is unknown and may not."""
        config = self.configs.get(name)
        if config is None and self._settings.broker.auto_create_subscription_group and is_legal_group(name):
            config = SubscriptionGroupConfig(group_name=name)
            self.put(config)
        return config

    def put(self, *configs: SubscriptionGroupConfig) -> None:
        """Creates or overwrites groups as they are given."""
        for config in configs:
            self.configs[config.group_name] = config
        self._changed()

    def remove(self, name: str) -> bool:
        """Forgets a group; False when it was unknown."""
        if self.configs.pop(name, None) is None:
            return False
        self.forbidden.pop(name, None)
        self._changed()
        return True

    def is_forbidden(self, group: str, topic: str, index: int) -> bool:
        """Whether an operator took this permission from the group for this topic; `index` is the bit's number."""
        return bool(self.forbidden.get(group, {}).get(topic, 0) >> index & 1)

    def set_forbidden(self, group: str, topic: str, index: int, forbidden: bool) -> None:
        """Takes a permission from a group for a topic, or gives it back."""
        bits = self.forbidden.setdefault(group, {})
        mask = 1 << index
        bits[topic] = bits.get(topic, 0) | mask if forbidden else bits.get(topic, 0) & ~mask
        self._changed()

    def wrapper(self) -> SubscriptionGroupWrapper:
        """The whole table as it travels and as it is kept."""
        return SubscriptionGroupWrapper(
            subscription_group_table=dict(self.configs), forbidden_table=self.forbidden, data_version=self.version
        )

    def _changed(self) -> None:
        self.version = self.version.next(self._now())
        self.save()
