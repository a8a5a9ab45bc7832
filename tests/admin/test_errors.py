"""Failures as one line."""

import pytest

from rmq.admin.errors import one_line
from rmq.client.admin.errors import GroupOfflineError, NoControllerError, UnknownBrokerError, UnknownClusterError
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError, ConnectionClosedError
from rmq.wire.errors import NoPermissionError, RemotingError, SystemBusyError, TopicNotExistError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UnknownClusterError("x", ["b", "a"]), "the cluster x does not exist. There are these clusters: a, b."),
        (UnknownClusterError("x"), "the cluster x does not exist. There are no clusters."),
        (UnknownBrokerError("x", ["a"]), "The broker[x] not exist. There are these brokers: a."),
        (ConnectFailedError("h:1", "no"), "connect to h:1 failed: no. Check the address, and that the server runs."),
        (
            CallTimeoutError("h:1", 5),
            "wait response on the channel <h:1> timeout, 5000(ms). Check that a RocketMQ server listens there;"
            " --timeout waits longer.",
        ),
        (
            ConnectionClosedError("h:1"),
            "connection to h:1 closed before the answer came. Check that a RocketMQ server listens there.",
        ),
        (
            TopicNotExistError("No route of T\nSee https://x for details.", address="h:1"),
            "No route of T (h:1 answered code 17 TOPIC_NOT_EXIST). Check the name: mqadmin topicList.",
        ),
        (
            TopicNotExistError("No topic route info in name server for the topic: %RETRY%G", address="h:1"),
            "No topic route info in name server for the topic: %RETRY%G (h:1 answered code 17 TOPIC_NOT_EXIST)."
            " No consumer of the group has ever connected; check the name: mqadmin consumerList.",
        ),
        (
            GroupOfflineError("nobody"),
            "nobody (code 206 CONSUMER_NOT_ONLINE). Check the group's name, and that its consumers run: mqadmin"
            " consumerList.",
        ),
        (
            SystemBusyError("", address="h:1"),
            "refused without a reason (h:1 answered code 2 SYSTEM_BUSY). The server is behind; try again later.",
        ),
        (
            NoPermissionError("Can not update config in black list.", address="h:1"),
            "Can not update config in black list (h:1 answered code 16 NO_PERMISSION). Set it in the server's"
            " configuration file.",
        ),
        (
            NoPermissionError("The user is existed.", address="h:1"),
            "The user is existed (h:1 answered code 16 NO_PERMISSION). Check users and rules: mqadmin listUser and"
            " listAcl.",
        ),
        (
            NoControllerError("request type 1005 not supported", address="h:1"),
            "request type 1005 not supported (h:1 answered code 3 REQUEST_CODE_NOT_SUPPORTED). Not supported without a"
            " controller; without one, mqadmin haStatus shows masters and slaves.",
        ),
        (
            RemotingError("this request only for controllerMode ", address="h:1"),
            "this request only for controllerMode (h:1 answered code 1 SYSTEM_ERROR). Not supported without a"
            " controller; without one, mqadmin haStatus shows masters and slaves.",
        ),
        (RemotingError("odd", 4711, "h:1"), "odd (h:1 answered code 4711)."),
        (
            RemotingError("two\n lines.\nFor more information, please visit", 1, "h:1"),
            "two lines (h:1 answered code 1 SYSTEM_ERROR).",
        ),
    ],
)
def test_one_line(error: RemotingError, line: str) -> None:
    assert one_line(error) == line
