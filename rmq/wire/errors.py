"""Errors that cross the wire, and errors in the bytes themselves.

Two families. `FrameError`: the peer sent bytes that are no frame; the connection cannot go on. `RemotingError`: a
request was understood and refused; the peer gets the code and the sentence, the connection goes on. Raising a
`RemotingError` in a server's handler is how it refuses, and the same class is raised at the caller.

Source: ResponseCode; the conditions are those of the broker's and name server's processors.
"""

from __future__ import annotations

from typing import ClassVar, Final

from rmq.wire.codes import ResponseCode

SEE_FAQ: Final = "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
"""Ends the remarks that FAQUrl ends; Java clients add a pointer of their own to those without."""


class FrameError(ValueError):
    """Bytes that are no remoting frame: the stream cannot be followed any further."""


class FrameTooLargeError(FrameError):
    """A frame announces more bytes than allowed."""


class HeaderError(FrameError):
    """A frame's header is neither valid JSON nor valid ROCKETMQ binary."""


class RemotingError(Exception):
    """A refused request: a response code and a sentence for the peer.

    Attributes:
        code: the response code; a plain number where Apache defines no name for it.
        remark: the sentence; may be empty.
        address: the peer that refused, `host:port`, on the caller's side; empty on the server's.
    """

    default_code: ClassVar[int] = ResponseCode.SYSTEM_ERROR

    def __init__(self, remark: str = "", code: int | None = None, address: str = "") -> None:
        super().__init__(remark)
        self.code = self.default_code if code is None else code
        self.remark = remark
        self.address = address

    def __str__(self) -> str:
        where = f" BROKER: {self.address}" if self.address else ""
        return f"CODE: {int(self.code)}  DESC: {self.remark}{where}"


class SystemBusyError(RemotingError):
    """The server is behind and asks the caller to come back later."""

    default_code = ResponseCode.SYSTEM_BUSY


class NotSupportedError(RemotingError):
    """The server does not know this request code."""

    default_code = ResponseCode.REQUEST_CODE_NOT_SUPPORTED


class MessageIllegalError(RemotingError):
    """The message breaks a limit: body or properties too large, or a kind that is not allowed here."""

    default_code = ResponseCode.MESSAGE_ILLEGAL


class ServiceNotAvailableError(RemotingError):
    """The broker does not take writes now: disk full, shutting down, or a slave."""

    default_code = ResponseCode.SERVICE_NOT_AVAILABLE


class NoPermissionError(RemotingError):
    """Broker, topic or group does not permit this."""

    default_code = ResponseCode.NO_PERMISSION


class TopicNotExistError(RemotingError):
    """The topic is unknown here."""

    default_code = ResponseCode.TOPIC_NOT_EXIST


class QueryNotFoundError(RemotingError):
    """Nothing is stored under what was asked for."""

    default_code = ResponseCode.QUERY_NOT_FOUND


class SubscriptionParseError(RemotingError):
    """A subscription expression has a syntax error."""

    default_code = ResponseCode.SUBSCRIPTION_PARSE_FAILED


class SubscriptionNotExistError(RemotingError):
    """The group's subscription to this topic is unknown."""

    default_code = ResponseCode.SUBSCRIPTION_NOT_EXIST


class SubscriptionNotLatestError(RemotingError):
    """The broker's copy of the subscription is older than the consumer's."""

    default_code = ResponseCode.SUBSCRIPTION_NOT_LATEST


class FilterDataNotExistError(RemotingError):
    """The group's filter on this topic is unknown; its expression may be wrong."""

    default_code = ResponseCode.FILTER_DATA_NOT_EXIST


class FilterDataNotLatestError(RemotingError):
    """The broker's copy of the filter is older than the consumer's."""

    default_code = ResponseCode.FILTER_DATA_NOT_LATEST


class SubscriptionGroupNotExistError(RemotingError):
    """The consumer group is unknown and may not be created by itself."""

    default_code = ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST


class InvalidParameterError(RemotingError):
    """A name or number in the request is not allowed."""

    default_code = ResponseCode.INVALID_PARAMETER


class ConsumerNotOnlineError(RemotingError):
    """No client of the consumer group is connected."""

    default_code = ResponseCode.CONSUMER_NOT_ONLINE


class NotLeaderForQueueError(RemotingError):
    """Another broker leads the logical queue now."""

    default_code = ResponseCode.NOT_LEADER_FOR_QUEUE


class MissingFieldError(RemotingError):
    """A required header field is absent."""


class InvalidFieldError(RemotingError):
    """A header field or a member of a body is not of its type."""


_BY_CODE: dict[int, type[RemotingError]] = {
    cls.default_code: cls
    for cls in RemotingError.__subclasses__()
    if cls.default_code != ResponseCode.SYSTEM_ERROR
}


def error_for(code: int, remark: str | None, address: str = "") -> RemotingError:
    """The error that a response code stands for."""
    return _BY_CODE.get(code, RemotingError)(remark or "", code, address)
