"""Consumer groups are made, changed and deleted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from rmq.tui.service.changes.change import Change, Risk
from rmq.tui.service.changes.places import Place
from rmq.wire.bodies.group import GroupRetryPolicy, GroupRetryPolicyType, SubscriptionGroupConfig
from rmq.wire.declare import from_plain, to_plain
from rmq.wire.errors import RemotingError


@dataclass(frozen=True, slots=True)
class GroupDefinition:
    """A group as a broker is to have it.

    Attributes:
        enabled: whether it may consume.
        from_min: whether it may begin at the oldest message.
        broadcast: whether it may broadcast.
        orderly: whether it consumes in order.
        retry_queues: queues of its retry topic.
        retry_max: how often a message is tried again.
        retry_policy: how long it waits between attempts, as JSON; empty for the usual one.
        broker_id: which broker of a set it consumes from.
        slow_broker_id: which one instead, when that is slow.
        notify: whether its clients hear of each other.
    """

    name: str
    enabled: bool = True
    from_min: bool = True
    broadcast: bool = True
    orderly: bool = False
    retry_queues: int = 1
    retry_max: int = 16
    retry_policy: str = ""
    broker_id: int = 0
    slow_broker_id: int = 1
    notify: bool = True

    def members(self) -> dict[str, str]:
        """What there is to compare, by the names that brokers use."""
        return {
            "consumeEnable": _truth(self.enabled),
            "consumeFromMinEnable": _truth(self.from_min),
            "consumeBroadcastEnable": _truth(self.broadcast),
            "consumeMessageOrderly": _truth(self.orderly),
            "retryQueueNums": str(self.retry_queues),
            "retryMaxTimes": str(self.retry_max),
            "groupRetryPolicy": self.retry_policy,
            "brokerId": str(self.broker_id),
            "whichBrokerWhenConsumeSlowly": str(self.slow_broker_id),
            "notifyConsumerIdsChangedEnable": _truth(self.notify),
        }


class RetryPolicyError(ValueError):
    """A text is no retry policy; the text says why."""


def policy_of(text: str) -> GroupRetryPolicy:
    """The retry policy of a text; the usual one of an empty text.

    Raises:
        RetryPolicyError: it is none.
    """
    if not text.strip():
        return GroupRetryPolicy()
    try:
        plain = json.loads(text)
        # A type that is unknown would count as the usual one, as it does with brokers.
        if isinstance(plain, dict) and plain.get("type") not in {None, *GroupRetryPolicyType}:
            raise RetryPolicyError(f"the type is {' or '.join(GroupRetryPolicyType)}")
        return from_plain(GroupRetryPolicy, plain)
    except RetryPolicyError:
        raise
    except (ValueError, RecursionError) as error:
        raise RetryPolicyError(f"it is no JSON: {error}") from None
    except RemotingError as error:
        raise RetryPolicyError(error.remark) from None


def policy_text(policy: GroupRetryPolicy) -> str:
    """A retry policy as text; nothing for the usual one."""
    return "" if policy == GroupRetryPolicy() else json.dumps(_present(to_plain(policy)))


def group_definition_of(config: SubscriptionGroupConfig) -> GroupDefinition:
    """A broker's configuration of a group."""
    return GroupDefinition(
        config.group_name,
        config.consume_enable,
        config.consume_from_min_enable,
        config.consume_broadcast_enable,
        config.consume_message_orderly,
        config.retry_queue_nums,
        config.retry_max_times,
        policy_text(config.group_retry_policy),
        config.broker_id,
        config.which_broker_when_consume_slowly,
        config.notify_consumer_ids_changed_enable,
    )


def group_differences(before: GroupDefinition, wanted: GroupDefinition) -> list[tuple[str, str, str]]:
    """What differs: name, value before, value wanted."""
    had, gets = before.members(), wanted.members()
    return [(name, had[name], gets[name]) for name in had if had[name] != gets[name]]


@dataclass(frozen=True, slots=True)
class CreateGroup(Change):
    """Makes a group. One that is there already is not touched: that is refused in the preview."""

    risk: ClassVar[Risk] = Risk.LOW

    place: Place
    wanted: GroupDefinition

    @property
    def title(self) -> str:
        """See `Change`."""
        return f"create group {self.wanted.name} on {self.place}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.wanted.name

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`."""
        return _update_group(self.place, self.wanted)


@dataclass(frozen=True, slots=True)
class EditGroup(Change):
    """Changes a group; what the form does not show stays as the broker has it."""

    place: Place
    wanted: GroupDefinition
    before: GroupDefinition

    @property
    def title(self) -> str:
        """See `Change`."""
        found = group_differences(self.before, self.wanted)
        told = ", ".join(f"{name} {old or '-'} -> {new or '-'}" for name, old, new in found)
        return f"edit group {self.wanted.name} on {self.place}: {told or 'nothing changes'}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.wanted.name

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`."""
        return _update_group(self.place, self.wanted)


@dataclass(frozen=True, slots=True)
class DeleteGroup(Change):
    """Deletes a group; from a cluster with its retry and dead-letter topics and what is in them.

    Attributes:
        offsets: whether its offsets go, too.
    """

    risk: ClassVar[Risk] = Risk.HIGH

    place: Place
    name: str
    offsets: bool = False

    @property
    def title(self) -> str:
        """See `Change`."""
        return f"delete group {self.name} from {self.place}, its offsets {'too' if self.offsets else 'stay'}"

    @property
    def target(self) -> str:
        """See `Change`."""
        return self.name

    @property
    def command(self) -> tuple[str, ...]:
        """See `Change`."""
        return ("deleteSubGroup", *self.place.words, "-g", self.name, "-r", _truth(self.offsets))


def _truth(value: bool) -> str:
    return str(value).lower()


def _present(plain: Any) -> Any:
    return {key: value for key, value in plain.items() if value is not None} if isinstance(plain, dict) else plain


def _update_group(place: Place, wanted: GroupDefinition) -> tuple[str, ...]:
    members = wanted.members()
    letters = {
        "-s": "consumeEnable",
        "-m": "consumeFromMinEnable",
        "-d": "consumeBroadcastEnable",
        "-o": "consumeMessageOrderly",
        "-q": "retryQueueNums",
        "-r": "retryMaxTimes",
        "-i": "brokerId",
        "-w": "whichBrokerWhenConsumeSlowly",
        "-a": "notifyConsumerIdsChangedEnable",
    }
    values = tuple(word for letter, name in letters.items() for word in (letter, members[name]))
    policy = ("-p", wanted.retry_policy) if wanted.retry_policy else ()
    return ("updateSubGroup", *place.words, "-g", wanted.name, *values, *policy)
