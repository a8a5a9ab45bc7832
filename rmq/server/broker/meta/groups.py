"""The broker's consumer groups and what they are allowed.

A group exists because an operator made it or because a consumer came while auto-creation is on.

Source: SubscriptionGroupManager.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from twisted.logger import Logger

from rmq.server.broker.meta.config_file import ConfigFile, MemberTexts, pretty_object, version_taken
from rmq.settings.model import BrokerSettings
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupWrapper
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import decode_body, to_plain
from rmq.wire.errors import SystemBusyError
from rmq.wire.names import BROADCAST_SYSTEM_GROUPS, PLAIN_SYSTEM_GROUPS, is_legal_group, is_system_group

MAX_GROUPS: Final = 65536
"""Most groups of a broker: clients make groups by themselves."""
MAX_FORBIDDEN: Final = 65536
"""Most pairs of group and topic from which something is taken."""

log = Logger()


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
        self._texts = MemberTexts(2)
        for name in PLAIN_SYSTEM_GROUPS:
            self._enter(SubscriptionGroupConfig(group_name=name))
        for name in BROADCAST_SYSTEM_GROUPS:
            self._enter(SubscriptionGroupConfig(group_name=name, consume_broadcast_enable=True))

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(lambda content: decode_body(SubscriptionGroupWrapper, content))
        if stored is not None:
            for config in stored.subscription_group_table.values():
                self._enter(config)
            self.forbidden = stored.forbidden_table
            self.version = stored.data_version or self.version

    def save(self) -> None:
        """Writes the file.

        Raises:
            OSError: the disk refuses.
        """
        members = (
            ("dataVersion", to_plain(self.version)),
            ("forbiddenTable", self.forbidden),
            ("subscriptionGroupTable", self._texts.object()),
        )
        self._file.save(pretty_object(members))

    def find(self, name: str) -> SubscriptionGroupConfig | None:
        """The group, made now if it may be; None when it is unknown and may not.

        Groups of the system make themselves whatever the settings say.

        Raises:
            SystemBusyError: there are too many groups.
        """
        config = self.configs.get(name)
        if config is None and is_legal_group(name) and self._may_create(name):
            config = SubscriptionGroupConfig(group_name=name)
            try:
                self.put(config)
            except OSError as error:
                # A disk that is full does not keep consumers away.
                log.warn("group {name} is not on the disk yet: {error}", name=name, error=error)
        return config

    def _may_create(self, name: str) -> bool:
        return self._settings.broker.auto_create_subscription_group or is_system_group(name)

    def put(self, *configs: SubscriptionGroupConfig) -> None:
        """Creates or overwrites groups as they are given.

        Raises:
            SystemBusyError: there are too many groups.
            OSError: the disk refuses; the groups exist until the next start.
        """
        new = sum(config.group_name not in self.configs for config in configs)
        if new and len(self.configs) + new > MAX_GROUPS:
            raise SystemBusyError(f"this broker has {len(self.configs)} groups and takes no more than {MAX_GROUPS}")
        for config in configs:
            self._enter(config)
        self._changed()

    def _enter(self, config: SubscriptionGroupConfig) -> None:
        self.configs[config.group_name] = config
        self._texts.put(config.group_name, config)

    def remove(self, name: str) -> bool:
        """Forgets a group; False when it was unknown."""
        if self.configs.pop(name, None) is None:
            return False
        self._texts.remove(name)
        self.forbidden.pop(name, None)
        self._changed()
        return True

    def replace(
        self,
        configs: Mapping[str, SubscriptionGroupConfig],
        forbidden: Mapping[str, Mapping[str, int]],
        version: DataVersion,
    ) -> None:
        """Takes another broker's groups, all of them and no others, with their version.

        Raises:
            OSError: the disk refuses; the groups are as given, and the version tells that they must be taken again.
        """
        for name in self.configs.keys() - configs.keys():
            del self.configs[name]
            self._texts.remove(name)
        for name, config in configs.items():
            if self.configs.get(name) != config:
                self._enter(config)
        self.forbidden = {group: dict(topics) for group, topics in forbidden.items()}
        with version_taken(self, version):
            self.save()

    def are_told(self, name: str) -> bool:
        """Whether the group's members are told when they change: unless group or broker say otherwise."""
        config = self.configs.get(name)
        allowed = config is None or config.notify_consumer_ids_changed_enable
        return allowed and self._settings.broker.notify_consumer_ids_changed_enable

    def is_forbidden(self, group: str, topic: str, index: int) -> bool:
        """Whether an operator took this permission from the group for this topic; `index` is the bit's number."""
        return bool(self.forbidden.get(group, {}).get(topic, 0) >> index & 1)

    def set_forbidden(self, group: str, topic: str, index: int, forbidden: bool) -> None:
        """Takes a permission from a group for a topic, or gives it back.

        Raises:
            SystemBusyError: permissions are taken for too many pairs of group and topic.
        """
        known = self.forbidden.get(group, {})
        mask = 1 << index
        bits = known.get(topic, 0) | mask if forbidden else known.get(topic, 0) & ~mask
        if bits == known.get(topic, 0):
            return
        if topic not in known and sum(map(len, self.forbidden.values())) >= MAX_FORBIDDEN:
            raise SystemBusyError(f"{MAX_FORBIDDEN} pairs of group and topic have lost permissions, no more are taken")
        if bits:
            self.forbidden.setdefault(group, {})[topic] = bits
        else:
            del known[topic]
            if not known:
                del self.forbidden[group]
        self._changed()

    def wrapper(self) -> SubscriptionGroupWrapper:
        """The whole table as it travels and as it is kept."""
        return SubscriptionGroupWrapper(
            subscription_group_table=dict(self.configs), forbidden_table=self.forbidden, data_version=self.version
        )

    def _changed(self) -> None:
        self.version = self.version.next(self._now())
        self.save()
