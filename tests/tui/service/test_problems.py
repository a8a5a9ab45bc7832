"""What a screen says about an error."""

import pytest

from rmq.client.admin.errors import UnknownClusterError
from rmq.remoting.errors import CallTimeoutError, ConnectFailedError, ConnectionClosedError
from rmq.tui.service.problems import problem_of
from rmq.wire.errors import NoPermissionError, RemotingError, TopicNotExistError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectFailedError("a:1", "Connection refused"), "a:1: cannot connect: Connection refused"),
        (CallTimeoutError("a:1", 3.0), "a:1: no answer in time"),
        (ConnectionClosedError("a:1"), "a:1: connection closed before the answer came"),
        (NoPermissionError("not  you\nat all", address="a:1"), "a:1: not you at all (code 16)"),
        (TopicNotExistError("no route of T\nSee https://x for details"), "no route of T (code 17)"),
        (RemotingError(""), "RemotingError (code 1)"),
        (UnknownClusterError("C9"), "the cluster C9 does not exist"),
    ],
)
def test_causes(error: RemotingError, text: str) -> None:
    assert str(problem_of(error)) == text


def test_remedies() -> None:
    assert "is it running" in problem_of(ConnectFailedError("a:1")).remedy
    assert problem_of(NoPermissionError("no")).remedy == "this user or address is not allowed to ask"
