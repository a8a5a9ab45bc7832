"""Consumer groups of a broker.

Source: GetAllSubscriptionGroupRequestHeader, GetSubscriptionGroupConfigRequestHeader,
DeleteSubscriptionGroupRequestHeader, UpdateGroupForbiddenRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.group import (
    GroupForbidden,
    SubscriptionGroupConfig,
    SubscriptionGroupList,
    SubscriptionGroupWrapper,
)
from rmq.wire.declare import Int32, header, request


@request(200, "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP", body=SubscriptionGroupConfig, changes=True)
class UpdateAndCreateSubscriptionGroup:
    """Creates a group or overwrites it."""


@header
class GetAllSubscriptionGroupReply:
    """How many groups there are, so that a caller knows when it has all pages; absent before 5.3."""

    total_group_num: Int32 | None = None


@request(
    201,
    "GET_ALL_SUBSCRIPTIONGROUP_CONFIG",
    reply=GetAllSubscriptionGroupReply,
    reply_body=SubscriptionGroupWrapper,
)
class GetAllSubscriptionGroupConfig:
    """Asks for all groups, or for one page of them that begins at `group_seq`."""

    group_seq: Int32 | None = None
    data_version: str | None = None
    max_group_num: Int32 | None = None


@request(207, "DELETE_SUBSCRIPTIONGROUP", changes=True)
class DeleteSubscriptionGroup:
    """Removes a group, and its offsets with `clean_offset`."""

    group_name: str
    clean_offset: bool = False


@request(225, "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST", body=SubscriptionGroupList, changes=True)
class UpdateAndCreateSubscriptionGroupList:
    """Creates or overwrites several groups."""


@request(352, "GET_SUBSCRIPTIONGROUP_CONFIG", reply_body=SubscriptionGroupConfig)
class GetSubscriptionGroupConfig:
    """Asks for one group's configuration."""

    group: str


@request(353, "UPDATE_AND_GET_GROUP_FORBIDDEN", reply_body=GroupForbidden, changes=True)
class UpdateAndGetGroupForbidden:
    """Asks whether a group may read a topic, after setting it if `readable` is given."""

    group: str
    topic: str
    readable: bool | None = None
