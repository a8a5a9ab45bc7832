"""What can go wrong in a client, beside what servers answer.

Every failure of this package is a `rmq.wire.errors.RemotingError`: refused by a server (its subclass tells why), a
`rmq.remoting.errors.TransportError` when no server could be asked, or a `ClientError` when nothing was worth asking.

Source: MQClientException, ClientErrorCode, FAQUrl.
"""

from __future__ import annotations

from typing import Final

from rmq.wire.codes import ResponseCode
from rmq.wire.errors import SEE_FAQ, RemotingError

CONNECT_BROKER: Final = 10001
"""No broker that was tried could be reached."""
ACCESS_BROKER_TIMEOUT: Final = 10002
"""The last broker that was tried did not answer in time."""
BROKER_NOT_EXIST: Final = 10003
"""The route names no address for the broker."""
NOT_FOUND_TOPIC: Final = 10005
"""No name server knows a route of the topic, and none knows one of the default topic."""
REQUEST_TIMEOUT: Final = 10006
"""Nobody answered a request in time."""
CREATE_REPLY_MESSAGE: Final = 10007
"""A message is no request that could be answered."""


class ClientError(RemotingError):
    """The client cannot do what was asked; the sentence says why."""

    default_code = -1


class NotRunningError(ClientError):
    """The producer or consumer was not started, or is shut down already."""


class IllegalMessageError(ClientError):
    """The message breaks a limit of the client."""

    default_code = ResponseCode.MESSAGE_ILLEGAL


class BrokerNotExistError(ClientError):
    """The broker has no address in any route."""

    default_code = BROKER_NOT_EXIST

    def __init__(self, broker_name: str) -> None:
        super().__init__(f"The broker[{broker_name}] not exist")


class NoRouteError(ClientError):
    """The topic has no route."""

    default_code = NOT_FOUND_TOPIC

    def __init__(self, topic: str) -> None:
        super().__init__(f"No route info of this topic: {topic}{SEE_FAQ}")


class RequestTimeoutError(ClientError):
    """A request was sent, and nobody answered it in time."""

    default_code = REQUEST_TIMEOUT

    def __init__(self, topic: str, timeout: float) -> None:
        super().__init__(
            f"send request message to <{topic}> OK, but wait reply message timeout, {round(timeout * 1000)} ms."
        )


class NoRequestError(ClientError):
    """The message was not sent as a request, so it cannot be answered."""

    default_code = CREATE_REPLY_MESSAGE


class SendFailedError(ClientError):
    """All attempts to send failed.

    Attributes:
        brokers: names of the brokers that were tried, in order.
        cause: the last attempt's error.
    """

    def __init__(self, topic: str, brokers: list[str], cost: float, cause: RemotingError, code: int) -> None:
        self.brokers = brokers
        self.cause = cause
        super().__init__(
            f"Send [{len(brokers)}] times, still failed, cost [{round(cost * 1000)}]ms, Topic: {topic}, "
            f"BrokersSent: [{', '.join(brokers)}], last error: {cause}{SEE_FAQ}",
            code,
        )
