"""Consumer groups are made, changed, asked for and removed.

Source: AdminBrokerProcessor, SubscriptionGroupManager.
"""

from __future__ import annotations

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.stats import BrokerStats
from rmq.wire.bodies.group import (
    GroupForbidden,
    SubscriptionGroupConfig,
    SubscriptionGroupList,
    SubscriptionGroupWrapper,
)
from rmq.wire.declare import encode_body
from rmq.wire.errors import SubscriptionGroupNotExistError
from rmq.wire.names import check_group
from rmq.wire.requests.group import (
    DeleteSubscriptionGroup,
    GetAllSubscriptionGroupConfig,
    GetAllSubscriptionGroupReply,
    GetSubscriptionGroupConfig,
    UpdateAndCreateSubscriptionGroup,
    UpdateAndCreateSubscriptionGroupList,
    UpdateAndGetGroupForbidden,
)

_READ_INDEX = 2


class GroupProcessor:
    """Handles a broker's consumer groups."""

    def __init__(self, groups: GroupTable, offsets: OffsetTable, stats: BrokerStats) -> None:
        self._groups = groups
        self._offsets = offsets
        self._stats = stats

    @handles(UpdateAndCreateSubscriptionGroup)
    def update(self, header: UpdateAndCreateSubscriptionGroup, call: Call) -> None:
        """Creates a group or overwrites its configuration."""
        config = call.json(SubscriptionGroupConfig)
        check_group(config.group_name)
        self._groups.put(config)

    @handles(UpdateAndCreateSubscriptionGroupList)
    def update_list(self, header: UpdateAndCreateSubscriptionGroupList, call: Call) -> None:
        """The same for many groups, all or none."""
        configs = call.json(SubscriptionGroupList).group_config_list
        for config in configs:
            check_group(config.group_name)
        self._groups.put(*configs)

    @handles(GetAllSubscriptionGroupConfig)
    def all_configs(self, header: GetAllSubscriptionGroupConfig, call: Call) -> Reply:
        """All groups, or a page of them when the request gives a start and a number."""
        names = sorted(self._groups.configs)
        start, most = header.group_seq or 0, header.max_group_num
        page = names if most is None else names[max(start, 0) : max(start, 0) + max(most, 0)]
        wrapper = SubscriptionGroupWrapper(
            subscription_group_table={name: self._groups.configs[name] for name in page},
            forbidden_table={name: bits for name, bits in self._groups.forbidden.items() if name in set(page)},
            data_version=self._groups.version,
        )
        return Reply(GetAllSubscriptionGroupReply(total_group_num=len(names)), encode_body(wrapper))

    @handles(GetSubscriptionGroupConfig)
    def config(self, header: GetSubscriptionGroupConfig, call: Call) -> SubscriptionGroupConfig:
        """One group's configuration."""
        config = self._groups.configs.get(header.group)
        if config is None:
            raise SubscriptionGroupNotExistError(f"No group in this broker. group: {header.group}")
        return config

    @handles(DeleteSubscriptionGroup)
    def delete(self, header: DeleteSubscriptionGroup, call: Call) -> None:
        """Removes a group, and its offsets when asked to; unknown groups are no error, as at Apache's."""
        self._groups.remove(header.group_name)
        if header.clean_offset:
            self._offsets.forget_group(header.group_name)
        self._stats.forget(header.group_name)

    @handles(UpdateAndGetGroupForbidden)
    def forbidden(self, header: UpdateAndGetGroupForbidden, call: Call) -> GroupForbidden:
        """Takes a group's right to read a topic, gives it back, or only tells."""
        if header.readable is not None:
            self._groups.set_forbidden(header.group, header.topic, _READ_INDEX, not header.readable)
        readable = not self._groups.is_forbidden(header.group, header.topic, _READ_INDEX)
        return GroupForbidden(topic=header.topic, group=header.group, readable=readable)
