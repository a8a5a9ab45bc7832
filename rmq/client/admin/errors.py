"""What an administrator's question can come to, beside what servers answer.

Source: MQAdminImpl, DefaultMQAdminExtImpl, CommandUtil.
"""

from __future__ import annotations

from collections.abc import Iterable

from rmq.client.errors import BROKER_NOT_EXIST, ClientError
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import NotSupportedError


class UnknownClusterError(ClientError):
    """No name server that was asked knows the cluster.

    Attributes:
        cluster: the name given.
        known: the clusters there are.
    """

    def __init__(self, cluster: str, known: Iterable[str] = ()) -> None:
        self.cluster = cluster
        self.known = sorted(known)
        super().__init__(f"the cluster {cluster} does not exist")


class UnknownBrokerError(ClientError):
    """No broker has this name or address.

    Attributes:
        broker: the name or address given.
        known: the brokers there are.
    """

    default_code = BROKER_NOT_EXIST

    def __init__(self, broker: str, known: Iterable[str] = ()) -> None:
        self.broker = broker
        self.known = sorted(known)
        super().__init__(f"The broker[{broker}] not exist")


class InvalidPermissionError(ClientError):
    """The permission is no sum of 1 inherit, 2 write and 4 read."""

    default_code = ResponseCode.NO_PERMISSION

    def __init__(self, perm: int) -> None:
        super().__init__(f"topicPermission value: {perm} is invalid.")


class NoTopicStatsError(ClientError):
    """No broker of the topic's route has queues of it."""

    def __init__(self) -> None:
        super().__init__("Not found the topic stats info")


class GroupOfflineError(ClientError):
    """No client of the group is connected, or the group has no offsets."""

    default_code = ResponseCode.CONSUMER_NOT_ONLINE


class BroadcastGroupError(ClientError):
    """The group broadcasts: its offsets are kept by its clients."""

    default_code = ResponseCode.BROADCAST_CONSUMPTION


class NoMessageError(ClientError):
    """No message is stored under what was asked for."""

    default_code = ResponseCode.NO_MESSAGE


class MalformedAnswerError(ClientError):
    """A server answered with bytes that mean nothing."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address} answered with something else than messages: {reason}")


class NoTopicRouteError(ClientError):
    """The topic has no route, or none that leads into the cluster asked for."""

    default_code = ResponseCode.TOPIC_NOT_EXIST

    def __init__(self, topic: str) -> None:
        super().__init__(f"The topic[{topic}] not matched route info")


class NoOffsetsError(ClientError):
    """The group has no offset in the topic."""

    def __init__(self, group: str, topic: str) -> None:
        super().__init__(f"the group {group} has no offsets in the topic {topic}")


class OffsetRangeError(ClientError):
    """The queue holds no such offset."""

    def __init__(self, offset: int, oldest: int, newest: int) -> None:
        super().__init__(f"Target offset {offset} not in consume queue range [{oldest}-{newest}]")


class OffsetPendingError(ClientError):
    """The broker passed an offset over: an earlier reset waits for the group's next pull."""

    def __init__(self, group: str, queue: object, remark: str) -> None:
        super().__init__(f"the offset of {group} on {queue} was not taken: {remark}")


class GroupOnlineError(ClientError):
    """What was asked for needs the group to be offline."""

    def __init__(self, group: str, address: str) -> None:
        super().__init__(
            f"{address} cannot move one queue of {group} while its clients are connected"
            " (useServerSideResetOffset is off): stop them first, or reset all queues"
        )


class NoBrokerError(ClientError):
    """No broker is registered."""

    def __init__(self) -> None:
        super().__init__("no broker is registered")


class SettingIgnoredError(ClientError):
    """A server answered success to a change of a setting and did not take it.

    Attributes:
        shown: the setting as the server lists it, or None when it knows none of that name.
    """

    def __init__(self, address: str, key: str, value: str, shown: str | None) -> None:
        self.shown = shown
        kept = f"it knows no setting {key}" if shown is None else f"{key} is {shown} as before"
        super().__init__(f"{address} answered success but did not take {key}={value}: {kept}")


class NoControllerError(NotSupportedError):
    """The server that was asked as a controller is none, and refused."""
