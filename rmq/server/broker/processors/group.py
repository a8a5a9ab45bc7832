"""Consumer groups are made, changed, asked for and removed.

Source: AdminBrokerProcessor, SubscriptionGroupManager.
"""

from __future__ import annotations

from typing import Final

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.meta.attributes import GROUP_ATTRIBUTES, altered
from rmq.server.broker.meta.groups import GroupTable
from rmq.server.broker.meta.offsets import OffsetTable
from rmq.server.broker.processors.paging import page_of
from rmq.server.broker.stats import BrokerStats
from rmq.wire.bodies.group import (
    GroupForbidden,
    SubscriptionGroupConfig,
    SubscriptionGroupList,
    SubscriptionGroupWrapper,
)
from rmq.wire.declare import encode_body
from rmq.wire.errors import InvalidParameterError, SubscriptionGroupNotExistError
from rmq.wire.names import check_group, check_topic
from rmq.wire.requests.group import (
    DeleteSubscriptionGroup,
    GetAllSubscriptionGroupConfig,
    GetAllSubscriptionGroupReply,
    GetSubscriptionGroupConfig,
    UpdateAndCreateSubscriptionGroup,
    UpdateAndCreateSubscriptionGroupList,
    UpdateAndGetGroupForbidden,
)

MAX_RETRY_QUEUES: Final = 1024
"""Most queues of a group's retry topic."""
MAX_CONFIG: Final = 16 * 1024
"""Longest configuration of a group, in bytes of JSON."""
_READ_INDEX: Final = 2


class GroupProcessor:
    """Handles a broker's consumer groups."""

    def __init__(self, groups: GroupTable, offsets: OffsetTable, stats: BrokerStats) -> None:
        self._groups = groups
        self._offsets = offsets
        self._stats = stats

    @handles(UpdateAndCreateSubscriptionGroup)
    def update(self, header: UpdateAndCreateSubscriptionGroup, call: Call) -> None:
        """Creates a group or overwrites its configuration."""
        self._groups.put(self._checked(call.json(SubscriptionGroupConfig)))

    @handles(UpdateAndCreateSubscriptionGroupList)
    def update_list(self, header: UpdateAndCreateSubscriptionGroupList, call: Call) -> None:
        """The same for many groups, all or none."""
        self._groups.put(*map(self._checked, call.json(SubscriptionGroupList).group_config_list))

    def _checked(self, config: SubscriptionGroupConfig) -> SubscriptionGroupConfig:
        """The configuration as it will be, with the attributes that the group keeps."""
        check_group(config.group_name)
        if config.retry_queue_nums > MAX_RETRY_QUEUES:
            raise InvalidParameterError(f"retryQueueNums {config.retry_queue_nums} is more than {MAX_RETRY_QUEUES}")
        size = len(encode_body(config))
        if size > MAX_CONFIG:
            raise InvalidParameterError(f"a group's configuration of {size} bytes is longer than {MAX_CONFIG}")
        known = self._groups.configs.get(config.group_name)
        config.attributes = altered(
            known.attributes if known else {}, config.attributes, GROUP_ATTRIBUTES, new=known is None
        )
        return config

    @handles(GetAllSubscriptionGroupConfig)
    def all_configs(self, header: GetAllSubscriptionGroupConfig, call: Call) -> Reply:
        """All groups, or a page of them when the request gives a start and a number."""
        names = sorted(self._groups.configs)
        page = page_of(names, self._groups.version, header.data_version, header.group_seq, header.max_group_num)
        shown = frozenset(page)
        wrapper = SubscriptionGroupWrapper(
            subscription_group_table={name: self._groups.configs[name] for name in page},
            forbidden_table={name: bits for name, bits in self._groups.forbidden.items() if name in shown},
            data_version=self._groups.version,
        )
        return Reply(GetAllSubscriptionGroupReply(total_group_num=len(names)), encode_body(wrapper))

    @handles(GetSubscriptionGroupConfig)
    def config(self, header: GetSubscriptionGroupConfig, call: Call) -> SubscriptionGroupConfig:
        """One group's configuration; a group that may make itself is made, as at Apache's."""
        config = self._groups.find(header.group)
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
            check_group(header.group)
            check_topic(header.topic)
            self._groups.set_forbidden(header.group, header.topic, _READ_INDEX, not header.readable)
        readable = not self._groups.is_forbidden(header.group, header.topic, _READ_INDEX)
        return GroupForbidden(topic=header.topic, group=header.group, readable=readable)
