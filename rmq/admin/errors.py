"""Failures as an operator reads them: one line that says what failed, where, with which code, and what to do.

Exit codes: 0 done, 1 failed or refused, 2 the command line is wrong, 130 ended by Ctrl-C.
"""

from __future__ import annotations

from typing import Final

from rmq.client.admin.errors import NoControllerError, UnknownBrokerError, UnknownClusterError
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError, ConnectionClosedError
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import RemotingError
from rmq.wire.names import RETRY_PREFIX

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130

CLUSTER_HINT: Final = "Make sure the specified clusterName exists or the name server connected to is correct."
"""What Apache's commands print, on standard output, after `[error] `."""


NO_CONTROLLER: Final = "Not supported without a controller; without one, mqadmin haStatus shows masters and slaves."
"""What stands behind the refusal of a server that is no controller, or of a broker that obeys none."""


class CommandLineError(Exception):
    """An option's value is wrong; the text says how."""


_REMEDIES: Final[dict[int, str]] = {
    ResponseCode.SYSTEM_BUSY: "The server is behind; try again later.",
    ResponseCode.REQUEST_CODE_NOT_SUPPORTED: "This server does not support the command.",
    ResponseCode.SERVICE_NOT_AVAILABLE: "The broker takes no messages now; look at its disk and its log.",
    ResponseCode.NO_PERMISSION: "Check the permission of the broker, the topic and the group.",
    ResponseCode.TOPIC_NOT_EXIST: "Check the name: mqadmin topicList.",
    ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST: "Check the name: mqadmin consumerList.",
    ResponseCode.CONSUMER_NOT_ONLINE: "Check the group's name, and that its consumers run: mqadmin consumerList.",
    ResponseCode.NO_MESSAGE: "Check topic, id or key, and the times.",
    ResponseCode.INVALID_PARAMETER: "Correct the value.",
}


def one_line(error: RemotingError) -> str:
    """What failed, where, with which code, and what to do."""
    sentence = _sentence(error)
    if isinstance(error, UnknownClusterError):
        return f"{sentence}. {_known('clusters', error.known)}"
    if isinstance(error, UnknownBrokerError):
        return f"{sentence}. {_known('brokers', error.known)}"
    if isinstance(error, ConnectFailedError):
        return f"{sentence}. Check the address, and that the server runs."
    if isinstance(error, CallTimeoutError):
        return f"{sentence}. Check that a RocketMQ server listens there; --timeout waits longer."
    if isinstance(error, ConnectionClosedError):
        return f"{sentence}. Check that a RocketMQ server listens there."
    remedy = _remedy(error)
    return " ".join(part for part in (sentence + _origin(error) + ".", remedy) if part)


def _remedy(error: RemotingError) -> str:
    if isinstance(error, NoControllerError) or "only for controllerMode" in error.remark:
        return NO_CONTROLLER
    if error.code == ResponseCode.TOPIC_NOT_EXIST and RETRY_PREFIX in error.remark:
        return "No consumer of the group has ever connected; check the name: mqadmin consumerList."
    if error.code == ResponseCode.NO_PERMISSION:
        words = error.remark.lower()
        if "black list" in words:
            return "Set it in the server's configuration file."
        if any(word in words for word in ("user", "subject", "acl")):
            return "Check users and rules: mqadmin listUser and listAcl."
    return _REMEDIES.get(int(error.code), "")


def _sentence(error: RemotingError) -> str:
    """The error's own words on one line, without Apache's pointers to its web pages."""
    lines = [line for line in error.remark.splitlines() if not line.startswith(("See http", "For more information"))]
    return " ".join(" ".join(lines).split()).rstrip(".") or "refused without a reason"


def _origin(error: RemotingError) -> str:
    try:
        name = f" {ResponseCode(error.code).name}"
    except ValueError:
        name = ""
    where = f"{error.address} answered " if error.address else ""
    code = f"code {int(error.code)}{name}" if error.code >= 0 else ""
    return f" ({where}{code})" if code else ""


def _known(what: str, names: list[str]) -> str:
    return f"There are these {what}: {', '.join(names)}." if names else f"There are no {what}."
